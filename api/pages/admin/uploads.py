"""Uploads: a file is handed in, its columns are pointed at, it is tried out, then taken in once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from api.addresses import see_other
from api.catalogues import text
from api.pages.admin import mapping_form
from api.pages.admin.lists import Number
from api.pages.admin.upload_pages import listed, pointing_page, preview_page, progress, under_way
from api.paging import PageAsked
from api.rates import count_upload
from api.render import translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Administers
from integrations.files import handing_in, pointing
from integrations.files.handing_in import (
    BYTES_MAX,
    INLINE_ROWS,
    hold_upload,
    on_disk,
    upload_of,
)
from integrations.files.importing import SOURCE_LONGEST, kind_named
from integrations.files.mapping import Mapping
from integrations.files.uploads import SavedMapping, Upload
from partner_cx import effects
from partner_cx.database import insert_for, reading, transact
from partner_cx.effects import State
from partner_cx.errors import Invalid, NotFound, PartnerCXError
from partner_cx.journal import Did, note
from partner_cx.kinds import KINDS

router = APIRouter()

NAME_LONGEST = 150
FORM_AROUND = 100_000  # bytes that a form has around its file, at most
FIELDS_MAX = 2_000
NO_FILE = text("Choose a file first.")
EMPTY = text("The file is empty: 0 bytes.")
TOO_LARGE = text("The file is larger than 50 MB. Split it, or import it by the command line.")
NO_LENGTH = text("Your browser doesn’t say how large the file is. Try another.")
NO_KIND = text("Choose what the rows are.")
NO_NAME = text("Give it a name that people can read, of 100 characters at most.")
NOT_SURE = text("Tick that you mean it.")


@router.get("/admin/uploads")
def uploads(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    page_number: PageAsked = 1,
    said: str = "",
) -> Response:
    """Hand in a file; those of the last days, and the mappings that were saved."""
    return listed(request, session, translator(language), now, number=page_number, said=said)


async def _handed_in(request: Request, _viewer: Administers) -> AsyncIterator[FormData | None]:
    """The form with its file, which goes to the disk as it comes; None where it is too large.

    How large it is has to be said before: then nothing of a larger one is read at all.
    """
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or int(length) > BYTES_MAX + FORM_AROUND:
        yield None
        return
    async with request.form(max_files=1, max_fields=20) as form:
        yield form


async def _entered(request: Request, _viewer: Administers) -> dict[str, str]:
    """What was entered into a form whose fields depend on the file."""
    async with request.form(max_files=0, max_fields=FIELDS_MAX) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Entered = Annotated[dict[str, str], Depends(_entered)]


@router.post("/admin/uploads", dependencies=[Depends(count_upload)])
def hand_in(
    request: Request,
    form: Annotated[FormData | None, Depends(_handed_in)],
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
) -> Response:
    """Keep a file as it was handed in. Nothing of it is taken yet."""
    say = translator(language)
    found = form.get("file") if form is not None else None
    content = found.file.read(BYTES_MAX + 1) if isinstance(found, UploadFile) else b""
    wrong = _wrong_with(request, form, found, content)
    if wrong:
        return listed(request, session, say, now, errors=[("file", say(wrong))])
    assert isinstance(found, UploadFile)
    assert form is not None
    handing_in.prune_uploads(session, now=now)
    upload = Upload(
        name=_file_name(found.filename or ""),
        content=content,
        made_by=viewer.person.email,
        made_at=now,
    )
    session.add(upload)
    _begin(session, upload, str(form.get("kind", "")), str(form.get("mapping", "")))
    session.flush()
    return see_other(request, f"/admin/uploads/{upload.id}")


@router.get("/admin/uploads/{number}")
def upload_(
    request: Request,
    number: Number,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    said: str = "",
) -> Response:
    """Where a file stands: its columns to be pointed at, being taken in, or taken in."""
    upload = upload_of(session, number)
    owed = under_way(session, number, now)
    if upload.import_id is not None or owed is not None:
        return progress(request, session, upload, owed, translator(language), said=said)
    return pointing_page(request, session, upload, translator(language), said=said)


@router.post("/admin/uploads/{number}")
def point(
    request: Request,
    number: Number,
    entered: Entered,
    session: Writing,
    language: Language,
    now: Clock,
    _viewer: Administers,
) -> Response:
    """Keep what was pointed at, and go on to trying it out."""
    hold_upload(session, number)
    upload, say = upload_of(session, number), translator(language)
    if upload.import_id is not None or under_way(session, number, now) is not None:
        return see_other(request, f"/admin/uploads/{number}")
    changed_kind = entered.get("kind", "") != (upload.kind or "")
    if entered.get("kind") not in KINDS:
        return pointing_page(request, session, upload, say, errors=[("kind", say(NO_KIND))])
    kind = kind_named(entered["kind"])
    if changed_kind:
        upload.kind, upload.mapping = kind.name, None
        return see_other(request, f"/admin/uploads/{number}")
    pointed, errors = mapping_form.read(kind, entered, say)
    source = entered.get("source", "").strip()
    if not source or not source.isprintable() or len(source) > SOURCE_LONGEST:
        errors.append(("source", say(NO_NAME)))
    written = pointed.written()
    if not errors:
        errors += _refusal_of(written)
    if errors:
        return pointing_page(
            request, session, upload, say, pointed=pointed, source=source, errors=errors
        )
    upload.mapping, upload.source = written, source
    if entered.get("again"):  # only the way of reading was changed: its columns are others now
        return see_other(request, f"/admin/uploads/{number}")
    return see_other(request, f"/admin/uploads/{number}/preview")


@router.get("/admin/uploads/{number}/preview")
def preview(
    request: Request,
    number: Number,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    page_number: PageAsked = 1,
    said: str = "",
) -> Response:
    """What taking it in would do: tried out whole, and undone."""
    upload = upload_of(session, number)
    if upload.import_id is not None or upload.mapping is None:
        return see_other(request, f"/admin/uploads/{number}")
    return preview_page(request, upload, translator(language), now, page_number, said=said)


@router.post("/admin/uploads/{number}/take")
def take(
    request: Request, number: Number, language: Language, now: Clock, viewer: Administers
) -> Response:
    """Take it in, once: a large one by the worker, any other at once."""
    house, by = wiring(request), viewer.person.email
    with reading(house.engine) as session:
        upload = upload_of(session, number)
        session.expunge(upload)
    if upload.mapping is None:
        return see_other(request, f"/admin/uploads/{number}")
    try:
        with handing_in.opened(upload) as facts:
            rows = facts.rows_total_hint or 0
        if rows > INLINE_ROWS and upload.import_id is None:
            transact(
                house.engine,
                lambda session: handing_in.owe_taking_in(session, number, by=by, now=now),
            )
            return see_other(request, f"/admin/uploads/{number}?said=later")
        handing_in.take_upload_in(house.engine, number, by=by, settings=house.settings, now=now)
    except Invalid:
        return preview_page(request, upload, translator(language), now, 1)
    return see_other(request, f"/admin/uploads/{number}")


@router.post("/admin/uploads/{number}/keep")
def keep(
    request: Request,
    number: Number,
    language: Language,
    now: Clock,
    viewer: Administers,
    name: Annotated[str, Form()] = "",
) -> Response:
    """Keep the mapping under a name, for the next file. The same name again replaces it."""
    house, say, by = wiring(request), translator(language), viewer.person.email
    called = name.strip()
    sound = called and called.isprintable() and len(called) <= 100

    def work(session: Session) -> Upload:
        hold_upload(session, number)
        upload = upload_of(session, number)
        if sound and upload.mapping and upload.kind:
            _keep(session, upload, called, by, now)
        session.flush()
        session.expunge(upload)
        return upload

    upload = transact(house.engine, work)
    back = f"/admin/uploads/{number}" + ("" if upload.import_id else "/preview")
    if not sound:
        if upload.import_id is None and upload.mapping is not None:
            errors = [("name", say(NO_NAME))]
            return preview_page(request, upload, say, now, 1, errors=errors)
        raise Invalid(say(NO_NAME))
    return see_other(request, f"{back}?said=saved")


@router.get("/admin/uploads/{number}/mapping.toml")
def mapping_toml(number: Number, session: Reading, _viewer: Administers) -> Response:
    """The mapping as a file, for the command line."""
    upload = upload_of(session, number)
    if upload.mapping is None:
        raise NotFound("Nobody has pointed at its columns yet.")
    return _toml(upload.mapping, upload.kind or "mapping")


@router.get("/admin/mappings/{number}/mapping.toml")
def saved_toml(number: Number, session: Reading, _viewer: Administers) -> Response:
    saved = session.get(SavedMapping, number)
    if saved is None:
        raise NotFound("There is no such mapping.")
    return _toml(saved.content, saved.name)


@router.post("/admin/mappings/{number}/drop")
def drop_mapping(
    request: Request, number: Number, session: Writing, now: Clock, viewer: Administers
) -> Response:
    """Throw a saved mapping away; imports made with it stay as they are."""
    saved = session.get(SavedMapping, number, with_for_update=True)
    if saved is not None:
        details = {"kind": saved.kind, "dropped": True}
        by = viewer.person.email
        note(session, by=by, did=Did.MAPPING_SAVED, about=saved.name, details=details, now=now)
        session.delete(saved)
    return see_other(request, "/admin/uploads#mappings")


@router.post("/admin/uploads/{number}/drop")
def drop(
    request: Request,
    number: Number,
    session: Writing,
    language: Language,
    now: Clock,
    viewer: Administers,
    sure: Annotated[str, Form()] = "",
) -> Response:
    """Throw a file away. What was taken in of it stays."""
    hold_upload(session, number)
    upload = upload_of(session, number)
    if sure != "yes":
        say = translator(language)
        return pointing_page(request, session, upload, say, errors=[("sure", say(NOT_SURE))])
    owed = under_way(session, number, now)
    if owed is not None and owed.state in (State.WAITING, State.HELD_BACK, State.UNDER_WAY):
        return see_other(request, f"/admin/uploads/{number}")
    if owed is not None and owed.state is State.PARKED:
        by = viewer.person.email
        effects.drop(session, [owed.key], by=by, because="the file was thrown away", now=now)
    session.delete(upload)
    return see_other(request, "/admin/uploads?said=dropped")


# --- Handing in -----------------------------------------------------------------------------------


def _wrong_with(request: Request, form: FormData | None, found: object, content: bytes) -> str:
    if form is None:
        return TOO_LARGE if request.headers.get("content-length", "").isdigit() else NO_LENGTH
    if not isinstance(found, UploadFile) or not found.filename:
        return NO_FILE
    if len(content) > BYTES_MAX:
        return TOO_LARGE
    return "" if content else EMPTY


def _file_name(given: str) -> str:
    """The last part of what a browser calls the file, without what no file system takes."""
    last = re.split(r"[\\/]", given)[-1]
    sound = "".join(sign for sign in last if sign.isprintable()).strip(" .")
    stem, dot, ending = sound.rpartition(".")
    room = NAME_LONGEST // 3  # a sign may take several bytes
    return f"{stem[:room]}{dot}{ending[:10]}" if stem else sound[:room] or "file"


def _begin(session: Session, upload: Upload, kind: str, mapping: str) -> None:
    """What can be said of a file at once: its kind, and the saved mapping that was chosen."""
    saved = session.get(SavedMapping, int(mapping)) if re.fullmatch(r"\d{1,15}", mapping) else None
    if saved is not None:
        upload.kind, upload.mapping = saved.kind, saved.content
    elif kind in KINDS:
        upload.kind = kind
    else:
        upload.kind = _guessed(upload)


def _guessed(upload: Upload) -> str | None:
    try:
        with on_disk(upload.name, upload.content) as path:
            return pointing.guess(pointing.look(path, Mapping.none()).columns)
    except PartnerCXError:
        return None


def _refusal_of(written: str) -> list[tuple[str, str]]:
    try:
        Mapping.parsed(written)
    except Invalid as refusal:
        return [("", str(refusal))]
    return []


def _keep(session: Session, upload: Upload, name: str, by: str, now: datetime) -> None:
    said = {"content": upload.mapping, "saved_by": by, "saved_at": now}
    saved = insert_for(session, SavedMapping).values(kind=upload.kind, name=name, **said)
    session.execute(saved.on_conflict_do_update(index_elements=["kind", "name"], set_=said))
    details = {"kind": upload.kind}
    note(session, by=by, did=Did.MAPPING_SAVED, about=name, details=details, now=now)


def _toml(content: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}.toml"
    return PlainTextResponse(
        content,
        media_type="application/toml; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )
