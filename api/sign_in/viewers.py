"""Viewers: who is there, asked of the database once per request, and what they may come to."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from api.access import Viewer, administrators_only, managers_only, network_only
from api.addresses import path_of
from api.render import page
from api.request_scope import Clock, Reading, language_of, wiring
from api.sign_in import provider
from api.sign_in.cookies import session_token
from api.sign_in.forms import own_path
from integrations.mail.connection import is_set_up
from partner_cx.network.sessions import holder_of_session


class SignInNeeded(Exception):
    """Nobody has signed in, or no longer: the answer is the page that says how."""


def sign_in_page(
    request: Request,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    said: str = "",
    email: str = "",
    problem: str = "",
    onward: str = "",
) -> HTMLResponse:
    """How to sign in, by each of the ways that are set up here.

    said: the code of a notice. email: as it was written, and problem: what is wrong with it.
    onward: the page to come to then; else the one that was asked for.
    """
    settings = wiring(request).settings
    return page(
        request,
        "public/sign_in.html",
        status=status,
        mails_links=is_set_up(settings),
        staff_name=provider.called(settings, language_of(request)),
        said=said,
        email=email,
        problem=problem,
        is_turned_away=status == HTTPStatus.UNAUTHORIZED,
        onward=onward or _onward(request),
    )


def _onward(request: Request) -> str:
    """Where to come to once signed in: the page that was asked for, if it is one to look at."""
    if request.method not in ("GET", "HEAD") or path_of(request).startswith("/sign-in"):
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return own_path(path_of(request) + query)


def _visitor(request: Request, session: Reading, now: Clock) -> Viewer | None:
    """Who has signed in, by the cookie and by what the database still says of the person.

    Asked for before anything else, so that a page is in the language that the person chose.
    """
    token = session_token(request)
    holder = holder_of_session(session, token, now=now) if token else None
    if holder is None:
        return None
    request.state.viewer = Viewer(holder.person, holder.token_digest, holder.language)
    return request.state.viewer


Visitor = Depends(_visitor, scope="function")


async def _signed_in(viewer: Annotated[Viewer | None, Visitor]) -> Viewer:
    if viewer is None:
        raise SignInNeeded
    return viewer


async def _sees_network(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    network_only(viewer)
    return viewer


async def _manages(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    managers_only(viewer)
    return viewer


async def _administers(viewer: Annotated[Viewer, Depends(_signed_in)]) -> Viewer:
    administrators_only(viewer)
    return viewer


SignedIn = Annotated[Viewer, Depends(_signed_in)]
SeesNetwork = Annotated[Viewer, Depends(_sees_network)]  # managers and administrators: to look
Manages = Annotated[Viewer, Depends(_manages)]  # managers: to act on rules, closes and points
Administers = Annotated[Viewer, Depends(_administers)]
