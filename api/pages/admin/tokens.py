"""Tokens: how other systems are let in, issued here, shown once, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.pages.admin.lists import Number, beside
from api.paging import ROWS, PageAsked, offset, one_more
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing
from api.sign_in import Administers
from partner_cx.database import lock
from partner_cx.errors import NotFound
from partner_cx.journal import Did, note
from partner_cx.network.partners import Partner
from partner_cx.network.scopes import NETWORK_WIDE, TOLD, Scope
from partner_cx.network.tokens import NAME_LONGEST, ApiToken, end_token, make_token
from partner_cx.spelling import occurs

router = APIRouter()

LASTING = {
    "30": text("30 days"),
    "90": text("90 days"),
    "365": text("a year"),
    "0": text("until it is ended: anybody who finds it may use it for ever"),
}
AGAIN_WITHIN = timedelta(minutes=1)
DONE = {"ended": text("The token opens nothing any more.")}
NO_NAME = text("Write a short name of the system that holds it, such as portal.")
JUST_MADE = text(
    "A token of this name was made a moment ago. If you missed it, end it below and issue another."
)
NO_SCOPE = text("Tick at least one thing that it may do.")
NO_PARTNER = text("No partner has this code.")
TOO_WIDE = text("A token for {scopes} opens the whole network: leave the partner out.")
NO_LASTING = text("Choose how long it lasts.")
NOT_SURE = text("Tick that you mean it.")


@router.get("/admin/tokens")
def tokens(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    page_number: PageAsked = 1,
    said: str = "",
) -> Response:
    """Every token there is or was, those in force first."""
    say = translator(language)
    return _shown(request, session, say, now, number=page_number, said=said)


@router.post("/admin/tokens")
def issue(
    request: Request,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    partner_code: Annotated[str, Form()] = "",
    lasts: Annotated[str, Form()] = "90",
) -> Response:
    """Issue a token, and show it on this very answer: it is kept nowhere else."""
    say, ticked = translator(language), scopes or []
    given = {
        "name": name,
        "scopes": ticked,
        "partner_code": partner_code,
        "lasts": lasts,
    }
    wanted = [each for each in Scope if each.value in ticked]
    partner = _partner(session, partner_code)
    errors = [
        *([] if wanted else [("scopes", say(NO_SCOPE))]),
        *([("partner_code", say(NO_PARTNER))] if partner_code.strip() and not partner else []),
        *([] if lasts in LASTING else [("lasts", say(NO_LASTING))]),
    ]
    if errors or not _is_name(name):
        named = [] if _is_name(name) else [("name", say(NO_NAME))]
        return _shown(request, session, say, now, given=given, errors=[*named, *errors])
    by, span = viewer.person.email, timedelta(days=int(lasts)) or None
    if partner and not NETWORK_WIDE.isdisjoint(wanted):
        limited = [
            (
                "partner_code",
                say(TOO_WIDE).format(scopes=", ".join(sorted(NETWORK_WIDE.intersection(wanted)))),
            )
        ]
        return _shown(request, session, say, now, given=given, errors=limited)
    if _just_made(session, name, by, now):
        again = [("name", say(JUST_MADE))]
        return _shown(request, session, say, now, given=given, errors=again)
    token = make_token(
        session,
        name,
        wanted,
        by=by,
        now=now,
        lasts=span,
        partner_id=partner.id if partner else None,
    )
    details = {
        "scopes": sorted(wanted),
        "partner": partner.code if partner else None,
        "days": lasts,
    }
    note(session, by=by, did=Did.TOKEN_MADE, about=name.strip(), details=details, now=now)
    expires_at = now + span if span else None
    return page(
        request, "admin/token_made.html", name=name.strip(), token=token, expires_at=expires_at
    )


@router.get("/admin/tokens/{number}/end")
def offer_to_end(
    request: Request, number: Number, session: Reading, _viewer: Administers
) -> Response:
    return _offered(request, session, number)


@router.post("/admin/tokens/{number}/end")
def end(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """Take a token back."""
    if sure != "yes":
        return _offered(request, session, number, translator(language)(NOT_SURE))
    held = _token(session, number, to_end=True)
    if held.ended_at is None:
        end_token(session, held.id, now=now)
        note(session, by=viewer.person.email, did=Did.TOKEN_ENDED, about=held.name, now=now)
    return see_other(request, "/admin/tokens?said=ended")


# --- Pieces ---------------------------------------------------------------------------------------


def _is_name(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and len(name) <= NAME_LONGEST


def _just_made(session: Session, name: str, by: str, now: datetime) -> bool:
    """Whether the same form has come before: pressed twice, it would make a token nobody saw."""
    lock(session, "tokens")
    same = sa.and_(ApiToken.name == name.strip(), ApiToken.made_by == by)
    lately = sa.and_(ApiToken.made_at > now - AGAIN_WITHIN, ApiToken.ended_at.is_(None))
    return bool(session.scalar(sa.select(sa.exists().where(same, lately))))


def _partner(session: Session, code: str) -> Partner | None:
    if not code.strip() or not occurs(code):
        return None
    return session.scalar(sa.select(Partner).where(Partner.code == code.strip()))


def _token(session: Session, number: int, *, to_end: bool = False) -> ApiToken:
    """to_end: nobody else ends it until the commit."""
    held = session.get(ApiToken, number, with_for_update=to_end)
    if held is None:
        raise NotFound("There is no such token.", remedy="The list of tokens has all there are.")
    return held


def _offered(request: Request, session: Session, number: int, error: str = "") -> Response:
    held = _token(session, number)
    return page(
        request,
        "admin/token_end.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        token=held,
        errors=[("sure", error)] if error else [],
    )


def _shown(
    request: Request,
    session: Session,
    say: Translator,
    now: datetime,
    *,
    number: int = 1,
    said: str = "",
    given: dict[str, Any] | None = None,
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    return page(
        request,
        "admin/tokens.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        tokens=one_more(request, _lines(session, say, now, number), number),
        scopes=[(each.value, f"{each.value} – {TOLD[each].in_(say.language)}") for each in Scope],
        lasting=[(days, say(words)) for days, words in LASTING.items()],
        given=given or {"name": "", "scopes": [], "partner_code": "", "lasts": "90"},
        errors=list(errors),
        wrong=beside(errors),
        said=say(DONE[said]) if said in DONE else "",
    )


def _lines(session: Session, say: Translator, now: datetime, number: int) -> list[dict[str, Any]]:
    over = sa.or_(ApiToken.ended_at.is_not(None), ApiToken.expires_at <= now)
    found = session.execute(
        sa.select(ApiToken, Partner.name)
        .outerjoin(Partner, Partner.id == ApiToken.partner_id)
        .order_by(sa.case((over, 1), else_=0), ApiToken.id.desc())
        .offset(offset(number))
        .limit(ROWS + 1)
    )
    return [_line(held, partner, say, now) for held, partner in found]


def _line(held: ApiToken, partner: str | None, say: Translator, now: datetime) -> dict[str, Any]:
    expired = held.expires_at is not None and held.expires_at <= now
    state = say("over") if held.ended_at else say("expired") if expired else say("in force")
    return {
        "name": held.name,
        "scopes": held.scopes,
        "partner": partner or say("the whole network"),
        "made_by": held.made_by,
        "made_at": held.made_at,
        "expires_at": held.expires_at,
        "last_used_at": held.last_used_at,
        "state": state,
        "is_open": not held.ended_at and not expired,
        "href": f"/admin/tokens/{held.id}/end",
    }
