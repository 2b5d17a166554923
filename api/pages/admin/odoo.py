"""Odoo: what we are connected to, whether it works, what would be read, how far it was read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.pages.admin.effects import STATES
from api.pages.admin.limits import TookTooLong, within
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Administers
from integrations.odoo.checking import check as check_odoo
from integrations.odoo.checking.findings import Finding
from integrations.odoo.checking.findings import State as Found
from integrations.odoo.connection import Odoo, Patience, connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.state import OdooCursor
from integrations.odoo.sync.previewing import Preview, preview
from integrations.odoo.sync.reading import STREAMS
from partner_cx import effects
from partner_cx.database import lock
from partner_cx.effects import Effect, Listed, Owed, State
from partner_cx.errors import PartnerCXError
from partner_cx.journal import Did, note
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.settings import Settings

router = APIRouter()

T = TypeVar("T")

SYNC = "odoo.sync"
CHECK_SECONDS = 30
PREVIEW_SECONDS = 60
ONE_ANSWER_SECONDS = 10
SYNCS_SHOWN = 5
EPOCH_YEAR = 1970
FOUND = {
    Found.WELL: (text("well"), "green"),
    Found.NOTE: (text("to know"), ""),
    Found.DOUBT: (text("to check"), "amber"),
    Found.GAP: (text("missing"), "red"),
}
DONE = {
    "owed": text("Odoo is read as soon as the worker comes to it."),
    "waiting": text("A reading is waiting or under way already."),
    "not_connected": text("No Odoo is connected, so there is nothing to read."),
}


@router.get("/admin/odoo")
def odoo(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    said: str = "",
) -> Response:
    """Which Odoo, and how far each stream was read."""
    say, settings = translator(language), wiring(request).settings
    syncs = _syncs(session, now, say)
    return page(
        request,
        "admin/odoo.html",
        is_connected=is_connected(settings),
        about=_about(settings),
        streams=_streams(session),
        syncs=syncs,
        is_open=any(each["is_open"] for each in syncs),
        refused=next((each["refused"] for each in syncs if each["refused"]), []),
        said=say(DONE[said]) if said in DONE else "",
    )


@router.get("/admin/odoo/check")
def check(request: Request, language: Language, now: Clock, _viewer: Administers) -> Response:
    """Ask Odoo now what works, what is missing, and what that costs. Nothing is written."""
    say, settings = translator(language), wiring(request).settings
    findings, problem, hint = _asked(
        settings,
        CHECK_SECONDS,
        lambda odoo, mapping: check_odoo(
            odoo, mapping, now=now, write_back=settings.odoo_write_back
        ),
    )
    told = [_finding(each, say) for each in findings or []]
    return page(
        request,
        "admin/odoo_check.html",
        is_connected=is_connected(settings),
        findings=told,
        problems=sum(each.is_problem for each in findings or []),
        problem=problem,
        hint=hint,
        seconds=CHECK_SECONDS,
    )


@router.get("/admin/odoo/preview")
def look_ahead(request: Request, now: Clock, _viewer: Administers) -> Response:
    """What the mapping would make of this Odoo's first records. Nothing is taken in."""
    house = wiring(request)

    def look(odoo: Odoo, mapping: OdooMapping) -> list[Preview | str]:
        return [*preview(house.engine, odoo, mapping, settings=house.settings, now=now)]

    told, problem, hint = _asked(house.settings, PREVIEW_SECONDS, look)
    return page(
        request,
        "admin/odoo_preview.html",
        is_connected=is_connected(house.settings),
        previews=[_preview(each) for each in told or [] if isinstance(each, Preview)],
        notes=[each for each in told or [] if isinstance(each, str)],
        mapping_file=str(house.settings.odoo_mapping or ""),
        problem=problem,
        hint=hint,
        seconds=PREVIEW_SECONDS,
    )


@router.post("/admin/odoo/sync")
def sync(
    request: Request,
    session: Writing,
    now: Clock,
    viewer: Administers,
    compare: Annotated[str, Form()] = "",
) -> Response:
    """Owe a reading, unless one waits or is under way. compare: look for what was deleted, too."""
    if not is_connected(wiring(request).settings):
        return see_other(request, "/admin/odoo?said=not_connected")
    lock(session, "odoo.sync.by_hand")
    open_ones = effects.listed(
        session,
        now=now,
        states=(State.WAITING, State.UNDER_WAY, State.HELD_BACK),
        kind=SYNC,
        limit=1,
    )
    if open_ones:
        return see_other(request, "/admin/odoo?said=waiting")
    moment = now.astimezone(UTC).isoformat()
    payload = {"compare": compare == "yes", "moment": moment}
    # Another stem than the schedule's, which reads the moments of its own out of their keys.
    effects.owe(session, Owed(SYNC, f"odoo.sync_by_hand:{moment}", payload), now=now)
    by = viewer.person.email
    details = {"compare": compare == "yes"}
    note(session, by=by, did=Did.ODOO_SYNCED, about="odoo", details=details, now=now)
    return see_other(request, "/admin/odoo?said=owed")


def is_connected(settings: Settings) -> bool:
    return bool(settings.odoo_url and settings.odoo_key)


# --- Pieces ---------------------------------------------------------------------------------------


def _asked(
    settings: Settings, seconds: int, ask: Callable[[Odoo, OdooMapping], T]
) -> tuple[T | None, str, str]:
    """What Odoo answers in time; else what stands in the way, and what to do about it."""
    if not is_connected(settings):
        return None, "", ""
    hasty = replace(
        settings, odoo_timeout_seconds=min(settings.odoo_timeout_seconds, ONE_ANSWER_SECONDS)
    )

    def work() -> T:
        mapping = OdooMapping.read(settings.odoo_mapping)
        with connect(hasty, patience=Patience(tries=1)) as odoo:
            return ask(odoo, mapping)

    try:
        return within(seconds, work), "", ""
    except TookTooLong as late:
        return None, late.message, "late"
    except PartnerCXError as refusal:
        return None, refusal.message, refusal.remedy


def _about(settings: Settings) -> dict[str, Any]:
    """What it is connected to; never the key."""
    return {
        "url": settings.odoo_url or "",
        "database": settings.odoo_database or "",
        "login": settings.odoo_login or "",
        "mapping": str(settings.odoo_mapping or ""),
        "write_back": ", ".join(settings.odoo_write_back),
    }


def _streams(session: Session) -> list[dict[str, Any]]:
    known = {each.stream: each for each in session.scalars(sa.select(OdooCursor))}
    return [_stream(stream.name, known.get(stream.name)) for stream in STREAMS]


def _stream(name: str, cursor: OdooCursor | None) -> dict[str, Any]:
    again = cursor.again or {} if cursor else {}
    return {
        "name": name,
        "read_until": _or_none(cursor.read_until) if cursor else None,
        "is_under_way": bool(cursor and cursor.position),
        "finished_at": cursor.finished_at if cursor else None,
        "compared_at": cursor.compared_at if cursor else None,
        "again": len(again.get("units") or []),
    }


def _or_none(until: datetime | None) -> datetime | None:
    """None also for the beginning of all clocks, which stands for a stream without records."""
    return None if until is None or until.year <= EPOCH_YEAR else until


def _syncs(session: Session, now: datetime, say: Translator) -> list[dict[str, Any]]:
    """The last readings, the latest first, with what each came to."""
    found = effects.listed(session, now=now, kind=SYNC, limit=SYNCS_SHOWN, newest_first=True)
    kept = sa.select(Effect.key, Effect.result).where(Effect.key.in_([e.key for e in found]))
    results: dict[str, Any] = dict(session.execute(kept).all())
    return [_sync(each, results.get(each.key) or {}, say) for each in found]


def _sync(each: Listed, result: dict[str, Any], say: Translator) -> dict[str, Any]:
    rows = {name: counts for name, counts in result.items() if isinstance(counts, dict)}
    return {
        "at": each.done_at or each.due_at,
        "state": say(STATES[each.state]),
        "colour": {State.PARKED: "red", State.DONE: "green"}.get(each.state, "amber"),
        "is_open": each.state in (State.WAITING, State.UNDER_WAY, State.HELD_BACK),
        "why": each.why or "",
        "told": [
            {"stream": name, "counts": ", ".join(f"{n} {what}" for what, n in counts.items())}
            for name, counts in rows.items()
        ],
        "refused": result.get("refused") or [],
    }


def _finding(each: Finding, say: Translator) -> dict[str, Any]:
    word, colour = FOUND[each.state]
    return {
        "area": each.area,
        "what": each.what,
        "state": say(word),
        "colour": colour,
        "found": each.found,
        "remedy": each.remedy,
        "costs": [
            CATALOGUE[code].label.in_(say.language) if code in CATALOGUE else code
            for code in each.costs
        ],
    }


def _preview(each: Preview) -> dict[str, Any]:
    return {
        "stream": each.stream,
        "records": each.records,
        "looked_at": each.looked_at,
        "kind": each.kind or "–",
        "rows": each.rows,
        "example": json.dumps(each.example, ensure_ascii=False, indent=1) if each.example else "",
        "why": each.why_not or "",
    }
