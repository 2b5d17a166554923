"""Events delivered by several processes at once, as webhooks and imports of many machines do."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection

import sqlalchemy as sa

from partner_cx.database import open_database, transact
from partner_cx.errors import Conflict
from rewards.events.drawing import draw_events
from rewards.events.happenings import Happening, happened
from tests.harness.events import NOW
from tests.harness.intake import SETTINGS

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "partner_cx.kinds"])
PATIENCE = 120  # seconds


def deliver_at_once(url: str, *deliveries: Sequence[Happening]) -> list[str]:
    """Deliver each list in a process of its own, all at once; what came of each telling.

    Returns `new`, `known` or `refused` for every telling.
    """
    ways = []
    for some in deliveries:
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(target=_deliver, args=(url, list(some), theirs))
        process.start()
        ways.append((process, ours))
    for _, ours in ways:
        assert ours.recv() == "ready"
    for _, ours in ways:
        ours.send("go")
    told: list[str] = []
    for process, ours in ways:
        assert ours.poll(PATIENCE), "a delivery hangs"
        told += ours.recv()
        process.join(PATIENCE)
        assert process.exitcode == 0
        process.close()
        ours.close()
    return told


def draw_at_once(url: str, processes: int) -> int:
    """Draw events in several processes at once; how many were new, in all."""
    with _PROCESSES.Pool(processes) as pool:
        return sum(pool.map(_draw, [url] * processes))


def die_drawing(url: str, point: int) -> bool:
    """Draw, and die just before so many commits were made; False where it ended before."""
    process = _PROCESSES.Process(target=_draw_and_die, args=(url, point))
    process.start()
    process.join(PATIENCE)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL), f"it ended {code}"
    return code != 0


def _deliver(url: str, happenings: Sequence[Happening], way: Connection) -> None:
    engine = open_database(url)
    with engine.connect():  # so that all of them start alike
        pass
    way.send("ready")
    way.recv()
    way.send([_told(engine, each) for each in happenings])
    engine.dispose()


def _told(engine: sa.Engine, happening: Happening) -> str:
    try:
        recorded = transact(
            engine, lambda session: happened(session, happening, now=NOW, settings=SETTINGS)
        )
    except Conflict:
        return "refused"
    return "new" if recorded.new else "known"


def _draw(url: str) -> int:
    engine = open_database(url)
    drawn = draw_events(engine, now=NOW, settings=SETTINGS)
    engine.dispose()
    return drawn.events


def _draw_and_die(url: str, point: int) -> None:
    engine = open_database(url)
    left = point

    @sa.event.listens_for(engine, "before_cursor_execute")
    def before_statement(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    draw_events(engine, now=NOW, settings=SETTINGS)
    engine.dispose()
