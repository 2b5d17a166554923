"""SQLite as it is spoken here: we begin transactions ourselves, and days are written in C."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry, sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.characteristics import ConnectionCharacteristic

# Connections kept open, and how many more there may be, on either kind of database: enough for all
# that a service and its worker do at a time.
POOL = {"pool_size": 10, "max_overflow": 40}
DRIVER = "sqlite+partner_cx"
registry.register(DRIVER.replace("+", "."), __name__, "Dialect")


class Connection(sqlite3.Connection):
    """A connection that knows how its next transaction begins."""

    begins = "BEGIN"


class Writes(ConnectionCharacteristic):
    """The execution option `writes`: a writer takes the lock at once.

    A reader that turns writer midway can only fail.
    """

    transactional = True  # too late once it has begun

    def set_characteristic(self, dialect: sa.Dialect, dbapi_conn: Any, value: Any) -> None:
        dbapi_conn.begins = "BEGIN IMMEDIATE" if value else "BEGIN"

    def get_characteristic(self, dialect: sa.Dialect, dbapi_conn: Any) -> bool:
        return bool(dbapi_conn.begins == "BEGIN IMMEDIATE")

    def reset_characteristic(self, dialect: sa.Dialect, dbapi_conn: Any) -> None:
        dbapi_conn.begins = "BEGIN"


class Day(sqlite.DATE):
    """A day as text. SQLAlchemy writes it by a format, which takes ten times as long."""

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[date | None], str | None]:
        return _day_text


@lru_cache(maxsize=1_000)  # an act writes its own day several times
def _day_text(day: date | None) -> str | None:
    return None if day is None else date.isoformat(day)


class Pool(sa.QueuePool):
    """A pool out of which one connection stays, for the next who writes.

    To lend a connection and to take it back costs as much as all the rest of an empty transaction,
    and here only one writes at a time.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**POOL, **options})
        self._resting: deque[sa.Connection] = deque()

    def rested(self) -> sa.Connection | None:
        """The connection that rests; None where somebody else took it."""
        try:
            return self._resting.pop()
        except IndexError:
            return None

    def let_rest(self, connection: sa.Connection) -> bool:
        """Keep a connection that wrote; False, and it isn't kept, where another rests already."""
        if self._resting:
            return False
        self._resting.append(connection)
        return True

    def dispose(self) -> None:
        while connection := self.rested():
            connection.detach()  # closing it then closes the file
            connection.close()
        super().dispose()


class Dialect(SQLiteDialect_pysqlite):
    """The driver begins and commits in words of its own; said by us, they are prepared once.

    Listening for what begins would make SQLAlchemy look for listeners at every statement.
    """

    supports_statement_cache = True
    colspecs = {**SQLiteDialect_pysqlite.colspecs, sa.Date: Day}
    connection_characteristics = SQLiteDialect_pysqlite.connection_characteristics.union(
        {"writes": Writes()}
    )

    def do_begin(self, dbapi_connection: Any) -> None:
        connection = dbapi_connection.dbapi_connection
        connection.execute(connection.begins)

    def do_commit(self, dbapi_connection: Any) -> None:
        dbapi_connection.dbapi_connection.execute("COMMIT")

    @classmethod
    def get_pool_class(cls, url: sa.URL) -> type[sa.Pool]:
        """None rests out of a database in memory: each of its connections has one of its own."""
        usual = super().get_pool_class(url)
        return Pool if usual is sa.QueuePool else usual
