"""An event from its telling to its posted award, beside the same statements by the bare driver.

The bare driver replays what our code says to the database, statement by statement, value by value,
in the same transactions, on a database of its own that was made alike: same tables, triggers,
durability, and the same rows in the end. What it saves is all of our code.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import connect
from time import perf_counter
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.events.happenings import Happening, happened
from rewards.rulebook import publish
from rewards.rules import Rule
from tests.bench.product import fresh_database
from tests.bench.quarters import BY, NOW, SETTINGS, a_large_programme, freeze_quarter
from tests.bench.report import Bench, Line, at_least, section

EVENTS = 4_000  # at full size
WARM_UP = 100
QUARTER = Period.parse("2025Q3")
P99_MAX = 0.020  # seconds
RULE = """
code: course
label: {en: Course completed, fr: Formation achevée}
source: The benchmark's
on: course_completed
starts: 2025-01-01
ends: 2026-12-31
conditions: [{kpi_at_least: {kpi: otif, threshold: 0 %}}]
award: {points: 50}
limits: [{per: month, points: 10000}]
budget: courses
"""

Statement = tuple[str, Any]
Transaction = list[Statement]


@section("rules-on-events")
def rules_on_events(bench: Bench) -> Iterator[Line]:
    told = _happenings(max(200, round(EVENTS * bench.share)))
    for database in bench.databases:
        made = [_made(bench, database, f"events_{use}") for use in ("noted", "ours", "bare")]
        transactions = _noted(made[0], told)
        ours, bare = _in_turns(
            _ours(made[1], told), _BARE[database](made[2], transactions), len(told)
        )
        if _transfers(made[1]) != _transfers(made[2]):
            raise RuntimeError("the bare driver came to another ledger")
        yield at_least(
            f"Events with a posted award, one by one, {database}",
            len(ours) / sum(ours),
            len(bare) / sum(bare),
            aim=0.6,
            against="the same statements by the bare driver",
        )
        p99 = statistics.quantiles(ours, n=100)[98]
        yield Line(
            f"An event from its telling to the posted award, p99, {database}",
            f"{1000 * p99:.1f} ms",
            f"median: {1000 * statistics.median(ours):.1f} ms",
            aim=f"≤ {1000 * P99_MAX:g} ms",
            reached=p99 <= P99_MAX,
        )


def _happenings(count: int) -> list[Happening]:
    return [
        Happening(
            key=f"lms:{number}",
            kind=EventKind.COURSE_COMPLETED,
            partner_code=f"P{number % 100:04}",
            happened_at=NOW - timedelta(hours=number % 500),
            person=f"someone{number}@partner.example",
            subject="F-GAS",
        )
        for number in range(count)
    ]


def _made(bench: Bench, database: str, name: str) -> str:
    """A programme with fifty rules on closes, one on events, and a closed quarter."""
    url = fresh_database(bench, database, name)
    engine = open_database(url)
    a_large_programme(engine, bench.share)

    def work(session: Session) -> None:
        freeze_quarter(session, QUARTER)
        rule = Rule.from_yaml(RULE, "the benchmark's rule")
        publish(session, rule, by=BY, why="", now=NOW)
        why = Words("For courses", "Pour les formations")
        fund(session, rule.budget, 10**9, key="fund:courses", why=why, now=NOW)

    transact(engine, work)
    if database == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return url


def _tell(engine: sa.Engine, happening: Happening) -> None:
    def work(session: Session) -> None:
        happened(session, happening, now=NOW, settings=SETTINGS)

    transact(engine, work)


def _in_turns(
    ours: Iterator[float], bare: Iterator[float], count: int
) -> tuple[list[float], list[float]]:
    """Seconds of each, one after the other, so that whatever else runs here slows both alike."""
    pairs = [(next(ours), next(bare)) for _ in range(count)]
    return [mine for mine, _ in pairs[WARM_UP:]], [theirs for _, theirs in pairs[WARM_UP:]]


def _ours(url: str, told: Sequence[Happening]) -> Iterator[float]:
    engine = open_database(url)
    for happening in told:
        yield _timed(partial(_tell, engine, happening))
    engine.dispose()


def _noted(url: str, told: Sequence[Happening]) -> list[Transaction]:
    """What our code says to the database for each event."""
    engine = open_database(url)
    transactions: list[Transaction] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, many: bool) -> None:
        transactions[-1] += [(statement, each) for each in (values if many else [values])]

    for happening in told:
        transactions.append([])
        _tell(engine, happening)
    engine.dispose()
    return [[said for said in each if not said[0].startswith("BEGIN")] for each in transactions]


def _bare_sqlite(url: str, transactions: Sequence[Transaction]) -> Iterator[float]:
    connection = connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")

    def replay(transaction: Transaction) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in transaction:
            connection.execute(statement, values).fetchall()
        connection.execute("COMMIT")

    for transaction in transactions:
        yield _timed(partial(replay, transaction))
    connection.close()


def _bare_postgresql(url: str, transactions: Sequence[Transaction]) -> Iterator[float]:
    with psycopg.connect(url.replace("+psycopg", ""), options="-c timezone=UTC") as connection:

        def replay(transaction: Transaction) -> None:
            with connection.cursor() as cursor:
                for statement, values in transaction:
                    cursor.execute(statement, values)
                    if cursor.rownumber is not None:  # asked for its columns, it would take longer
                        cursor.fetchall()
            connection.commit()

        for transaction in transactions:
            yield _timed(partial(replay, transaction))


_BARE = {"sqlite": _bare_sqlite, "postgresql": _bare_postgresql}


def _timed(act: Callable[[], None]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def _transfers(url: str) -> list[tuple[str, str]]:
    engine = open_database(url)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT key, digest FROM transfers ORDER BY id"))
        transfers = [(key, digest) for key, digest in found]
    engine.dispose()
    return transfers
