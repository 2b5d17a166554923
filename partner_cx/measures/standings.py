"""Standings: where one partner's figures lie among those of its kind, without naming anybody.

Before it stand kept scorecards; after it a partner's own figures page. Of a group with fewer than
five figures nothing is told: who is above and below could be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Direction
from partner_cx.measures.scorecards import FigureColumns, ScorecardRow
from partner_cx.network.partners import Partner
from partner_cx.periods import Period

MEMBERS_MIN = 5


class Band(StrEnum):
    """Which part of its group a figure lies in, the better ones first."""

    TOP = "top"  # among the best quarter
    ABOVE = "above"  # in the better half
    MIDDLE = "middle"  # at the median
    BELOW = "below"  # in the other half
    BOTTOM = "bottom"  # among the last quarter


@dataclass(frozen=True)
class Place:
    """A figure's place in its group. members: how many have such a figure, itself included."""

    band: Band
    members: int


def places(
    session: Session,
    partner: Partner,
    period: Period,
    *,
    table: type[FigureColumns] = ScorecardRow,
) -> dict[str, Place]:
    """The partner's place for each KPI among the partners of its kind, in one statement.

    table: `ScorecardRow` for what is known now, or the frozen ones.
    """
    own, other = aliased(table), aliased(table)
    ours, theirs = _number(own.value, session), _number(other.value, session)
    found = session.execute(
        sa.select(
            own.kpi,
            sa.func.count().label("members"),
            sa.func.sum(sa.case((theirs > ours, 1), else_=0)).label("higher"),
            sa.func.sum(sa.case((theirs < ours, 1), else_=0)).label("lower"),
        )
        .join(
            other,
            sa.and_(other.period == own.period, other.level == own.level, other.kpi == own.kpi),
        )
        .join(Partner, Partner.code == other.subject)
        .where(
            own.period == str(period),
            own.level == "partner",
            own.subject == partner.code,
            own.value.is_not(None),
            other.value.is_not(None),
            Partner.kind == partner.kind,
        )
        .group_by(own.kpi)
        .having(sa.func.count() >= MEMBERS_MIN)
    )
    return {row.kpi: _place(row) for row in found if row.kpi in CATALOGUE}


def _place(row: Any) -> Place:
    better, worse = int(row.higher), int(row.lower)
    if CATALOGUE[row.kpi].direction is Direction.LOWER:
        better, worse = worse, better
    return Place(_band(better, worse, row.members), row.members)


def _band(better: int, worse: int, members: int) -> Band:
    """By how many are better and worse. Where the median is shared, all who share it are at it."""
    if 2 * better < members and 2 * worse < members:
        return Band.MIDDLE
    if better < worse:
        return Band.TOP if 4 * better < members else Band.ABOVE
    return Band.BOTTOM if 4 * worse < members else Band.BELOW


def _number(value: Any, session: Session) -> sa.ColumnElement[Any]:
    """What is written `19/20`, as a number to be compared by: never to be shown or kept."""
    written = sa.type_coerce(value, sa.Text)
    if session.get_bind().dialect.name == "postgresql":
        above, below = (sa.func.split_part(written, "/", place) for place in (1, 2))
        return sa.cast(above, sa.Numeric) / sa.cast(below, sa.Numeric)
    bar = sa.func.instr(written, "/")
    above = sa.func.substr(written, 1, bar - 1)
    return sa.cast(above, sa.REAL) / sa.cast(sa.func.substr(written, bar + 1), sa.REAL)
