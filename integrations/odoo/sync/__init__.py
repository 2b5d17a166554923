"""The sync: what Odoo knows is read, a page at a time, and becomes facts.

streams ─► course (which units) ─► tell ─► chunks ─► operations.intake ─► facts ─► events

What is the same changes nothing, so that a run may be repeated, and one that was cut off goes on
where its last transaction left it. One request at a time is made.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.files.mapping import nearest
from integrations.odoo.connection.errors import KeyRefused, NoSuchDatabase, NotConfigured
from integrations.odoo.directory import Directory
from integrations.odoo.state import OdooCursor
from integrations.odoo.streams import Reading, Stream, Telling, Told
from integrations.odoo.sync import comparing
from integrations.odoo.sync.ahead import Asked, asked_ahead
from integrations.odoo.sync.alone import alone
from integrations.odoo.sync.chunks import Chunk, Counts, Done, RefusedRow, read_again
from integrations.odoo.sync.course import ALL, Course, Place, Step
from integrations.odoo.sync.reading import STREAMS
from partner_cx.database import reading, transact
from partner_cx.errors import Conflict, Invalid, PartnerCXError, Refused, Unreachable
from partner_cx.memory import uncollected
from partner_cx.settings import Settings
from rewards.events.drawing import Drawn, draw_events

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

SHOWN_MAX = 20  # refused rows told in words
NOTES_MAX = 50
# What no other stream would fare better with.
_ENDS_ALL = (Unreachable, KeyRefused, NoSuchDatabase, NotConfigured)

OnProgress = Callable[[float, int], None]


@dataclass
class StreamReport:
    """What a stream came to.

    stopped: why it didn't come to its end; what it read until then is in. refused: the first of
    the refused rows. skipped: why there was nothing to read. moved: partners of Odoo whose records
    the other streams read again.
    """

    stream: str
    counts: dict[str, Counts] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    units: int = 0
    stopped: PartnerCXError | None = None
    skipped: str | None = None

    def add(self, done: Done, chunk: Chunk) -> None:
        for kind, counts in done.counts.items():
            mine = self.counts.setdefault(kind, Counts())
            for name, number in vars(counts).items():
                setattr(mine, name, getattr(mine, name) + number)
        self.refused += done.refused[: SHOWN_MAX - len(self.refused)]
        self.units += len(chunk.units)
        for note, times in chunk.notes.items():
            if note in self.notes or len(self.notes) < NOTES_MAX:
                self.notes[note] += times


@dataclass
class SyncReport:
    """What a sync came to, stream by stream, and the events drawn from it."""

    streams: list[StreamReport] = field(default_factory=list)
    drawn: Drawn = field(default_factory=Drawn)

    @property
    def refused_rows(self) -> int:
        return sum(c.refused for stream in self.streams for c in stream.counts.values())

    @property
    def stopped(self) -> list[StreamReport]:
        return [stream for stream in self.streams if stream.stopped is not None]

    @property
    def has_problems(self) -> bool:
        return bool(self.stopped or self.refused_rows)


def sync(
    engine: sa.Engine,
    odoo: Odoo,
    mapping: OdooMapping,
    *,
    settings: Settings,
    now: datetime,
    only: Sequence[str] | None = None,
    compare: bool = False,
    even_many: bool = False,
    on_progress: OnProgress = lambda _share, _rows: None,
) -> SyncReport:
    """Read what changed in Odoo since the last sync, and everything the first time.

    only: names of streams; the others wait. compare: look for what was deleted now, which
    otherwise happens once a day; even_many: believe it however much that is. Raises Conflict when
    another sync is under way; whatever stops a stream is in the report.
    """
    wanted = streams_named(only)
    report = SyncReport()
    with alone(engine):
        run = _Run(engine, odoo, mapping, settings, now, compare, even_many, on_progress)
        for place, stream in enumerate(wanted):
            run.share = (place / len(wanted), 1 / len(wanted))
            report.streams.append(run.stream(stream))
            if isinstance(report.streams[-1].stopped, _ENDS_ALL):
                break
    report.drawn = draw_events(engine, now=now, settings=settings)
    return report


def streams_named(only: Sequence[str] | None) -> list[Stream]:
    """The streams, in the order in which they are read."""
    names = [stream.name for stream in STREAMS]
    for name in only or ():
        if name not in names:
            near = nearest(name, names, 1)
            raise Invalid(
                f"There is no stream {name!r}.",
                remedy=f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}.",
            )
    return [stream for stream in STREAMS if not only or stream.name in only]


@dataclass
class _Run:
    """One sync under way. share: of all of it, where the stream under way begins, and its own."""

    engine: sa.Engine
    odoo: Odoo
    mapping: OdooMapping
    settings: Settings
    now: datetime
    compare: bool
    even_many: bool
    on_progress: OnProgress
    share: tuple[float, float] = (0.0, 1.0)
    rows: int = 0

    def __post_init__(self) -> None:
        size = self.settings.odoo_page_rows
        self.directory = Directory(self.odoo, self.engine, page_rows=size)

    def stream(self, stream: Stream) -> StreamReport:
        """Read a stream to its end, or until something stops it."""
        report = StreamReport(stream.name)
        try:
            self._stream(stream, report)
        except (Refused, Unreachable, Invalid, Conflict) as refusal:
            report.stopped = refusal
        if stream.of_partner is None:
            self.directory.forget()
        return report

    def _stream(self, stream: Stream, report: StreamReport) -> None:
        watched = stream.watching(self.odoo, self.mapping)
        if not watched:
            report.skipped = "the mapping leaves it out"
            return
        if not self.odoo.has(watched[0].model):
            report.skipped = f"this Odoo has no {watched[0].model}"
            return
        watched = tuple(each for each in watched if self.odoo.has(each.model))
        size = self.settings.odoo_page_rows
        way = Course(self.odoo, self.engine, stream, watched, page_rows=size)
        while not self._run(way, report):
            pass  # it went on with an earlier run, so there is a present one to make

    def _run(self, way: Course, report: StreamReport) -> bool:
        """Make a run, or bring one to its end that was cut off; says whether it was a fresh one."""
        cursor, is_remapped = self._open(way.stream)
        is_fresh, is_first = cursor.position is None, cursor.read_until is None
        compares = not is_first and (self.compare or comparing.is_due(cursor, self.now))
        place = way.begin(cursor)
        # The names of grades, tags and states change unseen, so the network is read whole then.
        if is_remapped or (is_fresh and compares and way.stream.of_partner is None):
            place = place.through_all(way.kinds())
        self._read(way, cursor, place, report)
        self._finish(way.stream, place, compared=is_first)
        if compares and is_fresh:
            self._compare(way.stream, report)
        return is_fresh

    # --- The cursor ---

    def _open(self, stream: Stream) -> tuple[OdooCursor, bool]:
        """The stream's cursor; at the beginning again, and True, when the mapping is another one.

        A reading by the earlier mapping that was cut off is begun anew, too.
        """
        digest = self.mapping.digest()

        def work(session: Session) -> tuple[OdooCursor, bool]:
            cursor = session.get(OdooCursor, stream.name)
            if cursor is None:
                cursor = OdooCursor(stream=stream.name)
                session.add(cursor)
            is_remapped = cursor.mapping_digest not in (None, digest)
            if is_remapped:
                cursor.read_until = cursor.position = None
            cursor.mapping_digest = digest
            session.flush()
            session.expunge(cursor)
            return cursor, is_remapped

        return transact(self.engine, work)

    def _finish(self, stream: Stream, place: Place, *, compared: bool) -> None:
        def work(session: Session) -> None:
            cursor = session.get_one(OdooCursor, stream.name)
            if cursor.read_until != place.until or cursor.quiet_since is None:
                cursor.quiet_since = self.now
            cursor.read_until, cursor.position = place.until, None
            cursor.finished_at = self.now
            if compared:
                cursor.compared_at = self.now

        transact(self.engine, work)

    # --- Reading ---

    def _read(self, way: Course, cursor: OdooCursor, place: Place, report: StreamReport) -> None:
        """Go through the course, a chunk at a time."""
        kept = cursor.position
        own = way.watched[0]
        total = self.odoo.count(own.model, own.domain, archived=True) if ALL in place.legs else 0
        steps = self._asked(way.stream, way.steps(cursor, place))
        with uncollected(), closing(steps), ExitStack() as opened:
            at_hand = self._at_hand(opened)
            chunk = Chunk(way.stream)
            for step, tellings in steps:
                self._tell(at_hand, way.stream, step, tellings, chunk)
                if chunk.is_full or not step.place.legs:
                    opened.close()  # nothing is read from our database while it is written
                    self._take(chunk, kept, report)
                    kept = step.place.written()
                    self._show(report, total)
                    at_hand = self._at_hand(opened)
                    chunk = Chunk(way.stream)

    def _asked(self, stream: Stream, steps: Iterator[Step]) -> Generator[Asked]:
        """Each step with what tells its units, where they can be read ahead."""
        if stream.ahead is None:
            yield from ((step, []) for step in steps)
            return
        ask = partial(stream.ahead, self.odoo, self.directory, self.mapping)
        yield from asked_ahead(steps, ask, at_once=stream.at_once)

    def _tell(
        self,
        at_hand: Reading,
        stream: Stream,
        step: Step,
        tellings: Sequence[tuple[tuple[int, ...], Telling]],
        chunk: Chunk,
    ) -> None:
        for units, telling in tellings:
            chunk.add(telling(at_hand), units)
        new = [number for number in step.units if number not in chunk.units]
        for start in range(0, len(new), stream.at_once):
            units = tuple(new[start : start + stream.at_once])
            chunk.add(stream.tell(at_hand, units), units)
        chunk.advance(step)

    def _take(self, chunk: Chunk, kept: dict[str, Any] | None, report: StreamReport) -> None:
        done = transact(
            self.engine, lambda session: chunk.take(session, kept, self.settings, self.now)
        )
        gc.collect(1)  # cycles of this chunk: the collector waits until a stream is read
        report.add(done, chunk)
        self.rows += sum(map(len, chunk.rows.values()))

    def _at_hand(self, opened: ExitStack) -> Reading:
        session = opened.enter_context(reading(self.engine))
        return Reading(self.odoo, self.mapping, self.directory, session, self.settings, self.now)

    def _show(self, report: StreamReport, total: int) -> None:
        start, share = self.share
        done = min(report.units / total, 1.0) if total else 1.0
        self.on_progress(start + share * done, self.rows)

    # --- Comparing ---

    def _compare(self, stream: Stream, report: StreamReport) -> None:
        """Withdraw the facts of records that are gone, and part with companies that are."""
        gone = comparing.find_gone(self.engine, self.odoo, stream, even_many=self.even_many)
        chunk = Chunk(stream)
        today = self.now.astimezone(self.settings.zone).date().isoformat()

        def work(session: Session) -> Done:
            rows, codes = comparing.part_with(session, gone.records, on=today, now=self.now)
            read_again(session, {"facts_of": codes}, other_than=stream.name)
            chunk.add(Told(rows={"partners": rows} if rows else {}, withdrawn=gone.facts), ())
            session.get_one(OdooCursor, stream.name).compared_at = self.now
            return chunk.take(session, None, self.settings, self.now)

        report.add(transact(self.engine, work), chunk)
