"""The clock that workers share: the database's, so that machines whose clocks differ agree.

A lease is a moment, and a worker whose clock were minutes ahead would take over what others are at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

ASKED_SECONDS = 60.0  # how often the database is asked
JUMP = timedelta(seconds=1)  # of our own clock, after which it is asked at once
WORTH_SAYING = timedelta(seconds=5)

log = structlog.get_logger()


def own_clock() -> datetime:
    return datetime.now(UTC)


def shared_clock(
    engine: sa.Engine, own: Callable[[], datetime] = own_clock
) -> Callable[[], datetime]:
    """What tells the present moment to workers. With SQLite all are on one machine."""
    return DatabaseClock(engine, own) if engine.dialect.name == "postgresql" else own


@dataclass
class DatabaseClock:
    """Our own clock, corrected by what the database's showed a while ago.

    Between two questions our clock goes on by itself; while the database is away, too.
    """

    engine: sa.Engine
    own: Callable[[], datetime]
    ahead: timedelta = timedelta()  # of us, the database is
    _asked: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        if self._is_stale():
            self._ask()
        return self.own() + self.ahead

    def _is_stale(self) -> bool:
        if self._asked is None:
            return True
        shown, steady = self._asked
        passed = time.monotonic() - steady
        return passed > ASKED_SECONDS or abs(self.own() - shown - timedelta(seconds=passed)) > JUMP

    def _ask(self) -> None:
        asked = (self.own(), time.monotonic())
        try:
            with self.engine.connect() as connection:
                before = self.own()
                theirs = connection.scalar(sa.text("SELECT clock_timestamp()"))
                ahead = theirs - (before + (self.own() - before) / 2)
        except SQLAlchemyError:
            ahead = self.ahead
        if abs(ahead - self.ahead) > WORTH_SAYING:
            log.warning("our clock differs from the database's", seconds=ahead.total_seconds())
        # In this order: whoever finds that it was asked just now goes by the answer.
        self.ahead, self._asked = ahead, asked
