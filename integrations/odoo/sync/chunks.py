"""Chunks: what units told, taken in together with the place where the run then stands.

A chunk is one transaction: its rows by the intake, what is withdrawn, whose records are whose, and
the cursor. So a run that is cut off anywhere goes on from a place whose facts are all in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.state import OdooCursor, OdooLink
from integrations.odoo.streams import SOURCE, Linked, Stream, Told
from integrations.odoo.sync.course import Place, Step
from partner_cx.errors import Conflict
from partner_cx.kinds import KINDS
from partner_cx.operations.fields import Manner
from partner_cx.operations.intake import Batch, Kind, Taken, WholeBatch, take_in
from partner_cx.operations.problems import Problem
from partner_cx.operations.withdrawing import withdraw
from partner_cx.settings import Settings

ROWS_MAX = 30_000  # of a chunk; the request that goes beyond is still part of it
STEPS_MAX = 100  # after so many steps the place is kept, also when they told nothing
AGAIN_MAX = 10_000  # units of refused rows that are tried again
IN_ORDER = {name: place for place, name in enumerate(KINDS)}


@dataclass(frozen=True)
class RefusedRow:
    """A row the intake refused. record: as people find it, such as sale.order.line 14."""

    kind: str
    record: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.record} ({self.kind}): {self.problem.detail('en')}"


@dataclass
class Counts:
    """What became of the rows of a kind."""

    taken: int = 0
    unchanged: int = 0
    corrected: int = 0
    refused: int = 0
    withdrawn: int = 0

    def add(self, taken: Taken) -> None:
        self.taken += taken.taken
        self.unchanged += taken.unchanged
        self.corrected += taken.corrected
        self.refused += taken.refused


@dataclass
class Done:
    """What a chunk came to, once it is committed."""

    counts: dict[str, Counts] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    moved: int = 0


@dataclass
class Chunk:
    """What was told since the last transaction.

    place: where the run stands then; None when it is over. rows: kind → key → row; a row told
    twice is the later one. units_of: who told a row.
    """

    stream: Stream
    place: Place | None = None
    rows: dict[str, dict[str, Mapping[str, str | None]]] = field(default_factory=dict)
    units: set[int] = field(default_factory=set)
    units_of: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    withdrawn: dict[str, dict[str, None]] = field(default_factory=dict)
    linked: list[Linked] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    settled: dict[str, list[Any]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    steps: int = 0

    def add(self, told: Told, units: tuple[int, ...]) -> None:
        """Gather what some units told."""
        self.units |= set(units)
        for kind, rows in told.rows.items():
            kept = self.rows.setdefault(kind, {})
            for row in rows:
                key = KINDS[kind].key_of(row)
                kept[key] = row
                self.units_of[kind, key] = units
        for kind, source_ids in told.withdrawn.items():
            self.withdrawn.setdefault(kind, {}).update(dict.fromkeys(source_ids))
        self.linked += told.linked
        self.moved |= set(told.moved)
        self.notes.update(told.notes)

    def advance(self, step: Step) -> None:
        """Note where the run stands when the chunk is in."""
        self.place = step.place
        self.steps += 1
        for sort, values in step.settled.items():
            self.settled.setdefault(sort, []).extend(values)

    @property
    def is_full(self) -> bool:
        if self.stream.by_itself and self.rows:
            return True
        return self.steps >= STEPS_MAX or sum(map(len, self.rows.values())) >= ROWS_MAX

    def take(
        self,
        session: Session,
        expected: Mapping[str, Any] | None,
        settings: Settings,
        now: datetime,
    ) -> Done:
        """Take everything in. The caller commits, and may call again after a lost race."""
        cursor = _held(session, self.stream.name, expected)
        done = Done()
        for kind in sorted(self.rows, key=IN_ORDER.__getitem__):
            self._take_rows(session, KINDS[kind], done, settings, now)
        for kind, source_ids in self.withdrawn.items():
            gone = [each for each in source_ids if each not in self.rows.get(kind, {})]
            count = withdraw(session, KINDS[kind], gone, source=SOURCE, now=now) if gone else 0
            done.counts.setdefault(kind, Counts()).withdrawn += count
        remember(session, self.linked)
        done.moved = read_again(session, {"partners": self.moved}, other_than=self.stream.name)
        cursor.position = self.place.written() if self.place else None
        cursor.again = self._again(cursor, done)
        return done

    def _take_rows(
        self, session: Session, kind: Kind, done: Done, settings: Settings, now: datetime
    ) -> None:
        """One import; several where a kind is read whole and its rows have different columns."""
        counts = done.counts.setdefault(kind.name, Counts())
        batches = [*_batches(self.rows[kind.name].values())]
        for some in [[batch] for batch in batches] if kind.whole else [batches]:
            taken = take_in(
                session,
                kind,
                some,
                source=SOURCE,
                file_name=f"Odoo, {self.stream.name}",
                manner=Manner(zone=settings.time_zone, currency=settings.currency),
                settings=settings,
                now=now,
                on_problems=lambda problems, batch: done.refused.extend(
                    self._refused(kind, problems, batch)
                ),
            )
            counts.add(taken)

    def _refused(
        self, kind: Kind, problems: Sequence[Problem], batch: Batch
    ) -> Iterator[RefusedRow]:
        keys = [kind.key_of(row) for row in batch.table.to_pylist()]
        model = self.stream.identified.get(kind.name, kind.name)
        for problem in problems:
            key = keys[problem.line - int(batch.lines[0])]
            yield RefusedRow(kind.name, f"{model} {key}", problem)
            self.settled.setdefault("refused", []).extend(self.units_of[kind.name, key])

    def _again(self, cursor: OdooCursor, done: Done) -> dict[str, list[Any]]:
        """What is still to be read again: what was, less what is settled, with what was refused."""
        refused = set(self.settled.pop("refused", ()))
        again = {sort: set(values) for sort, values in (cursor.again or {}).items()}
        again["units"] = again.get("units", set()) - self.units
        for sort, values in self.settled.items():
            again[sort] = again.get(sort, set()) - set(values)
        again["units"] |= refused
        return {sort: sorted(values)[:AGAIN_MAX] for sort, values in again.items() if values}


def _held(session: Session, stream: str, expected: Mapping[str, Any] | None) -> OdooCursor:
    """The cursor as this run left it. Raises Conflict when another run moved it."""
    cursor = session.scalar(
        sa.select(OdooCursor).where(OdooCursor.stream == stream).with_for_update()
    )
    if cursor is None or (cursor.position or None) != (expected or None):
        raise Conflict(
            "Another sync has gone on with this Odoo meanwhile.", remedy="Let it come to its end."
        )
    return cursor


def remember(session: Session, linked: Iterable[Linked]) -> None:
    """Remember whose records are whose."""
    by_record = {(each.model, each.odoo_id): each for each in linked}
    for (model, number), each in by_record.items():
        link = session.get(OdooLink, (model, number))
        if link is None:
            link = OdooLink(model=model, odoo_id=number)
            session.add(link)
        link.ours, link.seen, link.gone_at = each.ours, dict(each.seen), None
    session.flush()


def read_again(session: Session, what: Mapping[str, Iterable[Any]], *, other_than: str) -> int:
    """Let the other streams, as far as they have begun, read something again at their next run."""
    new = {sort: set(values) for sort, values in what.items()}
    if not any(new.values()):
        return 0
    cursors = session.scalars(sa.select(OdooCursor).where(OdooCursor.stream != other_than))
    for cursor in cursors:
        again = {sort: set(values) for sort, values in (cursor.again or {}).items()}
        for sort, values in new.items():
            again[sort] = again.get(sort, set()) | values
        cursor.again = {sort: sorted(values) for sort, values in again.items() if values}
    session.flush()
    return sum(map(len, new.values()))


def _batches(rows: Iterable[Mapping[str, str | None]]) -> Iterator[WholeBatch]:
    """Rows with the same columns together, numbered within their chunk."""
    by_columns: dict[frozenset[str], list[Mapping[str, str | None]]] = {}
    for row in rows:
        by_columns.setdefault(frozenset(row), []).append(row)
    first = 1
    for columns, alike in by_columns.items():
        table = pa.table(
            {name: pa.array([row[name] for row in alike], pa.string()) for name in sorted(columns)}
        )
        yield WholeBatch(table, np.arange(first, first + len(alike)), table)
        first += len(alike)
