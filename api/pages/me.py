"""A person's own page: who they are here, their language, their letters, their sessions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.access import Viewer
from api.addresses import see_other
from api.catalogues import text
from api.pages.partner.naming import address_of
from api.render import page, translator
from api.request_scope import LANGUAGE_COOKIE, LANGUAGES, Clock, Language, Reading, Writing
from api.sign_in import SignedIn, cookies
from integrations.mail.topics import TOPICS, topics_for
from partner_cx.errors import NotFound
from partner_cx.network.letter_choices import (
    allow,
    choose,
    letters_returned,
    topics_stopped,
)
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.network.person_choices import choose_language
from partner_cx.network.sessions import (
    OpenedBy,
    end_one_of,
    end_sessions,
    open_sessions,
)

router = APIRouter()

THROUGH = "own page"
SAID = {
    "language": text("Your language is kept."),
    "letters": text("Your choice of letters is kept."),
    "again": text("Letters are sent to your address again."),
    "ended": text("That session is over."),
}
ROLES = {
    Role.REP: text("Sales rep"),
    Role.PARTNER: text("At a partner"),
    Role.MANAGER: text("Channel manager"),
    Role.ADMIN: text("Administrator"),
}
WAYS = {OpenedBy.LINK: text("by a link"), OpenedBy.STAFF: text("by the brand’s sign-in")}


@dataclass(frozen=True)
class SessionLine:
    """An open session of the person's. is_this: that of the browser which looks."""

    id: int
    opened_at: datetime
    expires_at: datetime
    way: str
    is_this: bool


@router.get("/me")
def me(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SignedIn,
    said: str = "",
) -> Response:
    """A person's own page."""
    say = translator(language)
    person = viewer.person
    own = session.get(Partner, person.partner_id) if person.partner_id else None
    lines = _sessions(session, viewer, language, now)
    return page(
        request,
        "public/me.html",
        said=say(SAID[said]) if said in SAID else "",
        person=person,
        role=say(ROLES[viewer.role]),
        partner=own,
        partner_href=address_of(own) if own and viewer.role is Role.PARTNER else "",
        chosen=viewer.language or "",
        sessions=lines,
        has_others=len(lines) > 1,
        **_letters(session, viewer, language),
    )


@router.post("/me/language")
def keep_language(
    request: Request,
    session: Writing,
    now: Clock,
    viewer: SignedIn,
    language: Annotated[str, Form()] = "",
) -> Response:
    """Keep the language a person wants; anything else is what the browser prefers."""
    chosen = language if language in LANGUAGES else None
    choose_language(session, viewer.person.id, chosen, now=now)
    response = see_other(request, "/me?said=language")
    cookies.forget(request, response, LANGUAGE_COOKIE, path="/")
    return response


@router.post("/me/letters")
def keep_letters(
    request: Request,
    session: Writing,
    now: Clock,
    viewer: SignedIn,
    wanted: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Keep which letters a person wants. Only what differs from before is written."""
    email = viewer.person.email
    stopped = topics_stopped(session, email)
    for topic in topics_for(viewer.role):
        is_wanted = topic in (wanted or ())
        if is_wanted == (topic in stopped):
            choose(session, email, topic, wanted=is_wanted, through=THROUGH, now=now)
    return see_other(request, "/me?said=letters")


@router.post("/me/letters/again")
def send_again(request: Request, session: Writing, now: Clock, viewer: SignedIn) -> Response:
    """Have letters sent again to an address from which one came back. Another stops them anew."""
    with suppress(NotFound):  # the button was pressed twice
        allow(session, viewer.person.email, through=THROUGH, now=now)
    return see_other(request, "/me?said=again")


@router.post("/me/sessions/end")
def end_one(
    request: Request,
    session: Writing,
    now: Clock,
    viewer: SignedIn,
    number: Annotated[str, Form(alias="session")] = "",
) -> Response:
    """End one of one's own sessions. One that is over already stays so."""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise NotFound("There is no such session.")
    end_one_of(session, viewer.person.id, int(number), now=now)
    return see_other(request, "/me?said=ended")


@router.post("/me/sessions/end-all")
def end_all(request: Request, session: Writing, now: Clock, viewer: SignedIn) -> Response:
    """Sign out everywhere, here too."""
    end_sessions(session, viewer.person.id, now)
    response = see_other(request, "/sign-in?said=signed-out-everywhere")
    cookies.forget_session(request, response)
    return response


def _sessions(session: Session, viewer: Viewer, language: str, now: datetime) -> list[SessionLine]:
    say = translator(language)
    return [
        SessionLine(
            each.id,
            each.opened_at,
            each.expires_at,
            say(WAYS[OpenedBy(each.opened_by)]),
            each.token_digest == viewer.session_digest,
        )
        for each in open_sessions(session, viewer.person.id, now=now)
    ]


def _letters(session: Session, viewer: Viewer, language: str) -> dict[str, Any]:
    """Which letters there are for the person, which they want, and whether any arrive."""
    email = viewer.person.email
    topics = topics_for(viewer.role)
    stopped = topics_stopped(session, email)
    return {
        "topics": [(each, _capital(TOPICS[each].in_(language))) for each in topics],
        "wanted": [each for each in topics if each not in stopped],
        "returned": letters_returned(session, email),
    }


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
