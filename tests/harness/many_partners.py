"""A network of any size with its scorecards, written straight into the tables: for what must be as
quick for many partners as for a few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from partner_cx.database import transact
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from tests.harness.intake import partner, take

MEASURED = datetime(2026, 7, 3, 9, tzinfo=UTC)
QUARTERS = Period.span(Period.parse("2026Q1"), Period.parse("2026Q2"))
KPIS = ("otif", "sla_response", "portal_adoption", "dispute_rate")
TARGET = Fraction(9, 10)


def many_partners(engine: sa.Engine, count: int) -> None:
    """So many partners in four regions, measured in two quarters; the lower numbers do better."""
    take(
        engine,
        "partners",
        *(
            partner(f"P{number:04}", name=f"Partner {number:04}", region=f"Region {number % 4}")
            for number in range(count)
        ),
    )
    rows = [*_rows(count)]
    transact(engine, lambda session: session.execute(sa.insert(ScorecardRow), rows))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(Partner)) == count


def _rows(count: int) -> Iterator[dict[str, Any]]:
    regions = [f"region:Region {number}" for number in range(4)]
    for quarter in QUARTERS:
        for kpi in KPIS:
            for number in range(count):
                hits = 20 - number % 20 if quarter is QUARTERS[-1] else 15
                yield _row(quarter, "partner", f"P{number:04}", kpi, hits, 20)
            for region in regions:
                yield _row(quarter, "group", region, kpi, 18 * count, 20 * count)
            yield _row(quarter, "network", "network", kpi, 18 * count, 20 * count)


def _row(quarter: Period, level: str, subject: str, kpi: str, hits: int, of: int) -> dict[str, Any]:
    value = Fraction(hits, of)
    better = value >= TARGET if CATALOGUE[kpi].direction == "higher" else value <= TARGET
    return {
        "period": str(quarter),
        "level": level,
        "subject": subject,
        "kpi": kpi,
        "value": value,
        "hits": hits,
        "of": of,
        "n": of,
        "state": "green" if better else "red",
        "target": TARGET,
        "n_min": 5,
        "coverage_min": Fraction(0),
        "as_of": MEASURED,
        "definition_version": 1,
    }
