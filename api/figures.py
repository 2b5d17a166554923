"""Figures for whoever reads them: as frozen where the period is closed, else as last measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.insights.sheets import Sheet
from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import NETWORK, ScorecardRow, scorecard_of, scorecards
from partner_cx.periods import Period
from rewards.frozen import Closing, FrozenFigure, closing_of


@dataclass(frozen=True)
class Measured:
    """A period with figures. closed_at: since when they are frozen; None: they aren't."""

    period: Period
    closed_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def sheet(self) -> Sheet:
        """Where its figures stand."""
        return Sheet(self.period, FrozenFigure if self.closed else ScorecardRow)


# The periods that were measured. Each is looked up by the one before it: a list of the distinct
# ones would read every figure there is.
_MEASURED = """
    WITH RECURSIVE measured(period) AS (
        SELECT min(period) FROM scorecards
        UNION ALL
        SELECT (SELECT min(s.period) FROM scorecards s WHERE s.period > measured.period)
        FROM measured WHERE measured.period IS NOT NULL
    )
    SELECT period FROM measured WHERE period IS NOT NULL
"""


def measured_periods(session: Session) -> list[Measured]:
    """Every period with figures, the latest first."""
    closed = dict(session.execute(sa.select(Closing.period, Closing.closed_at)).all())
    measured = set(session.scalars(sa.text(_MEASURED))) | closed.keys()
    periods = sorted(((Period.parse(each), each) for each in measured), reverse=True)
    return [Measured(period, closed.get(code)) for period, code in periods]


def closed_at(session: Session, period: Period) -> datetime | None:
    """When a period was closed; None while it is open."""
    closing = closing_of(session, period)
    return closing.closed_at if closing else None


def figures_of(session: Session, period: Period, level: str) -> dict[str, Mapping[str, Figure]]:
    """A period's figures on a level, by subject and KPI."""
    found = scorecards(session, period, level, table=_table(session, period))
    return {each.subject: each.figures for each in found}


def network_figures_of(session: Session, measured: Measured) -> Mapping[str, Figure]:
    """The network's figures of a period that was measured, by KPI."""
    sheet = measured.sheet
    return scorecard_of(session, sheet.period, NETWORK, NETWORK, table=sheet.table).figures


def network_course(
    session: Session, periods: Sequence[Measured]
) -> dict[Period, dict[str, Fraction | None]]:
    """The network's values of several periods, by KPI, asked for at once."""
    values: dict[Period, dict[str, Fraction | None]] = {each.period: {} for each in periods}
    parts = []
    for table in (FrozenFigure, ScorecardRow):
        codes = [str(each.period) for each in periods if each.sheet.table is table]
        if codes:
            parts.append(
                sa.select(table.period, table.kpi, table.value).where(
                    table.period.in_(codes), table.level == NETWORK, table.subject == NETWORK
                )
            )
    if not parts:
        return values
    for code, kpi, value in session.execute(sa.union_all(*parts)):
        values[Period.parse(code)][kpi] = value
    return values


def _table(session: Session, period: Period) -> type[FrozenFigure | ScorecardRow]:
    return FrozenFigure if closing_of(session, period) else ScorecardRow
