"""The heart-beat of leases: while a worker lives and works, what it holds stays its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from integrations import leasing
from integrations.carrying import Due, Hands

BEATS = 4  # in the time that a lease lasts: three may be missed
LONGEST = timedelta(hours=1)  # that one effect may take, where its kind isn't given longer

log = structlog.get_logger()


@dataclass
class Heart:
    """Beats for what a worker holds, unless one effect takes longer than anybody would wait.

    A handler that hangs for ever would otherwise keep its effect for ever.

    on_hanging: called once that is so, from a thread of the heart's own.
    """

    hands: Hands
    ids: list[int]
    by: str
    lasting: timedelta
    longest: Mapping[str, timedelta]
    held_until: datetime
    on_hanging: Callable[[], None]
    until: float = field(default=float("inf"))  # by the clock that only goes forward
    over: Event = field(default_factory=Event)

    def begin(self, due: Due) -> None:
        """The effect that is now at hand."""
        self.until = time.monotonic() + self.longest.get(due.kind, LONGEST).total_seconds()

    @property
    def is_still(self) -> bool:
        """Whether the leases have run out, as they do while a machine sleeps."""
        return self.hands.clock() >= self.held_until

    def beat(self) -> None:
        while not self.over.wait(self.lasting.total_seconds() / BEATS):
            if time.monotonic() > self.until:
                log.error("an effect takes too long: its lease is left to run out", worker=self.by)
                self.on_hanging()
                return
            until = self.hands.clock() + self.lasting
            try:
                leasing.prolong(self.hands.engine, self.ids, by=self.by, until=until)
                self.held_until = until
            except SQLAlchemyError as error:
                log.warning("a lease wasn't prolonged", worker=self.by, error=type(error).__name__)


@contextmanager
def beating(
    hands: Hands,
    ids: Iterable[int],
    *,
    by: str,
    lasting: timedelta,
    longest: Mapping[str, timedelta],
    on_hanging: Callable[[], None] = lambda: None,
) -> Iterator[Heart]:
    """A heart that beats for these effects until the block ends."""
    heart = Heart(hands, list(ids), by, lasting, longest, hands.clock() + lasting, on_hanging)
    thread = Thread(target=heart.beat, name="heart-beat", daemon=True)
    thread.start()
    try:
        yield heart
    finally:
        heart.over.set()
        thread.join()
