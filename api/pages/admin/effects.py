"""Effects: what is owed to neighbours, what is parked and why, and what a person does about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.pages.admin.lists import beside
from api.paging import ROWS, PageAsked, offset, one_more
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing
from api.sign_in import Administers
from partner_cx import effects
from partner_cx.effects import OPEN_STATES, Listed, State
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.journal import Did, note
from partner_cx.spelling import occurs

router = APIRouter()

STATES = {
    State.WAITING: text("waiting"),
    State.HELD_BACK: text("held back"),
    State.UNDER_WAY: text("under way"),
    State.PARKED: text("parked"),
    State.DONE: text("done"),
    State.DROPPED: text("dropped"),
}
SHOWN: dict[str, tuple[State, ...]] = {
    "open": OPEN_STATES,
    "parked": (State.PARKED,),
    "waiting": (State.WAITING, State.HELD_BACK, State.UNDER_WAY),
    "done": (State.DONE, State.DROPPED),
}
SHOWN_NAMES = {
    "open": text("Whatever is open"),
    "parked": text("Parked"),
    "waiting": text("Waiting"),
    "done": text("Done lately"),
}
DONE = {
    "retried": text("To be tried again, at once and with all patience anew."),
    "none": text("Nothing was parked any more: somebody else was quicker."),
    "dropped": text("Dropped: it is never carried out, and those behind it go on."),
}
NO_REASON = text("Say in one line why it is given up.")
NO_LONGER = text("It isn’t there to be retried or dropped any more: it is done, or under way.")
REASON_LONGEST = 300


@router.get("/admin/effects")
def effects_(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    show: Annotated[str, Query(max_length=20)] = "open",
    kind: Annotated[str, Query(max_length=100)] = "",
    page_number: PageAsked = 1,
    said: str = "",
    count: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """How many are open of each kind, and those that were asked for."""
    say = translator(language)
    shown = show if show in SHOWN else "open"
    counts = effects.counted(session, now=now)
    told = say(DONE[said]) if said in DONE else ""
    if said == "retried" and count:
        told = say.many(
            "{count} effect is to be tried again, at once and with all patience anew.",
            "{count} effects are to be tried again, at once and with all patience anew.",
            count,
        )
    return page(
        request,
        "admin/effects.html",
        effects=one_more(
            request,
            _lines(session, say, now, shown, kind, page_number),
            page_number,
        ),
        summary=_summary(counts),
        parked=sum(n for (_, state), n in counts.items() if state is State.PARKED),
        parked_of_kind=counts.get((kind, State.PARKED), 0) if kind else 0,
        kind=kind,
        kinds=[("", say("all kinds")), *((each, each) for each in sorted({k for k, _ in counts}))],
        shown=shown,
        ways=[
            {
                "href": f"?{urlencode({'show': code} | ({'kind': kind} if kind else {}))}",
                "label": say(name),
                "current": code == shown,
            }
            for code, name in SHOWN_NAMES.items()
        ],
        said=told,
    )


@router.get("/admin/effects/one")
def one(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    key: Annotated[str, Query(max_length=1_000)] = "",
) -> Response:
    """One effect, with what can be done about it."""
    return _shown(request, session, translator(language), key, now)


@router.post("/admin/effects/retry")
def retry(
    request: Request,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    key: Annotated[str, Form(max_length=1_000)] = "",
    kind: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Try one effect again, or every parked one of a kind."""
    by = viewer.person.email
    if not key and not kind:
        raise Invalid("Which effects to retry isn’t said.", remedy="Press the button beside one.")
    if kind:
        count = effects.retry(session, now=now, kind=kind)
        if count:
            details = {"count": count}
            note(session, by=by, did=Did.EFFECT_RETRIED, about=kind, details=details, now=now)
        said = {"said": "retried" if count else "none", "count": count, "kind": kind}
        return see_other(request, f"/admin/effects?{urlencode(said)}")
    try:
        count = effects.retry(session, now=now, keys=[key])
    except Conflict:
        return _shown(request, session, translator(language), key, now, error=("", NO_LONGER))
    if count:
        note(session, by=by, did=Did.EFFECT_RETRIED, about=key, now=now)
    return see_other(request, f"/admin/effects?said={'retried' if count else 'none'}")


@router.post("/admin/effects/drop")
def drop(
    request: Request,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    key: Annotated[str, Form(max_length=1_000)] = "",
    because: Annotated[str, Form()] = "",
) -> Response:
    """Give an effect up, with the reason that is kept with it."""
    by, why = viewer.person.email, because.strip()
    if not why or not why.isprintable() or len(why) > REASON_LONGEST:
        return _shown(
            request, session, translator(language), key, now, error=("because", NO_REASON)
        )
    try:
        count = effects.drop(session, [key], by=by, because=why, now=now)
    except Conflict:
        count = 0
    if not count:  # somebody settled it before, or at this very moment
        return _shown(request, session, translator(language), key, now, error=("", NO_LONGER))
    details = {"because": why}
    note(session, by=by, did=Did.EFFECT_DROPPED, about=key, details=details, now=now)
    return see_other(request, "/admin/effects?said=dropped")


# --- Pieces ---------------------------------------------------------------------------------------


def _lines(
    session: Session, say: Translator, now: datetime, shown: str, kind: str, number: int
) -> list[dict[str, Any]]:
    found = effects.listed(
        session,
        now=now,
        states=SHOWN[shown],
        kind=kind or None,
        limit=ROWS + 1,
        offset=offset(number),
        newest_first=shown in ("done", "parked"),
    )
    return [line(each, say) for each in found]


def line(each: Listed, say: Translator) -> dict[str, Any]:
    """An effect as lists show it."""
    colour = {State.PARKED: "red", State.DONE: "green", State.UNDER_WAY: "amber"}
    return {
        "key": each.key,
        "kind": each.kind,
        "state": say(STATES[each.state]),
        "colour": colour.get(each.state, ""),
        "why": each.why or (say("behind {key}").format(key=each.behind) if each.behind else ""),
        "spoken": "en" if each.why else say.language,  # what went wrong is told in English
        "tries": each.tries,
        "owed_at": each.owed_at,
        "due_at": each.due_at,
        "done_at": each.done_at,
        "is_parked": each.state is State.PARKED,
        "is_open": each.state in (State.PARKED, State.WAITING, State.HELD_BACK),
        "href": f"/admin/effects/one?{urlencode({'key': each.key})}",
    }


def _summary(counts: dict[tuple[str, State], int]) -> list[dict[str, Any]]:
    """How many of each kind stand where; the parked ones first."""
    kinds = sorted({kind for kind, _ in counts})
    rows = [
        {
            "kind": kind,
            "href": f"?{urlencode({'kind': kind})}",
            "waiting": counts.get((kind, State.WAITING), 0)
            + counts.get((kind, State.HELD_BACK), 0),
            "under_way": counts.get((kind, State.UNDER_WAY), 0),
            "parked": counts.get((kind, State.PARKED), 0),
        }
        for kind in kinds
    ]
    return sorted(rows, key=lambda row: (not row["parked"], row["kind"]))


def _shown(
    request: Request,
    session: Session,
    say: Translator,
    key: str,
    now: datetime,
    *,
    error: tuple[str, str] | None = None,
) -> Response:
    found = effects.listed(session, now=now, keys=[key]) if occurs(key) else []
    if not found:
        raise NotFound("No effect has this key.", remedy="The list of effects has those there are.")
    errors: Sequence[tuple[str, str]] = [(error[0], say(error[1]))] if error else []
    return page(
        request,
        "admin/effect.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        effect=line(found[0], say),
        errors=errors,
        wrong=beside(errors),
    )
