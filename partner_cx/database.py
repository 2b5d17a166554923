"""The database: one schema for SQLite and PostgreSQL, and the transactions around it.

SQLite is the embedded default: write-ahead log, full synchronisation, one writer at a time.
PostgreSQL is for production. One request or job is one transaction, opened here with `reading`
or `writing` and committed at its edge; below, only flush.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from partner_cx import sqlite
from partner_cx.errors import Invalid
from partner_cx.spelling import plain

T = TypeVar("T")

# Transactions that lost a race on PostgreSQL: serialisation failure and deadlock.
LOST_RACES = {"40001", "40P01"}
ONLY_READS = "25006"  # what PostgreSQL says to a writer where nothing may be written
RESTED_SECONDS = 5  # how long a connection is unused before it is asked whether it still answers
BUSY_SECONDS = 60  # how long to wait for another writer on SQLite before saying so

# Under which a connection's info holds when it was last used; nothing while it is new.
USED_AT = "database.used_at"
# Under which a session's info holds the connection whose transaction it writes in.
BEGUN = "database.begun"

# Texts are compared byte by byte on both databases: one order everywhere, and on PostgreSQL half
# the price of keeping an index on codes.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only for INTEGER


def where_given(column: str, *more: str, table: str, unique: bool = False) -> sa.Index:
    """An index over the rows in which a column, usually empty, is given: the others cost nothing.

    table: for its name.
    """
    given = sa.text(f"{column} IS NOT NULL")
    name = "_".join(("uq" if unique else "ix", table, column))
    return sa.Index(name, column, *more, unique=unique, sqlite_where=given, postgresql_where=given)


_NO_ZONE = "an instant without a time zone can mean two moments"


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps it as text without an offset, which is UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
        # SQLAlchemy makes the same text by a format, which takes five times as long.
        return _utc_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: sa.Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        if dialect.name == "sqlite":
            return _utc_instant
        return super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, _NO_ZONE
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@lru_cache(maxsize=1_000)  # an act writes its own moment several times
def _utc_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    assert value.tzinfo is not None, _NO_ZONE
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@lru_cache(maxsize=1_000)
def _utc_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


class Exact(sa.TypeDecorator[Fraction]):
    """A fraction kept as text, `19/20`: a float would lose the case that reaches it exactly."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else f"{value.numerator}/{value.denominator}"

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Fraction | None:
        return _fraction(value)

    def result_processor(self, dialect: sa.Dialect, coltype: Any) -> Callable[[Any], Any]:
        return _fraction


@lru_cache(maxsize=10_000)  # of targets and thresholds there are few
def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


class Base(DeclarativeBase):
    """The one schema. Constraint names follow a convention, so that migrations can name them."""

    if TYPE_CHECKING:
        __table__: ClassVar[sa.Table]

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def open_database(url: str) -> sa.Engine:
    """Open a database by its URL, `sqlite:///file` or `postgresql://...`; migrates nothing."""
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise Invalid(
            "The database URL can't be read.",
            remedy="Write sqlite:///path/to/file or postgresql://user@host/name.",
        ) from None
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address)
    if address.get_backend_name() == "postgresql":
        return _open_postgresql(address)
    raise Invalid(
        f"Partner CX doesn't know databases of the kind {address.get_backend_name()!r}.",
        remedy="Use sqlite:/// or postgresql://.",
    )


def _open_sqlite(address: sa.URL) -> sa.Engine:
    driver = address.set(drivername=sqlite.DRIVER)
    wait = {"timeout": BUSY_SECONDS, "check_same_thread": False, "factory": sqlite.Connection}
    engine = sa.create_engine(driver, connect_args=wait)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA cache_size = -131072")
        connection.execute("PRAGMA temp_store = FILE")
        connection.create_function("as_plain", 1, plain, deterministic=True)

    return engine


def _open_postgresql(address: sa.URL) -> sa.Engine:
    driver = address.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(driver, connect_args={"options": "-c timezone=UTC"}, **sqlite.POOL)
    sa.event.listen(engine, "checkin", _note_last_use)
    sa.event.listen(engine, "handle_error", _let_go_of_readers)
    sa.event.listen(engine, "checkout", _ask_after_a_rest)
    return engine


def _note_last_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[USED_AT] = monotonic()


def _ask_after_a_rest(connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:
    """Ask a connection that nobody used for a while whether it still answers, before it is lent.

    The pool can do that itself, but only each time, which for a short transaction is a good part of
    it. One that is found dead is thrown away with all the older ones, and another opened.
    """
    used_at = record.info.get(USED_AT)
    if used_at is None or monotonic() - used_at < RESTED_SECONDS:
        return
    try:
        connection.autocommit = True  # what is asked begins nothing
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error as error:
        raise sa.exc.InvalidatePoolError("It was closed while nobody used it.") from error


def _let_go_of_readers(context: sa.engine.ExceptionContext) -> None:
    """Throw connections away that may only read: those opened later may be allowed to write.

    A connection goes by what the server said as it was opened, long after it says otherwise.
    """
    if getattr(context.original_exception, "sqlstate", None) == ONLY_READS:
        context.is_disconnect = True


def only_reads(engine: sa.Engine) -> bool:
    """Whether nothing may be written on PostgreSQL; asked of a new connection, if need be.

    Those that may only read and wait to be lent are thrown away meanwhile.
    """
    while True:
        with engine.connect() as connection:
            if connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off":
                return False
            is_new = USED_AT not in connection.info
            connection.invalidate()
        if is_new:
            return True


@contextmanager
def reading(engine: sa.Engine) -> Iterator[Session]:
    """A session that reads from one snapshot and leaves nothing behind.

    Whoever asks it for more once it is closed is refused, rather than answered from another one.
    """
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with Session(engine, close_resets_only=False) as session:
        yield session
        session.rollback()


@contextmanager
def writing(engine: sa.Engine) -> Iterator[Session]:
    """A session in one transaction: committed at the end, or undone whole."""
    connection = _writer(engine)
    try:
        with connection.begin(), _Session(connection, close_resets_only=False) as session:
            session.info[BEGUN] = connection
            try:
                yield session
                session.flush()
            finally:
                session.info.pop(BEGUN, None)
    except BaseException as error:
        connection.close()
        if _sqlstate(error) == ONLY_READS:  # which the driver may have said to us alone
            with suppress(sa.exc.SQLAlchemyError):
                only_reads(engine)
        raise
    _let_go(connection)


class _Session(Session):
    """A session that holds no objects has none to let go of, which takes it a while to find out."""

    def expunge_all(self) -> None:
        if self.identity_map or self.new:
            super().expunge_all()


def _writer(engine: sa.Engine) -> sa.Connection:
    """A connection to write with: on SQLite the one that rests, unless somebody else took it."""
    pool = engine.pool
    rested = pool.rested() if isinstance(pool, sqlite.Pool) else None
    # SQLite has to know before the transaction begins.
    return rested or engine.connect().execution_options(writes=True)


def _let_go(connection: sa.Connection) -> None:
    pool = connection.engine.pool
    if not (isinstance(pool, sqlite.Pool) and pool.let_rest(connection)):
        connection.close()


def transact(engine: sa.Engine, work: Callable[[Session], T], *, tries: int = 5) -> T:
    """Run `work` in a writing transaction; a transaction that lost a race runs again, whole."""
    for attempt in range(1, tries + 1):
        try:
            with writing(engine) as session:
                return work(session)
        except (DBAPIError, psycopg.Error) as error:
            if _sqlstate(error) not in LOST_RACES or attempt == tries:
                raise
    raise AssertionError("unreachable")


def _sqlstate(error: BaseException) -> str | None:
    """What PostgreSQL said, through SQLAlchemy or, from a COPY, through the driver alone."""
    reason = error.orig if isinstance(error, DBAPIError) else error
    return getattr(reason, "sqlstate", None)


def insert_for(session: Session, model: type[Base]) -> postgresql.Insert | sqlite_dialect.Insert:
    """An INSERT that knows ON CONFLICT, which each database spells for itself."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite_dialect
    return dialect.insert(model.__table__)


def lock(session: Session, name: str, *, shared: bool = False) -> None:
    """Hold a named lock until the transaction ends, so that only one does `name` at a time.

    shared: with others who share it, but not beside one who holds it alone. SQLite needs none: a
    writing transaction is alone there from its first statement.
    """
    if session.get_bind().dialect.name == "postgresql":
        way = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        session.execute(sa.select(way(2026, lock_number(name))))


def lock_number(name: str) -> int:
    """The number under which PostgreSQL knows a named lock."""
    return zlib.crc32(name.encode()) - 2**31
