"""Statements that are put into words once, and said straight to the driver.

For the few that every event needs. What SQLAlchemy does on the way to the driver and back costs
several times what the database takes to answer them; it is done here when a statement is first
said on a kind of database, and never again.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
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
        worded = self._worded.get(line.dialect.name)
        if worded is None:
            worded = _put_into_words(self._statement, self._given, line.dialect)
            self._worded[line.dialect.name] = worded
        return worded.said(line, worded.bound(values))

    def one(self, session: Session, values: Mapping[str, Any]) -> Any | None:
        """The only row, or None where there is none."""
        rows = self.rows(session, values)
        assert len(rows) <= 1, "it was to find one row"
        return rows[0] if rows else None


class _Line(NamedTuple):
    """The way to the driver in one transaction, asked for once: that, too, takes its time.

    savepoint: the session's innermost one, if any; it begins by being asked for its connection.
    listeners: who listened to the engine then.
    """

    savepoint: SessionTransaction | None
    transaction: sa.Transaction
    connection: sa.Connection
    cursor: Any
    dialect: sa.Dialect
    listeners: tuple[Callable[..., Any], ...]


def _line_of(session: Session) -> _Line:
    line: _Line | None = session.info.get(_LINE)
    savepoint = session.get_nested_transaction()
    if not (line and line.savepoint is savepoint and line.transaction.is_active):
        line = session.info[_LINE] = _open_line(session)
    return line


def _open_line(session: Session) -> _Line:
    connection = session.connection()
    transaction = connection.get_nested_transaction() or connection.get_transaction()
    assert transaction, "a connection that was asked for has begun"
    return _Line(
        session.get_nested_transaction(),
        transaction,
        connection,
        connection.connection.cursor(),
        connection.dialect,
        tuple(connection.engine.dispatch.before_cursor_execute),
    )


_LINE = "prepared.line"


@dataclass
class _Worded:
    """A statement in the words of one kind of database.

    picked: takes the values that are bound, in their order; None: they are bound by name.
    makes: what makes a value the driver's, by its name, or by its place where they have one.
    constants: what is the same each time.
    returns: whether anything comes back. columns: what; a text of one's own doesn't say.
    reading: how to read it, as is known once something came.
    """

    sql: str
    picked: Callable[[Mapping[str, Any]], Iterable[Any]] | None
    makes: Sequence[tuple[Any, Processor]]
    constants: Mapping[str, Any]
    returns: bool
    columns: Sequence[Any]
    reading: _Reading | None = None

    def bound(self, values: Mapping[str, Any]) -> Any:
        every = {**self.constants, **values} if self.constants else values
        bound: Any = dict(every) if self.picked is None else list(self.picked(every))
        for place, make in self.makes:
            bound[place] = make(bound[place])
        return bound

    def said(self, line: _Line, bound: Any) -> list[Any]:
        for listener in line.listeners:
            listener(line.connection, line.cursor, self.sql, bound, None, False)
        try:
            line.cursor.execute(self.sql, bound)
            if not self.returns:
                return []
            self.reading = self.reading or _reading(self.columns, line.cursor, line.dialect)
            return self.reading.read(line.cursor.fetchall())
        except line.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, self.sql, bound, line.dialect) from error


@dataclass(frozen=True)
class _Reading:
    """row: makes a row of what the driver returns. makes: what makes its values ours, by place."""

    row: Callable[[Iterable[Any]], Any]
    makes: Sequence[tuple[int, Processor]]

    def read(self, found: Iterable[Sequence[Any]]) -> list[Any]:
        if self.makes:
            found = [self._made(each) for each in found]
        return [*map(self.row, found)]

    def _made(self, found: Sequence[Any]) -> list[Any]:
        values = list(found)
        for place, make in self.makes:
            values[place] = make(values[place])
        return values


def _put_into_words(statement: Any, given: list[str] | None, dialect: sa.Dialect) -> _Worded:
    compiled = statement.compile(dialect=dialect, column_keys=given)
    order = compiled.positiontup if compiled.positional else None
    makes = {
        name: make
        for bind, name in compiled.bind_names.items()
        if (make := _impl(bind.type, dialect).bind_processor(dialect))
    }
    columns = list(getattr(statement, "exported_columns", ()))
    return _Worded(
        sql=str(compiled),
        picked=None if order is None else _picking(order),
        makes=list(
            makes.items()
            if order is None
            else ((place, makes[name]) for place, name in enumerate(order) if name in makes)
        ),
        constants={
            name: compiled.params[name]
            for bind, name in compiled.bind_names.items()
            if not bind.required
        },
        returns=isinstance(statement, sa.TextClause) or len(columns) > 0,
        columns=columns,
    )


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """What takes the values of some names, in their order."""
    if len(names) == 1:  # of one name, an itemgetter gives the value itself
        return lambda values: (values[names[0]],)
    return itemgetter(*names) if names else lambda _values: ()


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
    if not names:
        return tuple
    # What a named tuple's own `_make` comes to, without a function of Python's for each row.
    return partial(tuple.__new__, namedtuple("Row", names, rename=True))


def _as_sqlalchemy(error: Exception, sql: str, bound: Any, dialect: sa.Dialect) -> BaseException:
    return DBAPIError.instance(sql, bound, error, dialect.loaded_dbapi.Error, dialect=dialect)
