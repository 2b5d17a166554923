"""Statements that are put into words once, and said straight to the driver.

For the few that every event needs, or every visit of a page. What SQLAlchemy does on the way to the
driver and back costs several times what the database takes to answer them; it is done here when a
statement is first said on a kind of database, and never again.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from types import FunctionType
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from partner_cx.database import BEGUN

Processor = Callable[[Any], Any]


class Prepared:
    """A statement of Core whose values are all bound by name; an INSERT names those it gives.

    It runs in the session's transaction and flushes nothing before. Whoever listens to the engine
    hears it, and it fails as SQLAlchemy fails. Defaults that Python would compute aren't: give
    every value.
    """

    def __init__(
        self,
        statement: Any,
        *,
        given: Iterable[str] = (),
        into: Callable[[Any], Any] | None = None,
        remembered: int = 10_000,
    ) -> None:
        """Nothing is put into words yet.

        statement: or a function that makes it for a dialect, where they differ.
        into: what is made of a row of hashable values, where that never changes: it is made once
            of equal rows. remembered: of so many.
        """
        self._statement = statement
        self._given = list(given) or None
        self._into = _Into(into, remembered) if into else None
        self._worded: dict[str, _Worded] = {}

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[Any]:
        """What it finds, or returns: rows with the names of its columns."""
        line: _Line | None = session.info.get(_LINE)
        if not (
            line
            and line.transaction.is_active
            and line.savepoint is session.get_nested_transaction()
        ):
            line = session.info[_LINE] = _open_line(session)
        worded = self._worded.get(line.database) or self._put_into_words(line)
        bound = worded.bind(values)
        for listener in line.listeners:
            listener(line.connection, line.cursor, worded.sql, bound, None, False)
        try:
            line.cursor.execute(worded.sql, bound)
            if not worded.returns:
                return []
            read = worded.read or worded.learn_to_read(line)
            return read(line.cursor.fetchall())
        except line.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, worded.sql, bound, line.dialect) from error

    def one(self, session: Session, values: Mapping[str, Any]) -> Any | None:
        """The only row, or None where there is none."""
        rows = self.rows(session, values)
        assert len(rows) <= 1, "it was to find one row"
        return rows[0] if rows else None

    def _put_into_words(self, line: _Line) -> _Worded:
        differs = isinstance(self._statement, FunctionType)
        statement = self._statement(line.dialect) if differs else self._statement
        worded = _put_into_words(statement, self._given, self._into, line.dialect)
        return self._worded.setdefault(line.database, worded)


def among(column: Any, name: str, count: int) -> Any:
    """Whether a column is one of so many values, each bound by its own name; see `spread`."""
    return column.in_([sa.bindparam(f"{name}_{n}", type_=column.type) for n in range(count)])


def spread(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """Values under the names that `among` gives them."""
    return {f"{name}_{n}": value for n, value in enumerate(values)}


def insert_new(table: Any, dialect: sa.Dialect) -> Any:
    """An INSERT of rows with keys; those whose key is there already are left out."""
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing(index_elements=["key"])


class _Line(NamedTuple):
    """The way to the driver in one transaction, asked for once: that, too, takes its time.

    savepoint: the session's innermost one, if any; it begins by being asked for its connection.
    database: its kind. listeners: who listened to the engine then.
    """

    savepoint: SessionTransaction | None
    transaction: sa.Transaction
    connection: sa.Connection
    cursor: Any
    dialect: sa.Dialect
    database: str
    listeners: tuple[Callable[..., Any], ...]


def _open_line(session: Session) -> _Line:
    begun: sa.Connection | None = session.info.get(BEGUN)
    # A session that is asked for its connection begins a transaction of its own, within that one.
    alone = begun and begun.in_transaction() and not session.in_transaction()
    connection = begun if begun and alone else session.connection()
    transaction = connection.get_nested_transaction() or connection.get_transaction()
    assert transaction, "a connection that was asked for has begun"
    return _Line(
        session.get_nested_transaction(),
        transaction,
        connection,
        connection.connection.cursor(),
        connection.dialect,
        connection.dialect.name,
        tuple(connection.engine.dispatch.before_cursor_execute),
    )


_LINE = "prepared.line"


class _Into(NamedTuple):
    """What is made of a row, and of how many different ones it is remembered."""

    make: Callable[[Any], Any]
    remembered: int


@dataclass
class _Worded:
    """A statement in the words of one kind of database.

    bind: makes what the driver is handed of values by name.
    returns: whether anything comes back. columns: what; a text of one's own doesn't say.
    into: what is made of each row.
    read: makes rows of what the driver hands back; None until something came.
    """

    sql: str
    bind: Callable[[Mapping[str, Any]], Any]
    returns: bool
    columns: Sequence[Any]
    into: _Into | None
    read: Callable[[Sequence[Any]], list[Any]] | None = None

    def learn_to_read(self, line: _Line) -> Callable[[Sequence[Any]], list[Any]]:
        """Its driver knows the types of what came, SQLAlchemy what to do with them."""
        told = [description[1] for description in line.cursor.description]
        self.read = _reading(self.columns, told, self.into, line.dialect)
        return self.read


def _put_into_words(
    statement: Any,
    given: list[str] | None,
    into: _Into | None,
    dialect: sa.Dialect,
) -> _Worded:
    compiled = statement.compile(dialect=dialect, column_keys=given)
    columns = list(getattr(statement, "exported_columns", ()))
    return _Worded(
        sql=str(compiled),
        bind=_binding(compiled, dialect),
        returns=isinstance(statement, sa.TextClause) or len(columns) > 0,
        columns=columns,
        into=into,
    )


def _binding(compiled: Any, dialect: sa.Dialect) -> Callable[[Mapping[str, Any]], Any]:
    """What binds values: in their order where the driver counts them, and by name where not."""
    binds = compiled.bind_names.items()
    constants = {name: compiled.params[name] for bind, name in binds if not bind.required}
    makes = {
        name: make
        for bind, name in binds
        if (make := _impl(bind.type, dialect).bind_processor(dialect))
    }
    if not compiled.positional:
        return partial(_by_name, constants, makes)
    order = compiled.positiontup
    made = [(place, makes[name]) for place, name in enumerate(order) if name in makes]
    pick = _picking(order)
    return partial(_in_order, constants, pick, made) if constants or made else pick


def _by_name(
    constants: Mapping[str, Any], makes: Mapping[str, Processor], values: Mapping[str, Any]
) -> dict[str, Any]:
    bound = {**constants, **values}
    for name, make in makes.items():
        bound[name] = make(bound[name])
    return bound


def _in_order(
    constants: Mapping[str, Any],
    pick: Callable[[Mapping[str, Any]], Iterable[Any]],
    makes: Sequence[tuple[int, Processor]],
    values: Mapping[str, Any],
) -> list[Any]:
    bound = [*pick({**constants, **values} if constants else values)]
    for place, make in makes:
        bound[place] = make(bound[place])
    return bound


def _picking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """What takes the values of some names, in their order."""
    if len(names) < 2:  # of one name, an itemgetter gives the value itself
        return lambda values: [values[name] for name in names]
    return itemgetter(*names)


def _reading(
    columns: Sequence[Any],
    told: Sequence[Any],
    into: _Into | None,
    dialect: sa.Dialect,
) -> Callable[[Sequence[Any]], list[Any]]:
    """What makes rows of the driver's. told: the driver's types, by place."""
    row = _row_of([column.key for column in columns])
    makes = [
        (place, make)
        for place, (column, type_) in enumerate(zip(columns, told, strict=False))
        if (make := _impl(column.type, dialect).result_processor(dialect, type_))
    ]
    made = partial(_made, row, makes) if makes else row
    if into is None:
        return lambda found: [*map(made, found)]
    remembered = lru_cache(into.remembered)(lambda found: into.make(made(found)))
    return lambda found: [*map(remembered, found)]


def _made(
    row: Callable[[Iterable[Any]], Any],
    makes: Sequence[tuple[int, Processor]],
    found: Sequence[Any],
) -> Any:
    values = list(found)
    for place, make in makes:
        values[place] = make(values[place])
    return row(values)


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
