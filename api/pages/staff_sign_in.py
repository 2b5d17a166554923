"""The brand's staff sign in by its own provider: out to it with an errand, and back."""

from __future__ import annotations

import hmac
from dataclasses import astuple
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.rates import STAFF_SIGN_INS, client_of, refuse_if_over
from api.render import page
from api.request_scope import Clock, language_of, wiring
from api.sign_in import cookies, own_path, provider
from api.sign_in.provider import Errand
from integrations.mail.connection import is_set_up as mails_letters
from partner_cx.database import transact
from partner_cx.errors import NotFound, Refused, Unreachable
from partner_cx.network.departures import has_departed
from partner_cx.network.people import Role
from partner_cx.network.sessions import OpenedBy
from partner_cx.network.sign_in_links import person_at

ERRAND_LASTS = timedelta(minutes=10)
COOKIE, COOKIE_PATH = "partner_cx_errand", "/sign-in/staff"
STAFF = (Role.REP, Role.MANAGER, Role.ADMIN)

log = structlog.get_logger()


class Failure(StrEnum):
    """Why nobody was signed in."""

    AWAY = "away"  # the provider didn't answer
    ODD = "odd"  # what it said doesn't count
    BROKEN_OFF = "broken off"  # the person said no there, or it did
    STALE = "stale"  # begun too long ago, or in another browser
    UNKNOWN = "unknown"  # nobody here has the address
    PARTNER = "partner"  # partners' people sign in by a link
    DEPARTED = "departed"


_STATUS = {
    Failure.AWAY: HTTPStatus.BAD_GATEWAY,
    Failure.ODD: HTTPStatus.BAD_GATEWAY,
    Failure.STALE: HTTPStatus.BAD_REQUEST,
}


def _not_too_often(request: Request) -> None:
    if not provider.is_set_up(wiring(request).settings):
        raise NotFound("Staff sign in by a link here.")
    refuse_if_over(request, STAFF_SIGN_INS, client_of(request))


router = APIRouter(dependencies=[Depends(_not_too_often)])


@router.get("/sign-in/staff")
def begin(request: Request, to: str = "/") -> Response:
    """Off to the provider, with an errand that the browser keeps for the way back."""
    try:
        there, errand = provider.away(wiring(request).settings, own_path(to))
    except (Unreachable, Refused) as refusal:
        return _explained(request, refusal)
    response = RedirectResponse(there, HTTPStatus.SEE_OTHER)
    kept = _signer(request).dumps(astuple(errand))
    cookies.keep(request, response, COOKIE, str(kept), path=COOKIE_PATH, lasts=ERRAND_LASTS)
    return response


@router.get("/sign-in/staff/return")
def come_back(
    request: Request, now: Clock, code: str = "", state: str = "", error: str = ""
) -> Response:
    """Back from the provider: whoever it vouches for, and is known here as staff, is signed in.

    The database is opened only once the provider has answered: nobody waits for it meanwhile.
    """
    errand = _errand(request)
    if errand is None or not hmac.compare_digest(errand.state.encode(), state.encode()):
        return _failed(request, Failure.STALE)
    if error or not code:
        return _failed(request, Failure.BROKEN_OFF)
    house = wiring(request)
    try:
        email = provider.email_of(house.settings, errand, code, now=now)
    except (Unreachable, Refused) as refusal:
        return _explained(request, refusal)
    return transact(house.engine, lambda session: _let_in(request, session, email, errand.to, now))


def _let_in(request: Request, session: Session, email: str, to: str, now: datetime) -> Response:
    person = person_at(session, email)
    if person is None:
        return _failed(request, Failure.UNKNOWN, email)
    if has_departed(session, person.id):
        return _failed(request, Failure.DEPARTED, email)
    if person.role not in STAFF:
        return _failed(request, Failure.PARTNER, email)
    response = see_other(request, own_path(to))
    how = OpenedBy.STAFF
    cookies.open_session(request, response, session, person.id, opened_by=how, now=now)
    cookies.forget(request, response, COOKIE, path=COOKIE_PATH)
    return response


def _explained(request: Request, refusal: Unreachable | Refused) -> Response:
    """What the provider did wrong goes to the log; whoever signs in can do nothing about it."""
    log.warning("staff sign-in failed", why=refusal.message)
    return _failed(request, Failure.AWAY if isinstance(refusal, Unreachable) else Failure.ODD)


def _failed(request: Request, failure: Failure, email: str = "") -> Response:
    """Why nobody was signed in, with the ways that are left. The errand is over."""
    settings = wiring(request).settings
    response = page(
        request,
        "public/sign_in_staff.html",
        status=_STATUS.get(failure, HTTPStatus.FORBIDDEN),
        failure=failure.value,
        email=email,
        staff_name=provider.called(settings, language_of(request)),
        mails_links=mails_letters(settings),
    )
    cookies.forget(request, response, COOKIE, path=COOKIE_PATH)
    return response


def _errand(request: Request) -> Errand | None:
    """What this browser was sent to the provider with; None: nothing, or too long ago."""
    kept = request.cookies.get(COOKIE, "")
    try:
        return Errand(*_signer(request).loads(kept, max_age=int(ERRAND_LASTS.total_seconds())))
    except (BadSignature, TypeError):
        return None


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(wiring(request).secret, salt="staff sign-in")
