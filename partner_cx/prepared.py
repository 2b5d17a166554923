"""Statements that are put into words once, and said straight to the driver.

For the few that every event needs. What SQLAlchemy does on the way to the driver and back costs
several times what the database takes to answer them; it is done here when a statement is first
said on a kind of database, and never again.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

Processor = Callable[[Any], Any]


class Prepared:
    """A statement of Core whose values are all bound by name; an INSERT names those it gives.

    It runs in the session's transaction and flushes nothing before. Whoever listens to the engine
    hears it, and it fails as SQLAlchemy fails. Defaults that Python would compute aren't: give
    every value.
    """

    def __init__(self, statement: Any, *, given: Iterable[str] = ()) -> None:
        self._statement = statement
        self._given = list(given) or None
        self._worded: dict[str, _Worded] = {}

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[Any]:
        """What it finds, or returns: rows with the names of its columns."""
        line = _line_of(session)
        dialect = line.connection.dialect
        worded = self._worded.get(dialect.name)
        if worded is None:
            worded = _put_into_words(self._statement, self._given, dialect)
            self._worded[dialect.name] = worded
        return worded.said(line, worded.bound(values))

    def one(self, session: Session, values: Mapping[str, Any]) -> Any | None:
        """The only row, or None where there is none."""
        rows = self.rows(session, values)
        assert len(rows) <= 1, "it was to find one row"
        return rows[0] if rows else None


class _Line(NamedTuple):
    """The way to the driver in one transaction, asked for once: that, too, takes its time."""

    transaction: SessionTransaction | None
    connection: sa.Connection
    cursor: Any


def _line_of(session: Session) -> _Line:
    line: _Line | None = session.info.get(_LINE)
    transaction = session.get_transaction()
    if not (line and transaction and line.transaction is transaction and transaction.is_active):
        connection = session.connection()
        cursor = connection.connection.cursor()
        line = session.info[_LINE] = _Line(session.get_transaction(), connection, cursor)
    return line


_LINE = "prepared.line"


@dataclass
class _Worded:
    """A statement in the words of one kind of database.

    names: of the values, in the order in which they are bound; None: by name.
    makes: what makes a value the driver's, by its name. constants: what is the same each time.
    returns: whether anything comes back. columns: what; a text of one's own doesn't say.
    reading: how to read it, as is known once something came.
    """

    sql: str
    names: Sequence[str] | None
    makes: Sequence[tuple[str, Processor]]
    constants: Mapping[str, Any]
    returns: bool
    columns: Sequence[Any]
    reading: _Reading | None = None

    def bound(self, values: Mapping[str, Any]) -> Any:
        every = {**self.constants, **values}
        for name, make in self.makes:
            every[name] = make(every[name])
        return every if self.names is None else [every[name] for name in self.names]

    def said(self, line: _Line, bound: Any) -> list[Any]:
        _, connection, cursor = line
        for listener in connection.engine.dispatch.before_cursor_execute:
            listener(connection, cursor, self.sql, bound, None, False)
        try:
            cursor.execute(self.sql, bound)
            if not self.returns:
                return []
            self.reading = self.reading or _reading(self.columns, cursor, connection.dialect)
            return [self.reading.read(each) for each in cursor.fetchall()]
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, self.sql, bound, connection.dialect) from error


@dataclass(frozen=True)
class _Reading:
    """row: makes a row of what the driver returns. makes: what makes its values ours, by place."""

    row: Callable[[Iterable[Any]], Any]
    makes: Sequence[tuple[int, Processor]]

    def read(self, found: Sequence[Any]) -> Any:
        if not self.makes:
            return self.row(found)
        values = list(found)
        for place, make in self.makes:
            values[place] = make(values[place])
        return self.row(values)


def _put_into_words(statement: Any, given: list[str] | None, dialect: sa.Dialect) -> _Worded:
    compiled = statement.compile(dialect=dialect, column_keys=given)
    makes = {
        name: _impl(bind.type, dialect).bind_processor(dialect)
        for name, bind in compiled.binds.items()
    }
    columns = list(getattr(statement, "exported_columns", ()))
    return _Worded(
        sql=str(compiled),
        names=compiled.positiontup if compiled.positional else None,
        makes=[(name, make) for name, make in makes.items() if make],
        constants=dict(compiled.params),
        returns=isinstance(statement, sa.TextClause) or len(columns) > 0,
        columns=columns,
    )


def _reading(columns: Sequence[Any], cursor: Any, dialect: sa.Dialect) -> _Reading:
    """How to read what a cursor tells of: its driver knows the types, SQLAlchemy what to do."""
    makes = [
        _impl(column.type, dialect).result_processor(dialect, told[1])
        for column, told in zip(columns, cursor.description, strict=False)
    ]
    return _Reading(
        _row_of([column.key for column in columns]),
        [(place, make) for place, make in enumerate(makes) if make],
    )


def _impl(type_: Any, dialect: sa.Dialect) -> Any:
    return type_.dialect_impl(dialect)


def _row_of(names: Sequence[str]) -> Callable[[Iterable[Any]], Any]:
    """A maker of rows; what has no names, as a text of one's own, comes as it is."""
    row: Any = namedtuple("Row", names, rename=True) if names else None
    return row._make if row else tuple


def _as_sqlalchemy(error: Exception, sql: str, bound: Any, dialect: sa.Dialect) -> BaseException:
    return DBAPIError.instance(sql, bound, error, dialect.loaded_dbapi.Error, dialect=dialect)
