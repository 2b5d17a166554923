"""Figures for whoever reads them: as frozen where the period is closed, else as last measured."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure, State, Target
from partner_cx.measures.scorecards import FigureColumns, ScorecardRow
from partner_cx.periods import Period
from rewards.closings import Closing
from rewards.frozen import FrozenFigure

NETWORK = "network"


@dataclass(frozen=True)
class Measured:
    """A period with figures, and whether they are frozen."""

    period: Period
    closed: bool


def measured_periods(session: Session) -> list[Measured]:
    """Every period with figures, the latest first."""
    closed = set(session.scalars(sa.select(Closing.period)))
    measured = session.scalars(
        sa.select(ScorecardRow.period).where(ScorecardRow.level == NETWORK).distinct()
    )
    periods = sorted((Period.parse(text) for text in closed.union(measured)), reverse=True)
    return [Measured(period, str(period) in closed) for period in periods]


def closed_at(session: Session, period: Period) -> datetime | None:
    """When a period was closed; None while it is open."""
    return session.scalar(sa.select(Closing.closed_at).where(Closing.period == str(period)))


def figures_of(
    session: Session, period: Period, *, level: str, subject: str | None = None
) -> Mapping[str, Mapping[str, Figure]]:
    """Figures by subject and KPI, of one subject or of all on a level."""
    return figures_of_many(session, [period], level=level, subject=subject)[period]


def figures_of_many(
    session: Session, periods: Sequence[Period], *, level: str, subject: str | None = None
) -> Mapping[Period, Mapping[str, Mapping[str, Figure]]]:
    """The same for several periods at once."""
    names = {str(period): period for period in periods}
    frozen = set(session.scalars(sa.select(Closing.period).where(Closing.period.in_(names))))
    found: dict[Period, dict[str, dict[str, Figure]]] = {
        period: defaultdict(dict) for period in periods
    }
    tables: tuple[tuple[type[FrozenFigure | ScorecardRow], set[str]], ...] = (
        (FrozenFigure, frozen),
        (ScorecardRow, names.keys() - frozen),
    )
    for table, wanted in tables:
        query = sa.select(table).where(table.period.in_(wanted), table.level == level)
        if subject is not None:
            query = query.where(table.subject == subject)
        for row in session.scalars(query):
            found[names[row.period]][row.subject][row.kpi] = figure(row)
    return found


def figure(row: FigureColumns) -> Figure:
    """A stored figure, as it was measured."""
    target = None
    if row.target is not None:
        target = Target(
            kpi=row.kpi,
            value=row.target,
            n_min=row.n_min or 0,
            coverage_min=row.coverage_min or 0,  # type: ignore[arg-type]
            stale_after_days=row.stale_after_days,
            group=row.target_group,
        )
    return Figure(
        kpi=row.kpi,
        value=row.value,
        hits=row.hits,
        of=row.of,
        n=row.n,
        coverage=row.coverage,
        low=row.low,
        high=row.high,
        state=None if row.state is None else State(row.state),
        target=target,
        as_of=row.as_of,
        definition_version=row.definition_version,
        details=json.loads(row.details) if row.details else {},
    )
