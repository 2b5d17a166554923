"""Facts that are events: which are, under which key, and once however they come and come again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.events import EventRow, drawing
from rewards.events.drawing import Drawn, draw_events
from rewards.rules import Rule
from tests.harness.events import a_rule, holds, in_force
from tests.harness.intake import SETTINGS, partner, take, take_out
from tests.harness.programme import close_it

NOW = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)


def draw(engine: sa.Engine, now: datetime = NOW) -> Drawn:
    return draw_events(engine, now=now, settings=SETTINGS)


def events(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Every event: its kind, partner, person, subject and day, in the order of its telling."""
    with Session(engine) as session:
        rows = session.execute(
            sa.select(
                EventRow.kind,
                sa.text("(SELECT code FROM partners p WHERE p.id = events.partner_id)"),
                EventRow.person_email,
                EventRow.subject,
                EventRow.on,
            ).order_by(EventRow.id)
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def partners(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("R1", tier="gold"), partner("R2"))
    take(
        engine,
        "people",
        {"email": "ada@r1.example", "name": "Ada", "role": "partner", "partner_code": "R1"},
    )
    return engine


def enrolment(source_id: str = "L1", **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "person_email": "ada@r1.example",
        "course_code": "F-GAS",
        "enrolled_on": "2026-05-01",
        "completed_on": "2026-05-20",
        **cells,
    }


def answer(source_id: str = "A1", **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "survey_code": "spring",
        "partner_code": "R1",
        "answered_at": "2026-05-04T10:00:00Z",
        "question_code": "nps",
        "value": "0",
        "text": None,
        "dismissed": "no",
        "respondent": "r-77",
        **cells,
    }


def status(source_id: str, on: str, filled: int, **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "on": on,
        "filled": str(filled),
        "required": "10",
        **cells,
    }


def ticket(source_id: str = "T1", **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "opened_at": "2026-05-04T08:00:00Z",
        "resolved_at": "2026-05-05T08:00:00Z",
        "category": "Incident",
        **cells,
    }


def panel(source_id: str = "P1", **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "at": "2026-05-06T22:30:00Z",
        "kind": "panel_attended",
        "person_email": "ada@r1.example",
        "subject": "autumn",
        **cells,
    }


# --- Which facts are events ---------------------------------------------------------------------


def test_each_kind_of_fact_becomes_its_event(partners: sa.Engine) -> None:
    take(partners, "learning", enrolment(), enrolment("L2", completed_on=None))
    take(partners, "answers", answer(respondent="Ada@R1.example"))
    take(
        partners, "catalogue-status", status("S1", "2026-05-01", 9), status("S2", "2026-05-02", 10)
    )
    take(
        partners,
        "tickets",
        ticket(),
        ticket("T2", category="question"),
        ticket("T3", resolved_at=None),
    )
    take(partners, "events", panel())
    assert draw(partners).events == 5
    assert events(partners) == [
        ("panel_attended", "R1", "ada@r1.example", "autumn", date(2026, 5, 7)),  # in Paris
        ("course_completed", "R1", "ada@r1.example", "F-GAS", date(2026, 5, 20)),
        ("survey_answered", "R1", "ada@r1.example", "spring", date(2026, 5, 4)),
        ("catalogue_completed", "R1", None, None, date(2026, 5, 2)),
        ("incident_resolved", "R1", None, None, date(2026, 5, 5)),
    ]
    assert draw(partners) == Drawn()


def test_a_survey_is_answered_once_per_respondent_and_day(partners: sa.Engine) -> None:
    take(
        partners,
        "answers",
        answer("A1"),
        answer("A2", question_code="csat", value="1", answered_at="2026-05-04T10:01:00Z"),
        answer("A3", answered_at="2026-05-05T10:00:00Z"),
        answer("A4", respondent="r-78"),
        answer("A5", survey_code="autumn"),
    )
    assert draw(partners).events == 4
    take(partners, "answers", answer("A6", question_code="ces", value="7"))  # another question
    assert draw(partners).events == 0


def test_an_anonymous_survey_is_answered_once_per_partner_and_instant(partners: sa.Engine) -> None:
    take(
        partners,
        "answers",
        answer("A1", respondent=None),
        answer("A2", respondent=None, question_code="csat", value="1"),
        answer("A3", respondent=None, answered_at="2026-05-04T10:00:01Z"),
        answer("A4", respondent=None, partner_code="R2"),
    )
    assert draw(partners).events == 3
    assert {person for _, _, person, _, _ in events(partners)} == {None}


def test_a_survey_that_was_only_dismissed_was_not_answered(partners: sa.Engine) -> None:
    take(
        partners,
        "answers",
        answer("A1", dismissed="yes", value=None),
        answer("A2", respondent="r-78", value=None),
        answer("A3", respondent="r-79", value=None, text="Late again"),
    )
    assert draw(partners).events == 1


def test_a_respondents_name_is_in_no_key(partners: sa.Engine) -> None:
    take(partners, "answers", answer(respondent="ada@r1.example"))
    draw(partners)
    with Session(partners) as session:
        assert "ada" not in session.scalars(sa.select(EventRow.key)).one()


@pytest.mark.parametrize(
    ("told", "completed"),
    [
        ([[("1", 10)]], ["1"]),
        ([[("1", 9), ("2", 10), ("3", 10)]], ["2"]),
        ([[("1", 10), ("2", 8), ("3", 10)]], ["1", "3"]),
        ([[("1", 9)], [("2", 10)], [("3", 10)]], ["2"]),
        ([[("2", 10)], [("1", 10)]], ["2"]),  # the earlier one is told late: nothing new
        ([[("3", 10)], [("1", 10), ("2", 5)]], ["3", "1"]),
    ],
)
def test_a_catalogue_becomes_complete_where_it_was_not(
    partners: sa.Engine, told: list[list[tuple[str, int]]], completed: list[str]
) -> None:
    for rows in told:
        take(
            partners,
            "catalogue-status",
            *(status(f"S{day}", f"2026-05-0{day}", filled) for day, filled in rows),
        )
        draw(partners)
    assert [str(on.day) for *_, on in events(partners)] == completed


def test_a_catalogue_of_nothing_is_never_complete(partners: sa.Engine) -> None:
    take(partners, "catalogue-status", status("S1", "2026-05-01", 0, required="0"))
    assert draw(partners).events == 0


# --- Corrections, and what is still to come -----------------------------------------------------


def test_a_course_completed_since_is_an_event_once(partners: sa.Engine) -> None:
    take(partners, "learning", enrolment(completed_on=None))
    assert draw(partners).events == 0
    take(partners, "learning", enrolment())
    assert draw(partners).events == 1
    take(partners, "learning", enrolment(completed_on="2026-05-21"))
    take(partners, "learning", enrolment(partner_code="R2"))
    assert draw(partners).events == 0
    assert [on for *_, on in events(partners)] == [date(2026, 5, 20)]


def test_a_corrected_answer_is_not_another_one(partners: sa.Engine) -> None:
    take(partners, "answers", answer())
    draw(partners)
    take(partners, "answers", answer(value="10"))
    take(partners, "answers", answer(partner_code="R2", answered_at="2026-05-09T10:00:00Z"))
    assert draw(partners).events == 0


def test_an_answer_that_was_dismissed_first_counts_once_given(partners: sa.Engine) -> None:
    take(partners, "answers", answer(dismissed="yes", value=None))
    draw(partners)
    take(partners, "answers", answer())
    assert draw(partners).events == 1


def test_an_incident_resolved_again_is_no_other(partners: sa.Engine) -> None:
    take(partners, "tickets", ticket(resolved_at=None))
    assert draw(partners).events == 0
    for resolved_at in ("2026-05-05T08:00:00Z", None, "2026-05-09T08:00:00Z"):
        take(partners, "tickets", ticket(resolved_at=resolved_at))
        draw(partners)
    assert len(events(partners)) == 1


def test_a_fact_still_to_come_waits_for_its_time(partners: sa.Engine) -> None:
    take(partners, "events", panel(at="2026-07-21T10:00:00Z"))
    take(partners, "learning", enrolment(completed_on="2026-07-21"), enrolment("L2"))
    assert draw(partners).events == 1
    assert draw(partners).events == 0
    assert draw(partners, NOW + timedelta(days=1)).events == 1  # the day has come, not the hour
    assert draw(partners, NOW + timedelta(days=2)).events == 1
    assert draw(partners, NOW + timedelta(days=3)) == Drawn()


def test_a_waiting_fact_that_is_corrected_counts_as_it_says_now(partners: sa.Engine) -> None:
    take(
        partners,
        "learning",
        enrolment(completed_on="2026-08-21"),
        enrolment("L2", completed_on="2026-08-21"),
    )
    draw(partners)
    take(
        partners,
        "learning",
        enrolment(completed_on="2026-07-01"),
        enrolment("L2", completed_on=None),
    )
    assert draw(partners).events == 1
    assert draw(partners, NOW + timedelta(days=60)).events == 0


# --- Rewarded -----------------------------------------------------------------------------------


def test_what_is_drawn_is_rewarded_in_the_order_in_which_it_happened(partners: sa.Engine) -> None:
    in_force(partners, a_rule(limits="[{per: year, points: 80}]"))
    take(
        partners,
        "learning",
        enrolment("L1", completed_on="2026-06-01"),
        enrolment("L2", completed_on="2026-05-20"),
        enrolment("L3", completed_on="2025-12-31", enrolled_on="2025-05-01"),
    )
    assert draw(partners) == Drawn(events=3, points=80)
    assert draw(partners) == Drawn()
    assert holds(partners, "wallet", "partner:R1") == 80


def test_what_no_budget_could_pay_is_paid_by_a_later_draw(partners: sa.Engine) -> None:
    rule = a_rule()
    in_force(partners, rule, points=0)
    take(partners, "learning", enrolment())
    assert draw(partners) == Drawn(events=1, points=50)
    in_force(partners, rule)
    assert draw(partners) == Drawn(points_late=50)


def test_portions_of_any_size_come_to_the_same(
    partners: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "PORTION", 2)
    monkeypatch.setattr(drawing, "DECIDED_AT_ONCE", 2)
    in_force(partners, a_rule())
    take(partners, "learning", *(enrolment(f"L{n}", completed_on=None) for n in range(5)))
    assert draw(partners).events == 0
    take(partners, "learning", *(enrolment(f"L{n}") for n in range(7)))
    take(partners, "answers", *(answer(f"A{n}", respondent=f"r-{n}") for n in range(5)))
    assert draw(partners) == Drawn(events=12, points=350)


def test_a_close_counts_the_events_among_the_facts_that_came_in(network: sa.Engine) -> None:
    courses = """
code: learners
label: {en: Learners, fr: Apprenants}
source: Terms of 2026
on: close
period: quarter
starts: 2026-04-01
ends: 2026-12-31
conditions: [{events_at_least: {event: course_completed, count: 2}}]
award: {points: 50}
budget: learning
"""
    in_force(network, Rule.from_yaml(courses, "learners"))
    take(network, "learning", enrolment("L1"), enrolment("L2"), enrolment("L3", partner_code="R2"))
    closed = close_it(network)
    [outcome] = closed.outcomes
    assert (outcome.met, outcome.not_met, outcome.unknown) == (1, 3, 0)
    assert holds(network, "wallet", "partner:R1") == 50
    take(network, "learning", enrolment("L4", partner_code="R2"))
    assert close_it(network).points_awarded == 50  # what came too late isn't known to it


def test_an_event_stays_when_its_fact_is_withdrawn_and_is_one_when_that_comes_back(
    partners: sa.Engine,
) -> None:
    in_force(partners, a_rule("course"))
    take(partners, "learning", enrolment())
    assert draw(partners).points == 50
    take_out(partners, "learning", "L1")
    assert draw(partners) == Drawn()
    take(partners, "learning", enrolment())
    take(partners, "learning", enrolment("L2", course_code="Sales"))
    assert draw(partners) == Drawn(1, 50)
    assert [row[3] for row in events(partners)] == ["F-GAS", "Sales"]
    assert holds(partners, "wallet", "partner:R1") == 100


def test_what_waited_for_its_day_and_is_withdrawn_never_becomes_one(partners: sa.Engine) -> None:
    take(partners, "learning", enrolment(completed_on="2026-07-25"))
    assert draw(partners) == Drawn()
    take_out(partners, "learning", "L1")
    assert draw(partners, NOW + timedelta(days=9)) == Drawn()
    take(partners, "learning", enrolment("L2", completed_on="2026-07-10"))
    assert draw(partners, NOW + timedelta(days=9)).events == 1
