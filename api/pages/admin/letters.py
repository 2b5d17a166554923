"""Letters: what each looks like, who gets none, and what came back."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.paging import ROWS, PageAsked, offset, one_more
from api.render import page, translator
from api.request_scope import LANGUAGES, Clock, Language, Reading, Writing, wiring
from api.sign_in import Administers
from integrations.mail.connection import is_set_up
from integrations.mail.letters import LETTERS
from integrations.mail.previewing import letter_named, previewed
from integrations.mail.topics import TOPICS
from partner_cx.errors import NotFound
from partner_cx.journal import Did, note
from partner_cx.network import letter_choices
from partner_cx.network.letter_choices import Bounce

router = APIRouter()

THROUGH = "page"
DONE = {
    "allowed": text("Letters go to this address again."),
    "not_stopped": text("Nothing was stopped for this address any more."),
}
# A letter is set for mail programs, with its style in it: it is shown in a frame that may do
# nothing else, and comes from us with no more than that.
LETTERS_OWN_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
LANGUAGE_NAMES = {"en": "English", "fr": "Français"}
THROUGHS = {
    "bounce": text("came back"),
    "command": text("a command"),
    "page": text("a page"),
    "link in a letter": text("the link in a letter"),
}


@router.get("/admin/letters")
def letters(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: Administers,
    page_number: PageAsked = 1,
    said: str = "",
) -> Response:
    """Every letter there is, the addresses that get some no more, and the latest returns."""
    say = translator(language)
    settings = wiring(request).settings
    stopped = letter_choices.stopped(session)
    return page(
        request,
        "admin/letters.html",
        letters=[
            {
                "name": each.name,
                "what": each.what.in_(language),
                "topic": TOPICS[each.topic].in_(language)
                if each.topic
                else say("can’t be stopped"),
                "href": f"/admin/letters/{each.name}/{language}",
            }
            for each in LETTERS.values()
        ],
        stopped=[_stopped(each, say) for each in stopped[:ROWS]],
        stopped_more=max(0, len(stopped) - ROWS),
        bounces=one_more(request, _bounces(session, page_number), page_number),
        is_set_up=is_set_up(settings),
        sender=settings.mail_from or "",
        said=say(DONE[said]) if said in DONE else "",
    )


@router.get("/admin/letters/{letter}/{language}")
def letter_(
    request: Request, letter: str, language: str, ui: Language, _viewer: Administers
) -> Response:
    """One letter in one language, with invented contents."""
    chosen, spoken = letter_named(letter), _known(language)
    made = previewed(chosen, wiring(request).settings, spoken)
    return page(
        request,
        "admin/letter.html",
        name=chosen.name,
        what=chosen.what.in_(ui),
        subject=made.subject,
        text=made.text,
        spoken=spoken,
        frame_href=f"/admin/letters/{chosen.name}/{spoken}/html",
        ways=[
            {
                "href": f"../{chosen.name}/{each}",
                "label": LANGUAGE_NAMES[each],
                "current": each == spoken,
            }
            for each in LANGUAGES
        ],
    )


@router.get("/admin/letters/{letter}/{language}/html")
def letter_html(request: Request, letter: str, language: str, _viewer: Administers) -> Response:
    """The letter itself, for the frame that shows it."""
    made = previewed(letter_named(letter), wiring(request).settings, _known(language))
    headers = {
        "Content-Security-Policy": LETTERS_OWN_POLICY,
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return HTMLResponse(made.html, headers=headers)


@router.post("/admin/letters/allow")
def allow(
    request: Request,
    session: Writing,
    now: Clock,
    viewer: Administers,
    email: Annotated[str, Form(max_length=500)] = "",
    topic: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """Send an address letters again: after they came back, or those of a topic it asked for."""
    try:
        letter_choices.allow(session, email, topic=topic or None, through=THROUGH, now=now)
    except NotFound:
        return see_other(request, "/admin/letters?said=not_stopped#stopped")
    details = {"letters_allowed": topic or "all"}
    by = viewer.person.email
    note(session, by=by, did=Did.PERSON_CHANGED, about=email, details=details, now=now)
    return see_other(request, "/admin/letters?said=allowed#stopped")


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise NotFound("Letters are written in English and French.")
    return language


def _stopped(each: letter_choices.Stopped, say: Translator) -> dict[str, Any]:
    known = TOPICS.get(each.topic or "")
    topic = known.in_(say.language) if known else each.topic
    through = THROUGHS.get(each.through)
    return {
        "email": each.email,
        "topic": topic or say("all letters"),
        "code": each.topic or "",
        "since": each.since,
        "through": say(through) if through else each.through,
        "why": each.why or "",
    }


def _bounces(session: Session, number: int) -> list[Bounce]:
    newest = sa.select(Bounce).order_by(Bounce.id.desc())
    return list(session.scalars(newest.offset(offset(number)).limit(ROWS + 1)))
