"""Comparisons: the groups of one kind beside each other on one KPI."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.insights.sheets import GROUP, Sheet, best_first, worst_first
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Kpi
from partner_cx.measures.scorecards import ScorecardRow, figure_of


@dataclass(frozen=True)
class Compared:
    """A group with its figure. name: the code's part after its kind."""

    code: str
    figure: Figure

    @property
    def name(self) -> str:
        return self.code.partition(":")[2]


def compare(
    session: Session, sheet: Sheet, kpi: Kpi, by: str, *, best: bool = False
) -> list[Compared]:
    """The groups of a kind (region, tier, …) on a KPI, those to look after first."""
    table = sheet.table
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    order = (best_first if best else worst_first)(table, kpi.direction)
    wanted = (
        sa.select(*columns)
        .where(sheet.rows(GROUP, kpis=[kpi.code]), table.subject.startswith(f"{by}:"))
        .order_by(*order, table.subject)
    )
    return [Compared(row.subject, figure_of(row)) for row in session.execute(wanted)]
