"""Migrations: the same ones for SQLite and PostgreSQL, applied by `partner-cx migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
        if MigrationContext.configure(connection).get_current_revision() != revision:
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
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


def present_revision(engine: sa.Engine) -> str | None:
    """The revision that a database is at; None where there is no schema."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database of another version than this program's."""
    newest, present = newest_revision(), present_revision(engine)
    if present != newest:
        raise Conflict(
            "The database is empty or of another version than this program "
            f"(it is at {present or 'nothing'}, the program at {newest}).",
            remedy="Run `partner-cx migrate` first.",
        )
