"""A rule as it will be read, and what there is to say about it: the panel beside the form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.catalogues import text
from api.render import translator
from partner_cx.periods import Period
from rewards.frozen import Closing
from rewards.lint.checking import check
from rewards.lint.concern import Concern, Grade
from rewards.rules import Rule
from rewards.rules.telling import (
    Clause,
    audience_told,
    award_told,
    conditions_told,
    terms_told,
    when_told,
)

GRADES = {
    Grade.REFUSED: text("Can’t be published like this"),
    Grade.SECOND_APPROVER: text("Needs a second person"),
    Grade.WARNING: text("Warning"),
    Grade.NOTE: text("Note"),
}
WHILE_TYPING, BEFORE_PUBLISHING = 2, 4  # closed periods
_COLOURS = {Grade.REFUSED: "red", Grade.SECOND_APPROVER: "amber", Grade.WARNING: "amber"}


@dataclass(frozen=True)
class Told:
    """A rule, a sentence for each part."""

    when: str
    audience: str
    conditions: list[dict[str, Any]]
    award: str
    terms: list[str]


@dataclass(frozen=True)
class Checked:
    """What the panel shows. concerns: the heaviest first."""

    told: Told
    concerns: list[dict[str, str]]
    summary: str


def told_rule(rule: Rule, language: str) -> Told:
    """The rule as a manager, a partner or an auditor reads it."""
    return Told(
        when=when_told(rule).in_(language),
        audience=audience_told(rule).in_(language),
        conditions=[_clause(each, language) for each in conditions_told(rule)],
        award=award_told(rule).in_(language),
        terms=[each.in_(language) for each in terms_told(rule)],
    )


def checked(
    session: Session, rule: Rule, today: date, language: str, *, back: int = WHILE_TYPING
) -> Checked:
    """The rule, held against the programme as it is and against the periods closed last.

    back: how many of those. In a large network each takes its tenth of a second, so that fewer
        are looked at while somebody types than when they decide.
    """
    closed = sorted(
        period
        for text in session.scalars(sa.select(Closing.period))
        if (period := Period.parse(text)).kind is rule.period
    )[-back:]
    span = {"first": closed[0], "last": closed[-1]} if closed else {}
    concerns = check(session, rule, on=today, **span)
    return Checked(
        told_rule(rule, language),
        [told_concern(each, language) for each in concerns],
        _summary(concerns, language),
    )


def told_concern(concern: Concern, language: str) -> dict[str, str]:
    return {
        "grade": translator(language)(GRADES[concern.grade]),
        "colour": _COLOURS.get(concern.grade, ""),
        "where": concern.where,
        "kind": concern.kind.value,
        "sentence": concern.sentence.in_(language),
        "remedy": concern.remedy.in_(language),
    }


def _clause(clause: Clause, language: str) -> dict[str, Any]:
    return {
        "sentence": _capital(clause.sentence.in_(language)),
        "parts": [_clause(each, language) for each in clause.parts],
    }


def _summary(concerns: list[Concern], language: str) -> str:
    say = translator(language)
    if not concerns:
        return say("Nothing to remark.")
    notes = sum(each.grade is Grade.NOTE for each in concerns)
    counts = (
        (
            say.many("{count} finding", "{count} findings", len(concerns) - notes),
            len(concerns) - notes,
        ),
        (say.many("{count} note", "{count} notes", notes), notes),
    )
    return ", ".join(words for words, count in counts if count)


def _capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"
