"""What a request is given: the wiring, the moment, a session on the database, a language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request, Response
from sqlalchemy.orm import Session

from api.addresses import address
from partner_cx.database import reading, writing
from partner_cx.settings import Settings

LANGUAGES = ("en", "fr")
LANGUAGE_COOKIE = "language"
_YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True)
class Wiring:
    """What the web service works with. The clock is handed in, so that any day can be replayed."""

    engine: sa.Engine
    settings: Settings
    secret: str
    clock: Callable[[], datetime]


def wiring(request: Request) -> Wiring:
    return request.app.state.wiring


# What only looks at the request is asynchronous: to change threads for it would take far longer.


async def _now(request: Request) -> datetime:
    return wiring(request).clock()


async def _language(request: Request) -> str:
    return language_of(request)


def _open_reading(request: Request) -> Iterator[Session]:
    with reading(wiring(request).engine) as session:
        yield session


def _open_writing(request: Request) -> Iterator[Session]:
    with writing(wiring(request).engine) as session:
        yield session


def language_of(request: Request) -> str:
    """What was asked for, what was chosen in this browser since signing in, what the person chose
    for themselves, what the browser prefers, or the settings'.
    """
    viewer = getattr(request.state, "viewer", None)
    asked = (
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        viewer.language if viewer else None,
    )
    preferred = request.headers.get("accept-language", "").split(",")
    from_browser = (part.split(";")[0].split("-")[0].strip().lower() for part in preferred)
    known = (language for language in (*asked, *from_browser) if language in LANGUAGES)
    return next(known, wiring(request).settings.language)


def remember_language(request: Request, response: Response) -> None:
    """Keep a choice made by `?lang=`, on whatever is answered: a redirect drops the parameter."""
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=_YEAR,
            path=address(request, "/"),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )


Clock = Annotated[datetime, Depends(_now)]
Language = Annotated[str, Depends(_language)]
# Without the scope a client is answered before the commit, also when the commit fails.
Reading = Annotated[Session, Depends(_open_reading, scope="function")]
Writing = Annotated[Session, Depends(_open_writing, scope="function")]
