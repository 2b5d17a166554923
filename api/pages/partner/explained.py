"""One entry or decision opened: the reasons, the figures, the very rows, and what belongs to it."""

from __future__ import annotations

from typing import Any

from api.pages.partner.rows import day_told, signed
from api.pages.told import told, told_state
from api.render import translator
from partner_cx.measures.figures import State
from partner_cx.quantities import number_text, points_text
from rewards.conditions import Verdict
from rewards.ledger.posted import Posted
from rewards.misses import Misses
from rewards.statements import telling
from rewards.statements.explanations import Explanation, Judged, Reason

_STATES = {
    Verdict.MET: State.GREEN,
    Verdict.NOT_MET: State.RED,
    Verdict.UNKNOWN: State.NO_DATA,
}


def explained_words(explanation: Explanation, language: str) -> dict[str, Any]:
    """An explanation as the page prints it."""
    judged = explanation.judged
    return {
        "title": _title(explanation, language),
        "won": points_text(explanation.points, language),
        "posted": [_posted(each, language) for each in explanation.posted],
        "judged": _judged(judged, language) if judged else None,
    }


def _title(explanation: Explanation, language: str) -> str:
    if explanation.judged is None:
        return explanation.posted[0].why.in_(language)
    judged = explanation.judged
    label = judged.published.rule.label.in_(language)
    when = judged.period.label(language) if judged.period else day_told(judged.on, language)
    return f"{label}, {when}"


def _posted(each: Posted, language: str) -> dict[str, Any]:
    say = translator(language)
    return {
        "on": day_told(each.on, language),
        "why": each.why.in_(language),
        "points": signed(each.moved, language),
        "account": say("to spend") if each.account == "wallet" else say("pending"),
        "key": each.key,
    }


def _judged(judged: Judged, language: str) -> dict[str, Any]:
    rule = judged.published.rule
    return {
        "sentence": judged.decision.sentence.in_(language),
        "worth": rule.award.told.in_(language),
        "version": rule.version,
        "published": judged.published.at,
        "closed_at": judged.closed_at,
        "event": judged.event.recorded_at if judged.event else None,
        "reasons": [_reason(each, place, language) for place, each in enumerate(judged.reasons)],
        "unpaid": judged.unpaid.in_(language) if judged.unpaid else "",
        "way": _way(judged, language),
        "changes": [
            line.in_(language).strip()
            for proposal in judged.proposals
            if proposal.approved
            for line in telling.proposed_to_partner(proposal)
        ],
    }


def _way(judged: Judged, language: str) -> dict[str, Any] | None:
    if judged.way is None or not judged.way.steps:
        return None
    return {
        "heading": telling.way(judged.way).in_(language),
        "steps": [step.sentence.in_(language) for step in judged.way.steps],
    }


def _reason(reason: Reason, place: int, language: str) -> dict[str, Any]:
    return {
        "place": place,
        "state": told_state(_STATES[reason.verdict], language),
        "verdict": reason.verdict.value,
        "sentence": reason.sentence.in_(language),
        "formula": reason.formula.in_(language) if reason.formula else "",
        "figure": told(reason.figure, language) if reason.figure else None,
        "rows": [
            rows_behind(rows, heading.in_(language), language)
            for rows, heading in (
                (reason.behind, telling.missed(reason.behind)),
                (reason.counted, telling.kept(reason.counted)),
            )
            if rows.rows
        ],
    }


def rows_behind(rows: Misses, heading: str, language: str) -> dict[str, Any]:
    """A table of rows. heading: what they are, and how many of them are shown."""
    return {
        "heading": heading.rstrip(":\u202f "),
        "total": number_text(rows.total, language),
        "rows": [
            {
                "source_id": row.source_id,
                "on": day_told(row.day, language),
                "what": row.what.in_(language),
                "verdict": row.verdict.in_(language),
                "corrected": row.corrected_since,
                "withdrawn": row.withdrawn_since,
            }
            for row in rows.rows
        ],
    }
