"""A concern: one thing about a rule that somebody should look at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from partner_cx.words import Words


class Grade(StrEnum):
    """How much a concern weighs, from the lightest to the heaviest."""

    NOTE = "note"  # worth knowing
    WARNING = "warning"  # it is likely to do something else than was meant
    SECOND_APPROVER = "second_approver"  # another person must agree before it is published
    REFUSED = "refused"  # it can't be published like this


@dataclass(frozen=True)
class Concern:
    """What is the matter with a rule.

    code: the kind of concern, as `docs/guide/checking-rules.md` lists them.
    where: the part of the rule it is about, as it is written there: `conditions: kpi_is_green`.
    sentence: what is the matter, with its figures; remedy: what to do.
    """

    code: str
    grade: Grade
    where: str
    sentence: Words
    remedy: Words


def note(code: str, where: str, sentence: Words, remedy: Words) -> Concern:
    return Concern(code, Grade.NOTE, where, sentence, remedy)


def warning(code: str, where: str, sentence: Words, remedy: Words) -> Concern:
    return Concern(code, Grade.WARNING, where, sentence, remedy)
