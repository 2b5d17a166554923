"""What people said, as files tell it: answers to questions on known scales."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx.effects import ANNOUNCE, Owed, owe
from partner_cx.feedback.answers import Answer
from partner_cx.operations.clocks import (
    local_days,
)
from partner_cx.operations.drafts import Draft
from partner_cx.operations.fields import (
    instant,
    score,
    text,
    yes_or_no,
)
from partner_cx.operations.intake import Desk, Kind, name_partners
from partner_cx.quantities import MICRO
from partner_cx.words import Words

# The scales of the questions everyone knows: least and most; whole numbers only where True.
SCALES: dict[str, tuple[int, int, bool]] = {
    "nps": (0, 10, True),
    "pnps": (0, 10, True),
    "csat": (1, 5, True),
    "csat10": (1, 10, True),
    "ces": (1, 7, True),
    "ces5": (1, 5, True),
    "dsi": (0, 100, False),  # dsi.<factor>
    "cxi": (1, 5, True),  # cxi.<item>
}


def _finish_answers(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    draft["answered_on"] = local_days(draft["answered_at"], desk.settings.time_zone)
    draft["question_code"] = pc.utf8_lower(draft["question_code"])
    questions = pc.list_element(pc.split_pattern(draft["question_code"], "."), 0)
    for question, (least, most, whole) in SCALES.items():
        asked = pc.fill_null(pc.equal(questions, question), False)
        if not pc.any(asked).as_py():
            continue
        value = draft["value"]
        outside = pc.or_(pc.less(value, least * MICRO), pc.greater(value, most * MICRO))
        if whole:
            parts = pc.subtract(value, pc.multiply(pc.divide(value, MICRO), MICRO))
            outside = pc.or_(outside, pc.not_equal(parts, 0))
        draft.refuse(
            np.asarray(pc.fill_null(pc.and_(asked, outside), False)),
            "value",
            Words(
                "A {question} score lies between {least} and {most}.",
                "Une note {question} va de {least} à {most}.",
            ).format(question=question, least=least, most=most),
            Words(
                "Mend the score, or the question's code.",
                "Corrigez la note, ou le code de la question.",
            ),
        )
    # A question that was skipped or dismissed has no answer, whatever stands in its cell.
    dismissed = draft["dismissed"]
    draft["value"] = pc.if_else(dismissed, pa.scalar(None, pa.int64()), draft["value"])


def _announce(desk: Desk) -> None:
    """Owe the telling of answers that came in or were corrected."""
    if desk.merge and (desk.merge.taken or desk.merge.corrected):
        act = Owed(ANNOUNCE, f"{ANNOUNCE}:answers:{desk.import_id}", {"answers": desk.import_id})
        owe(desk.session, act, now=desk.now)


ANSWERS = Kind(
    name="answers",
    table=Answer.__table__,
    fields=(
        text("source_id", required=True, longest=200),
        text("survey_code", required=True, longest=200),
        text("partner_code", column="", required=True, longest=200),
        instant("answered_at", required=True),
        text("question_code", required=True, longest=200),
        score("value"),
        text("text", longest=20_000, lines=True),
        yes_or_no("dismissed"),
        text("respondent", longest=200),
    ),
    finish=_finish_answers,
    family="answers",
    kept=(
        (("text",), ("text",)),
        (("respondent",), ("respondent",)),
    ),
    days=("answered_on",),
    events=("answered_on",),
    settled=_announce,
)
