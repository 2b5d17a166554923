"""Acts that are given a moment by hand, in another order than they were recorded: no difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from partner_cx.database import transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards.budgets import fund
from tests.harness.audited import at, audited, publish_on, tell_on
from tests.harness.events import a_rule, in_force
from tests.harness.intake import take
from tests.harness.programme import (
    BONUS,
    OTIF_BONUS,
    a_network,
    a_programme,
    close_it,
    lines,
)


def sound(engine: sa.Engine) -> bool:
    return [each.sentence.en for each in audited(engine, deep=False).differences] == []


def fund_at(engine: sa.Engine, points: int, day: str) -> None:
    why = Words("Late", "Tard")
    transact(
        engine,
        lambda session: fund(session, BONUS.budget, points, key="late", why=why, now=at(day)),
    )


def test_a_budget_is_funded_after_the_close_as_of_a_day_before_it(engine: sa.Engine) -> None:
    a_network(engine)
    a_programme(engine, BONUS, OTIF_BONUS, points=700)
    close_it(engine)
    fund_at(engine, 5_000, "2026-06-02")
    assert sound(engine)


def test_an_earlier_close_finds_its_budget_spent_by_a_later_one(engine: sa.Engine) -> None:
    a_network(engine)
    take(engine, "order-lines", *lines("R1", 20, "2026-02-18"))
    publish_on(engine, "2026-01-05", replace(OTIF_BONUS, starts=date(2026, 1, 1)))
    fund_at(engine, 500, "2026-01-06")
    close_it(engine, "2026Q2", now=at("2026-07-03"))
    close_it(engine, "2026Q1", now=at("2026-04-03"))
    assert sound(engine)


def test_an_event_told_as_of_an_earlier_day_finds_its_budget_spent(engine: sa.Engine) -> None:
    a_network(engine)
    in_force(engine, a_rule(), points=50)
    for key, day in (("C1", "2026-08-01"), ("C2", "2026-07-25")):
        tell_on(engine, key, EventKind.COURSE_COMPLETED, "R1", "2026-07-21", told_on=day)
    assert sound(engine)
