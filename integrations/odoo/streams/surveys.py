"""Surveys: what partners' people answered, as Odoo's surveys tell it.

A participation that was finished, and is no trial, tells its lines: one answer to one question
each. Certifications are exams, and tell nothing of what somebody thinks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from integrations.odoo.directory import address_of
from integrations.odoo.section import Section, said
from integrations.odoo.streams import Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.invoices import known_ids
from integrations.odoo.streams.whole import read_whole
from integrations.odoo.values import id_of, instant_text, micro_of, text_of
from partner_cx.feedback.answers import Answer
from partner_cx.quantities import micro_to_text


@dataclass(frozen=True)
class SurveysMapping(Section):
    """What an installation decides of surveys."""

    NAME: ClassVar[str] = "surveys"
    ABOUT: ClassVar[str] = "Answers to surveys, for pNPS and the other voices."

    surveys: Mapping[str, str] = said(
        {}, "Our code for a survey, by its title; without one it is odoo.<id of the survey>."
    )
    questions: Mapping[str, str] = said(
        {},
        "What a question asks, by its title: pnps, nps, csat, ces, dsi.logistics and so on, whose "
        "scale its answers must have. Without it the code is odoo.<id of the question>, which no "
        "figure is made of.",
    )
    certifications: bool = said(False, "Whether the answers to certifications count, too.")


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read participations with their lines, and tell the answers of partners' people."""
    told = Told()
    inputs = reading.odoo.read("survey.user_input", list(ids), _INPUT)
    reading.directory.learn(id_of(each["partner_id"]) for each in inputs)
    surveys = _surveys(reading, inputs)
    lines = _lines(reading, [each["id"] for each in inputs])
    codes, choices = _question_codes(reading, lines), _choices(reading, lines)
    finished = {each["id"]: each for each in inputs if _is_told(reading, each, surveys)}
    for line in lines:
        participation = finished.get(line["user_input_id"][0])
        if participation is not None and line["question_id"]:
            row = _about(reading, participation, surveys)
            row["source_id"] = str(line["id"])
            row["question_code"] = codes[line["question_id"][0]]
            choice = choices.get(id_of(line["suggested_answer_id"]) or 0)
            told.add("answers", row | answer_of(line, choice))
    still = {row["source_id"] for row in told.rows.get("answers", ())}
    missing = [str(line["id"]) for line in lines if str(line["id"]) not in still]
    for source_id in known_ids(reading, Answer.__table__, missing):
        told.withdraw("answers", source_id)
    return told


def answer_of(line: Row, choice: str | None) -> dict[str, str | None]:
    """What a line answers: a value or a text. Zero is a value, a skipped question has none.

    choice: the words of the answer that was chosen among given ones; a number counts as one.
    """
    if line["skipped"]:
        return {"value": None, "text": None, "dismissed": "yes"}
    value, text = None, None
    match line["answer_type"]:
        case "scale":
            value = str(line["value_scale"])
        case "numerical_box":
            value = micro_to_text(micro_of(float(line["value_numerical_box"])))
        case "suggestion":
            value, text = (choice, None) if choice and choice.isdecimal() else (None, choice)
        case kind if kind:
            text = text_of(line.get(f"value_{kind}"))
    return {"value": value, "text": text, "dismissed": "no"}


def _is_told(reading: Reading, participation: Row, surveys: Mapping[int, Row]) -> bool:
    survey = surveys.get(id_of(participation["survey_id"]) or 0)
    if survey is None or participation["state"] != "done" or participation["test_entry"]:
        return False
    if survey["certification"] and not reading.mapping.surveys.certifications:
        return False
    return reading.directory.partner_code(id_of(participation["partner_id"])) is not None


def _about(
    reading: Reading, participation: Row, surveys: Mapping[int, Row]
) -> dict[str, str | None]:
    """Who answered which survey, and when."""
    survey = surveys[participation["survey_id"][0]]
    who = id_of(participation["partner_id"])
    ours = reading.mapping.surveys.surveys
    return {
        "survey_code": ours.get(survey["title"], f"odoo.{survey['id']}"),
        "partner_code": reading.directory.partner_code(who),
        "answered_at": instant_text(participation["end_datetime"] or participation["create_date"]),
        "respondent": address_of(participation["email"]) or reading.directory.email(who),
    }


def _surveys(reading: Reading, inputs: Sequence[Row]) -> dict[int, Row]:
    ids = sorted({number for each in inputs if (number := id_of(each["survey_id"]))})
    rows = reading.odoo.read("survey.survey", ids, ["title", "certification"]) if ids else []
    return {row["id"]: row for row in rows}


def _lines(reading: Reading, inputs: Sequence[int]) -> Sequence[Row]:
    if not inputs:
        return []
    model = "survey.user_input.line"
    fields = _LINE + [name for name in _SELDOM if reading.odoo.has_field(model, name)]
    return read_whole(reading.odoo, model, [("user_input_id", "in", list(inputs))], fields)


def _question_codes(reading: Reading, lines: Sequence[Row]) -> dict[int, str]:
    ids = sorted({number for line in lines if (number := id_of(line["question_id"]))})
    rows = reading.odoo.read("survey.question", ids, ["title"]) if ids else []
    ours = reading.mapping.surveys.questions
    return {row["id"]: ours.get(row["title"], f"odoo.{row['id']}") for row in rows}


def _choices(reading: Reading, lines: Sequence[Row]) -> dict[int, str]:
    """The words of the given answers that were chosen."""
    ids = sorted({number for line in lines if (number := id_of(line["suggested_answer_id"]))})
    rows = reading.odoo.read("survey.question.answer", ids, ["value"]) if ids else []
    return {row["id"]: text for row in rows if (text := text_of(row["value"]))}


_INPUT = [
    "survey_id",
    "partner_id",
    "email",
    "state",
    "test_entry",
    "end_datetime",
    "create_date",
]
_LINE = [
    "user_input_id",
    "question_id",
    "skipped",
    "answer_type",
    "value_scale",
    "value_numerical_box",
    "value_char_box",
    "suggested_answer_id",
]
_SELDOM = ["value_text_box", "value_date", "value_datetime"]

SURVEYS = Stream(
    name="surveys",
    watched=(
        Watched("survey.user_input"),
        Watched("survey.user_input.line", field="user_input_id"),
    ),
    tell=tell,
    identified={"answers": "survey.user_input.line"},
    kpis=("pnps", "nps", "csat", "ces", "dsi", "cxi"),
    modules=("survey",),
)
