"""Effects carried out by our worker, beside the barest loop that any program would write.

The bare loop takes one row of the very same table under `FOR UPDATE SKIP LOCKED` (on SQLite: in a
writing transaction), marks it done and commits, by the driver's own prepared statements. It has no
leases, no order per subject, no tries, no outcome: killed in between, it does the row again. The
handler does nothing, so that all that is measured is what a queue costs.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from time import perf_counter

import psycopg
import sqlalchemy as sa

from integrations.carrying import Hands
from integrations.worker import Worker
from partner_cx.database import open_database, transact
from partner_cx.effects import Effect, Owed, owe_all
from partner_cx.settings import Settings
from tests.bench.product import fresh_database
from tests.bench.report import Bench, Line, as_rate, as_seconds, at_least, section

EFFECTS = 10_000  # at full size
BLOCKED = 100_000
PARTNERS = 2_000
WORKERS = 4
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
TAKE = (
    "SELECT id FROM effects WHERE done_at IS NULL AND parked_at IS NULL AND due_at <= {now} "
    "ORDER BY due_at, id LIMIT 1"
)
MARK = "UPDATE effects SET done_at = {now} WHERE id = {id}"

_PROCESSES = multiprocessing.get_context("forkserver")


@section("effects")
def effects(bench: Bench) -> Iterator[Line]:
    count = max(1_000, round(EFFECTS * bench.share))
    for database in bench.databases:
        for workers in (1, WORKERS) if database == "postgresql" else (1,):
            yield _beside_the_bare_loop(bench, database, workers, count)
        yield _idle(bench, database, max(1_000, round(BLOCKED * bench.share)))


def _beside_the_bare_loop(bench: Bench, database: str, workers: int, count: int) -> Line:
    ours, bare = (
        _rate(_owing(bench, database, f"effects_{use}_{workers}", count), act, workers, count)
        for use, act in (("ours", _carry_out), ("bare", _BARE[database]))
    )
    how_many = f"{workers} workers" if workers > 1 else "1 worker"
    what, against = f"Effects carried out by {how_many}, {database}", "as many bare loops"
    if database == "sqlite":  # which has no SKIP LOCKED to stand beside
        return Line(what, as_rate(ours), f"{against}: {as_rate(bare)}", ours / bare)
    return at_least(what, ours, bare, aim=0.5, against=f"{against} with SKIP LOCKED")


def _owing(bench: Bench, database: str, name: str, count: int) -> str:
    """A database in which so much is owed, each partner's in order."""
    url = fresh_database(bench, database, name)
    _owe(url, count)
    return url


def _owe(url: str, count: int, *, behind_one: bool = False) -> None:
    engine = open_database(url)
    owed = (
        Owed("note", f"note:{n}", {"points": n}, "P" if behind_one else f"P{n % PARTNERS:04}")
        for n in range(count)
    )
    transact(engine, lambda session: owe_all(session, owed, now=NOW))
    engine.dispose()


def _rate(url: str, act: Callable[[str, Barrier], None], workers: int, count: int) -> float:
    """Effects a second, from when all processes are ready until all are done."""
    ready = _PROCESSES.Barrier(workers + 1)
    running = [_PROCESSES.Process(target=act, args=(url, ready)) for _ in range(workers)]
    for process in running:
        process.start()
    ready.wait()
    began = perf_counter()
    for process in running:
        process.join()
    seconds = perf_counter() - began
    engine = open_database(url)
    with engine.connect() as connection:
        done = connection.scalar(sa.select(sa.func.count(Effect.done_at)))
    engine.dispose()
    if done != count:
        raise RuntimeError(f"{count} effects were owed, and {done} carried out")
    return count / seconds


def _carry_out(url: str, ready: Barrier) -> None:
    engine = open_database(url)
    with engine.connect() as connection:
        connection.execute(sa.select(Effect.id).limit(1))
    hands = Hands(engine, Settings(), lambda: datetime.now(UTC))
    worker = Worker(hands, {"note": lambda _due, _hands: None})
    ready.wait()
    # A subject may be another worker's for a moment: it is looked at again until nothing is left.
    while worker.run_dry() or _is_any_left(engine):
        pass
    engine.dispose()


def _is_any_left(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return bool(
            connection.scalar(sa.select(Effect.id).where(Effect.done_at.is_(None)).limit(1))
        )


def _bare_postgresql(url: str, ready: Barrier) -> None:
    take = f"{TAKE.format(now='%(now)s')} FOR UPDATE SKIP LOCKED"
    mark = MARK.format(now="%(now)s", id="%(id)s")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        ready.wait()
        while True:
            now = datetime.now(UTC)
            row = connection.execute(take, {"now": now}, prepare=True).fetchone()
            if row is None:
                return
            connection.execute(mark, {"now": now, "id": row[0]}, prepare=True)
            connection.commit()


def _bare_sqlite(url: str, ready: Barrier) -> None:
    take, mark = TAKE.format(now=":now"), MARK.format(now=":now", id=":id")
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    ready.wait()
    while True:
        now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
        connection.execute("BEGIN IMMEDIATE")
        row = connection.execute(take, {"now": now}).fetchone()
        if row is not None:
            connection.execute(mark, {"now": now, "id": row[0]})
        connection.execute("COMMIT")
        if row is None:
            connection.close()
            return


_BARE: dict[str, Callable[[str, Barrier], None]] = {
    "sqlite": _bare_sqlite,
    "postgresql": _bare_postgresql,
}


def _idle(bench: Bench, database: str, count: int) -> Line:
    """What a look costs that finds nothing to do, while many wait behind one that is parked."""
    url = fresh_database(bench, database, "effects_blocked")
    _owe(url, count, behind_one=True)
    engine = open_database(url)
    with engine.begin() as connection:
        parked = {"parked_at": NOW, "parked_because": "No."}
        connection.execute(sa.update(Effect).where(Effect.key == "note:0").values(parked))
    hands = Hands(engine, Settings(), lambda: NOW + timedelta(minutes=1))
    worker = Worker(hands, {"note": lambda _due, _hands: None})
    worker.run_dry()
    began = perf_counter()
    for _ in range(5):
        worker.run_dry()
    seconds = (perf_counter() - began) / 5
    engine.dispose()
    return Line(f"A look in vain, {count:,} held back, {database}", as_seconds(seconds))
