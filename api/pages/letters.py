"""Stopping letters: the page behind the link in each of them.

Whoever has a letter may stop its kind, without signing in: the link says for which address. Opening
it stops nothing, so that a scanner that visits every link doesn't; pressing the button does, and so
does a mail program's own button, by RFC 8058.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.render import page
from api.request_scope import Clock, Reading, Writing, language_of, wiring
from integrations.mail.identity import read_stop_token
from integrations.mail.topics import TOPICS
from partner_cx.errors import NotFound
from partner_cx.network.letter_choices import choose, topic_stopped

router = APIRouter()

THROUGH = "link in a letter"


@router.get("/letters/stop/{token}")
def offer_to_stop(request: Request, token: str, session: Reading) -> Response:
    """Say which letters to which address the link stops, and whether it has."""
    email, topic = _read(request, token)
    return _shown(request, session, email, topic)


@router.post("/letters/stop/{token}")
def stop(
    request: Request,
    token: str,
    session: Writing,
    now: Clock,
    wanted: Annotated[str, Form()] = "no",
) -> Response:
    """Stop the letters; `wanted=yes`: send them again. Anything else in the form is passed over."""
    email, topic = _read(request, token)
    choose(session, email, topic, wanted=wanted == "yes", through=THROUGH, now=now)
    return _shown(request, session, email, topic)


def _read(request: Request, token: str) -> tuple[str, str]:
    read = read_stop_token(token, secret=wiring(request).secret)
    if read is None or read[1] not in TOPICS:
        raise NotFound("This link isn't one of ours.")
    return read


def _shown(request: Request, session: Session, email: str, topic: str) -> Response:
    return page(
        request,
        "public/letters_stop.html",
        email=email,
        topic=TOPICS[topic].in_(language_of(request)),
        is_stopped=topic_stopped(session, email, topic),
    )
