"""The course of a run: which units are read, in which order, and where it stands at any moment.

A run goes in legs. `all` pages through the unit's own model by id, for the first reading. A leg
of a watched model pages through what changed in it since the last run, by id, so that rows that
move meanwhile are neither lost nor read twice. `again` reads what Odoo doesn't say has changed.
The place after each step is kept with what the step told, so that a run that was cut off goes on
there. The clock is Odoo's own: its newest moment of writing when the run began is how far it will
have read, less some minutes that the next run reads again, for what was being written just then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.state import OdooCursor
from integrations.odoo.streams import SOURCE, Stream, Watched
from integrations.odoo.values import id_of
from partner_cx.database import reading
from partner_cx.kinds import KINDS
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Source

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

OVERLAP = timedelta(minutes=10)  # longer than a transaction of Odoo's usually takes
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # read until then: all there was, which was nothing
ALL, AGAIN = "all", "again"
IDS_AT_ONCE = 10  # pages of rows: ids are light
MOVED_AT_ONCE = 50  # partners whose records are read again together


@dataclass(frozen=True)
class Place:
    """Where a run stands. legs: those still to go, the first being under way, after an id of it.

    until: how far everything will have been read when the run is over, by Odoo's clock.
    """

    legs: tuple[str, ...]
    after: int
    until: datetime

    @classmethod
    def read(cls, position: Mapping[str, Any]) -> Place:
        until = datetime.fromisoformat(position["until"])
        return cls(tuple(position["legs"]), position["after"], until)

    def written(self) -> dict[str, Any]:
        return {"legs": [*self.legs], "after": self.after, "until": self.until.isoformat()}

    def with_all(self) -> Place:
        """The same run, going through everything besides."""
        return self if ALL in self.legs else Place((ALL, *self.legs), 0, self.until)

    def next_leg(self) -> Place:
        return Place(self.legs[1:], 0, self.until)


@dataclass(frozen=True)
class Step:
    """Some units to read, and where the run stands when they are in.

    settled: what needn't be read again any more, by its sort; see `OdooCursor.again`.
    """

    units: tuple[int, ...]
    place: Place
    settled: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """A stream's run through one Odoo. page_rows: records in one answer."""

    odoo: Odoo
    engine: sa.Engine
    stream: Stream
    watched: Sequence[Watched]
    page_rows: int

    def begin(self, cursor: OdooCursor) -> Place:
        """Where a run begins, or goes on that was cut off."""
        if cursor.position is not None:
            return Place.read(cursor.position)
        changed = [str(number) for number in range(len(self.watched))]
        legs = [ALL] if cursor.read_until is None else changed
        until = _newest(self.odoo, self.watched) or cursor.read_until or BEGINNING
        return Place((*legs, AGAIN), 0, until)

    def steps(self, cursor: OdooCursor, place: Place) -> Iterator[Step]:
        """The steps from a place to the end of the run."""
        since = (cursor.read_until or BEGINNING) - OVERLAP
        while place.legs:
            leg = place.legs[0]
            if leg == AGAIN:
                yield from self._again(cursor.again or {}, place)
            elif leg == ALL:
                yield from self._paged(self.watched[0], (), place)
            elif int(leg) < len(self.watched):
                watched = self.watched[int(leg)]
                yield from self._paged(watched, _since(watched, since), place)
            place = place.next_leg()
            yield Step((), place)

    def _paged(self, watched: Watched, changed: tuple[Any, ...], place: Place) -> Iterator[Step]:
        """A watched model's records by id; a step is so many that they make one request."""
        size = self.page_rows * IDS_AT_ONCE
        fields = [] if watched.field == "id" else [watched.field]
        after = place.after
        while True:
            rows = self.odoo.search_read(
                watched.model,
                [("id", ">", after), *watched.domain, *changed],
                fields,
                limit=size,
                archived=True,
            )
            for some in _pieces(rows, self.stream.at_once):
                units = _units(self.odoo, watched, some)
                after = some[-1]["id"]
                yield Step(units, Place(place.legs, after, place.until))
            if len(rows) < size:
                return

    # --- Again ---

    def _again(self, again: Mapping[str, Sequence[Any]], place: Place) -> Iterator[Step]:
        """What must be read again though nothing of it has changed in Odoo."""
        for some in _pieces(sorted(again.get("units", ())), self.stream.at_once):
            yield Step(tuple(some), place, {"units": some})
        for code in sorted(again.get("facts_of", ())):
            units = self._units_of_facts(code)
            yield from self._and_settled(units, place, {"facts_of": [code]})
        for partners in _pieces(sorted(again.get("partners", ())), MOVED_AT_ONCE):
            units = self._units_of_partners(partners)
            yield from self._and_settled(units, place, {"partners": partners})

    def _and_settled(
        self, units: Sequence[int], place: Place, settled: Mapping[str, Sequence[Any]]
    ) -> Iterator[Step]:
        for some in _pieces(units, self.stream.at_once):
            yield Step(tuple(some), place)
        yield Step((), place, settled)

    def _units_of_partners(self, partners: Sequence[int]) -> list[int]:
        """The units of companies, of their people, and of persons."""
        if self.stream.of_partner is None:
            return []
        own = self.watched[0]
        domain = ["|", ("id", "in", partners), ("commercial_partner_id", "in", partners)]
        people = self.odoo.search("res.partner", domain, archived=True)
        units: set[int] = set()
        for some in _pieces(people, self.page_rows):
            theirs = [*own.domain, (self.stream.of_partner, "in", some)]
            units |= set(self.odoo.search(own.model, theirs, archived=True))
        return sorted(units)

    def _units_of_facts(self, code: str) -> list[int]:
        """The units that told the facts we hold of a partner."""
        units: set[int] = set()
        for kind, model in self.stream.identified.items():
            named_by = next((each for each in self.watched if each.model == model), None)
            if named_by is None or "partner_id" not in KINDS[kind].table.c:
                continue
            with reading(self.engine) as session:
                ids = [*_records_of_facts(session, KINDS[kind].table, code)]
            fields = [] if named_by.field == "id" else [named_by.field]
            for some in _pieces(ids, self.page_rows):
                units |= set(_units(self.odoo, named_by, self.odoo.read(model, some, fields)))
        return sorted(units)


def _newest(odoo: Odoo, watched: Sequence[Watched]) -> datetime | None:
    """When Odoo last wrote anything that is watched."""
    moments = []
    for each in watched:
        if each.since:
            newest = odoo.search_read(
                each.model,
                [*each.domain, (each.since, "!=", False)],
                [each.since],
                limit=1,
                order=f"{each.since} desc",
                archived=True,
            )
            moments += [row[each.since] for row in newest]
    return datetime.fromisoformat(max(moments)).replace(tzinfo=UTC) if moments else None


def _since(watched: Watched, since: datetime) -> tuple[Any, ...]:
    if not watched.since:
        return ()
    moment = max(since, BEGINNING).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return ((watched.since, ">=", moment),)


def _units(odoo: Odoo, watched: Watched, rows: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """The units that records name."""
    named = {row["id"] if watched.field == "id" else id_of(row[watched.field]) for row in rows}
    ids = sorted(number for number in named if number)
    if watched.through is None or not ids:
        return tuple(ids)
    model, _, many2one = watched.through.rpartition(".")
    through = {id_of(row[many2one]) for row in odoo.read(model, ids, [many2one])}
    return tuple(sorted(number for number in through if number))


def _records_of_facts(session: Session, table: sa.Table, code: str) -> Iterator[int]:
    facts = (
        sa.select(table.c.source_id)
        .join(Source, Source.id == table.c.source)
        .join(Partner, Partner.id == table.c.partner_id)
        .where(Source.code == SOURCE, Partner.code == code)
    )
    for source_id in session.scalars(facts):
        if source_id.isdecimal():
            yield int(source_id)


def _pieces(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
