"""Alone: two syncs of one database never run at once, in one process or in several.

The lock goes when its process does, however that ends, so that nobody waits for the dead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa

from partner_cx.database import lock_number
from partner_cx.errors import Conflict

NAME = "odoo.sync"


class UnderWay(Conflict):
    """Another sync is under way."""


@contextmanager
def alone(engine: sa.Engine) -> Iterator[None]:
    """Hold off other syncs. Raises UnderWay when there is one."""
    hold = _on_postgresql if engine.dialect.name == "postgresql" else _on_sqlite
    with hold(engine) as is_held:
        if not is_held:
            raise UnderWay("Another sync with Odoo is under way.", remedy="Let it come to its end.")
        yield


@contextmanager
def _on_postgresql(engine: sa.Engine) -> Iterator[bool]:
    """A lock of a connection of its own, which the server gives up when that is lost."""
    named = {"number": lock_number(NAME)}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = sa.text("SELECT pg_try_advisory_lock(2026, :number)")
        is_held = bool(connection.scalar(taken, named))
        try:
            yield is_held
        finally:
            if is_held:
                connection.execute(sa.text("SELECT pg_advisory_unlock(2026, :number)"), named)


@contextmanager
def _on_sqlite(engine: sa.Engine) -> Iterator[bool]:
    """A file beside the database, itself one, that is written by one process at a time."""
    database = engine.url.database
    if not database or database == ":memory:":
        yield True  # nobody else can open it
        return
    with closing(sqlite3.connect(f"{database}-sync", timeout=0, isolation_level=None)) as held:
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            yield False
            return
        yield True
