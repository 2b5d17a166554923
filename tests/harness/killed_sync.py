"""A sync in a process of its own, that dies at a point that was chosen beforehand.

Killed as by a power cut, just before a statement or a commit, or wherever it is after a while.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import sqlalchemy as sa

from integrations.odoo.connection import connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SyncReport, chunks, sync
from partner_cx.database import open_database
from partner_cx.settings import Settings
from tests.harness.odoo_sync import IMPATIENT, moment

ROWS_IN_A_CHUNK = 8  # so that a small network makes many
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def sync_it(engine: sa.Engine, settings: Settings, now: str) -> SyncReport:
    """A sync in small chunks."""
    chunks.ROWS_MAX, usual = ROWS_IN_A_CHUNK, chunks.ROWS_MAX
    try:
        with connect(settings, patience=IMPATIENT) as odoo:
            return sync(engine, odoo, OdooMapping(), settings=settings, now=moment(now))
    finally:
        chunks.ROWS_MAX = usual


def count_points(url: str, settings: Settings, now: str) -> int:
    """Sync undisturbed, and count the points at which it could have died."""
    points = 0

    def counted() -> None:
        nonlocal points
        points += 1

    engine = open_database(url)
    _at_each_point(engine, counted)
    sync_it(engine, settings, now)
    engine.dispose()
    return points


def die_at(url: str, settings: Settings, now: str, point: int) -> None:
    """Sync, and die at the point: just before a statement, or before a commit."""
    process = _PROCESSES.Process(target=_sync_and_die, args=(url, settings, now, point))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"it should have died, and ended {process.exitcode}"
    process.close()


def die_after(url: str, settings: Settings, now: str, seconds: float) -> None:
    """Run the command itself, and kill it so many seconds after it began, if it still runs."""
    command = [sys.executable, "-m", "api.cli", "odoo", "sync", "--now", moment(now).isoformat()]
    said = {
        "PARTNER_CX_DATABASE_URL": url,
        "PARTNER_CX_TIME_ZONE": settings.time_zone,
        "PARTNER_CX_ODOO_URL": settings.odoo_url or "",
        "PARTNER_CX_ODOO_DATABASE": settings.odoo_database or "",
        "PARTNER_CX_ODOO_LOGIN": settings.odoo_login or "",
        "PARTNER_CX_ODOO_KEY": settings.odoo_key or "",
    }
    process = subprocess.Popen(
        command, env=os.environ | said, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _sync_and_die(url: str, settings: Settings, now: str, point: int) -> None:
    left = point

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_database(url)
    _at_each_point(engine, die)
    sync_it(engine, settings, now)


def _at_each_point(engine: sa.Engine, act: Callable[[], None]) -> None:
    @sa.event.listens_for(engine, "before_cursor_execute")
    def before_statement(*_: object) -> None:
        act()

    @sa.event.listens_for(engine, "commit")
    def before_commit(_: object) -> None:
        act()
