"""Migrations: the same ones for SQLite and PostgreSQL, applied by `partner-cx migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from partner_cx.errors import Conflict


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: sa.Engine) -> None:
    """Bring a database to the newest schema, in one transaction. Again changes nothing."""
    upgrade_to(engine, newest_revision())


def upgrade_to(engine: sa.Engine, revision: str) -> None:
    """Bring a database to a revision that lies ahead of it."""
    with (
        engine.execution_options(writes=True).connect() as connection,
        _references_unwatched(connection),
        connection.begin(),
    ):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(2026, 0)")
        present = _revision_in(connection)
        if present != revision:
            _refuse_strange(connection, present)
            command.upgrade(_config(connection), revision)
            _refuse_dangling(connection)


@contextmanager
def _references_unwatched(connection: sa.Connection) -> Iterator[None]:
    """SQLite alters a table by making it anew: others may point at it meanwhile."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")  # nothing, once a transaction has begun
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _refuse_dangling(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        assert dangling is None, f"a migration left a reference to nothing: {dangling}"


def newest_revision() -> str:
    """The revision that this program works with."""
    return _revisions()[0]


@lru_cache(maxsize=1)  # reading all migrations takes longer than asking the database where it is
def _revisions() -> tuple[str, ...]:
    """Those that this program knows, the newest first."""
    script = ScriptDirectory.from_config(_config())
    return tuple(each.revision for each in script.walk_revisions())


def present_revision(engine: sa.Engine) -> str | None:
    """The revision that a database is at; None where there is no schema."""
    with engine.connect() as connection:
        return _revision_in(connection)


def _revision_in(connection: sa.Connection) -> str | None:
    """What the database says of itself; were it several, all of them."""
    return ", ".join(MigrationContext.configure(connection).get_current_heads()) or None


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database of another version than this program's."""
    newest = newest_revision()
    with engine.connect() as connection:
        present = _revision_in(connection)
        if present == newest:
            return
        _refuse_strange(connection, present)
    raise OtherVersion(
        f"The database is at revision {present or 'none'}, this program at {newest}.",
        remedy="Back it up, then run `partner-cx migrate`.",
    )


def refuse_unknown(engine: sa.Engine) -> None:
    """Refuse a database that isn't of a version that this program could bring to its own."""
    with engine.connect() as connection:
        _refuse_strange(connection, _revision_in(connection))


class OtherVersion(Conflict):
    """The database is of another version than this program's."""


class UnknownVersion(OtherVersion):
    """It isn't one that this program could bring to its own."""


def _refuse_strange(connection: sa.Connection, present: str | None) -> None:
    """Refuse a database that no migration of ours leads on from."""
    if present is not None and present not in _revisions():
        raise UnknownVersion(
            f"The database is at revision {present}, which this program doesn't know (its own is "
            f"{newest_revision()}): a newer version of Partner CX has been at work on it.",
            remedy="Run that version, or put back a backup made before.",
        )
    if present is None and (held := _tables_of_ours(connection)):
        raise UnknownVersion(
            f"The database holds a table {held[0]}, but doesn't say of which version of Partner CX "
            "it is.",
            remedy="Name an empty database, or put back a backup of the whole of this one.",
        )


def _tables_of_ours(connection: sa.Connection) -> list[str]:
    from api.schema import METADATA  # noqa: PLC0415 - most who ask for a revision never need it

    return sorted(METADATA.tables.keys() & set(sa.inspect(connection).get_table_names()))
