"""Who looks at a page, or acts there, with all that its endpoint needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.access import Viewer
from api.request_scope import Clock, Language, Reading
from api.sign_in import Manages, SeesNetwork, SignedIn


@dataclass(frozen=True)
class View:
    """Who is looking, at what moment and in which language. session: to read with."""

    request: Request
    session: Session
    language: str
    viewer: Viewer
    now: datetime


async def _signed_in(
    request: Request, session: Reading, language: Language, viewer: SignedIn, now: Clock
) -> View:
    return View(request, session, language, viewer, now)


async def _sees_network(
    request: Request, session: Reading, language: Language, viewer: SeesNetwork, now: Clock
) -> View:
    return View(request, session, language, viewer, now)


async def _manages(
    request: Request, session: Reading, language: Language, viewer: Manages, now: Clock
) -> View:
    return View(request, session, language, viewer, now)


Looking = Annotated[View, Depends(_signed_in, scope="function")]
LookingAtNetwork = Annotated[View, Depends(_sees_network, scope="function")]
Managing = Annotated[View, Depends(_manages, scope="function")]
