"""The crew of one process: threads that carry effects out, and one that plans the schedule.

Before: a command that runs it, alone or beside the pages. After: the worker. Long work, such as the
first reading of an Odoo, has a thread of its own, so that a letter doesn't wait for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from integrations import schedule
from integrations.carrying import Hands
from integrations.handlers import LONG_KINDS
from integrations.leasing import Lane
from integrations.outcomes import way_of
from integrations.worker import LEASE, Worker

PAUSE_SECONDS = 1.0  # between two looks at what is due, when there was nothing
PLANNING_SECONDS = 10.0
LOOKING_SHARE = 20  # where a look in vain takes long (many wait behind others), look less often
TROUBLE_SECONDS = 5.0  # before the database is asked again that didn't answer
GRACE_SECONDS = 60.0  # for what is at hand, once it is told to stop
THREADS_MAX = 4  # more than one machine's neighbours are glad of; else run another process

log = structlog.get_logger()


@dataclass
class Crew:
    """Everything that works in one process.

    threads: how many carry out short work; long work has one more.
    scheduled: whether this process plans the schedule, too.
    """

    hands: Hands
    threads: int = 1
    scheduled: bool = True
    lasting: timedelta = LEASE
    pause_seconds: float = PAUSE_SECONDS
    stopping: Event = field(default_factory=Event)
    _running: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to work, in threads that end with the process at the latest."""
        short, long = Lane(without=LONG_KINDS), Lane(only=LONG_KINDS)
        for number, lane in enumerate([long, *[short] * self.threads]):
            self._employ(f"worker-{number}", lane)
        if self.scheduled:
            self._run("schedule", self._plan, PLANNING_SECONDS, Event())

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> bool:
        """Let each thread finish what is at hand; whether all did within the grace.

        What one was still busy with keeps its lease, and is taken over when that has run out.
        """
        self.stopping.set()
        until = time.monotonic() + grace_seconds
        for thread in self._running:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._running)

    def _employ(self, name: str, lane: Lane) -> None:
        """Start a worker, and another in its stead should an effect make it hang."""
        retired = Event()

        def replace_it() -> None:
            retired.set()
            if not self.stopping.is_set():
                self._employ(name, lane)

        worker = Worker(
            replace(self.hands, stopping=self.stopping.is_set),
            lane=lane,
            lasting=self.lasting,
            stopping=self.stopping,
            on_hanging=replace_it,
        )
        self._run(name, worker.run_dry, self.pause_seconds, retired)

    def _plan(self) -> int:
        return schedule.plan(
            self.hands.engine, settings=self.hands.settings, now=self.hands.clock()
        )

    def _run(
        self, name: str, work: Callable[[], int], pause_seconds: float, retired: Event
    ) -> None:
        thread = Thread(
            target=self._again_and_again,
            args=(work, pause_seconds, retired),
            name=name,
            daemon=True,
        )
        thread.start()
        self._running.append(thread)

    def _again_and_again(
        self, work: Callable[[], int], pause_seconds: float, retired: Event
    ) -> None:
        while not (self.stopping.is_set() or retired.is_set()):
            began = time.monotonic()
            try:
                done = work()
                looked = 0.0 if done else time.monotonic() - began
                pause = max(pause_seconds, LOOKING_SHARE * looked)
            except SQLAlchemyError as error:
                log.warning("the database didn't answer", error=type(error).__name__)
                pause = TROUBLE_SECONDS
            except Exception as error:  # noqa: BLE001 - a thread that died would go unnoticed
                log.error("the worker failed", error=type(error).__name__, way=way_of(error))
                pause = TROUBLE_SECONDS
            # Never in step with the others.
            self.stopping.wait(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


@contextmanager
def working(crew: Crew) -> Iterator[Crew]:
    """A crew at work until the block ends."""
    crew.start()
    try:
        yield crew
    finally:
        if not crew.stop():
            log.warning("stopped before everything at hand was done; it will be taken over")
