"""A partner's home: what there is, what is coming, what to do for it, and what the last close gave.

Every number leads to where it says why: the statement, the figures, or the rule's own conditions.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from api.access import visible_partner
from api.addresses import see_other
from api.pages.partner.below import below
from api.pages.partner.naming import figures_of, statement_of
from api.pages.partner.progress import next_steps, repeated_card, towards_card
from api.pages.partner.rows import day_told, elsewhere, head, own_partner, owner, signed, today
from api.pages.viewing import Looking, View
from api.paging import PageAsked
from api.render import page, translator
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text, points_text
from rewards.conditions import Verdict
from rewards.progress import Progress, progress
from rewards.progress.around import Decided, Outcome, last_close
from rewards.statements.listing import Shown, entries, purse

router = APIRouter()

ENTRIES_SHOWN = 5


@router.get("/home")
def own_home(view: Looking, place: PageAsked = 1) -> Response:
    """One's own partner's home; whoever has none is led to where they begin."""
    partner = own_partner(view.session, view.viewer)
    if partner is None:
        return see_other(view.request, elsewhere(view.viewer))
    return _home(view, partner, place)


@router.get("/partners/{code:path}")  # a code may hold a slash
def home(view: Looking, code: str, place: PageAsked = 1) -> Response:
    """A partner's home, as the partner sees it."""
    return _home(view, visible_partner(view.session, view.viewer, code), place)


def _home(view: View, partner: Partner, place: int) -> Response:
    request, session, language = view.request, view.session, view.language
    day = today(request, view.now)
    ahead = progress(session, partner, groups.of_partner(session, partner), day)
    outcome = last_close(session, partner.id)
    quarter = Period.of(day, PeriodKind.QUARTER)
    return page(
        request,
        "partner/home.html",
        **head(request, view.viewer, partner, "home"),
        **_worth(session, partner, language),
        quarter=quarter.label(language),
        days_left=(quarter.last_day - day).days,
        as_of=ahead.as_of,
        **_ahead(ahead, partner, language),
        outcome=_outcome(outcome, partner, language) if outcome else None,
        below=below(view, partner.id, quarter, place),
    )


def _worth(session: Session, partner: Partner, language: str) -> dict[str, Any]:
    """What there is, and the last entries that led there."""
    own = owner(partner)
    has = purse(session, own)
    found = entries(session, own, Shown(), limit=ENTRIES_SHOWN)
    return {
        "balance": number_text(has.balance, language),
        "pending": number_text(has.pending, language) if has.pending else "",
        "entries": [
            {
                "on": day_told(each.on, language),
                "why": each.why.in_(language),
                "points": signed(each.points, language),
                "is_gain": each.points > 0,
                "href": f"{statement_of(partner)}?{urlencode({'entry': each.key})}",
            }
            for each in found.rows
        ],
    }


def _ahead(ahead: Progress, partner: Partner, language: str) -> dict[str, Any]:
    figures = figures_of(partner)
    return {
        "steps": next_steps(ahead, language),
        "towards": [towards_card(each, figures, language) for each in ahead.towards],
        "repeated": [repeated_card(each, language) for each in ahead.repeated],
    }


# --- The last close -------------------------------------------------------------------------------


def _outcome(outcome: Outcome, partner: Partner, language: str) -> dict[str, Any]:
    say = translator(language)
    won = sum(1 for each in outcome.decided if each.key)
    return {
        "period": outcome.period.label(language),
        "closed_at": outcome.closed_at,
        "summary": say("{points}. Rules for you that brought something: {won} of {judged}.").format(
            points=points_text(outcome.points, language),
            won=number_text(won, language),
            judged=number_text(len(outcome.decided), language),
        ),
        "href": f"{statement_of(partner)}?closed={outcome.period}#missed",
        "missed": len(outcome.decided) - won,
        "rules": [_decided(each, partner, language) for each in outcome.decided],
    }


def _decided(each: Decided, partner: Partner, language: str) -> dict[str, Any]:
    say = translator(language)
    if each.key:
        said = points_text(each.points, language)
    elif each.points:
        said = say("earned, not paid yet")
    else:
        said = {
            Verdict.MET: say("limit reached"),
            Verdict.NOT_MET: say("conditions not met"),
            Verdict.UNKNOWN: say("left open: a figure is missing"),
        }[Verdict(each.verdict)]
    return {
        "label": each.rule.label.in_(language),
        "said": said,
        "won": bool(each.key),
        "href": f"{statement_of(partner)}?decision={each.number}",
    }
