"""Trends: one partner's figures over several periods, and the rows behind one of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import FigureColumns, ScorecardRow, figure_of
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.settings import Settings
from rewards.frozen import FrozenFigure, closing_of
from rewards.misses import Asked, Misses, rows_kept, rows_missed
from rewards.terms import under_terms

PERIODS_SHOWN = 8


def periods_up_to(last: Period, count: int = PERIODS_SHOWN) -> list[Period]:
    """So many periods of a kind up to one of them, the earliest first."""
    periods = [last]
    while len(periods) < count and periods[-1].first_day.year > 1900:
        periods.append(periods[-1].previous())
    return periods[::-1]


def figures_over(
    session: Session, partner_code: str, periods: Sequence[Period], closed: Collection[Period]
) -> dict[Period, dict[str, Figure]]:
    """A partner's figures by period and KPI: frozen where a period is closed, else as last known.

    Two statements, however many periods.
    """
    frozen = [each for each in periods if each in closed]
    running = [each for each in periods if each not in closed]
    return _read(session, FrozenFigure, partner_code, frozen) | _read(
        session, ScorecardRow, partner_code, running
    )


def _read(
    session: Session, table: type[FigureColumns], code: str, periods: Sequence[Period]
) -> dict[Period, dict[str, Figure]]:
    found: dict[Period, dict[str, Figure]] = {each: {} for each in periods}
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    by_name = {str(each): each for each in periods}
    rows = session.execute(
        sa.select(*columns).where(
            table.period.in_(list(by_name)), table.level == "partner", table.subject == code
        )
    )
    for row in rows:
        found[by_name[row.period]][row.kpi] = figure_of(row)
    return found


@dataclass(frozen=True)
class Behind:
    """The rows behind a figure: those that missed, then those that were as they should be."""

    missed: Misses
    kept: Misses

    @property
    def total(self) -> int:
        return self.missed.total + self.kept.total


def rows_of(
    session: Session,
    partner: Partner,
    period: Period,
    kpi: str,
    *,
    settings: Settings,
    as_of: datetime,
    limit: int,
) -> Behind:
    """The first rows behind a partner's figure: as known at the close, else as known now.

    as_of: the moment the figure holds for. limit: of the rows that missed and of those kept.
    """
    closing = closing_of(session, period)
    if closing is None:
        known_until = session.scalar(sa.select(sa.func.max(Import.id))) or 0
        asked = Asked(session, (partner.id,), period, as_of, known_until, settings)
    else:
        asked = Asked(
            session,
            (partner.id,),
            period,
            closing.as_of,
            closing.last_import_id or 0,
            under_terms(settings, closing.terms),
        )
    return Behind(rows_missed(asked, kpi, limit), rows_kept(asked, kpi, limit))
