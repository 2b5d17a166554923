"""Awards that wait, for their day or for somebody's yes: approve, refuse, release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import text
from api.paging import PageAsked, paged
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import Manages, SeesNetwork
from partner_cx.database import transact
from partner_cx.network.partners import names_of
from partner_cx.quantities import number_text
from rewards import holds
from rewards.holds import Held

# An award and a close, or an event, may take the same accounts in another order: PostgreSQL then
# ends one of them, and each of these acts runs again.
router = APIRouter()

SAID = {
    "approved": text("Approved: the points are in the wallet."),
    "refused": text("Refused: the points are back in the budget."),
    "released": text("Everything whose day has come is released."),
}


@router.get("/holds")
def waiting(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    said: str = "",
    number: PageAsked = 1,
) -> Response:
    """The awards that wait, those that can be decided about first."""
    shown = _shown(request, session, now, language, number)
    told = translator(language)(SAID[said]) if said in SAID else ""
    return page(request, "programme/closing/holds.html", said=told, manages=viewer.manages, **shown)


@router.post("/holds/approve")
def approve(
    request: Request,
    now: Clock,
    viewer: Manages,
    key: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Say yes to an award, at the end of its hold."""
    house, by = wiring(request), viewer.person.email

    def work(session: Session) -> None:
        holds.approve(session, key, by=by, why=why.strip(), now=now, settings=house.settings)

    transact(house.engine, work)
    return see_other(request, "/holds?said=approved")


@router.post("/holds/refuse")
def refuse(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: Manages,
    key: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Take an award back; whoever earned it reads why."""
    if not why.strip():
        say = translator(language)
        wrong = say("Say why: whoever earned it reads it on the statement.")
        shown = _shown(request, session, now, language, 1)
        errors = {"key": key, "text": wrong}
        return page(
            request,
            "programme/closing/holds.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            said="",
            manages=True,
            **{**shown, "error": errors},
        )
    house, by = wiring(request), viewer.person.email

    def work(session: Session) -> None:
        holds.refuse(session, key, by=by, why=why.strip(), now=now, settings=house.settings)

    transact(house.engine, work)
    return see_other(request, "/holds?said=refused")


@router.post("/holds/release")
def release(request: Request, now: Clock, _viewer: Manages) -> Response:
    """Release what is due now, without waiting for the night."""
    house = wiring(request)
    today = now.astimezone(house.settings.zone).date()
    transact(house.engine, lambda session: holds.release_due(session, on=today, now=now))
    return see_other(request, "/holds?said=released")


def _shown(
    request: Request, session: Session, now: datetime, language: str, number: int
) -> dict[str, Any]:
    today = now.astimezone(wiring(request).settings.zone).date()
    held = holds.pending(session)
    held.sort(key=lambda each: not (each.needs_approval and each.is_due(today)))
    some = paged(request, held, number, language)
    names = names_of(session, [_code(each) for each in some.rows])
    return {
        "held": [_told(each, names, today, language) for each in some.rows],
        "pages": some,
        "due": sum(1 for each in held if each.is_due(today) and not each.needs_approval),
        "error": None,
    }


def _code(held: Held) -> str:
    return held.owner.partition(":")[2]


def _told(held: Held, names: Mapping[str, str], today: Any, language: str) -> dict[str, Any]:
    owner = _code(held)
    is_partner = held.owner.startswith("partner:")
    return {
        "key": held.key,
        "owner": names.get(owner, owner) if is_partner else owner,
        "href": f"/statements/{quote(owner, safe='')}" if is_partner else "",
        "points": number_text(held.points, language),
        "on": held.on,
        "until": held.held_until,
        "due": held.is_due(today),
        "needs_approval": held.needs_approval,
        "why": held.why.in_(language),
    }
