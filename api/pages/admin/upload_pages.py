"""What the pages of an upload show: the list, the columns, the look over, how it goes."""

from __future__ import annotations

from collections.abc import Mapping as Mappable
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.catalogues import Translator, text
from api.pages.admin import mapping_form
from api.pages.admin.lists import beside
from api.pages.admin.sources import told_problems
from api.pages.network.alerts import KIND_NAMES
from api.paging import ROWS, offset, one_more
from api.render import page
from api.request_scope import wiring
from integrations.files import handing_in, pointing
from integrations.files.handing_in import INLINE_ROWS, KEPT, on_disk
from integrations.files.mapping import Mapping
from integrations.files.uploads import SavedMapping, Upload
from partner_cx import effects
from partner_cx.effects import Effect, Listed, State
from partner_cx.errors import Invalid
from partner_cx.kinds import KINDS
from partner_cx.operations.imports import Import, Source

KIND_WORDS = KIND_NAMES | {
    "partners": text("Partners"),
    "people": text("People"),
    "groups": text("Groups"),
    "reps": text("Which partners a rep visits"),
    "calendars": text("Opening hours"),
    "targets": text("Targets"),
    "events": text("Events"),
}
DONE = {
    "saved": text("Saved: the next file of this kind can be handed in with it."),
    "dropped": text("Thrown away. Nothing was taken in of it."),
    "later": text("It is large, so the worker takes it in. This page shows how it goes."),
}


def under_way(session: Session, number: int, now: datetime) -> Listed | None:
    found = effects.listed(session, now=now, keys=[handing_in.key_of(number)])
    return next((each for each in found if each.state is not State.DROPPED), None)


def listed(
    request: Request,
    session: Session,
    say: Translator,
    now: datetime,
    *,
    number: int = 1,
    said: str = "",
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    saved = session.execute(
        sa.select(SavedMapping.id, SavedMapping.kind, SavedMapping.name, SavedMapping.saved_by)
        .order_by(SavedMapping.kind, SavedMapping.name)
        .limit(200)
    ).all()
    named = [(str(each.id), f"{each.kind}{_COLON[say.language]}{each.name}") for each in saved]
    return page(
        request,
        "admin/uploads.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        uploads=one_more(request, _lines(session, say, number, now), number),
        kinds=[("", say("guess from its columns")), *_kinds(say)],
        mappings=[("", say("none: I point at the columns")), *named],
        saved=[
            {"id": each.id, "kind": each.kind, "name": each.name, "by": each.saved_by}
            for each in saved
        ],
        kept_days=KEPT.days,
        errors=list(errors),
        wrong=beside(errors),
        said=say(DONE[said]) if said in DONE else "",
    )


def _kinds(say: Translator) -> list[tuple[str, str]]:
    """Every kind of rows, in words and by the name that files and commands know it by."""
    words = {name: say(KIND_WORDS[name]) for name in KINDS if name in KIND_WORDS}
    return [(name, f"{words[name]} ({name})" if name in words else name) for name in KINDS]


def _by_column(errors: Sequence[tuple[str, str]], say: Translator) -> list[tuple[str, str]]:
    """Each mistake with the column it is about: above the form one can't see beside which it is."""
    return [
        (name, f"{name.partition('-')[2]}{_COLON[say.language]}{said}" if "-" in name else said)
        for name, said in errors
    ]


_COLON = {"en": ": ", "fr": "\u202f: "}
COLUMNS = (Upload.id, Upload.name, Upload.kind, Upload.made_by, Upload.made_at, Upload.import_id)


def _lines(session: Session, say: Translator, number: int, now: datetime) -> list[dict[str, Any]]:
    """Uploads without their contents, which may be large."""
    owed = sa.select(Effect.parked_at, Effect.done_at, Effect.key).subquery()
    key = sa.literal(f"{handing_in.TAKE_IN}:").concat(sa.cast(Upload.id, sa.Text))
    found = session.execute(
        sa.select(
            *COLUMNS, Upload.mapping.is_not(None).label("mapped"), owed.c.key, owed.c.parked_at
        )
        .outerjoin(owed, owed.c.key == key)
        .where(Upload.made_at >= now - KEPT)
        .order_by(Upload.id.desc())
        .offset(offset(number))
        .limit(ROWS + 1)
    )
    return [
        {
            "name": each.name,
            "kind": each.kind or "–",
            "by": each.made_by,
            "at": each.made_at,
            "state": _state_word(each, say),
            "colour": "green" if each.import_id else "red" if each.parked_at else "amber",
            "href": f"/admin/uploads/{each.id}",
        }
        for each in found
    ]


def _state_word(each: Any, say: Translator) -> str:
    if each.import_id:
        return say("taken in")
    if each.parked_at:
        return say("stopped by a problem")
    if each.key:
        return say("being taken in")
    return say("to be looked over") if each.mapped else say("columns to be pointed at")


def pointing_page(
    request: Request,
    session: Session,
    upload: Upload,
    say: Translator,
    *,
    pointed: pointing.Pointed | None = None,
    source: str | None = None,
    said: str = "",
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    """The form in which columns are pointed at; without them where the file can't be read so."""
    kind = KINDS.get(upload.kind or "")
    looked, problem = None, ""
    current = pointed
    if current is None and upload.mapping:
        current = pointing.Pointed.out_of(Mapping.parsed(upload.mapping))
    try:
        with on_disk(upload.name, upload.content) as path:
            how = Mapping.parsed(current.written()) if current else Mapping.none()
            looked = pointing.look(path, how)
    except Invalid as refusal:
        problem = str(refusal)
    if current is None and kind is not None and looked is not None:
        current = pointing.first_guess(kind, looked)
    shown = mapping_form.shown(kind, looked, current or pointing.Pointed(), beside(errors), say)
    return page(
        request,
        "admin/upload.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        upload=upload,
        own_number=upload.id,
        kind=upload.kind or "",
        kinds=[("", say("choose")), *_kinds(say)],
        form=shown,
        source=source if source is not None else upload.source or _usual_source(session, upload),
        rows=looked.rows if looked else 0,
        problem=problem,
        steps=_steps(upload, 1, say),
        errors=_by_column(errors, say),
        wrong=beside(errors),
        said=say(DONE[said]) if said in DONE else "",
    )


def _usual_source(session: Session, upload: Upload) -> str:
    """Who sent files of this kind the last time."""
    last = (
        sa.select(Source.code)
        .join(Import, Import.source == Source.id)
        .where(Import.kind == upload.kind, ~Source.code.in_(("by hand", "odoo")))
        .order_by(Import.id.desc())
        .limit(1)
    )
    return session.scalar(last) or "default"


def preview_page(
    request: Request,
    upload: Upload,
    say: Translator,
    now: datetime,
    number: int,
    *,
    said: str = "",
    errors: Sequence[tuple[str, str]] = (),
) -> Response:
    house = wiring(request)
    try:
        tried = handing_in.try_out(house.engine, upload, settings=house.settings, now=now)
    except Invalid as refusal:
        tried, problem = None, str(refusal)
    else:
        problem = ""
    first = offset(number)
    refused = tried.refused[first : first + ROWS + 1] if tried else []
    return page(
        request,
        "admin/upload_preview.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem or errors else HTTPStatus.OK,
        upload=upload,
        own_number=upload.id,
        tried=tried,
        problems=one_more(request, told_problems(list(refused), say.language), number),
        problem=problem,
        is_large=bool(tried) and _rows_of(tried) > INLINE_ROWS,
        nothing=tried is not None and not (tried.report.taken + tried.report.corrected),
        mapping=upload.mapping,
        steps=_steps(upload, 2, say),
        errors=list(errors),
        wrong=beside(errors),
        said=say(DONE[said]) if said in DONE else "",
    )


def _rows_of(tried: handing_in.Tried | None) -> int:
    counts = ("taken", "unchanged", "corrected", "refused")
    return sum(getattr(tried.report, name) for name in counts) if tried else 0


def progress(
    request: Request,
    session: Session,
    upload: Upload,
    under_way: Listed | None,
    say: Translator,
    *,
    said: str,
) -> Response:
    imported = session.get(Import, upload.import_id) if upload.import_id else None
    state = "done" if imported else "working"
    if imported is None and under_way is not None:
        waiting = under_way.state in (State.WAITING, State.HELD_BACK)
        state = "waiting" if waiting else "working"
        state = "problem" if under_way.state is State.PARKED else state
    key = handing_in.key_of(upload.id)
    return page(
        request,
        "admin/upload_progress.html",
        upload=upload,
        own_number=upload.id,
        imported=imported,
        state=state,
        why=(under_way.why or "") if under_way else "",
        effect_href=f"/admin/effects/one?{urlencode({'key': key})}",
        import_href=f"/admin/sources/imports/{upload.import_id}",
        csv_href=f"/admin/sources/imports/{upload.import_id}/refused.csv",
        steps=_steps(upload, 3 if imported else 2, say),
        said=say(DONE[said]) if said in DONE else "",
    )


def _steps(upload: Upload, at: int, say: Translator) -> list[Mappable[str, str]]:
    names = [say("Hand in"), say("Point at columns"), say("Look over"), say("Taken in")]
    hrefs = ["", f"/admin/uploads/{upload.id}", "", ""]
    states = ["done" if place < at else "current" if place == at else "" for place in range(4)]
    if at == 3:
        states = ["done"] * 4
    return [
        {"label": name, "href": href if state == "done" and at < 3 else "", "state": state}
        for name, href, state in zip(names, hrefs, states, strict=True)
    ]
