"""Facts as they were known after an import, for whoever explains or audits what was decided then.

A fact that nobody corrected since is read from its own table; one that was corrected or withdrawn
is read from the revision that held at the time. What was learned later isn't there at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session, aliased

from partner_cx.database import Exact
from partner_cx.frames import read_frame
from partner_cx.operations.former import keep_as_former, mark_former
from partner_cx.operations.imports import Import
from partner_cx.operations.merging import Keeping
from partner_cx.operations.revisions import Revision

AT_ONCE = 10_000  # values in one statement; both databases take more
SINCE = ("corrected_since", "withdrawn_since")  # what became of a fact later


@dataclass(frozen=True)
class Among:
    """A column has one of some values."""

    column: str
    values: Collection[int] | Collection[str]

    def of_now(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c[self.column].in_(self.values)

    def of_then(self) -> sa.ColumnElement[bool]:
        if self.column == "partner_id":
            return Revision.partner_id.in_(self.values)
        if self.column == "id":
            return Revision.fact_id.in_(self.values)
        said = Revision.contents[self.column]
        is_number = all(isinstance(value, int) for value in self.values)
        return (said.as_integer() if is_number else said.as_string()).in_(self.values)

    def in_pieces(self) -> Iterator[Among]:
        values: list[Any] = sorted(self.values)
        for start in range(0, len(values), AT_ONCE):
            yield Among(self.column, values[start : start + AT_ONCE])


@dataclass(frozen=True)
class Between:
    """A column has a day from the first to the last, both included."""

    column: str
    first: date
    last: date

    def of_now(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c[self.column].between(self.first, self.last)

    def holds(self, frame: pd.DataFrame) -> pd.Series:
        return frame[self.column].between(pd.Timestamp(self.first), pd.Timestamp(self.last))


def facts_known(
    session: Session,
    model: type[DeclarativeBase],
    kind: str,
    *,
    among: Among,
    between: Sequence[Between] = (),
    known_until: int,
) -> pd.DataFrame:
    """The facts of a kind that an import, and those before it, had told.

    kind: as files name it. known_until: the id of the last import that counts.
    Returns the table's columns, and `corrected_since`: whether a later import says otherwise, and
    `withdrawn_since`: whether the source no longer has it.
    """
    table: sa.Table = model.metadata.tables[model.__tablename__]
    frames = [
        frame
        for some in among.in_pieces()
        for frame in (
            _never_corrected(session, table, some, between, known_until),
            _corrected(session, table, kind, some, between, known_until),
        )
    ]
    if not frames:
        return _typed(pd.DataFrame(columns=[*table.columns.keys(), *SINCE]), table)
    return pd.concat(frames, ignore_index=True)


def _never_corrected(
    session: Session, table: sa.Table, among: Among, between: Sequence[Between], known_until: int
) -> pd.DataFrame:
    wanted = sa.select(table).where(
        among.of_now(table),
        *(each.of_now(table) for each in between),
        table.c.import_id <= known_until,
    )
    return _typed(read_frame(session, wanted).assign(**dict.fromkeys(SINCE, False)), table)


def _corrected(
    session: Session,
    table: sa.Table,
    kind: str,
    among: Among,
    between: Sequence[Between],
    known_until: int,
) -> pd.DataFrame:
    gone = _is_gone(table, kind).label("gone")
    held = sa.select(Revision.fact_id, Revision.import_id, Revision.contents, gone).where(
        Revision.kind == kind,
        among.of_then(),
        Revision.import_id <= known_until,
        Revision.superseded_by > known_until,
    )
    rows = [
        {"id": row.fact_id, "import_id": row.import_id, "withdrawn_since": row.gone, **row.contents}
        for row in session.execute(held)
    ]
    columns = [*table.columns.keys(), "withdrawn_since"]
    frame = pd.DataFrame(rows, columns=columns).assign(corrected_since=True)
    frame = _typed(frame, table)
    for each in between:
        frame = frame[each.holds(frame)]
    return frame


def _is_gone(table: sa.Table, kind: str) -> sa.ColumnElement[bool]:
    """Whether a revision's fact was withdrawn, and its source hasn't told it anew."""
    if not {"source", "source_id"} <= set(table.c.keys()):
        return sa.false()
    last = aliased(Revision)
    withdrawn = sa.exists().where(
        last.kind == kind, last.fact_id == Revision.fact_id, last.withdrawn
    )
    told_anew = sa.exists().where(
        table.c.source == Revision.contents["source"].as_integer(),
        table.c.source_id == Revision.contents["source_id"].as_string(),
    )
    return sa.and_(withdrawn, ~told_anew)


def _typed(frame: pd.DataFrame, table: sa.Table) -> pd.DataFrame:
    """The same columns in the same types, however the rows came."""
    kinds = {column.name: _kind(column.type) for column in table.columns}
    for name, kind in kinds.items():
        if "UTC" in kind:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
        elif kind.startswith("datetime"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame.astype(kinds | dict.fromkeys(SINCE, "bool"))


def _kind(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    match kind:
        case sa.DateTime():
            return "datetime64[us, UTC]"
        case sa.Date():
            return "datetime64[us]"
        case sa.Boolean():
            return "boolean"
        case sa.Integer():
            return "Int64"
    return "str"


# --- The tables themselves ----------------------------------------------------------------------

# What a row says of which nothing was known yet, where other rows may point at it: it is there,
# and counts for nothing.
UNKNOWN_YET: Mapping[str, Mapping[str, object]] = {
    "partners": {"joined_on": date.max, "left_on": None},
    "people": {"role": "rep", "partner_id": None},
}


def put_back(session: Session, kinds: Iterable[Keeping], *, known_until: int) -> int:
    """Make the fact tables say what an import, and those before it, had told.

    For a transaction that is undone, in which somebody measures as one would have then: what was
    learned since is lost in it. Cells that say something else are marked, for a refresh to tally.
    Going back step by step, from the newest moment to the oldest, touches each change once.
    Returns how many facts changed.
    """
    in_order = {table: place for place, table in enumerate(Revision.metadata.sorted_tables)}
    there = sorted(kinds, key=lambda kind: in_order[kind.table])
    changed = 0
    for kind in there:
        changed += _bring_back(session, kind, known_until)
        changed += _restore(session, kind, known_until)
    for kind in reversed(there):  # what points at others first
        changed += _forget(session, kind, known_until)
    session.execute(
        sa.update(Import)
        .where(Import.id > known_until)
        .values(taken=0, unchanged=0, corrected=0, refused=1, events_until=None)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return changed


def _bring_back(session: Session, kind: Keeping, known_until: int) -> int:
    """Put withdrawn facts back, under their own ids; mark where they stand.

    A fact that its source told anew has the same source_id, and is still to be forgotten: it
    makes way.
    """
    there = sa.select(kind.table.c.id).where(kind.table.c.id == Revision.fact_id)
    brought = 0
    for rows in _held(session, kind, known_until, ~there.exists()):
        facts = [
            {"id": row.fact_id, "import_id": row.import_id, **_values(kind.table, row.contents)}
            for row in rows
        ]
        _make_way(session, kind.table, facts)
        by_columns: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
        for fact in facts:
            by_columns[tuple(fact)].append(fact)
        for some in by_columns.values():
            session.connection().execute(sa.insert(kind.table), some)
        keep_as_former(session, kind.table, kind.table.c.id.in_([row.fact_id for row in rows]))
        mark_former(session, kind)
        brought += len(rows)
    return brought


def _make_way(session: Session, table: sa.Table, facts: Sequence[Mapping[str, Any]]) -> None:
    """Take their source_ids from the facts that came after withdrawn ones."""
    keys = [{"of": fact["source"], "called": fact["source_id"]} for fact in facts]
    other = table.c.source_id + " " + sa.cast(table.c.id, sa.Text)
    named = sa.update(table).where(
        table.c.source == sa.bindparam("of"), table.c.source_id == sa.bindparam("called")
    )
    session.connection().execute(named.values(source_id=other), keys)


def _restore(session: Session, kind: Keeping, known_until: int) -> int:
    """Let corrected facts say what they said; mark where they stood and where they stand."""
    otherwise = (
        sa.select(kind.table.c.id)
        .where(kind.table.c.id == Revision.fact_id, kind.table.c.import_id > known_until)
        .exists()
    )
    restored = 0
    for rows in _held(session, kind, known_until, otherwise):
        those = kind.table.c.id.in_([row.fact_id for row in rows])
        keep_as_former(session, kind.table, those)
        _say(session, kind.table, rows)
        mark_former(session, kind)
        keep_as_former(session, kind.table, those)
        mark_former(session, kind)
        restored += len(rows)
    return restored


def _held(
    session: Session, kind: Keeping, known_until: int, which: sa.ColumnElement[bool]
) -> Iterator[Sequence[Any]]:
    """Those of the revisions that held after an import, some at a time."""
    held = (
        sa.select(Revision.id, Revision.fact_id, Revision.import_id, Revision.contents)
        .where(
            Revision.kind == kind.name,
            Revision.import_id <= known_until,
            Revision.superseded_by > known_until,
            which,
        )
        .order_by(Revision.id)
        .limit(AT_ONCE)
    )
    last = 0
    while rows := session.execute(held.where(Revision.id > last)).all():
        last = rows[-1].id
        yield rows


def _say(session: Session, table: sa.Table, revisions: Sequence[Any]) -> None:
    """Write what revisions say into their facts; a column that one doesn't tell stays."""
    by_columns: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for row in revisions:
        said = {"import_id": row.import_id, **_values(table, row.contents)}
        by_columns[tuple(said)].append({"number": row.fact_id, **said})
    for names, facts in by_columns.items():
        update = sa.update(table).where(table.c.id == sa.bindparam("number"))
        session.connection().execute(
            update.values({name: sa.bindparam(name) for name in names}), facts
        )


def _forget(session: Session, kind: Keeping, known_until: int) -> int:
    """Take out facts that nobody had told; mark where they stood."""
    later = kind.table.c.import_id > known_until
    count = session.scalar(sa.select(sa.func.count()).select_from(kind.table).where(later)) or 0
    if not count:
        return 0
    keep_as_former(session, kind.table, later)
    if kind.table.name in UNKNOWN_YET:
        session.execute(sa.update(kind.table).where(later).values(UNKNOWN_YET[kind.table.name]))
    else:
        session.execute(sa.delete(kind.table).where(later))
    mark_former(session, kind)
    return count


def _values(table: sa.Table, contents: Mapping[str, Any]) -> dict[str, object]:
    """What a revision says, as the table's columns take it."""
    return {
        name: _value(table.c[name].type, said)
        for name, said in contents.items()
        if name in table.columns
    }


def _value(kind: sa.types.TypeEngine[Any], said: Any) -> object:
    if said is None:
        return None
    if isinstance(kind, Exact):
        return Fraction(said)
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    match kind:
        case sa.DateTime():
            return datetime.fromisoformat(said)
        case sa.Date():
            return date.fromisoformat(said)
        case sa.Boolean():
            return bool(said)
    return said
