"""Cookies: what a browser keeps of a session, out of reach of scripts and other sites."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.addresses import address
from api.request_scope import LANGUAGE_COOKIE
from partner_cx.network.person_choices import chosen_language
from partner_cx.network.sessions import (
    SESSION_LASTS,
    OpenedBy,
    digest_of,
    end_session,
    prune_sessions,
)
from partner_cx.network.sessions import open_session as open_for
from partner_cx.rates import prune_counts

COOKIE = "partner_cx_session"


def session_token(request: Request) -> str:
    """The token that the browser shows; empty: none."""
    return request.cookies.get(COOKIE, "")


def open_session(
    request: Request,
    response: Response,
    session: Session,
    person_id: int,
    *,
    opened_by: OpenedBy,
    now: datetime,
) -> None:
    """Open a session and hand out its cookie. The one that the browser had before is over.

    Whoever chose a language for themselves gets it, whatever was chosen here before. What is over
    long ago is let go of meanwhile: this is rare enough, and often enough.
    """
    prune_sessions(session, now=now)
    prune_counts(session, now=now)
    end_current_session(request, session, now)
    token = open_for(session, person_id, opened_by=opened_by, now=now)
    keep(request, response, COOKIE, token, path="/", lasts=SESSION_LASTS)
    if chosen_language(session, person_id):
        forget(request, response, LANGUAGE_COOKIE, path="/")


def end_current_session(request: Request, session: Session, now: datetime) -> None:
    """End the session that the browser is in, if any, wherever else its cookie may be."""
    if token := session_token(request):
        end_session(session, digest_of(token), now=now)


def forget_session(request: Request, response: Response) -> None:
    """Take the cookie back."""
    forget(request, response, COOKIE, path="/")


def keep(
    request: Request, response: Response, name: str, value: str, *, path: str, lasts: timedelta
) -> None:
    """Have the browser keep something for the pages under a path of ours."""
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        path=address(request, path),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def forget(request: Request, response: Response, name: str, *, path: str) -> None:
    secure = request.url.scheme == "https"
    response.delete_cookie(
        name, path=address(request, path), httponly=True, samesite="lax", secure=secure
    )
