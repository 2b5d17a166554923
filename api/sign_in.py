"""Signing in: a single-use link opens a session, kept in a signed cookie.

Opening a link shows a button; only pressing it uses the link up, so that a mail scanner that
visits every link locks nobody out. The session ends after half a day, or at once by signing out.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from api.access import Viewer, administrators_only, managers_only, network_only
from api.addresses import address
from api.render import page
from api.request_scope import Clock, Reading, wiring
from integrations.mail.connection import is_set_up
from partner_cx.errors import Forbidden
from partner_cx.network.sign_in_links import (
    SESSION_LASTS,
    SignInLink,
    end_session,
    person_in_session,
)

COOKIE = "partner_cx_session"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SignInNeeded(Exception):
    """Nobody has signed in, or no longer: the answer is the page that says how."""


def sign_in_page(request: Request, status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    """How to sign in: with a form that mails a link, where mail is set up."""
    mails_links = is_set_up(wiring(request).settings)
    return page(request, "public/sign_in.html", status=status, mails_links=mails_links)


def current_viewer(request: Request, session: Session, now: datetime) -> Viewer | None:
    """Who has signed in, by the cookie and by what the database still says of the person."""
    digest = _link_digest(request)
    person = None if digest is None else person_in_session(session, digest, now=now)
    return None if person is None or digest is None else Viewer(person, digest)


def _signed_in(request: Request, session: Reading, now: Clock) -> Viewer:
    viewer = current_viewer(request, session, now)
    if viewer is None:
        raise SignInNeeded
    request.state.viewer = viewer
    return viewer


def _sees_network(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    network_only(viewer)
    return viewer


def _manages(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    managers_only(viewer)
    return viewer


def _administers(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    administrators_only(viewer)
    return viewer


SignedIn = Annotated[Viewer, Depends(_signed_in)]
SeesNetwork = Annotated[Viewer, Depends(_sees_network)]  # managers and administrators: to look
Manages = Annotated[Viewer, Depends(_manages)]  # managers: to act on rules, closes and points
Administers = Annotated[Viewer, Depends(_administers)]


def open_session(request: Request, response: Response, link: SignInLink) -> None:
    """Hand out the cookie. A cookie that the browser had before is replaced.

    It names the link by its token's digest: a number would name somebody else's link in another
    database that is signed for with the same secret, as a demo's is.
    """
    response.set_cookie(
        COOKIE,
        _signer(request).dumps(link.token_digest),
        max_age=int(SESSION_LASTS.total_seconds()),
        path=address(request, "/"),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def end_current_session(request: Request, session: Session, now: datetime) -> None:
    """End the session that the browser is in, if any, wherever else its cookie may be."""
    viewer = current_viewer(request, session, now)
    if viewer:
        end_session(session, viewer.session_digest, now=now)


def close_session(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, path=address(request, "/"), httponly=True, samesite="lax")


def own_form_only(request: Request) -> None:
    """Refuse a form that another site sent: browsers say where a form comes from.

    A proxy may pass on a host of its own, so that the address of the settings is ours, too.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = request.headers.get("host"), urlsplit(wiring(request).settings.base_url).netloc
    own = urlsplit(origin or "").netloc in ours
    if site not in (None, "same-origin") or not (own if origin else site == "same-origin"):
        raise Forbidden("This form was sent from elsewhere.", remedy="Open the page and try again.")


OwnForm = Depends(own_form_only)


def _link_digest(request: Request) -> str | None:
    try:
        digest = _signer(request).loads(
            request.cookies.get(COOKIE, ""), max_age=int(SESSION_LASTS.total_seconds())
        )
    except BadSignature:
        return None
    return digest if isinstance(digest, str) else None


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(wiring(request).secret, salt="session")
