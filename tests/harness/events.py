"""A programme that rewards events: rules, budgets, and events told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.events.happenings import Happening, Recorded, happened
from rewards.ledger import Account
from rewards.rulebook import publish
from rewards.rules import Rule
from tests.harness.balanced import unbalanced
from tests.harness.intake import SETTINGS
from tests.harness.programme import MANAGER

NOW = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)

COURSE_RULE = """
code: course
label: {en: Course taken, fr: Formation suivie}
source: Terms of 2026
on: course_completed
starts: 2026-01-01
ends: 2026-12-31
award: {points: 50}
budget: learning
limits: [{per: year, points: 1000}]
"""


def a_rule(code: str = "course", **terms: str) -> Rule:
    """The course rule, with some of its lines written otherwise; `text` is added below it."""
    more = terms.pop("text", "")
    lines = [line for line in COURSE_RULE.strip().splitlines() if line.split(":")[0] not in terms]
    lines += [f"{name}: {value}" for name, value in terms.items() if value]
    lines = [f"code: {code}" if line.startswith("code:") else line for line in lines]
    return Rule.from_yaml("\n".join([*lines, more]), code)


def in_force(engine: sa.Engine, *rules: Rule, points: int = 10_000) -> None:
    why = Words("For courses", "Pour les formations")

    def work(session: Session) -> None:
        for rule in rules:
            publish(session, rule, by=MANAGER, why="Terms of 2026", now=NOW)
            if points:
                fund(
                    session,
                    rule.budget,
                    points,
                    key=f"fund:{rule.budget}:{points}",
                    why=why,
                    now=NOW,
                )

    transact(engine, work)


def a_course(key: str = "C1", **other: Any) -> Happening:
    told: dict[str, Any] = {
        "key": key,
        "kind": EventKind.COURSE_COMPLETED,
        "partner_code": "R1",
        "happened_at": datetime(2026, 7, 10, 12, tzinfo=UTC),
        "person": "ada@r1.example",
        "subject": "F-GAS",
    }
    return Happening(**told | other)


def on_day(key: str, day: str, **other: Any) -> Happening:
    at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    return a_course(key, happened_at=at, **other)


def tell(engine: sa.Engine, happening: Happening, now: datetime = NOW) -> Recorded:
    return transact(
        engine, lambda session: happened(session, happening, now=now, settings=SETTINGS)
    )


def holds(engine: sa.Engine, kind: str, owner: str) -> int:
    with Session(engine) as session:
        wanted = sa.select(Account.balance_points).where(
            Account.kind == kind, Account.owner == owner
        )
        assert unbalanced(session) == []
        return session.scalar(wanted) or 0
