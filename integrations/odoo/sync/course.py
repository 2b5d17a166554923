"""The course of a run: which units are read, in which order, and where it stands at any moment.

A run goes in legs. `all` pages through the unit's own model by id, for the first reading; `known:`
through what we hold, for what a changed mapping leaves out now. A leg of a watched model pages
through what changed in it since the last run, by id, so that rows that move meanwhile are neither
lost nor read twice. `again` reads what Odoo doesn't say has changed. The place after each step is
kept with what the step told, so that a run that was cut off goes on there. The clock is Odoo's own:
its newest moment of writing when the run began is how far it will have read, less some minutes that
the next run reads again, for what was being written just then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integrations.odoo.state import OdooCursor
from integrations.odoo.streams import Stream, Watched
from integrations.odoo.sync.held import held_facts, held_records
from integrations.odoo.values import id_of
from partner_cx.kinds import KINDS

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

OVERLAP = timedelta(minutes=10)  # longer than a transaction of Odoo's usually takes
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # read until then: all there was, which was nothing
ALL, KNOWN, AGAIN = "all", "known:", "again"  # behind KNOWN stands a kind of fact
IDS_AT_ONCE = 10  # pages of rows: ids are light
MESSAGE = "mail.message"
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

    def through_all(self, known: Sequence[str]) -> Place:
        """The same run, going through all there is and all we know of besides."""
        others = (leg for leg in self.legs if leg != ALL)
        return Place((ALL, *(KNOWN + kind for kind in known), *others), 0, self.until)

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

    def and_then(self, other: Step) -> Step:
        """Both in one; what is settled is the later one's."""
        units = dict.fromkeys((*self.units, *other.units))
        return Step(tuple(units), other.place, other.settled)


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
        moments = [_newest(self.odoo, each) for each in self.watched]
        until = max(filter(None, moments), default=cursor.read_until or BEGINNING)
        # The newest message may be hidden: then there may be new ones before it.
        changed = [
            str(number)
            for number, (each, moment) in enumerate(zip(self.watched, moments, strict=True))
            if not (each.since and _is_settled(cursor, until))
            or (each.model == MESSAGE and moment is None)
        ]
        legs = [ALL] if cursor.read_until is None else changed
        return Place((*legs, AGAIN), 0, until)

    def steps(self, cursor: OdooCursor, place: Place) -> Iterator[Step]:
        """The steps from a place to the end of the run, each of about one request's units."""
        together = Step((), place)
        for step in self._steps(cursor, place):
            together = together.and_then(step)
            if len(together.units) >= self.stream.at_once or step.settled or not step.place.legs:
                yield together
                together = Step((), step.place)

    def _steps(self, cursor: OdooCursor, place: Place) -> Iterator[Step]:
        since = (cursor.read_until or BEGINNING) - OVERLAP
        while place.legs:
            leg = place.legs[0]
            if leg == AGAIN:
                yield from self._again(cursor.again or {}, place)
            elif leg == ALL:
                yield from self._paged(self.watched[0], (), place)
            elif leg.startswith(KNOWN):
                yield from self._known(leg.removeprefix(KNOWN), place)
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
            if not rows:
                hidden = self._last_hidden(watched, changed, after)
                if hidden is None:
                    return
                after = hidden

    def _last_hidden(self, watched: Watched, changed: tuple[Any, ...], after: int) -> int | None:
        """The last of the records that made a page empty; None where nothing comes after it.

        Odoo limits messages first, and then leaves those out that the account may not see: a page
        may be short, or empty, and go on all the same. Without a limit it tells all there are.
        """
        if watched.model != MESSAGE:
            return None
        domain = [("id", ">", after), *watched.domain, *changed]
        ids = self.odoo.search(watched.model, domain, archived=True)
        return ids[0] - 1 if ids else None

    def kinds(self) -> list[str]:
        """The kinds of fact whose records name units; of the network, which has none, “”."""
        if self.stream.of_partner is None:
            return [""]
        models = {each.model for each in self.watched}
        return [
            kind
            for kind, model in self.stream.identified.items()
            if model in models and "partner_id" in KINDS[kind].table.c
        ]

    def _known(self, kind: str, place: Place) -> Iterator[Step]:
        """The units of what we hold, by our own numbers; the network's companies, by Odoo's."""
        if not kind:
            model = self.watched[0].model
            for ids in held_records(self.engine, model, after=place.after, partners=True):
                for some in _pieces(ids, self.stream.at_once):
                    yield Step(tuple(some), Place(place.legs, some[-1], place.until))
            return
        for held in self._held(kind, after=place.after):
            units = self._units_of(kind, list(held.values()))
            yield Step(units, Place(place.legs, max(held), place.until))

    def _held(self, kind: str, **which: Any) -> Iterator[dict[int, int]]:
        return held_facts(self.engine, KINDS[kind].table, prefix=self.stream.prefix, **which)

    def _units_of(self, kind: str, ids: Sequence[int]) -> tuple[int, ...]:
        """The units that told facts, by the ids of the records these come from."""
        model = self.stream.identified[kind]
        named_by = next(each for each in self.watched if each.model == model)
        if named_by.field == "id":
            return tuple(sorted(ids))
        rows = self.odoo.read(model, ids, [named_by.field])
        return _units(self.odoo, named_by, rows)

    # --- Again ---

    def _again(self, again: Mapping[str, Sequence[Any]], place: Place) -> Iterator[Step]:
        """What must be read again though nothing of it has changed in Odoo."""
        for some in _pieces(sorted(again.get("units", ())), self.stream.at_once):
            yield Step(tuple(some), place, {"units": some})
        for code in sorted(again.get("facts_of", ())):
            told_them = {
                unit
                for kind in filter(None, self.kinds())
                for held in self._held(kind, of=code)
                for unit in self._units_of(kind, list(held.values()))
            }
            yield from self._and_settled(sorted(told_them), place, {"facts_of": [code]})
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


def _is_settled(cursor: OdooCursor, newest: datetime) -> bool:
    """Whether all that Odoo wrote until its newest moment was read, once it had been quiet a while.

    Without this a night's mass change would be read again all morning.
    """
    if newest != cursor.read_until or cursor.quiet_since is None or cursor.finished_at is None:
        return False
    return cursor.finished_at - cursor.quiet_since >= OVERLAP


def _newest(odoo: Odoo, watched: Watched) -> datetime | None:
    """When Odoo last wrote anything of a model that is watched."""
    if not watched.since:
        return None
    newest = odoo.search_read(
        watched.model,
        [*watched.domain, (watched.since, "!=", False)],
        [watched.since],
        limit=1,
        order=f"{watched.since} desc",
        archived=True,
    )
    moments = [datetime.fromisoformat(row[watched.since]) for row in newest]
    return moments[0].replace(tzinfo=UTC) if moments else None


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


def _pieces(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
