"""Migrations: the same ones for SQLite and PostgreSQL, applied by `partner-cx migrate`."""

from __future__ import annotations

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
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(2026, 0)")
        command.upgrade(_config(connection), "head")


def require_current(engine: sa.Engine) -> None:
    """Refuse to work on a database of another version than this program's."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present != newest:
        raise Conflict(
            "The database is empty or of another version than this program "
            f"(it is at {present or 'nothing'}, the program at {newest}).",
            remedy="Run `partner-cx migrate` first.",
        )
