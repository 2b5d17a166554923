"""Webhooks: which systems are told of what, their secrets, what was sent and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.pages.admin.lists import Number, beside
from api.paging import ROWS, PageAsked, offset, one_more
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Administers
from integrations.webhooks import adding, endpoints, messages
from integrations.webhooks.addresses import sound_url
from integrations.webhooks.endpoints import WebhookAttempt, WebhookEndpoint
from integrations.webhooks.event_types import EVENT_TYPES
from partner_cx.database import lock
from partner_cx.effects import Effect
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.journal import Did, note

router = APIRouter()

KEEPING = {
    "24": text("a day, so that the other side has time"),
    "168": text("a week"),
    "0": text("not at all: it was seen by somebody it wasn’t for"),
}
AGAIN = {
    "1": text("the last hour"),
    "24": text("the last day"),
    "168": text("the last week"),
    "720": text("the last 30 days"),
}
DONE = {
    "paused": text("Paused: what it is owed waits."),
    "going_on": text("It is told again; what waited goes within five minutes."),
    "ended": text("Told nothing any more, not even what it was still owed."),
    "ping": text("A ping is owed. What it answers stands below, once the worker has sent it."),
    "replayed": text("Nothing was sent in that time that isn’t on its way again already."),
}
NOT_SURE = text("Tick that you mean it.")
CHOOSE = text("Choose one of these.")
IS_ENDED = text("This endpoint was ended: it is told nothing. Add it again.")


@router.get("/admin/webhooks")
def webhooks(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: Administers,
    page_number: PageAsked = 1,
) -> Response:
    return _list(request, session, translator(language), number=page_number)


@router.post("/admin/webhooks")
def add(
    request: Request,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    url: Annotated[str, Form(max_length=5_000)] = "",
    events: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Tell a system from now on; its secret stands on this very answer, and nowhere else."""
    say, settings = translator(language), wiring(request).settings
    wanted = [each for each in EVENT_TYPES if each in (events or [])]
    try:
        sound = sound_url(url, private=settings.webhook_private_addresses)
    except Invalid as refusal:
        given = {"url": url, "events": wanted}
        return _list(request, session, say, given=given, errors=[("url", _in(say, refusal))])
    by = viewer.person.email
    if _just_added(session, sound, by, now):
        given = {"url": url, "events": wanted}
        return _list(request, session, say, given=given, errors=[("url", say(JUST_ADDED))])
    # All of them is written as none, so that it hears of those that come later, too.
    heard = [] if len(wanted) == len(EVENT_TYPES) else wanted
    made = adding.add(session, sound, heard, by=by, settings=settings, now=now)
    details = {"added": sound, "events": heard or "all"}
    _note(session, by, made.id, details, now)
    return page(
        request, "admin/webhook_secret.html", own_number=made.id, url=sound, secret=made.secret
    )


@router.get("/admin/webhooks/{number}")
def webhook(
    request: Request,
    number: Number,
    session: Reading,
    language: Language,
    _viewer: Administers,
    page_number: PageAsked = 1,
    said: str = "",
    count: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """One endpoint: what it was sent and answered, the newest first, and what can be done."""
    say = translator(language)
    told = say(DONE[said]) if said in DONE else ""
    if said == "replayed" and count:
        told = say.many("{count} message is owed again.", "{count} messages are owed again.", count)
    return _one(request, session, say, number, page_number=page_number, said=told)


@router.post("/admin/webhooks/{number}/pause")
def pause(
    request: Request, number: Number, session: Writing, now: Clock, viewer: Administers
) -> Response:
    endpoint = _found(session, number, to_change=True)
    if endpoint.paused_at is None and endpoint.ended_at is None:
        endpoints.pause(session, number, now=now)
        _note(session, viewer.person.email, number, {"paused": True}, now)
    return see_other(request, f"/admin/webhooks/{number}?said=paused")


@router.post("/admin/webhooks/{number}/go-on")
def go_on(
    request: Request, number: Number, session: Writing, now: Clock, viewer: Administers
) -> Response:
    endpoint = _found(session, number, to_change=True)
    if endpoint.paused_at is not None:
        endpoints.go_on(session, number)
        _note(session, viewer.person.email, number, {"paused": False}, now)
    return see_other(request, f"/admin/webhooks/{number}?said=going_on")


@router.post("/admin/webhooks/{number}/end")
def end(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """Tell a system nothing any more."""
    if sure != "yes":
        say = translator(language)
        return _one(request, session, say, number, errors=[("sure", say(NOT_SURE))])
    if _found(session, number, to_change=True).ended_at is None:
        endpoints.end(session, number, now=now)
        _note(session, viewer.person.email, number, {"ended": True}, now)
    return see_other(request, f"/admin/webhooks/{number}?said=ended")


@router.post("/admin/webhooks/{number}/rotate")
def rotate(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    keep: Annotated[str, Form()] = "",
) -> Response:
    """Make a new secret, shown on this very answer."""
    say, endpoint = translator(language), _found(session, number)
    if keep not in KEEPING:
        return _one(request, session, say, number, errors=[("keep", say(CHOOSE))])
    if endpoint.ended_at is not None:
        return _one(request, session, say, number, errors=[("", say(IS_ENDED))])
    span = timedelta(hours=int(keep))
    settings = wiring(request).settings
    secret = adding.rotate(session, number, keep=span, settings=settings, now=now)
    _note(session, viewer.person.email, number, {"secret": "new", "kept_hours": keep}, now)
    return page(
        request, "admin/webhook_secret.html", own_number=number, url=endpoint.url, secret=secret
    )


@router.post("/admin/webhooks/{number}/ping")
def ping(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    _viewer: Administers,
) -> Response:
    """Owe an endpoint a message that only tries the way."""
    _found(session, number)
    try:
        messages.ping(session, number, now=now)
    except Conflict:
        say = translator(language)
        return _one(request, session, say, number, errors=[("", say(IS_ENDED))])
    return see_other(request, f"/admin/webhooks/{number}?said=ping")


@router.post("/admin/webhooks/{number}/replay")
def replay(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    hours: Annotated[str, Form()] = "",
) -> Response:
    """Owe an endpoint again what it was sent lately, under the same message ids."""
    say = translator(language)
    _found(session, number)
    if hours not in AGAIN:
        return _one(request, session, say, number, errors=[("hours", say(CHOOSE))])
    since = now - timedelta(hours=int(hours))
    try:
        count = messages.replay(session, number, since=since, now=now)
    except Conflict:
        return _one(request, session, say, number, errors=[("", say(IS_ENDED))])
    if count:
        _note(session, viewer.person.email, number, {"replayed": count, "hours": hours}, now)
    return see_other(request, f"/admin/webhooks/{number}?said=replayed&count={count}")


# --- Pieces ---------------------------------------------------------------------------------------

URL_WRONG = text(
    "Messages can’t go to this address. It begins with https://, leads to the internet, and holds "
    "no password."
)


JUST_ADDED = text(
    "This address was added a moment ago. If you missed its secret, make a new one on its page."
)
AGAIN_WITHIN = timedelta(minutes=1)


def _just_added(session: Session, url: str, by: str, now: datetime) -> bool:
    """Whether the same form has come before: pressed twice, all would be told twice."""
    lock(session, "webhooks")
    same = sa.and_(WebhookEndpoint.url == url, WebhookEndpoint.made_by == by)
    lately = sa.and_(
        WebhookEndpoint.made_at > now - AGAIN_WITHIN, WebhookEndpoint.ended_at.is_(None)
    )
    return bool(session.scalar(sa.select(sa.exists().where(same, lately))))


def _in(say: Translator, refusal: Invalid) -> str:
    return str(refusal) if say.language == "en" else say(URL_WRONG)


def _note(
    session: Session, by: str, number: int, details: Mapping[str, Any], now: datetime
) -> None:
    about = f"endpoint {number}"
    note(session, by=by, did=Did.ENDPOINT_CHANGED, about=about, details=details, now=now)


def _found(session: Session, number: int, *, to_change: bool = False) -> WebhookEndpoint:
    """to_change: nobody else changes it until the commit."""
    endpoint = session.get(WebhookEndpoint, number, with_for_update=to_change)
    if endpoint is None:
        raise NotFound("There is no such endpoint.", remedy="The list has all there are.")
    return endpoint


def _list(
    request: Request,
    session: Session,
    say: Translator,
    *,
    number: int = 1,
    given: Mapping[str, Any] | None = None,
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    over = sa.case((WebhookEndpoint.ended_at.is_not(None), 1), else_=0)
    wanted = sa.select(WebhookEndpoint).order_by(over, WebhookEndpoint.id)
    found = session.scalars(wanted.offset(offset(number)).limit(ROWS + 1)).all()
    owed = messages.waiting(session, [each.id for each in found])
    return page(
        request,
        "admin/webhooks.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        endpoints=one_more(request, [_line(each, owed[each.id], say) for each in found], number),
        events=[(name, f"{name} – {told.in_(say.language)}") for name, told in EVENT_TYPES.items()],
        given=given or {"url": "", "events": list(EVENT_TYPES)},
        errors=list(errors),
        wrong=beside(errors),
    )


def _line(each: WebhookEndpoint, owed: tuple[int, int], say: Translator) -> dict[str, Any]:
    colour = "" if each.ended_at else "amber" if each.paused_at else "green"
    return {
        "number": each.id,
        "url": each.url,
        "events": ", ".join(each.events) or say("everything"),
        "waiting": owed[0],
        "parked": owed[1],
        "state": _state(each, say),
        "colour": colour,
        "href": f"/admin/webhooks/{each.id}",
    }


def _state(each: WebhookEndpoint, say: Translator) -> str:
    if each.ended_at:
        return say("over")
    return say("paused") if each.paused_at else say("told")


def _one(
    request: Request,
    session: Session,
    say: Translator,
    number: int,
    *,
    page_number: int = 1,
    said: str = "",
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    endpoint = _found(session, number)
    owed = messages.waiting(session, [number])[number]
    return page(
        request,
        "admin/webhook.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        endpoint=endpoint,
        own_number=number,
        line=_line(endpoint, owed, say),
        sent=one_more(request, _sent(session, number, page_number), page_number),
        keeping=[(hours, say(told)) for hours, told in KEEPING.items()],
        again=[(hours, say(told)) for hours, told in AGAIN.items()],
        errors=list(errors),
        wrong=beside(errors),
        said=said,
    )


def _sent(session: Session, number: int, page_number: int) -> list[dict[str, Any]]:
    wanted = (
        sa.select(WebhookAttempt, Effect.key)
        .join(Effect, Effect.id == WebhookAttempt.effect_id)
        .where(WebhookAttempt.endpoint_id == number)
        .order_by(WebhookAttempt.id.desc())
    )
    return [
        {
            "at": attempt.sent_at,
            "event": attempt.event,
            "message_id": attempt.message_id,
            "status": attempt.status,
            "is_well": attempt.status is not None and 200 <= attempt.status < 300,
            "milliseconds": attempt.milliseconds,
            "answer": attempt.problem or attempt.answer or "",
            "key": key,
        }
        for attempt, key in session.execute(wanted.offset(offset(page_number)).limit(ROWS + 1))
    ]
