"""People: who is here, what they may do, and whether they may sign in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

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
from api.sign_in.letters import owe_to
from integrations.mail.connection import is_set_up
from partner_cx.database import reading, transact
from partner_cx.errors import Conflict
from partner_cx.journal import Did, note
from partner_cx.network.changing import (
    NotTaken,
    change_person,
    end_all_sessions,
    end_person,
    let_back_in,
    person_numbered,
    say_visits,
)
from partner_cx.network.departures import Departure
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.network.reps import PartnerRep
from partner_cx.operations.intake import MEND

router = APIRouter()

ROLES = {
    Role.REP: text("rep: visits partners"),
    Role.PARTNER: text("partner: belongs to a partner"),
    Role.MANAGER: text("manager: runs the programme"),
    Role.ADMIN: text("administrator: looks after the installation"),
}
ROLE_NAMES = {
    Role.REP: text("rep"),
    Role.PARTNER: text("partner"),
    Role.MANAGER: text("manager"),
    Role.ADMIN: text("administrator"),
}
LANGUAGES = (("", text("the programme’s")), ("en", "English"), ("fr", "Français"))
DONE = {
    "added": text("Added. They can ask for a sign-in link by their address."),
    "changed": text("Changed. What was said before is kept."),
    "ended": text("They may no longer sign in, and are signed out everywhere."),
    "back": text("They may sign in again."),
    "mailed": text("A sign-in link is on its way to them, as soon as the worker sends it."),
    "signed_out": text("They are signed out everywhere."),
    "visits": text("Noted: they visit this partner."),
    "visits_no_more": text("Noted: they visit this partner no more."),
}
NOT_SURE = text("Tick that you mean it.")
NO_MAIL = text("Mail isn’t set up here, so no link can be sent.")
ITS_LINK_IS_THEIRS = text("They may no longer sign in. Let them back in first.")
FIELDS = ("email", "name", "role", "partner_code", "language")


@router.get("/admin/people")
def people(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: Administers,
    q: Annotated[str, Query(max_length=200)] = "",
    role: Annotated[str, Query(max_length=20)] = "",
    partner: Annotated[str, Query(max_length=200)] = "",
    page_number: PageAsked = 1,
    said: str = "",
) -> Response:
    """Everybody, by name; whoever may no longer sign in is marked."""
    say = translator(language)
    found = session.execute(_wanted(q, role, partner).offset(offset(page_number)).limit(ROWS + 1))
    filters = {"q": q, "role": role, "partner": partner}
    return page(
        request,
        "admin/people.html",
        people=one_more(request, [_line(*row, say=say) for row in found], page_number),
        filters=filters,
        roles=[("", say("all roles")), *((each.value, say(ROLE_NAMES[each])) for each in Role)],
        said=_told(said, say),
    )


@router.get("/admin/people/new")
def new(request: Request, language: Language, _viewer: Administers) -> Response:
    return _form(request, translator(language), dict.fromkeys(FIELDS, "") | {"role": "partner"}, [])


@router.post("/admin/people/new")
def add(
    request: Request,
    language: Language,
    now: Clock,
    viewer: Administers,
    email: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    partner_code: Annotated[str, Form()] = "",
    person_language: Annotated[str, Form()] = "",
) -> Response:
    """Add somebody, or refuse an address that is somebody's already."""
    given = dict(zip(FIELDS, (email, name, role, partner_code, person_language), strict=True))
    house = wiring(request)
    by = viewer.person.email

    def work(session: Session) -> int:
        settings = house.settings
        return change_person(session, given, by=by, settings=settings, now=now, is_new=True).id

    try:
        number = transact(house.engine, work)
    except NotTaken as refusal:
        return _form(request, translator(language), given, _errors(refusal, language))
    except Conflict:
        taken = translator(language)(
            "Somebody here has this address already. Find them in the list to change them."
        )
        return _form(request, translator(language), given, [("email", taken)])
    return see_other(request, f"/admin/people/{number}?said=added")


@router.get("/admin/people/{number}")
def person(
    request: Request,
    number: Number,
    session: Reading,
    language: Language,
    viewer: Administers,
    said: str = "",
) -> Response:
    return _shown(request, session, number, translator(language), viewer.person.id, said=said)


@router.post("/admin/people/{number}")
def change(
    request: Request,
    number: Number,
    language: Language,
    now: Clock,
    viewer: Administers,
    name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    partner_code: Annotated[str, Form()] = "",
    person_language: Annotated[str, Form()] = "",
) -> Response:
    """Change what is said of somebody; the address stays, as it is what they are known by."""
    house = wiring(request)
    own, by, say = viewer.person.id, viewer.person.email, translator(language)
    given = dict(zip(FIELDS[1:], (name, role, partner_code, person_language), strict=True))

    def work(session: Session) -> None:
        cells = {"email": person_numbered(session, number).email, **given}
        change_person(session, cells, by=by, settings=house.settings, now=now)

    try:
        transact(house.engine, work)
    except NotTaken as refusal:
        errors = _errors(refusal, language)
    except Conflict:
        errors = [("role", say(LAST_ONE))]
    else:
        return see_other(request, f"/admin/people/{number}?said=changed")
    return _again(request, number, say, own, given=given, errors=errors)


LAST_ONE = text("This is the last administrator who may sign in. Make somebody else one first.")


@router.post("/admin/people/{number}/end")
def end(
    request: Request,
    number: Number,
    language: Language,
    now: Clock,
    viewer: Administers,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """Somebody may sign in no more."""
    house = wiring(request)
    own, by, say = viewer.person.id, viewer.person.email, translator(language)
    if sure != "yes":
        return _again(request, number, say, own, errors=[("sure", say(NOT_SURE))])

    def work(session: Session) -> None:
        end_person(session, person_numbered(session, number), by=by, now=now)

    try:
        transact(house.engine, work)
    except Conflict:
        return _again(request, number, say, own, errors=[("sure", say(LAST_ONE))])
    return see_other(request, f"/admin/people/{number}?said=ended")


@router.post("/admin/people/{number}/back")
def back(
    request: Request, number: Number, session: Writing, now: Clock, viewer: Administers
) -> Response:
    let_back_in(session, person_numbered(session, number), by=viewer.person.email, now=now)
    return see_other(request, f"/admin/people/{number}?said=back")


@router.post("/admin/people/{number}/sign-out")
def sign_out(
    request: Request, number: Number, session: Writing, now: Clock, viewer: Administers
) -> Response:
    """End every session of somebody, who may sign in again at once."""
    who = person_numbered(session, number)
    end_all_sessions(session, who.id, now=now)
    note(session, by=viewer.person.email, did=Did.SESSIONS_ENDED, about=who.email, now=now)
    return see_other(request, f"/admin/people/{number}?said=signed_out")


@router.post("/admin/people/{number}/link")
def link(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
) -> Response:
    """Mail somebody a sign-in link. It is made when the letter leaves; nobody here sees it."""
    who, say = person_numbered(session, number), translator(language)
    if not is_set_up(wiring(request).settings):
        return _refused(request, session, number, say, viewer.person.id, NO_MAIL)
    if session.get(Departure, who.id) is not None:
        return _refused(request, session, number, say, viewer.person.id, ITS_LINK_IS_THEIRS)
    owe_to(session, who, now=now)
    return see_other(request, f"/admin/people/{number}?said=mailed")


@router.post("/admin/people/{number}/visits")
def visits(
    request: Request,
    number: Number,
    language: Language,
    now: Clock,
    viewer: Administers,
    code: Annotated[str, Form()] = "",
    visits: Annotated[str, Form()] = "yes",
) -> Response:
    """Say which partner a rep visits, or visits no more (`visits=no`)."""
    house = wiring(request)
    by, goes = viewer.person.email, visits != "no"

    def work(session: Session) -> None:
        rep = person_numbered(session, number)
        say_visits(session, rep, code, visits=goes, by=by, settings=house.settings, now=now)

    try:
        transact(house.engine, work)
    except NotTaken as refusal:
        errors = [("code", told) for _, told in _errors(refusal, language)]
        say = translator(language)
        return _again(request, number, say, viewer.person.id, given={"code": code}, errors=errors)
    said = "visits" if goes else "visits_no_more"
    return see_other(request, f"/admin/people/{number}?said={said}#visits")


# --- Pieces ---------------------------------------------------------------------------------------


def _wanted(q: str, role: str, partner: str) -> sa.Select[Person, str, str, datetime]:
    wanted = (
        sa.select(Person, Partner.code, Partner.name, Departure.left_at)
        .outerjoin(Partner, Partner.id == Person.partner_id)
        .outerjoin(Departure, Departure.person_id == Person.id)
        .order_by(sa.func.lower(Person.name), Person.id)
    )
    if wish := q.strip().lower():
        both = (Person.email, Person.name)
        wanted = wanted.where(
            sa.or_(*(sa.func.lower(each).contains(wish, autoescape=True) for each in both))
        )
    if role:
        wanted = wanted.where(Person.role == role)
    if partner.strip():
        wanted = wanted.where(Partner.code == partner.strip())
    return wanted


def _line(
    who: Person, code: str | None, partner_name: str | None, left_at: Any, *, say: Translator
) -> dict[str, Any]:
    return {
        "name": who.name,
        "email": who.email,
        "role": say(ROLE_NAMES[Role(who.role)]),
        "partner": partner_name or "",
        "partner_code": code or "",
        "left_at": left_at,
        "href": f"/admin/people/{who.id}",
    }


def _told(code: str, say: Translator) -> str:
    return say(DONE[code]) if code in DONE else ""


def _errors(refusal: NotTaken, language: str) -> list[tuple[str, str]]:
    shown = {"language": "person_language"}
    return [
        (
            shown.get(problem.column or "", problem.column or ""),
            f"{problem.reason.in_(language)} {_remedy(problem.remedy.in_(language))}".strip(),
        )
        for problem in refusal.problems
    ]


def _remedy(said: str) -> str:
    """What to do, but for what only whoever has a file can do."""
    return "" if said in (MEND.en, MEND.fr) else said


def _options(say: Translator) -> dict[str, Any]:
    return {
        "roles": [(each.value, say(ROLES[each])) for each in Role],
        "spoken": [(code, say(name) if not code else name) for code, name in LANGUAGES],
    }


def _form(
    request: Request, say: Translator, given: Mapping[str, str], errors: list[tuple[str, str]]
) -> Response:
    return page(
        request,
        "admin/person_new.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        given=given,
        errors=errors,
        wrong=beside(errors),
        **_options(say),
    )


def _again(
    request: Request,
    number: int,
    say: Translator,
    own: int,
    *,
    given: Mapping[str, str] | None = None,
    errors: list[tuple[str, str]],
) -> Response:
    """The person's page once more, after what was undone, with what is wrong."""
    with reading(wiring(request).engine) as session:
        return _shown(request, session, number, say, own, given=given, errors=errors)


def _refused(
    request: Request, session: Session, number: int, say: Translator, own: int, why: str
) -> Response:
    return _shown(request, session, number, say, own, errors=[("", say(why))])


def _shown(
    request: Request,
    session: Session,
    number: int,
    say: Translator,
    own: int,
    *,
    said: str = "",
    given: Mapping[str, str] | None = None,
    errors: list[tuple[str, str]] | None = None,
) -> Response:
    who = person_numbered(session, number)
    partner = session.get(Partner, who.partner_id) if who.partner_id else None
    departure = session.get(Departure, who.id)
    known = {
        "name": who.name,
        "role": who.role,
        "partner_code": partner.code if partner else "",
        "language": who.language or "",
    }
    return page(
        request,
        "admin/person.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        person=who,
        own_number=number,
        is_self=who.id == own,
        role=say(ROLE_NAMES[Role(who.role)]),
        partner=partner,
        departure=departure,
        given={**known, "code": "", **(given or {})},
        errors=errors or [],
        wrong=beside(errors or []),
        visits=_visits(session, who) if who.role == Role.REP else None,
        journal_href=f"/journal?{urlencode({'about': who.email})}",
        mails=is_set_up(wiring(request).settings),
        said=_told(said, say),
        **_options(say),
    )


def _visits(session: Session, who: Person) -> list[dict[str, str]]:
    visited = (
        sa.select(Partner.code, Partner.name)
        .join(PartnerRep, PartnerRep.partner_id == Partner.id)
        .where(PartnerRep.person_id == who.id, PartnerRep.visits)
        .order_by(sa.func.lower(Partner.name), Partner.code)
    )
    return [{"code": code, "name": name} for code, name in session.execute(visited)]
