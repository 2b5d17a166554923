"""Courses with those who take them, and surveys with their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.playing.stage import BORN, Moment, Stage, seconds


class School:
    """Courses, memberships and surveys by their ids."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def course(self, name: str, *, parts: int = 4, at: Moment = BORN) -> int:
        """A course, of which its creator is a member as everybody else."""
        course = self._stage.add(
            "slide.channel", at, name=name, is_published=True, total_slides=parts
        )
        for place in range(1, parts + 1):
            self._stage.add(
                "slide.slide", at, name=f"{name}: part {place}", channel_id=course,
                slide_category="article", sequence=place, is_published=True,
            )  # fmt: skip
        creator = self._stage.row("res.users", 2)["partner_id"]
        self._stage.add("slide.channel.partner", at, channel_id=course, partner_id=creator)
        return course

    def enrol(self, course: int, contact: int, *, at: Moment, invited: bool = False) -> int:
        """Somebody joins a course, or is only invited. Answers the membership."""
        status = "invited" if invited else "joined"
        return self._stage.add(
            "slide.channel.partner", at, channel_id=course, partner_id=contact, member_status=status
        )

    def learn(self, membership: int, parts: int, *, at: Moment) -> None:
        """So many parts of the course are done; all of them complete it."""
        row = self._stage.row("slide.channel.partner", membership)
        every = self._stage.row("slide.channel", row["channel_id"])["total_slides"]
        self._stage.change(
            "slide.channel.partner",
            membership,
            at,
            completed_slides_count=parts,
            completion=100 * parts // every,
            member_status="completed" if parts >= every else "ongoing",
        )

    def leave(self, membership: int, *, at: Moment) -> None:
        self._stage.change("slide.channel.partner", membership, at, active=False)

    # --- Surveys ----------------------------------------------------------------------------

    def survey(
        self, title: str, questions: Sequence[tuple[str, str]], *, at: Moment = BORN, **values: Any
    ) -> int:
        """A survey. questions: title and type (scale, numerical_box, char_box, simple_choice)."""
        survey = self._stage.add("survey.survey", at, title=title, **values)
        for place, (words, kind) in enumerate(questions, start=1):
            self._stage.add(
                "survey.question", at, title=words, survey_id=survey, question_type=kind,
                sequence=10 * place,
            )  # fmt: skip
        return survey

    def answer(
        self,
        survey: int,
        partner: int | None,
        answers: Mapping[int, Any],
        *,
        at: Moment,
        email: str = "",
        done: bool = True,
        **values: Any,
    ) -> int:
        """Somebody answers. answers: a question's place, from 1 → its answer, None when skipped."""
        given: Row = {
            "survey_id": survey,
            "partner_id": partner or False,
            "email": email or False,
            "state": "done" if done else "in_progress",
            "start_datetime": seconds(at),
            "end_datetime": seconds(at) if done else False,
        }
        filled = self._stage.add("survey.user_input", at, **(given | values))
        questions = self._questions(survey)
        for place, value in answers.items():
            self._stage.add(
                "survey.user_input.line",
                at,
                user_input_id=filled,
                question_id=questions[place - 1],
                **_told(self._stage.row("survey.question", questions[place - 1]), value),
            )
        return filled

    def _questions(self, survey: int) -> list[int]:
        return self._stage.stand_in.tables["survey.question"].pointing_to("survey_id", survey)


def _told(question: Row, value: Any) -> Row:
    kind = question.get("question_type")
    if value is None:
        return {"skipped": True, "answer_type": False}
    if kind == "scale":
        return {"answer_type": "scale", "value_scale": int(value)}
    if kind == "numerical_box":
        return {"answer_type": "numerical_box", "value_numerical_box": float(value)}
    if kind in ("char_box", "text_box"):
        return {"answer_type": kind, "value_char_box": str(value)}
    return {"answer_type": "suggestion", "suggested_answer_id": value}
