"""The rep's pages: own points, and the partners they visit with how each is doing.

For a phone in a warehouse: what to look after comes first, and every figure is told in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Viewer
from api.figures import Measured, measured_periods
from api.pages.network.choosing import latest
from api.pages.network.closer import figures_place
from api.pages.network.filters import clean
from api.pages.partner.naming import about, address_of, statement_of
from api.pages.told import Told, told
from api.paging import ROWS, offset, ways
from api.render import page, translator
from api.request_scope import Clock, Language, Reading
from api.sign_in import SignedIn
from partner_cx.errors import Forbidden
from partner_cx.insights.visits import visited_partners
from partner_cx.measures.figures import Figure, State
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.periods import Period
from partner_cx.quantities import number_text, points_text
from rewards.ledger import wallet_of_person
from rewards.ledger.owners import Owner
from rewards.statements.listing import Listed, Shown, entries, purse

router = APIRouter()

QUALITY = ("otif", "sla_response", "portal_adoption")  # what the network quality bonus looks at
ENTRIES_SHOWN = 5


@dataclass(frozen=True)
class Visited:
    """A partner that is visited: how it is doing in a few words, and its figures."""

    name: str
    about: str
    href: str
    statement_href: str
    health: str
    figures: tuple[tuple[Told, str], ...]


@router.get("/field")
def field(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    viewer: SignedIn,
    q: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """Home of a rep. q: a part of a partner's name or code."""
    if viewer.role is not Role.REP:
        raise Forbidden("This page is for those who visit partners.")
    periods = measured_periods(session)
    measured = next((p for p in periods if p.period == latest(periods)), None)
    search = clean(q)
    found = visited_partners(
        session,
        measured.sheet if measured else None,
        viewer.person.id,
        QUALITY,
        search=search,
        limit=ROWS,
        offset=offset(number),
    )
    return page(
        request,
        "field/home.html",
        name=viewer.person.name,
        own=_points(session, viewer, language),
        partners=[_visited(*each, measured, language) for each in found.rows],
        count=found.total,
        since=_since(measured, now, language),
        search=search,
        pager=ways(request, number, found.total, language, anchor="partners"),
    )


def _points(session: Session, viewer: Viewer, language: str) -> dict[str, Any]:
    """The rep's own wallet, with the last entries and why."""
    person = viewer.person
    owner = Owner(person.email, person.name, wallet_of_person(person.email))
    own = purse(session, owner)
    last = entries(session, owner, Shown(), limit=ENTRIES_SHOWN)
    return {
        "balance": number_text(own.balance, language),
        "balance_words": points_text(own.balance, language),
        "pending": points_text(own.pending, language) if own.pending else "",
        "entries": [_entry(each, language) for each in last.rows],
        "more": max(last.total - ENTRIES_SHOWN, 0),
    }


def _entry(each: Listed, language: str) -> dict[str, Any]:
    return {
        "on": each.on,
        "points": f"{'+' if each.points > 0 else ''}{number_text(each.points, language)}",
        "won": each.points > 0,
        "title": each.rule.label.in_(language) if each.rule else "",
        "why": each.why.in_(language),
    }


def _visited(
    partner: Partner, figures: Mapping[str, Figure], measured: Measured | None, language: str
) -> Visited:
    shown = [figures.get(code, Figure(code, None, state=State.NO_DATA)) for code in QUALITY]
    return Visited(
        name=partner.name,
        about=about(partner, language),
        href=address_of(partner),
        statement_href=statement_of(partner),
        health=_health(shown, language),
        figures=_figures(partner, shown, measured.period, language) if measured else (),
    )


def _figures(
    partner: Partner, figures: Sequence[Figure], period: Period, language: str
) -> tuple[tuple[Told, str], ...]:
    return tuple(
        (told(each, language), figures_place(partner.code, each.kpi, period)) for each in figures
    )


def _health(figures: Sequence[Figure], language: str) -> str:
    """In a few words, the worst first: what is missed, else what can't be told, else that all is
    well."""
    say = translator(language)
    states = [figure.state for figure in figures]
    if missed := states.count(State.RED):
        return say.many("{count} target missed", "{count} targets missed", missed)
    if states.count(State.GREEN) == len(states):
        return say("all targets reached")
    if State.GREEN in states:
        return say("nothing missed, not everything can be told")
    return say("nothing to judge by")


def _since(measured: Measured | None, now: datetime, language: str) -> str:
    """Of when the figures are: how long ago the period was closed."""
    if measured is None:
        return ""
    say = translator(language)
    period = measured.period.label(language)
    if measured.closed_at is None:
        return say("Figures of {period}, still running.").format(period=period)
    days = max((now - measured.closed_at).days, 0)
    closed = say.many(
        "Figures of {period}, closed {count} day ago.",
        "Figures of {period}, closed {count} days ago.",
        days,
    )
    return closed.format(period=period)
