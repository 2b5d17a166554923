"""Courses and surveys of an Odoo through a sync to what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from integrations.odoo.streams.learning import WITHOUT_ADDRESS, LearningMapping
from integrations.odoo.streams.surveys import SurveysMapping
from tests.harness.odoo_support import Asking, an_asking_network, on

ENROLMENTS = """
    SELECT e.person_email, e.course_code, e.enrolled_on, e.completed_on, e.progress
    FROM enrolments e ORDER BY e.enrolled_on, e.id
"""
ANSWERS = """
    SELECT p.code, a.survey_code, a.question_code, a.value, a.text, a.respondent
    FROM answers a JOIN partners p ON p.id = a.partner_id WHERE NOT a.dismissed ORDER BY a.id
"""


@pytest.fixture(params=[18, 19])
def play(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Asking]:
    with an_asking_network(engine, request.param) as opened:
        yield opened


# --- Courses --------------------------------------------------------------------------------------


def test_who_takes_a_course_is_enrolled(play: Asking) -> None:
    course = play.school.course("F-Gas")
    done = play.school.enrol(course, play.ida, at=on("04-01 09:00"))
    play.school.learn(done, 4, at=on("04-20 09:00"))
    half = play.school.enrol(course, play.jon, at=on("04-02 09:00"))
    play.school.learn(half, 2, at=on("04-03 09:00"))
    play.school.enrol(course, play.guest, at=on("04-04 09:00"))
    invited = play.network.contact(play.dal, "Oda")
    play.school.enrol(course, invited, at=on("04-05 09:00"), invited=True)
    play.sync("05-01 08:00")
    assert play.rows(ENROLMENTS) == [
        ("ida@bakke.example", "F-Gas", "2026-04-01", "2026-04-20", "1000000"),
        ("jon@dal.example", "F-Gas", "2026-04-02", None, "500000"),
    ]


def test_a_course_is_completed_with_its_last_lesson_and_stays_so(play: Asking) -> None:
    play.mapping = replace(play.mapping, learning=LearningMapping(courses={"F-Gas": "fgas"}))
    course = play.school.course("F-Gas", parts=2)
    member = play.school.enrol(course, play.ida, at=on("04-01 09:00"))
    lessons = play.stand_in.rows("slide.slide", channel_id=course)
    read = [
        play.stage.add(
            "slide.slide.partner",
            on(at),
            slide_id=lesson["id"],
            partner_id=play.ida,
            completed=True,
        )
        for lesson, at in zip(lessons, ("04-02 09:00", "04-05 09:00"), strict=True)
    ]
    play.school.learn(member, 2, at=on("04-06 09:00"))
    completed = [("ida@bakke.example", "fgas", "2026-04-01", "2026-04-05", "1000000")]
    play.sync("05-01 08:00")
    assert play.rows(ENROLMENTS) == completed
    play.stage.change("slide.slide.partner", read[0], on("05-02 09:00"), quiz_attempts_count=1)
    play.stage.change("slide.channel.partner", member, on("05-02 09:00"), completion=100)
    play.sync("05-03 08:00")
    assert play.rows(ENROLMENTS) == completed


def test_who_leaves_a_course_unfinished_is_enrolled_no_more(play: Asking) -> None:
    course = play.school.course("F-Gas")
    unfinished = play.school.enrol(course, play.ida, at=on("04-01 09:00"))
    finished = play.school.enrol(course, play.jon, at=on("04-02 09:00"))
    play.school.learn(finished, 4, at=on("04-03 09:00"))
    play.sync("04-10 08:00")
    assert len(play.rows(ENROLMENTS)) == 2
    for member in (unfinished, finished):
        play.school.leave(member, at=on("04-11 09:00"))
    play.sync("04-12 08:00")
    assert [row[0] for row in play.rows(ENROLMENTS)] == ["jon@dal.example"]


def test_people_without_an_address_are_named_and_left_out(play: Asking) -> None:
    nameless = play.network.contact(play.dal, "Nameless")
    play.stage.change("res.partner", nameless, on("03-01 08:00"), email=False)
    play.school.enrol(play.school.course("F-Gas"), nameless, at=on("04-01 09:00"))
    report = play.sync("04-10 08:00")
    assert play.rows(ENROLMENTS) == []
    [learning] = [each for each in report.streams if each.stream == "learning"]
    assert [*learning.notes] == [WITHOUT_ADDRESS]


# --- Surveys --------------------------------------------------------------------------------------

QUESTIONS = [("Recommend us?", "scale"), ("How easy?", "scale"), ("Why?", "char_box")]


def test_answers_are_told_under_the_codes_of_the_mapping(play: Asking) -> None:
    play.mapping = replace(
        play.mapping,
        surveys=SurveysMapping(
            surveys={"Pulse": "pulse"}, questions={"Recommend us?": "pnps", "How easy?": "ces"}
        ),
    )
    survey = play.school.survey("Pulse", QUESTIONS)
    play.school.answer(survey, play.ida, {1: 0, 2: 7, 3: "Late"}, at=on("04-10 09:00"))
    play.school.answer(survey, play.jon, {1: 10, 2: None}, at=on("04-11 09:00"))
    play.school.answer(survey, play.guest, {1: 5}, at=on("04-11 10:00"))
    play.school.answer(survey, None, {1: 5}, at=on("04-11 11:00"))
    play.school.answer(survey, play.ida, {1: 5}, at=on("04-11 12:00"), test_entry=True)
    play.school.answer(survey, play.ida, {1: 5}, at=on("04-11 13:00"), done=False)
    play.sync("05-01 08:00")
    why = play.stage.one("survey.question", title="Why?")
    assert play.rows(ANSWERS) == [
        ("BAKKE", "pulse", "pnps", "0", None, "ida@bakke.example"),
        ("BAKKE", "pulse", "ces", "7000000", None, "ida@bakke.example"),
        ("BAKKE", "pulse", f"odoo.{why}", None, "Late", "ida@bakke.example"),
        ("DAL", "pulse", "pnps", "10000000", None, "jon@dal.example"),
    ]
    assert play.rows("SELECT question_code, value FROM answers WHERE dismissed") == [("ces", None)]


def test_without_a_mapping_no_question_is_taken_for_a_known_one(play: Asking) -> None:
    survey = play.school.survey("Pulse", QUESTIONS[:1])
    play.school.answer(survey, play.ida, {1: 9}, at=on("04-10 09:00"))
    play.sync("05-01 08:00")
    question = play.stage.one("survey.question", title="Recommend us?")
    assert play.rows(ANSWERS) == [
        ("BAKKE", f"odoo.{survey}", f"odoo.{question}", "9000000", None, "ida@bakke.example")
    ]


def test_certifications_tell_nothing_unless_the_mapping_wants_them(play: Asking) -> None:
    exam = play.school.survey("Exam", [("Length?", "simple_choice")], certification=True)
    question = play.stage.one("survey.question", title="Length?")
    words, number = (
        play.stage.add(
            "survey.question.answer", on("04-01 08:00"), value=value, question_id=question
        )
        for value in ("100 m", "100")
    )
    for chosen, at in ((words, "04-10 09:00"), (number, "04-10 10:00")):
        play.school.answer(exam, play.ida, {1: chosen}, at=on(at))
    play.sync("05-01 08:00")
    assert play.rows(ANSWERS) == []
    play.mapping = replace(play.mapping, surveys=SurveysMapping(certifications=True))
    play.sync("05-02 08:00")
    assert [(row[3], row[4]) for row in play.rows(ANSWERS)] == [
        (None, "100 m"),
        ("100000000", None),
    ]


def test_answers_that_turn_out_a_trial_are_withdrawn(play: Asking) -> None:
    survey = play.school.survey("Pulse", QUESTIONS[:1])
    filled = play.school.answer(survey, play.ida, {1: 9}, at=on("04-10 09:00"))
    gone = play.school.answer(survey, play.jon, {1: 9}, at=on("04-10 10:00"))
    play.sync("05-01 08:00")
    assert len(play.rows(ANSWERS)) == 2
    play.stage.change("survey.user_input", filled, on("05-02 09:00"), test_entry=True)
    lines = play.stand_in.rows("survey.user_input.line", user_input_id=gone)
    play.stand_in.remove("survey.user_input.line", *(line["id"] for line in lines))
    play.stand_in.remove("survey.user_input", gone)
    play.sync("05-03 08:00", compare=True)
    assert play.rows(ANSWERS) == []
