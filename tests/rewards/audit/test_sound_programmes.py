"""Whatever a programme lives through, its audit finds nothing as long as nobody tampers with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.events.awards import pay_waiting
from rewards.rulebook.retirements import retire
from rewards.rules import FixedPoints, Shortage
from tests.harness import databases, killed_close
from tests.harness.audited import (
    LATER,
    at,
    audited,
    correct_the_past,
    publish_on,
    tell_on,
)
from tests.harness.events import a_rule, in_force
from tests.harness.intake import partner, take, take_out
from tests.harness.programme import (
    BONUS,
    MANAGER,
    OTIF_BONUS,
    a_network,
    a_programme,
    close_it,
    lines,
    ticket,
)

EVERY_SHORTAGE = list(Shortage)


def sound(engine: sa.Engine, *, deep: bool = True) -> bool:
    report = audited(engine, deep=deep)
    assert [each.sentence.en for each in report.differences] == []
    return not report.unknown


def test_an_empty_programme(engine: sa.Engine) -> None:
    assert sound(engine)


@pytest.mark.parametrize("policy", EVERY_SHORTAGE)
def test_a_budget_that_ran_short_and_was_funded_late(engine: sa.Engine, policy: Shortage) -> None:
    a_network(engine)
    take(engine, "order-lines", *lines("R3", 20))
    a_programme(engine, replace(OTIF_BONUS, when_short=policy), points=700)
    close_it(engine)
    assert sound(engine)
    _fund_more(engine, 5_000)
    assert sound(engine, deep=False)  # funded, and not closed again yet
    close_it(engine, now=at("2026-07-05"))
    assert sound(engine, deep=False)


def test_facts_that_were_withdrawn_and_some_that_came_back(engine: sa.Engine) -> None:
    a_network(engine)
    take(
        engine,
        "receipts",
        {
            "source_id": "W1",
            "order_line_source_id": "R2-wrong-3",
            "received_on": "2026-05-18",
            "qty": "10",
        },
    )
    a_programme(engine, BONUS, OTIF_BONUS)
    close_it(engine)
    take_out(engine, "order-lines", "R2-wrong-1", "R2-wrong-3", "R1-2026-05-18-00")
    take_out(engine, "tickets", "T2")
    assert sound(engine)
    take(engine, "order-lines", *lines("R1", 1), *lines("R3", 5))
    take(engine, "tickets", ticket("T2", "R1", "90"), ticket("T3", "R2", "30"))
    take(engine, "order-lines", *lines("R2", 20, "2026-08-18"))
    close_it(engine, "2026Q3", now=at("2026-10-02"))
    take_out(engine, "order-lines", "R1-2026-05-18-00", "R2-2026-08-18-03")
    take_out(engine, "tickets", "T2", "T3")
    correct_the_past(engine)
    assert sound(engine)


def test_facts_that_came_late_and_partners_that_changed(engine: sa.Engine) -> None:
    a_network(engine)
    a_programme(engine, BONUS, OTIF_BONUS)
    close_it(engine)
    take(
        engine,
        "partners",
        partner("R2", parent_code=None, tier="silver", left_on="2026-08-01"),
        partner("R4", parent_code="D1", tier="gold"),
    )
    take(engine, "order-lines", *lines("R4", 10), *lines("R3", 5))
    take(
        engine,
        "people",
        {
            "email": "x@r1.example",
            "name": "X",
            "role": "partner",
            "partner_code": "R1",
            "language": None,
        },
    )
    take(engine, "targets", {"kpi": "otif", "target": "50 %", "from": "2026-01-01", "n_min": "1"})
    correct_the_past(engine)
    assert sound(engine)
    close_it(engine, "2026Q3", now=at("2026-10-02"))
    correct_the_past_again = lines("R1", 2)
    take(engine, "order-lines", *correct_the_past_again)
    assert sound(engine)


def test_rules_that_changed_and_were_retired(engine: sa.Engine) -> None:
    a_network(engine)
    a_programme(engine, BONUS, OTIF_BONUS)
    close_it(engine)
    dearer = replace(BONUS, award=FixedPoints(900), starts=date(2026, 7, 1))
    publish_on(engine, "2026-07-10", dearer)
    publish_on(engine, "2026-07-11", replace(OTIF_BONUS, award=FixedPoints(1)))  # of the past, too
    close_it(engine, "2026Q3", now=at("2026-10-02"))
    transact(
        engine,
        lambda session: retire(
            session,
            BONUS.code,
            date(2026, 10, 1),
            by=MANAGER,
            why="Over",
            now=at("2026-10-03"),
        ),
    )
    close_it(engine, "2026Q4", now=at("2027-01-04"))
    assert sound(engine)


def test_closes_in_any_order_at_moments_of_their_own(engine: sa.Engine) -> None:
    """A manager catches up on quarters, under a rule that was published afterwards."""
    a_network(engine)
    publish_on(engine, "2026-11-01", BONUS)
    _fund_more(engine, 5_000)
    close_it(engine, "2026Q3", now=at("2026-10-02"))
    close_it(engine, "2026Q2", now=at("2026-07-03"))
    assert sound(engine)


def test_events_paid_late_and_told_for_earlier_days(engine: sa.Engine) -> None:
    a_network(engine)
    in_force(engine, a_rule(limits="[{per: month, points: 60}]"), points=0)
    for key, day in (("C1", "2026-07-21"), ("C2", "2026-07-22"), ("C3", "2026-07-10")):
        tell_on(engine, key, EventKind.COURSE_COMPLETED, "R1", day, told_on="2026-08-01")
    assert sound(engine)
    _fund_more(engine, 55, "learning", "2026-08-02")
    transact(engine, lambda session: pay_waiting(session, now=LATER))
    assert sound(engine, deep=False)


def test_closes_at_once(engine: sa.Engine) -> None:
    a_network(engine)
    a_programme(engine, BONUS, OTIF_BONUS)
    with ThreadPoolExecutor(3) as several:
        for done in [several.submit(close_it, engine) for _ in range(3)]:
            done.result()
    assert sound(engine)


@pytest.mark.parametrize("kind", databases.EACH_KIND)
def test_a_close_that_was_killed_and_run_again(kind: str) -> None:
    with databases.fresh_database(kind) as url:
        engine = open_database(url)
        a_network(engine)
        a_programme(engine)
        killed_close.die_at(url, 40)
        assert sound(engine)
        close_it(engine)
        assert sound(engine)
        engine.dispose()


def _fund_more(
    engine: sa.Engine, points: int, code: str = BONUS.budget, day: str = "2026-07-04"
) -> None:
    why = Words("Late", "Tard")

    def work(session: Session) -> None:
        fund(session, code, points, key=f"late:{code}", why=why, now=at(day))

    transact(engine, work)
