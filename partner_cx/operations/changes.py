"""Changes: which facts were told, corrected or withdrawn after a moment, and what they said before.

Before: the fact tables and their revisions. After: a restatement, which names the facts that made
a closed period's figures come out differently today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.operations.facts import OrderLine
from partner_cx.operations.imports import Import, Source
from partner_cx.operations.merging import Keeping
from partner_cx.operations.revisions import Revision, plain

SHOWN = 50
PARTNERS_AT_ONCE = 200
FACTS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Change:
    """A fact that says something else than it did, that nobody had told, or that is gone.

    then, now: the columns that differ, as `revisions.plain` writes them; `then` is None where the
        fact wasn't known, and `now` has all that was told; `now` is None where it was withdrawn,
        and `then` has all that it said.
    file_name, told_at: the import that made it say what it says, or withdrew it.
    """

    kind: str
    source: str
    source_id: str
    then: Mapping[str, object] | None
    now: Mapping[str, object] | None
    file_name: str
    told_at: datetime
    import_id: int


@dataclass(frozen=True)
class Changes:
    """The facts that changed: how many there are, and the first of them."""

    total: int = 0
    facts: tuple[Change, ...] = ()

    def __add__(self, other: Changes) -> Changes:
        return Changes(self.total + other.total, (*self.facts, *other.facts)[:SHOWN])


def facts_changed(
    session: Session,
    kind: Keeping,
    *,
    partners: Collection[int],
    first: date,
    last: date,
    since: int,
) -> dict[int, Changes]:
    """The facts of a kind, of some partners, that changed after an import; by partner.

    first, last: the days they lie or lay on, both included. A fact that went from one partner to
        another is told of both.
    since: the id of the last import that was known.
    """
    facts = _Facts(kind, first, last, since)
    found: dict[int, Changes] = {}
    for some in _pieces(sorted(partners), PARTNERS_AT_ONCE):
        ids: dict[int, set[int]] = defaultdict(set)
        for partner, fact in [*facts.now(session, some), *facts.then(session, some)]:
            ids[partner].add(fact)
        shown = {partner: sorted(of_partner)[:SHOWN] for partner, of_partner in ids.items()}
        told = facts.told(session, sorted({fact for each in shown.values() for fact in each}))
        for partner, of_partner in ids.items():
            changes = [told[fact] for fact in shown[partner] if fact in told]
            unchanged = len(shown[partner]) - len(changes)  # corrected, and corrected back
            if changes:
                found[partner] = Changes(len(of_partner) - unchanged, tuple(changes))
    return found


@dataclass(frozen=True)
class _Facts:
    """The facts of a kind that lie between two days, as they are now and as they were."""

    kind: Keeping
    first: date
    last: date
    since: int

    @property
    def table(self) -> sa.Table:
        return self.kind.table

    @property
    def is_receipt(self) -> bool:
        """A receipt lies where its order line does."""
        return "order_line_id" in self.table.c

    @property
    def days(self) -> tuple[str, ...]:
        return tuple(day for day in self.kind.days if day in self.table.c)

    def now(self, session: Session, partners: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Those a later import told or corrected, and that lie there now: partner, fact."""
        place: Any = OrderLine.__table__ if self.is_receipt else self.table
        wanted = sa.select(place.c.partner_id, self.table.c.id)
        if self.is_receipt:
            wanted = wanted.join(place, place.c.id == self.table.c.order_line_id)
        days = ("window_end",) if self.is_receipt else self.days
        wanted = wanted.where(
            place.c.partner_id.in_(partners),
            sa.or_(*(place.c[day].between(self.first, self.last) for day in days)),
            self.table.c.import_id > self.since,
        )
        yield from session.execute(wanted)

    def then(self, session: Session, partners: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Those that lay there then and were corrected since: partner, fact."""
        if self.is_receipt:
            yield from self._receipts_then(session, partners)
            return
        wanted = sa.select(Revision.partner_id, Revision.fact_id, Revision.contents).where(
            *self._held_then(), Revision.partner_id.in_(partners)
        )
        for partner, fact, contents in session.execute(wanted):
            if any(self._lies_within(contents.get(day)) for day in self.days):
                yield partner or 0, fact

    def _receipts_then(
        self, session: Session, partners: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        line = Revision.contents["order_line_id"].as_integer()
        wanted = (
            sa.select(OrderLine.partner_id, Revision.fact_id)
            .join(OrderLine, OrderLine.id == line)
            .where(
                *self._held_then(),
                OrderLine.partner_id.in_(partners),
                OrderLine.window_end.between(self.first, self.last),
            )
        )
        yield from session.execute(wanted)
        yield from self._of_withdrawn_lines(session, partners)

    def _of_withdrawn_lines(
        self, session: Session, partners: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        line = aliased(Revision)
        end = line.contents["window_end"].as_string()
        wanted = (
            sa.select(line.partner_id, Revision.fact_id)
            .join(line, line.fact_id == Revision.contents["order_line_id"].as_integer())
            .where(
                *self._held_then(),
                *_held(line, "order-lines", self.since),
                line.partner_id.in_(partners),
                end.between(self.first.isoformat(), self.last.isoformat()),
                ~sa.exists().where(OrderLine.id == line.fact_id),
            )
        )
        for partner, receipt in session.execute(wanted):
            yield partner or 0, receipt

    def told(self, session: Session, ids: Sequence[int]) -> dict[int, Change]:
        """What each fact says otherwise now; one that says the same again is left out.

        One that was withdrawn and told anew is told of once, under its former id.
        """
        found: dict[int, Change] = {}
        anew: set[int] = set()
        for some in _pieces(ids, FACTS_AT_ONCE):
            before = self._before(session, some)
            there = {row["id"]: row for row in self._rows(session, self.table.c.id.in_(some))}
            for number, row in there.items():
                found |= self._told(number, row, before.get(number))
            gone = {number: then for number, then in before.items() if number not in there}
            again = self._told_anew(session, gone)
            for number, row in again.items():
                found |= self._told(number, row, gone.pop(number), anew=True)
            found |= self._withdrawn(session, gone)
            anew |= {row["id"] for row in again.values()}
        return {number: change for number, change in found.items() if number not in anew}

    def _before(self, session: Session, ids: Sequence[int]) -> dict[int, dict[str, object]]:
        held = sa.select(Revision.fact_id, Revision.contents)
        held = held.where(*self._held_then(), Revision.fact_id.in_(ids))
        return dict(session.execute(held).all())

    def _rows(self, session: Session, *which: sa.ColumnElement[bool]) -> Sequence[Any]:
        """Facts as they are, with the import that told them."""
        wanted = (
            sa.select(self.table, Source.code, Import.file_name, Import.imported_at)
            .join(Import, Import.id == self.table.c.import_id)
            .join(Source, Source.id == self.table.c.source)
        )
        return session.execute(wanted.where(*which)).mappings().all()

    def _told(
        self, number: int, row: Mapping[str, Any], then: Any, *, anew: bool = False
    ) -> dict[int, Change]:
        now = {name: plain(row[name]) for name in self._columns}
        if anew:
            now.pop("order_line_id", None)  # its line was told anew, too
        if then is not None:
            then, now = _differing(then, now, self.kind.derived)
        told = {name: value for name, value in now.items() if then or value is not None}
        change = Change(
            self.kind.name,
            row["code"],
            row["source_id"],
            then,
            told,
            row["file_name"],
            row["imported_at"],
            row["import_id"],
        )
        return {number: change} if now else {}

    def _told_anew(self, session: Session, gone: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """Those of the withdrawn facts that their source told anew, as they are now."""
        if not gone:
            return {}
        known = self.table.c
        rows = self._rows(
            session,
            known.source.in_({then["source"] for then in gone.values()}),
            known.source_id.in_({then["source_id"] for then in gone.values()}),
        )
        by_key = {(row["source"], row["source_id"]): row for row in rows}
        return {
            number: by_key[then["source"], then["source_id"]]
            for number, then in gone.items()
            if (then["source"], then["source_id"]) in by_key
        }

    def _withdrawn(
        self, session: Session, gone: Mapping[int, Mapping[str, Any]]
    ) -> dict[int, Change]:
        """Those that are there no more. Receipts that went with their line are left to it."""
        if not gone:
            return {}
        if self.is_receipt:
            lines = {then["order_line_id"] for then in gone.values()}
            there = set(session.scalars(sa.select(OrderLine.id).where(OrderLine.id.in_(lines))))
            gone = {id_: then for id_, then in gone.items() if then["order_line_id"] in there}
        last = (
            sa.select(Revision.fact_id, Import.id, Import.file_name, Import.imported_at)
            .join(Import, Import.id == Revision.superseded_by)
            .where(Revision.kind == self.kind.name, Revision.withdrawn)
        )
        sources = dict(session.execute(sa.select(Source.id, Source.code)).all())
        return {
            row.fact_id: Change(
                self.kind.name,
                sources[then["source"]],
                then["source_id"],
                {name: then.get(name) for name in self._columns},
                None,
                row.file_name,
                row.imported_at,
                row.id,
            )
            for row in session.execute(last.where(Revision.fact_id.in_(gone)))
            for then in [gone[row.fact_id]]
        }

    @property
    def _columns(self) -> list[str]:
        ours = {"id", "source", "source_id", "import_id"}
        return [column.name for column in self.table.columns if column.name not in ours]

    def _held_then(self) -> tuple[sa.ColumnElement[bool], ...]:
        return _held(Revision, self.kind.name, self.since)

    def _lies_within(self, day: object) -> bool:
        return isinstance(day, str) and self.first.isoformat() <= day <= self.last.isoformat()


def _held(revision: Any, kind: str, since: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Whether a revision of a kind held after an import."""
    return (
        revision.kind == kind,
        revision.import_id <= since,
        revision.superseded_by > since,
    )


def _differing(
    then: Mapping[str, object], now: Mapping[str, object], derived: Iterable[str]
) -> tuple[dict[str, object], dict[str, object]]:
    """The columns that differ; what follows from others only where nothing else does."""
    names = [name for name in now if then.get(name) != now[name]]
    told = [name for name in names if name not in set(derived)] or names
    return {name: then.get(name) for name in told}, {name: now[name] for name in told}


def _pieces(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
