"""What statements say of points that wait, were taken back, cut, or put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.periods import Period, PeriodKind
from rewards import holds
from rewards.conditions import Verdict
from rewards.ledger.owners import owner_of
from rewards.restating import restate
from rewards.restating.approving import approve
from rewards.rules import FixedPoints, Shortage
from rewards.rules.limits import Limit
from rewards.statements import Statement, statement
from tests.harness.events import NOW as TOLD_AT
from tests.harness.events import a_course, a_rule, in_force, on_day, tell
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import (
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    lines,
)

DUE = date(2026, 7, 24)
KEY = "event:C1:course"


def statement_of(engine: sa.Engine, subject: str, period: Period | None = None) -> Statement:
    with reading(engine) as session:
        return statement(session, owner_of(session, subject), settings=SETTINGS, period=period)


@pytest.fixture
def partners(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("R1"), partner("R2"))
    take(engine, "people", {"email": "ada@r1.example", "name": "Ada", "role": "rep"})
    return engine


def refuse(engine: sa.Engine) -> None:
    def work(session: Session) -> int:
        return holds.refuse(
            session, KEY, by=MANAGER, why="Told twice", now=TOLD_AT, settings=SETTINGS
        ).points

    transact(engine, work)


def release(engine: sa.Engine) -> None:
    transact(engine, lambda session: holds.release_due(session, on=DUE, now=TOLD_AT).points)


def test_a_held_award_is_pending_until_its_day(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    found = statement_of(partners, "R1")
    assert (found.balance, found.pending, found.lines, found.unearned) == (0, 50, (), ())
    (held,) = found.waiting
    assert (held.points, held.until, held.key, held.on) == (50, DUE, KEY, date(2026, 7, 10))
    assert held.sentence.en == (
        "Course taken, course completed on 10 July 2026: 50 points. To be released on 24 July 2026."
    )
    assert held.sentence.fr.endswith("À débloquer le 24 juillet 2026.")


def test_what_waits_for_approval_says_so(partners: sa.Engine) -> None:
    in_force(partners, a_rule(needs_approval="true"))
    tell(partners, a_course())
    (held,) = statement_of(partners, "R1").waiting
    assert held.sentence.en.endswith("50 points. Waits for approval.")
    assert held.sentence.fr.endswith("En attente d’approbation.")


def test_a_released_award_is_a_line_and_pending_no_more(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    release(partners)
    found = statement_of(partners, "R1")
    assert (found.balance, found.pending, found.waiting, found.refused) == (50, 0, (), ())
    (line,) = found.lines
    assert (line.points, line.on, line.held_since) == (50, DUE, date(2026, 7, 10))
    assert line.rule is not None
    assert line.rule.code == "course"
    assert line.why.en.startswith("No longer held. Course taken")


def test_a_refused_award_says_why(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    refuse(partners)
    found = statement_of(partners, "R1")
    assert (found.balance, found.pending, found.lines, found.waiting) == (0, 0, (), ())
    (held,) = found.refused
    assert held.sentence.en.startswith(f"Refused by {MANAGER}: “Told twice”. Course taken")


def test_a_persons_points_are_on_the_persons_statement_alone(partners: sa.Engine) -> None:
    in_force(partners, a_rule(award="{points: 50, to: person}", limits="[{per: year, points: 70}]"))
    for day in (10, 11, 12):
        tell(partners, on_day(f"C{day}", f"2026-07-{day}"))
    hers = statement_of(partners, "ada@r1.example")
    assert (hers.name, hers.balance) == ("Ada", 70)
    assert [line.points for line in hers.lines] == [50, 20]
    assert "20 of 50 points are left" in hers.lines[1].why.en
    (missed,) = hers.unearned
    assert (missed.verdict, missed.on, missed.period) == (Verdict.MET, date(2026, 7, 12), None)
    assert "nothing is left of 50 points" in missed.sentence.en
    assert "waiting" not in missed.sentence.en
    its = statement_of(partners, "R1")
    assert (its.balance, its.lines, its.unearned) == (0, (), ())


def test_somebody_known_by_an_event_alone_has_a_statement(partners: sa.Engine) -> None:
    in_force(partners, a_rule(award="{points: 50, to: person}"))
    tell(partners, a_course(person="bob@r1.example"))
    found = statement_of(partners, "Bob@R1.example")
    assert (found.subject, found.name, found.balance) == (*("bob@r1.example",) * 2, 50)


def test_an_event_that_earned_nothing_says_why(partners: sa.Engine) -> None:
    in_force(partners, a_rule(conditions="[{event_about: [SALES]}]"))
    tell(partners, a_course())
    (missed,) = statement_of(partners, "R1").unearned
    assert missed.sentence.en == (
        "Course taken, course completed on 10 July 2026: no points. It is about “F-GAS”, not "
        "about “SALES”."
    )
    assert statement_of(partners, "R1", QUARTER).unearned == ()


def test_an_award_cut_by_a_limit_says_so(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R1", 20, "2026-02-10"))
    rule = replace(OTIF_BONUS, limits=(Limit(PeriodKind.YEAR, points=700),))
    a_programme(network, rule)
    close_it(network, "2026Q1")
    close_it(network)
    first, second = statement_of(network, "R1").lines
    assert (first.points, second.points) == (500, 200)
    assert "The limit is 700 points in 2026" in second.why.en


def test_a_budget_shared_out_is_told_with_every_reason(network: sa.Engine) -> None:
    rule = replace(OTIF_BONUS, when_short=Shortage.PRO_RATA, award=FixedPoints(500))
    a_programme(network, rule, points=300)
    close_it(network)
    (line,) = statement_of(network, "R1").lines
    assert line.points == 300
    assert line.why.en == (
        "Network quality bonus, Q2 2026: 300 of 500 points: the budget couldn't pay everyone in "
        "full. OTIF 100.00% (target 95%, 20 lines): reached."
    )


def test_a_share_that_came_to_nothing_waits_for_no_budget(network: sa.Engine) -> None:
    """Two points for ten who earned them: R1 is the last to get one."""
    many = [f"R{number}" for number in range(10, 19)]
    take(network, "partners", *(partner(code, parent_code="D1") for code in many))
    take(network, "order-lines", *(line for code in many for line in lines(code, 5)))
    a_programme(network, replace(OTIF_BONUS, when_short=Shortage.PRO_RATA), points=2)
    close_it(network)
    waiting = [statement_of(network, code) for code in ("R1", *many)]
    assert sum(each.balance for each in waiting) == 2
    poor = next(each for each in waiting if not each.balance)
    (missed,) = poor.unearned
    assert missed.sentence.en.endswith(
        "Earned, but budget network-quality was shared out, and this share came to nothing."
    )


def test_a_compensation_stands_beside_what_it_puts_right(network: sa.Engine) -> None:
    later = NOW + timedelta(days=10)
    a_programme(network, OTIF_BONUS)
    close_it(network)
    before = statement_of(network, "R1").lines
    late = [{**line, "received_on": "2026-05-20"} for line in lines("R1", 20)[:2]]
    take(network, "order-lines", *late, now=later)
    found = restate(network, QUARTER, now=later, by=MANAGER, settings=SETTINGS)
    number = next(each.proposal_id for each in found.differences if each.proposal_id)
    transact(network, lambda s: approve(s, number, by="Lea", now=later).approved)
    told = statement_of(network, "R1")
    assert told.lines[0] == before[0]
    correction = told.lines[1]
    assert (correction.points, correction.balance, told.balance) == (-500, 0, 0)
    assert correction.corrects is not None
    assert correction.corrects.key == before[0].key
    assert correction.corrects.sentence.en == (
        "Corrects the entry of 30 June 2026: Network quality bonus, Q2 2026: 500 points. The "
        "original entry stays."
    )
    assert correction.corrects.sentence.fr.startswith("Corrige l’écriture du 30 juin 2026\u202f: ")


def test_nothing_a_programme_writes_is_taken_for_a_place_to_fill_in(partners: sa.Engine) -> None:
    in_force(partners, a_rule(label="{en: 'Course {x}', fr: 'Formation {0}'}"))
    tell(partners, a_course(happened_at=datetime(2026, 7, 10, 12, tzinfo=UTC)))
    (line,) = statement_of(partners, "R1").lines
    assert line.why.en.startswith("Course {x}, course completed")
