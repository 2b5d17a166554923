"""Standings: how many partners reach each target, miss it, or give nothing to judge by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.insights.sheets import PARTNER, Sheet
from partner_cx.measures.figures import State


@dataclass(frozen=True)
class Standing:
    """How many partners stand how on one KPI."""

    green: int = 0
    red: int = 0
    no_data: int = 0
    stale: int = 0

    @property
    def total(self) -> int:
        return self.green + self.red + self.no_data + self.stale

    def of(self, state: State) -> int:
        return int(getattr(self, state.value))


def standings(session: Session, sheet: Sheet, kpis: Collection[str]) -> dict[str, Standing]:
    """The partners' states on some KPIs, by KPI; those nobody is judged on are left out."""
    table = sheet.table
    counted = (
        sa.select(table.kpi, table.state, sa.func.count())
        .where(sheet.rows(PARTNER, kpis=kpis), table.state.is_not(None))
        .group_by(table.kpi, table.state)
    )
    found: dict[str, dict[str, int]] = {}
    for kpi, state, count in session.execute(counted):
        found.setdefault(kpi, {})[str(state)] = count
    return {kpi: Standing(**by_state) for kpi, by_state in found.items()}
