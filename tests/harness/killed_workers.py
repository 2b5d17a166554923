"""Workers in processes of their own, killed at random as by a power cut, and a receiver's notes.

The receiver is a file per process, to which each key is appended before the worker can settle it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from integrations.carrying import Due, Hands
from integrations.worker import Worker
from partner_cx.database import open_database, reading
from partner_cx.effects import Effect
from partner_cx.settings import Settings

LEASE = timedelta(seconds=2)
SECONDS_EACH = 0.003  # that a neighbour takes, so that kills find somebody at work
PATIENCE = 900  # seconds, for all of it

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def work_and_kill(
    url: str, folder: Path, *, workers: int, kills: int, draw: random.Random
) -> Counter[str]:
    """Let workers carry out all that is due, kill some time and again, and start others in stead.

    Returns how often each key was received.
    """
    running = [_start(url, folder) for _ in range(workers)]
    until = time.monotonic() + PATIENCE
    for _ in range(kills):
        victim = draw.randrange(workers)
        _wait_for_progress(running, folder, until)
        time.sleep(draw.uniform(0, 0.1))
        running[victim].kill()
        running[victim].join()
        running[victim] = _start(url, folder)
    for process in running:
        process.join(max(0.0, until - time.monotonic()))
        assert process.exitcode == 0, f"a worker hangs, or failed: {process.exitcode}"
    return received(folder)


def _wait_for_progress(running: Sequence[BaseProcess], folder: Path, until: float) -> None:
    """Until somebody has written something more, so that kills find workers at work."""
    before = received(folder).total()
    while received(folder).total() == before and any(process.is_alive() for process in running):
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.01)


def received(folder: Path) -> Counter[str]:
    """How often each key was written down."""
    return Counter(key for notes in folder.glob("*.notes") for key in notes.read_text().split())


def _start(url: str, folder: Path) -> BaseProcess:
    process = _PROCESSES.Process(target=_work, args=(url, folder))
    process.start()
    return process


def _work(url: str, folder: Path) -> None:
    """Carry out until nothing is left, not even under another's lease."""
    engine = open_database(url)
    with (folder / f"{os.getpid()}-{time.monotonic_ns()}.notes").open("a", buffering=1) as notes:

        def note(due: Due, _hands: Hands) -> Mapping[str, Any]:
            notes.write(f"{due.key}\n")
            time.sleep(random.uniform(0, 2 * SECONDS_EACH))
            return {"by": os.getpid()}

        hands = Hands(engine, Settings(), lambda: datetime.now(UTC))
        worker = Worker(hands, {"note": note}, lasting=LEASE)
        while _is_any_left(engine):
            if not worker.run_dry():
                time.sleep(0.1)
    engine.dispose()


def _is_any_left(engine: sa.Engine) -> bool:
    with reading(engine) as session:
        left = sa.select(Effect.id).where(Effect.done_at.is_(None), Effect.parked_at.is_(None))
        return session.scalar(left.limit(1)) is not None
