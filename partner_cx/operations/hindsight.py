"""Facts as they were known after an import, for whoever explains what was decided then.

A fact that nobody corrected since is read from its own table; one that was corrected is read from
the revision that held at the time. What was learned later isn't there at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from partner_cx.frames import read_frame
from partner_cx.operations.revisions import Revision

AT_ONCE = 10_000  # values in one statement; both databases take more


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
    Returns the table's columns, and `corrected_since`: whether a later import says otherwise.
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
        return _typed(pd.DataFrame(columns=[*table.columns.keys(), "corrected_since"]), table)
    return pd.concat(frames, ignore_index=True)


def _never_corrected(
    session: Session, table: sa.Table, among: Among, between: Sequence[Between], known_until: int
) -> pd.DataFrame:
    wanted = sa.select(table).where(
        among.of_now(table),
        *(each.of_now(table) for each in between),
        table.c.import_id <= known_until,
    )
    return _typed(read_frame(session, wanted).assign(corrected_since=False), table)


def _corrected(
    session: Session,
    table: sa.Table,
    kind: str,
    among: Among,
    between: Sequence[Between],
    known_until: int,
) -> pd.DataFrame:
    held = sa.select(Revision.fact_id, Revision.import_id, Revision.contents).where(
        Revision.kind == kind,
        among.of_then(),
        Revision.import_id <= known_until,
        Revision.superseded_by > known_until,
    )
    rows = [
        {"id": fact_id, "import_id": import_id, **contents}
        for fact_id, import_id, contents in session.execute(held)
    ]
    frame = pd.DataFrame(rows, columns=list(table.columns.keys())).assign(corrected_since=True)
    frame = _typed(frame, table)
    for each in between:
        frame = frame[each.holds(frame)]
    return frame


def _typed(frame: pd.DataFrame, table: sa.Table) -> pd.DataFrame:
    """The same columns in the same types, however the rows came."""
    kinds = {column.name: _kind(column.type) for column in table.columns}
    for name, kind in kinds.items():
        if "UTC" in kind:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")
        elif kind.startswith("datetime"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601")
    return frame.astype(kinds | {"corrected_since": "bool"})


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
