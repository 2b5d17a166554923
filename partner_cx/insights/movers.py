"""Movers: the partners whose figures changed most from one period to the next."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.insights.sheets import PARTNER, Sheet, as_number
from partner_cx.measures.figures import Target
from partner_cx.measures.scorecards import FigureColumns
from partner_cx.network.partners import Partner

SAMPLE_LEAST = 5  # fewer cases move by chance alone
# Of these a partner is one case: it came or didn't, stayed or went.
_ONE_CASE_EACH = ("portal_adoption", "retention", "churn", "referral_rate")


@dataclass(frozen=True)
class Mover:
    """A partner's figure in two periods, each with the cases it was drawn from."""

    code: str
    name: str
    before: Fraction
    now: Fraction
    n_before: int
    n_now: int

    @property
    def change(self) -> Fraction:
        return self.now - self.before


@dataclass(frozen=True)
class Movers:
    """Who rose and who fell, the furthest first. n_min: the cases that both periods needed."""

    up: tuple[Mover, ...] = ()
    down: tuple[Mover, ...] = ()
    n_min: int = SAMPLE_LEAST


def sample_needed(kpi: str, target: Target | None) -> int:
    """How many cases a partner's figure needs before its movement means something."""
    asked = target.n_min if target else 1
    return asked if kpi in _ONE_CASE_EACH else max(asked, SAMPLE_LEAST)


def movers(
    session: Session, now: Sheet, before: Sheet, kpi: str, *, n_min: int, most: int
) -> Movers:
    """The partners that moved most on a KPI. n_min: the fewest cases in either period.

    Up is up: whether that is good is the KPI's direction to say.
    """
    new, old = aliased(now.table), aliased(before.table)
    change = as_number(new.value) - as_number(old.value)
    moved = (
        sa.select(
            new.subject,
            new.value.label("now"),
            old.value.label("before"),
            new.n.label("n_now"),
            old.n.label("n_before"),
            change.label("change"),
            sa.func.row_number().over(order_by=[change.desc(), new.subject]).label("from_top"),
            sa.func.row_number().over(order_by=[change, new.subject]).label("from_bottom"),
        )
        .join(old, sa.and_(old.subject == new.subject, _holds(old, before, kpi, n_min)))
        .where(_holds(new, now, kpi, n_min), new.value != old.value)
    ).subquery()
    wanted = (
        sa.select(moved, Partner.name)
        .join(Partner, Partner.code == moved.c.subject)
        .where(sa.or_(moved.c.from_top <= most, moved.c.from_bottom <= most))
    )
    found = [
        Mover(row.subject, row.name, row.before, row.now, row.n_before, row.n_now)
        for row in session.execute(wanted)
    ]
    up = [each for each in found if each.change > 0]
    down = [each for each in found if each.change < 0]
    return Movers(
        up=tuple(sorted(up, key=lambda each: (-each.change, each.code))[:most]),
        down=tuple(sorted(down, key=lambda each: (each.change, each.code))[:most]),
        n_min=n_min,
    )


def _holds(
    table: type[FigureColumns], sheet: Sheet, kpi: str, n_min: int
) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.period == str(sheet.period),
        table.level == PARTNER,
        table.kpi == kpi,
        table.n >= n_min,
        table.value.is_not(None),
    )
