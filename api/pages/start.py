"""The way in and out: signing in by link, a person's own page, signing out."""

from __future__ import annotations

import re
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from api import sign_in
from api.access import partners_below
from api.addresses import see_other
from api.pages.partner.naming import address_of, links_to
from api.render import page
from api.request_scope import Clock, Reading, Writing
from api.sign_in import SignedIn
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.network.sign_in_links import use_link

router = APIRouter()


@router.get("/")
def start(request: Request, session: Reading, viewer: SignedIn) -> Response:
    """Where each role begins."""
    if viewer.sees_network:
        return see_other(request, "/network")
    partner = session.get(Partner, viewer.person.partner_id or 0)
    if viewer.person.role == Role.PARTNER and partner:
        return see_other(request, address_of(partner))
    return see_other(request, "/me")


@router.get("/me")
def me(request: Request, session: Reading, viewer: SignedIn) -> Response:
    """A person's own page: who they are here, and what they may see."""
    own = session.get(Partner, viewer.person.partner_id or 0)
    sees = viewer.person.role == Role.PARTNER
    return page(
        request,
        "public/me.html",
        person=viewer.person,
        partner=own,
        statement_href=address_of(own) if own else "",
        below=links_to(partners_below(session, own)) if own and sees else [],
    )


@router.get("/sign-in")
def how_to_sign_in(request: Request) -> Response:
    return sign_in.sign_in_page(request)


@router.get("/sign-in/{token}")
def offer_to_sign_in(request: Request, token: str, to: str = "/") -> Response:
    """The link's page, with the button that uses it. to: where the person comes to then."""
    return page(request, "public/sign_in_link.html", token=token, onward=_own_path(to))


@router.post("/sign-in/{token}")
def use(request: Request, token: str, session: Writing, now: Clock, to: str = "/") -> Response:
    """Use the link up. A link that no longer works says so, and how to get another."""
    used = use_link(session, token, now=now)
    if used is None:
        return page(request, "public/sign_in_stale.html", status=HTTPStatus.GONE)
    sign_in.end_current_session(request, session, now)
    response = see_other(request, _own_path(to))
    sign_in.open_session(request, response, used)
    return response


_OWN_PATH = re.compile(r"/(?:[\w.~%-][\w./~%-]*)?", re.ASCII)


def _own_path(to: str) -> str:
    """A page of ours; the start instead of anything that could lead elsewhere."""
    return to if _OWN_PATH.fullmatch(to) else "/"


@router.post("/sign-out")
def sign_out(request: Request, session: Writing, now: Clock) -> Response:
    sign_in.end_current_session(request, session, now)
    response = see_other(request, "/sign-in")
    sign_in.close_session(request, response)
    return response
