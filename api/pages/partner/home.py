"""A partner's home: what there is, what is coming, what to do for it, and what the last close gave.

Every number leads to where it says why: the statement, the figures, or the rule's own conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from api import telling
from api.access import visible_partner
from api.addresses import see_other
from api.pages.partner.naming import about, address_of, figures_of, statement_of
from api.pages.partner.progress import next_steps, repeated_card, towards_card
from api.pages.partner.rows import (
    Looking,
    View,
    day_told,
    elsewhere,
    head,
    own_partner,
    owner,
    signed,
    today,
)
from api.pages.told import told_state
from api.paging import ROWS, PageAsked, offset, ways
from api.render import page, translator
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text, points_text
from rewards.conditions import Verdict
from rewards.frozen import FrozenFigure
from rewards.progress import Progress, progress
from rewards.progress.around import Decided, Outcome, Supplied, last_close, last_closed, supplied
from rewards.statements.listing import Shown, entries, purse

router = APIRouter()

ENTRIES_SHOWN = 5
QUALITY = ("otif", "sla_response", "portal_adoption")  # what is told of each partner below
NO_FIGURES = {code: Figure(code, None, state=State.NO_DATA) for code in QUALITY}


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
    below, total = supplied(session, partner.id, limit=ROWS, offset=offset(place))
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
        below=_below(session, below, quarter, language),
        below_headings=[CATALOGUE[code].label.in_(language) for code in QUALITY],
        below_pager=ways(request, place, total, language, anchor="below"),
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


# --- The partners below ---------------------------------------------------------------------------


def _below(
    session: Session,
    found: Any,
    quarter: Period,
    language: str,
) -> dict[str, Any] | None:
    """The partners below, with their states in the running quarter, or else at the last close."""
    if not found:
        return None
    codes = [each.partner.code for each in found]
    period, figures = quarter, _figures(session, quarter, codes, ScorecardRow)
    if not figures and (closed := last_closed(session)):
        period, figures = closed, _figures(session, closed, codes, FrozenFigure)
    return {
        "period": period.label(language),
        "rows": [_row(each, figures.get(each.partner.code, {}), language) for each in found],
    }


def _figures(
    session: Session, period: Period, codes: list[str], table: type[ScorecardRow | FrozenFigure]
) -> dict[str, dict[str, Figure]]:
    found: dict[str, dict[str, Figure]] = {}
    asked = {"period": str(period), "codes": codes}
    for code, kpi, value, state in session.execute(_in_short_of(table), asked):
        figure = Figure(kpi, value, state=None if state is None else State(state))
        found.setdefault(code, {})[kpi] = figure
    return found


@lru_cache  # made once: to put it together takes longer than the database does to answer it
def _in_short_of(table: type[ScorecardRow | FrozenFigure]) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(table.subject, table.kpi, table.value, table.state).where(
        table.period == sa.bindparam("period"),
        table.level == "partner",
        table.subject.in_(sa.bindparam("codes", expanding=True)),
        table.kpi.in_(QUALITY),
    )


def _row(each: Supplied, figures: Mapping[str, Figure], language: str) -> dict[str, Any]:
    return {
        "name": each.partner.name,
        "about": about(each.partner, language),
        "href": address_of(each.partner),
        "figures": [_in_short(figures.get(code, NO_FIGURES[code]), language) for code in QUALITY],
        "balance": number_text(each.balance, language),
        "statement_href": statement_of(each.partner),
    }


def _in_short(figure: Figure, language: str) -> dict[str, Any]:
    """A figure's value and state alone: of fifty partners the rest would take its time."""
    return {
        "label": CATALOGUE[figure.kpi].label.in_(language),
        "value": telling.value(figure, language),
        "state": told_state(figure.state, language),
    }
