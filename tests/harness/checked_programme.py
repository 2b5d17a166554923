"""A programme that rules are checked against: two closed quarters, and all that a rule may lack.

Six resellers of D1. R1 and R5 have 39 of 40 order lines on time in each quarter, R6 has 36, R2 34;
R3 ordered nothing; R4, the only one of tier bronze, has three lines. Only D1 ever learned anything,
there are no tickets, and of events the programme was told of one report alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.measures import refreshing
from partner_cx.network.partners import Partner
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.conditions import KpiAtLeast
from rewards.events import EventRow
from rewards.rulebook import publish
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import BONUS, MANAGER, NOW, close_it

TODAY = date(2026, 7, 3)
QUARTERS = {"2026Q1": "2026-02-16", "2026Q2": "2026-05-18"}  # with the day all lines are due
LINES = {"R1": (40, 1), "R2": (40, 6), "R4": (3, 0), "R5": (40, 1), "R6": (40, 4)}  # all, late
BUDGETS = {"quality": 10_000, "small": 700, "tiny": 100}
IN_FULL_BONUS = replace(
    BONUS,
    code="in_full_bonus",
    ends=date(2026, 12, 31),
    conditions=(KpiAtLeast("in_full", Fraction(9, 10), n_min=20),),
)


def a_checked_programme(engine: sa.Engine) -> None:
    resellers = [partner(f"R{n}", parent_code="D1", tier="gold") for n in (1, 2, 3, 5, 6)]
    bronze = partner("R4", parent_code="D1", tier="bronze")
    take(engine, "partners", partner("D1", kind="distributor"), *resellers, bronze)
    take(
        engine,
        "targets",
        {"kpi": "otif", "target": "95 %", "from": "2026-01-01", "n_min": "20"},
        {"kpi": "on_time", "target": "95 %", "from": "2026-01-01", "n_min": None},
        {"kpi": "in_full", "target": "90 %", "from": "2026-01-01", "n_min": "20"}
        | {"group": "tier:gold"},
    )
    take(engine, "order-lines", *_order_lines())
    take(engine, "learning", *_learning())
    refreshing.refresh(engine, now=NOW, settings=SETTINGS)
    transact(engine, _rules_and_money)
    for quarter in QUARTERS:
        close_it(engine, quarter)


def _order_lines() -> list[dict[str, str | None]]:
    return [
        order_line(
            f"{code}-{quarter}-{number}",
            order_code=f"O-{code}-{quarter}",
            partner_code=code,
            window_end=day,
            received_on=f"{day[:-2]}20" if number < late else day,
        )
        for quarter, day in QUARTERS.items()
        for code, (count, late) in LINES.items()
        for number in range(count)
    ]


def _learning() -> list[dict[str, str | None]]:
    return [
        {
            "source_id": f"L-{quarter}-{number}",
            "partner_code": "D1",
            "person_email": f"someone{number}@d1.example",
            "course_code": "care",
            "enrolled_on": day,
            "completed_on": day if number else None,
        }
        for quarter, day in QUARTERS.items()
        for number in range(30)
    ]


def _rules_and_money(session: Session) -> None:
    why = Words("For 2026", "Pour 2026")
    for code, points in BUDGETS.items():
        fund(session, code, points, key=f"fund:{code}", why=why, now=NOW)
    fund(session, IN_FULL_BONUS.budget, 50_000, key="fund:in_full", why=why, now=NOW)
    publish(session, IN_FULL_BONUS, by=MANAGER, why="Terms of 2026", now=NOW)
    session.add(
        EventRow(
            key="report:1",
            digest="",
            kind="report_accepted",
            partner_id=session.scalars(sa.select(Partner.id).where(Partner.code == "R1")).one(),
            happened_at=datetime(2026, 5, 4, 9, tzinfo=UTC),
            on=date(2026, 5, 4),
            groups=[],
            recorded_at=NOW,
        )
    )
