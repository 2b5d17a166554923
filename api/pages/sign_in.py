"""The way in and out: asking for a link, using it, signing out."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from api.access import Viewer
from api.addresses import see_other
from api.rates import WRONG_LINKS, client_of, hit, peek, too_many
from api.render import page, translator
from api.request_scope import Clock, Language, Writing, wiring
from api.sign_in import Visitor, cookies, letters, own_path, sign_in_page
from integrations.mail.connection import is_set_up
from partner_cx.errors import NotFound
from partner_cx.network.departures import has_departed
from partner_cx.network.sessions import OpenedBy
from partner_cx.network.sign_in_links import use_link

router = APIRouter()

EMAIL_LONGEST = 320


@router.get("/sign-in")
def how_to_sign_in(request: Request, said: str = "") -> Response:
    return sign_in_page(request, said=said)


@dataclass(frozen=True)
class _Asking:
    """An asking for a link. problem: with the address; counted: whether it isn't too often.

    to: the page that was wanted.
    """

    email: str
    to: str
    problem: str
    counted: bool


def _asking(
    request: Request,
    language: Language,
    email: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "/",
) -> _Asking:
    """Read and count an asking, before a transaction is begun."""
    if not is_set_up(wiring(request).settings):
        raise NotFound("Links aren't sent by mail here.")
    problem = _wrong_with(email, language)
    counted = not problem and letters.may_ask(request, email)
    return _Asking(email, own_path(to), problem, counted)


@router.post("/sign-in")
def mail_a_link(
    request: Request, asking: Annotated[_Asking, Depends(_asking)], session: Writing, now: Clock
) -> Response:
    """Owe a sign-in link to an address. Known or not, too often or not, the answer is the same."""
    if asking.problem:
        return sign_in_page(
            request,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            email=asking.email[:EMAIL_LONGEST],
            problem=asking.problem,
            onward=asking.to,
        )
    if asking.counted:
        letters.owe_if_known(session, asking.email, now=now, to=asking.to)
    return page(request, "public/sign_in_sent.html", status=HTTPStatus.ACCEPTED)


@router.get("/sign-in/{token}")
def offer_to_sign_in(
    request: Request,
    token: str,
    viewer: Annotated[Viewer | None, Visitor],
    to: str = "/",
) -> Response:
    """The link's page, with the button that uses it. to: where the person comes to then.

    Whether the link still works isn't looked up: whoever opens links can't try them here.
    """
    name = viewer.person.name if viewer else ""
    return page(request, "public/sign_in_link.html", token=token, onward=own_path(to), is_now=name)


def _not_too_often(request: Request) -> None:
    """Refuse whoever brought too many links that don't work."""
    left = peek(request, WRONG_LINKS, client_of(request))
    if not left.allowed:
        raise too_many(request, left)


@router.post("/sign-in/{token}", dependencies=[Depends(_not_too_often)])
def use(request: Request, token: str, session: Writing, now: Clock, to: str = "/") -> Response:
    """Use the link up. A link that no longer works says so, and how to get another."""
    used = use_link(session, token, now=now)
    if used is None:
        hit(request, WRONG_LINKS, client_of(request))
        return _stale(request)
    if has_departed(session, used.person_id):
        return page(request, "public/sign_in_departed.html", status=HTTPStatus.FORBIDDEN)
    response = see_other(request, own_path(to))
    opened_by = OpenedBy.LINK
    cookies.open_session(request, response, session, used.person_id, opened_by=opened_by, now=now)
    return response


@router.post("/sign-out")
def sign_out(request: Request, session: Writing, now: Clock) -> Response:
    cookies.end_current_session(request, session, now)
    response = see_other(request, "/sign-in?said=signed-out")
    cookies.forget_session(request, response)
    return response


def _stale(request: Request) -> Response:
    mails = is_set_up(wiring(request).settings)
    return page(request, "public/sign_in_stale.html", status=HTTPStatus.GONE, mails_links=mails)


def _wrong_with(email: str, language: str) -> str:
    """What is the matter with what was written where an address belongs; empty: nothing."""
    say = translator(language)
    written = email.strip()
    if not written:
        return say("Write your e-mail address.")
    before, at, after = written.rpartition("@")
    sound = before and at and after and written.isprintable() and " " not in written
    if not sound or len(written) > EMAIL_LONGEST:
        return say("This isn't an e-mail address. It looks like anna@partner.example.")
    return ""
