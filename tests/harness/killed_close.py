"""A close in a process of its own, that dies at a point that was chosen beforehand.

Killed as by a power cut: no `finally`, no rollback, no goodbye to the database.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

import sqlalchemy as sa

from partner_cx.database import open_database
from tests.harness.programme import close_it

# A server that has imported everything once: each process forks from it in milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "partner_cx.kinds"])


def count_points(url: str) -> int:
    """Close undisturbed, and count the points at which it could have died."""
    points = 0

    def counted() -> None:
        nonlocal points
        points += 1

    engine = open_database(url)
    _at_each_point(engine, counted)
    close_it(engine)
    engine.dispose()
    return points


def die_at(url: str, point: int) -> None:
    """Close, and die at the point: just before a statement, or before a commit."""
    process = _PROCESSES.Process(target=_close_and_die, args=(url, point))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, f"it should have died, and ended {process.exitcode}"
    process.close()


def die_after(url: str, seconds: float) -> None:
    """Close, and die so many seconds after it began, wherever it is by then; if it still runs."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_close_when_told, args=(url, theirs))
    process.start()
    ours.recv()
    ours.send("go")
    process.join(seconds)
    process.kill()
    process.join()
    process.close()
    ours.close()
    theirs.close()


def _close_and_die(url: str, point: int) -> None:
    left = point

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_database(url)
    _at_each_point(engine, die)
    close_it(engine)


def _close_when_told(url: str, told: Connection) -> None:
    engine = open_database(url)
    told.send("ready")
    told.recv()
    close_it(engine)
    engine.dispose()


def _at_each_point(engine: sa.Engine, act: Callable[[], None]) -> None:
    @sa.event.listens_for(engine, "before_cursor_execute")
    def before_statement(*_: object) -> None:
        act()

    @sa.event.listens_for(engine, "commit")
    def before_commit(_: object) -> None:
        act()
