"""A small programme over one quarter, taken in by the real intake: who earns, who misses, and why.

R1 does everything well. R2 has three of its twenty lines go wrong. R3 never ordered anything, and
only the brand's own staff used the portal on its behalf. All three are D1's resellers. The quarter
is the second of 2026.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.measures import refreshing
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.closings import Closed, close
from rewards.conditions import KpiIsGreen
from rewards.decisions import DecisionRow
from rewards.ledger import Account, Entry, Transfer
from rewards.rulebook import publish
from rewards.rules import Rule
from tests.harness.balanced import unbalanced
from tests.harness.intake import SETTINGS, order_line, partner, take

QUARTER = Period.parse("2026Q2")
NOW = datetime(2026, 7, 3, 9, 0, tzinfo=UTC)
MANAGER = "mia@brand.example"
TEMPLATE = Path(__file__).parents[2] / "templates/rules/network_quality_bonus.yaml"
# Without its own tests: what is made of it here is meant to come out otherwise.
BONUS = replace(Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name), tests=())
OTIF_BONUS = replace(BONUS, code="otif_bonus", conditions=(KpiIsGreen("otif"),))

WRONG: tuple[dict[str, str | None], ...] = (  # of R2's twenty lines, the last three
    {"received_on": "2026-05-20"},  # two days late
    {"ordered_qty": "50", "received_qty": "48"},
    {"received_qty": None, "received_on": None},
)


def a_network(engine: sa.Engine) -> None:
    """Partners, targets and a quarter's facts."""
    take(
        engine,
        "partners",
        partner("D1", kind="distributor"),
        *(partner(code, parent_code="D1", tier="gold") for code in ("R1", "R2", "R3")),
    )
    take(
        engine,
        "targets",
        {"kpi": "otif", "target": "95 %", "from": "2026-01-01", "n_min": "5"},
        {"kpi": "sla_response", "target": "90 %", "from": "2026-01-01", "n_min": None},
        {"kpi": "portal_adoption", "target": "60 %", "from": "2026-01-01", "n_min": None},
    )
    take(engine, "order-lines", *lines("R1", 20), *lines("R2", 17), *wrong_lines("R2"))
    take(engine, "tickets", ticket("T1", "R1", "30"), ticket("T2", "R2", "30"))
    take(
        engine,
        "portal-events",
        seen("E1", "R1"),
        seen("E2", "R2"),
        seen("E3", "R3", internal="yes"),
    )


def a_tallied_network(engine: sa.Engine) -> None:
    """The network on the day of its close, its facts tallied."""
    a_network(engine)
    refreshing.refresh(engine, now=NOW, settings=SETTINGS)


def a_closed_quarter(engine: sa.Engine) -> None:
    """The network, its quarter closed under the network quality bonus."""
    a_network(engine)
    a_programme(engine)
    close_it(engine)


def a_programme(engine: sa.Engine, *rules: Rule, points: int = 10_000) -> None:
    """Rules in force, and a budget that holds so many points."""
    why = Words("For the second quarter", "Pour le deuxième trimestre")

    def work(session: Session) -> None:
        for rule in rules or (BONUS,):
            publish(session, rule, by=MANAGER, why="Terms of 2026", now=NOW)
        if points:
            fund(session, BONUS.budget, points, key=f"fund:{points}", why=why, now=NOW)

    transact(engine, work)


def close_it(engine: sa.Engine, period: Period | str = QUARTER, *, now: datetime = NOW) -> Closed:
    return close(engine, _period(period), now=now, by=MANAGER, settings=SETTINGS)


def lines(partner_code: str, count: int, day: str = "2026-05-18") -> list[dict[str, str | None]]:
    """Order lines delivered in full on their day."""
    return [
        order_line(
            f"{partner_code}-{day}-{number:02}",
            order_code=f"O-{partner_code}-{day}-{number // 5}",
            partner_code=partner_code,
            window_end=day,
            received_on=day,
        )
        for number in range(count)
    ]


def wrong_lines(partner_code: str) -> list[dict[str, str | None]]:
    return [
        order_line(
            f"{partner_code}-wrong-{number}",
            **{
                "order_code": f"O-{partner_code}-wrong",
                "partner_code": partner_code,
                "window_end": "2026-05-18",
                "received_on": "2026-05-18",
                **cells,
            },
        )
        for number, cells in enumerate(WRONG, start=1)
    ]


def ticket(source_id: str, partner_code: str, minutes: str) -> dict[str, str | None]:
    """A ticket of 4 May, answered after so many minutes of the sixty promised."""
    return {
        "source_id": source_id,
        "partner_code": partner_code,
        "opened_at": "2026-05-04T08:00:00Z",
        "first_reply_at": f"2026-05-04T08:{minutes}:00Z",
        "response_target_minutes": "60",
    }


def seen(source_id: str, partner_code: str, internal: str = "no") -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": partner_code,
        "at": "2026-05-04T08:00:00Z",
        "kind": "login",
        "person_email": f"someone@{partner_code.lower()}.example",
        "internal": internal,
    }


def ledger(engine: sa.Engine) -> dict[str, list[Any]]:
    """All that a close decides and pays, without ids and moments: equal when the ledger is."""
    with Session(engine) as session:
        assert unbalanced(session) == []
        transfers = sa.select(Transfer.key, Transfer.digest, Transfer.effective_on)
        entries = sa.select(Transfer.key, Account.kind, Account.owner, Entry.points)
        entries = entries.select_from(Entry).join(Transfer).join(Account)
        accounts = sa.select(Account.kind, Account.owner, Account.balance_points)
        decided = sa.select(
            DecisionRow.partner_id,
            DecisionRow.verdict,
            DecisionRow.points,
        )
        return {
            "transfers": sorted(map(tuple, session.execute(transfers))),
            "entries": sorted(map(tuple, session.execute(entries))),
            "accounts": sorted(map(tuple, session.execute(accounts))),
            "decisions": [tuple(row) for row in session.execute(decided.order_by(DecisionRow.id))],
            "figures": list(
                session.scalars(sa.text("SELECT digest FROM closings ORDER BY period"))
            ),
        }


def _period(period: Period | str) -> Period:
    return period if isinstance(period, Period) else Period.parse(period)
