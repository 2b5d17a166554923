"""Handing in: a file that came by a page is tried without being taken, then taken in once.

page ─► uploads ─► pointing ─► try out ─► take in (or owe it, where it is large) ─► imports

A try is the intake itself in a transaction that is undone, so that what it says is what will be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Mappable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Handler, Hands
from integrations.files.importing import Report, kind_named, manner_of, take_open_file
from integrations.files.mapping import Mapping
from integrations.files.reading import FactsFile, read_facts
from integrations.files.refused import Gathering, RefusedRow
from integrations.files.uploads import Upload
from partner_cx import effects
from partner_cx.database import lock, reading, transact, writing
from partner_cx.effects import Owed
from partner_cx.errors import Conflict, NotFound
from partner_cx.journal import Did, note
from partner_cx.operations.fields import Field, Manner
from partner_cx.operations.intake import Kind, read_fields
from partner_cx.settings import Settings
from rewards.events.drawing import draw_events

BYTES_MAX = 50_000_000
INLINE_ROWS = 100_000  # more than that is taken in by the worker, while the page shows how it goes
KEPT = timedelta(days=30)
ROWS_SHOWN = 20
TAKE_IN = "upload.take_in"  # the kind of effect
PRUNE = "uploads"


@dataclass(frozen=True)
class TriedRow:
    """A row as it would be taken. cells: by our columns' names."""

    line: int
    cells: Mappable[str, str]
    is_refused: bool


@dataclass(frozen=True)
class Tried:
    """What taking a file in would do. refused: the first rows that wouldn't be taken."""

    report: Report
    columns: Sequence[str]
    rows: Sequence[TriedRow]
    refused: Sequence[RefusedRow]


class _Undone(Exception):
    """Leaves a transaction without its work."""


def upload_of(session: Session, number: int) -> Upload:
    """Raises NotFound."""
    upload = session.get(Upload, number)
    if upload is None:
        raise _gone()
    return upload


def hold_upload(session: Session, number: int) -> int | None:
    """Hold off whoever else points at an upload's columns, takes it in or throws it away.

    Until the commit; for whoever reads it afterwards. Returns its import, once it was taken in.
    Raises NotFound.
    """
    lock(session, f"upload:{number}")
    its_import = sa.select(Upload.import_id).where(Upload.id == number)
    found = session.execute(its_import.with_for_update()).one_or_none()
    if found is None:
        raise _gone()
    return found.import_id


def _gone() -> NotFound:
    return NotFound(
        "There is no such file, or no longer.",
        remedy=f"Files are kept for {KEPT.days} days; hand it in again.",
    )


@contextmanager
def on_disk(name: str, content: bytes) -> Iterator[Path]:
    """A file's contents where readers can open them."""
    with tempfile.TemporaryDirectory(prefix="partner-cx-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


@contextmanager
def opened(upload: Upload) -> Iterator[FactsFile]:
    """An upload under its kind and mapping. Raises Invalid, also where either is missing."""
    if upload.kind is None or upload.mapping is None:
        raise Conflict(
            "Nobody has said yet which column is which.", remedy="Point at the columns first."
        )
    kind, mapping = kind_named(upload.kind), Mapping.parsed(upload.mapping)
    with (
        on_disk(upload.name, upload.content) as path,
        read_facts(path, kind=kind, mapping=mapping) as facts,
    ):
        yield facts


def try_out(engine: sa.Engine, upload: Upload, *, settings: Settings, now: datetime) -> Tried:
    """Take a file in and undo it. Raises Invalid where the file as a whole can't be used."""
    kind = kind_named(upload.kind or "")
    with opened(upload) as facts:
        manner = manner_of(facts.mapping, settings)
        columns, rows = _first_rows(facts, kind, manner)
    with opened(upload) as facts:
        gathering = Gathering(facts.raw_columns, facts.form.delimiter)
        report: Report | None = None
        try:
            with writing(engine) as session:
                report = take_open_file(
                    session,
                    kind,
                    facts,
                    source=upload.source or "default",
                    settings=settings,
                    now=now,
                    gathering=gathering,
                )
                raise _Undone
        except _Undone:
            pass
    assert report is not None
    refused = {row.line for row in gathering.rows}
    marked = [TriedRow(each.line, each.cells, each.line in refused) for each in rows]
    return Tried(report, columns, marked, gathering.rows)


def take_upload_in(
    engine: sa.Engine, number: int, *, by: str, settings: Settings, now: datetime
) -> int:
    """Take an upload in, once: whoever comes second gets the same import. Its number.

    Raises Invalid where the file as a whole can't be used; then nothing has changed.
    """
    with reading(engine) as session:
        upload = upload_of(session, number)
        session.expunge(upload)
    taken = upload.import_id or _take_in(engine, upload, by=by, settings=settings, now=now)
    # Also of what was taken in before: that time it may have been cut off here.
    draw_events(engine, now=now, settings=settings)
    return taken


def _take_in(
    engine: sa.Engine, upload: Upload, *, by: str, settings: Settings, now: datetime
) -> int:
    """Take in what its columns are by then: somebody may point at others before it is held.

    It is opened before anybody has to wait for it, and once more only where that was in vain: for
    other columns, or another try.
    """
    with opened(upload) as facts:
        unread = [facts]

        def work(session: Session) -> int:
            taken = hold_upload(session, upload.id)
            if taken is not None:
                return taken
            if unread and _is_still_so(session, upload):
                return _take_open_in(session, upload, unread.pop(), by, settings, now)
            current = upload_of(session, upload.id)
            with opened(current) as again:
                return _take_open_in(session, current, again, by, settings, now)

        return transact(engine, work)


def _is_still_so(session: Session, upload: Upload) -> bool:
    pointed = sa.select(Upload.kind, Upload.mapping, Upload.source).where(Upload.id == upload.id)
    return session.execute(pointed).one() == (upload.kind, upload.mapping, upload.source)


def _take_open_in(
    session: Session, upload: Upload, facts: FactsFile, by: str, settings: Settings, now: datetime
) -> int:
    report = take_open_file(
        session,
        kind_named(upload.kind or ""),
        facts,
        source=upload.source or "default",
        settings=settings,
        now=now,
    )
    mine = sa.update(Upload).where(Upload.id == upload.id)
    session.execute(mine.values(import_id=report.import_id))
    _note(session, upload, report, by, now)
    return report.import_id


def key_of(number: int) -> str:
    """Of the effect that takes an upload in."""
    return f"{TAKE_IN}:{number}"


def owe_taking_in(session: Session, number: int, *, by: str, now: datetime) -> None:
    """Let the worker take a large upload in; owed twice it is owed once. The caller commits.

    Raises NotFound where it was thrown away.
    """
    hold_upload(session, number)
    effects.owe(session, Owed(TAKE_IN, key_of(number), {"upload": number, "by": by}), now=now)


def prune_uploads(session: Session, *, now: datetime) -> int:
    """Throw away files that were handed in long ago; their imports stay. The caller commits.

    One that somebody still works at stays until another time.
    """
    old = sa.select(Upload.id).where(Upload.made_at < now - KEPT)
    nobodys = old.with_for_update(skip_locked=True)
    return session.connection().execute(sa.delete(Upload).where(Upload.id.in_(nobodys))).rowcount


def _note(session: Session, upload: Upload, report: Report, by: str, now: datetime) -> None:
    details: dict[str, Any] = {
        "file": upload.name,
        "source": report.source,
        "import": report.import_id,
        **{name: getattr(report, name) for name in ("taken", "unchanged", "corrected", "refused")},
    }
    note(session, by=by, did=Did.FILE_TAKEN_IN, about=report.kind, details=details, now=now)


# --- The first rows -------------------------------------------------------------------------------


def _first_rows(facts: FactsFile, kind: Kind, manner: Manner) -> tuple[list[str], list[TriedRow]]:
    """The first rows as they are understood: days and moments in one form, numbers plain."""
    batch = next((batch for batch in facts if len(batch.lines)), None)
    if batch is None:
        return [], []
    few = _Few(batch.table.slice(0, ROWS_SHOWN), batch.lines[:ROWS_SHOWN], batch.raw)
    draft = read_fields(few, kind, manner)
    shown = [each for each in kind.fields if each.name in few.table.column_names]
    columns = {
        each.name: _texts(each, draft[each.column or each.name], few, manner) for each in shown
    }
    rows = [
        TriedRow(int(line), {name: cells[at] for name, cells in columns.items()}, False)
        for at, line in enumerate(few.lines)
    ]
    return [each.name for each in shown], rows


@dataclass(frozen=True)
class _Few:
    """Some rows of a batch."""

    table: pa.Table
    lines: Any
    raw: pa.Table


def _texts(spec: Field, read: pa.Array, few: _Few, manner: Manner) -> list[str]:
    given = few.table[spec.name].to_pylist()
    return [
        _text(one, as_given, manner) for one, as_given in zip(read.to_pylist(), given, strict=True)
    ]


def _text(read: object, given: object, manner: Manner) -> str:
    """A cell as it was understood; as it stands, where it wasn't."""
    if read is None:
        return "" if given is None else str(given)
    if isinstance(read, datetime):
        return read.isoformat(" ", "minutes")
    if isinstance(read, date):
        return read.isoformat()
    if isinstance(read, bool):
        return "true" if read else "false"
    if isinstance(read, int) and isinstance(given, str):
        plain = given.replace(manner.thousands, "") if manner.thousands else given
        return plain.replace(manner.decimal, ".")
    return str(read if isinstance(read, str) else given if given is not None else read)


# --- By the worker --------------------------------------------------------------------------------


def carry_out(due: Due, hands: Hands) -> Mappable[str, Any]:
    """Take a large upload in. Raises Refused with what is wrong with the file."""
    number = int(due.payload["upload"])
    imported = take_upload_in(
        hands.engine,
        number,
        by=str(due.payload["by"]),
        settings=hands.settings,
        now=hands.clock(),
    )
    return {"import": imported}


def prune(_due: Due, hands: Hands) -> Mappable[str, Any]:
    """Throw away what was handed in long ago."""
    now = hands.clock()
    return {"uploads": transact(hands.engine, lambda session: prune_uploads(session, now=now))}


HANDLERS: Mappable[str, Handler] = {TAKE_IN: carry_out, PRUNE: prune}
