"""Figures for whoever reads them: as frozen where the period is closed, else as last measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import NETWORK, ScorecardRow, scorecard_of, scorecards
from partner_cx.periods import Period
from rewards.frozen import Closing, FrozenFigure, closing_of


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
    closing = closing_of(session, period)
    return closing.closed_at if closing else None


def figures_of(session: Session, period: Period, level: str) -> dict[str, Mapping[str, Figure]]:
    """A period's figures on a level, by subject and KPI."""
    found = scorecards(session, period, level, table=_table(session, period))
    return {each.subject: each.figures for each in found}


def network_figures(session: Session, period: Period) -> Mapping[str, Figure]:
    """The network's figures of a period, by KPI; none where it was never measured."""
    return scorecard_of(session, period, NETWORK, NETWORK, table=_table(session, period)).figures


def _table(session: Session, period: Period) -> type[FrozenFigure | ScorecardRow]:
    return FrozenFigure if closing_of(session, period) else ScorecardRow
