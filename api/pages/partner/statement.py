"""A partner's statement: the balance, every entry with its reason, and what was missed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import partners_below, visible_partner
from api.pages.partner.naming import about, links_to
from api.pages.told import ToldState, told, told_state
from api.render import page
from api.request_scope import Language, Reading, wiring
from api.sign_in import SignedIn
from partner_cx.measures.figures import State
from partner_cx.quantities import number_text, points_text
from rewards import statements
from rewards.conditions import Verdict
from rewards.statements import Held, Line, Shortfall, Unearned

router = APIRouter()


@router.get("/partners/{code:path}")  # a code may hold a slash
def statement(
    request: Request, code: str, session: Reading, language: Language, viewer: SignedIn
) -> Response:
    """A partner's statement: the balance, every entry with its reason, and what was missed."""
    partner = visible_partner(session, viewer, code)
    settings = wiring(request).settings
    story = statements.statement(session, partner.code, settings=settings)
    entries = [_entry(line, language) for line in reversed(story.lines)]
    held = [_held(each, language) for each in reversed((*story.refused, *story.waiting))]
    missed = [_missed(each, language) for each in reversed(story.unearned)]
    _tell_apart([*entries, *missed, *held])
    return page(
        request,
        "partner/statement.html",
        partner=partner,
        about=about(partner, language),
        balance=number_text(story.balance, language),
        balance_words=points_text(story.balance, language),
        pending=number_text(story.pending, language) if story.pending else "",
        carried=number_text(story.carried, language) if story.carried else "",
        held=held,
        entries=entries,
        missed=missed,
        below=links_to(partners_below(session, partner)),
    )


def _tell_apart(cards: Iterable[dict[str, Any]]) -> None:
    """Let a period's anchor lead to its first card, and no two cards share one."""
    seen: dict[str, int] = {}
    for card in cards:
        anchor = card["anchor"]
        seen[anchor] = seen.get(anchor, 0) + 1
        if seen[anchor] > 1:
            card["anchor"] = f"{anchor}-{seen[anchor]}"


def _entry(line: Line, language: str) -> dict[str, Any]:
    return {
        "anchor": str(line.period) if line.period else f"entry-{line.key}",
        "on": line.on,
        "title": line.rule.label.in_(language) if line.rule else "",
        "period": line.period.label(language) if line.period else "",
        "points": f"{'+' if line.points > 0 else ''}{number_text(line.points, language)}",
        "balance": points_text(line.balance, language),
        "why": line.why.in_(language),
        "version": line.rule.version if line.rule else None,
        "figures": [told(figure, language) for figure in line.figures],
        "corrects": line.corrects.sentence.in_(language) if line.corrects else "",
    }


def _held(each: Held, language: str) -> dict[str, Any]:
    return {
        "anchor": f"held-{each.key}",
        "on": each.on,
        "title": each.rule.label.in_(language) if each.rule else "",
        "period": each.period.label(language) if each.period else "",
        "points": number_text(each.points, language),
        "waits": each.waits,
        "sentence": each.sentence.in_(language),
        "version": each.rule.version if each.rule else None,
        "figures": [told(figure, language) for figure in each.figures],
    }


def _missed(each: Unearned, language: str) -> dict[str, Any]:
    return {
        "anchor": str(each.period) if each.period else f"{each.rule.code}-{each.on}",
        "title": each.rule.label.in_(language),
        "period": each.period.label(language) if each.period else "",
        "worth": each.worth.in_(language),
        "state": _verdict(each.verdict, language),
        "sentence": each.sentence.in_(language),
        "version": each.rule.version,
        "shortfalls": [_shortfall(shortfall, language) for shortfall in each.shortfalls],
        "figures": [told(figure, language) for figure in each.figures],
    }


def _verdict(verdict: Verdict, language: str) -> ToldState | None:
    states = {Verdict.NOT_MET: State.RED, Verdict.UNKNOWN: State.NO_DATA}
    return told_state(states.get(verdict), language)


def _shortfall(shortfall: Shortfall, language: str) -> dict[str, Any]:
    rows = shortfall.misses.rows
    more = shortfall.misses.total - len(rows)
    return {
        "sentence": shortfall.sentence.in_(language),
        "kpi": shortfall.figure.kpi,
        "total": number_text(shortfall.misses.total, language),
        "more": number_text(more, language) if more else "",
        "rows": [
            {
                "source_id": row.source_id,
                "day": row.day,
                "what": row.what.in_(language),
                "verdict": row.verdict.in_(language),
                "corrected": row.corrected_since,
                "withdrawn": row.withdrawn_since,
            }
            for row in rows
        ],
    }
