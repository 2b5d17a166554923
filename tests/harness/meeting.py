"""Two acts that meet: the second comes while the first's transaction is still open."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import writing

T = TypeVar("T")

ON_SQLITE_SECONDS = 0.2  # where nobody can see that somebody waits
WAITS_SECONDS = 30
_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def meeting(
    engine: sa.Engine,
    first: Callable[[Session], object],
    second: Callable[[], T],
    then: Callable[[Session], object] = lambda _session: None,
) -> T:
    """What the second act comes to, which began before the first one was committed.

    On PostgreSQL it has read what there was before, unless it waited for the first one to end; on
    SQLite it waits in any case. then: what the first one goes on to do while the second waits.
    """
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as session:
            first(session)
            session.flush()
            under_way = pool.submit(second)
            _wait_for_its_waiting(engine, under_way)
            then(session)
        return under_way.result(WAITS_SECONDS)


def _wait_for_its_waiting(engine: sa.Engine, under_way: Future[T]) -> None:
    """Until the second act waits for the first one, or is through without."""
    if engine.dialect.name == "sqlite":
        time.sleep(ON_SQLITE_SECONDS)
        return
    until = time.monotonic() + WAITS_SECONDS
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
        while not under_way.done() and not watching.scalar(_WAITING):
            assert time.monotonic() < until, "it neither waits nor ends"
            time.sleep(0.01)
