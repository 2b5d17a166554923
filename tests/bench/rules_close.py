"""Closing a quarter: its rules decided and its awards paid, beside the bare sets of rows.

The bare sets are what is left when everything is known beforehand: the very rows that a close
wrote, staged in temporary tables, go into the same tables with the same keys, checks, foreign keys
and triggers, by one INSERT … SELECT each, and balances change by one UPDATE. Both commit. Measured
twice: the sets alone, as if somebody else had put the rows into the database; and with the rows
handed over by the bare driver first, as any program must that decides outside of it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact, writing
from partner_cx.periods import Period
from rewards.awards import award_all
from rewards.deciding import decide_all
from rewards.frozen import closing_of
from tests.bench.product import fresh_database
from tests.bench.quarters import NOW, a_large_programme, freeze_quarter, quarter
from tests.bench.report import Bench, Line, at_most, section

RUNS = 5


@section("rules")
def rules_at_a_close(bench: Bench) -> Iterator[Line]:
    for database in bench.databases:
        engine = open_database(fresh_database(bench, database, "rules"))
        a_large_programme(engine, bench.share)
        ours, bare, handed = [], [], []
        for number in range(RUNS + 1):
            period, beside = quarter(2 * number), quarter(2 * number + 1)
            transact(engine, partial(freeze_quarter, period=period))
            transact(engine, partial(freeze_quarter, period=beside))
            ours.append(_close(engine, period))
            sets, with_rows = _bare(engine, period, beside)
            bare.append(sets)
            handed.append(with_rows)
        decisions, awards = _counted(engine, period)
        yield at_most(
            f"{decisions:,} decisions and {awards:,} awards of a close, {database}",
            statistics.median(ours[1:]),  # the first warms up
            statistics.median(bare[1:]),
            aim=2,
            against="the same rows by bare SQL sets, staged beforehand",
        )
        yield at_most(
            f"The same, {database}",
            statistics.median(ours[1:]),
            statistics.median(handed[1:]),
            aim=2,
            against="the same rows handed over and written by bare SQL sets",
        )
        engine.dispose()


def _close(engine: sa.Engine, period: Period) -> float:
    """Decide and award a quarter that is frozen: seconds, commit included."""

    def work(session: Session) -> None:
        closing = closing_of(session, period)
        assert closing is not None
        decided = decide_all(session, closing=closing, period=period)
        award_all(
            session, closing=closing, period=period, now=NOW, today=NOW.date(), decided=decided
        )

    began = perf_counter()
    transact(engine, work)
    return perf_counter() - began


_STAGED = """
CREATE TEMPORARY TABLE bare_decisions AS
SELECT d.rule_version_id, d.partner_id, d.verdict, d.points
FROM decisions d JOIN closings c ON c.id = d.closing_id WHERE c.period = :period ORDER BY d.id;

CREATE TEMPORARY TABLE bare_transfers AS
SELECT 'bare:' || t.key AS key, t.digest, t.why_en, t.why_fr, t.effective_on, t.recorded_at,
    t.needs_approval, d.rule_version_id, d.partner_id
FROM transfers t JOIN decisions d ON d.id = t.decision_id JOIN closings c ON c.id = d.closing_id
WHERE c.period = :period ORDER BY t.id;

CREATE TEMPORARY TABLE bare_entries AS
SELECT 'bare:' || t.key AS key, e.account_id, e.points
FROM entries e JOIN transfers t ON t.id = e.transfer_id JOIN decisions d ON d.id = t.decision_id
JOIN closings c ON c.id = d.closing_id WHERE c.period = :period ORDER BY e.id
"""
_BARE = """
INSERT INTO decisions (closing_id, rule_version_id, partner_id, verdict, points)
SELECT c.id, s.rule_version_id, s.partner_id, s.verdict, s.points
FROM bare_decisions s CROSS JOIN closings c WHERE c.period = :beside;

INSERT INTO transfers (key, digest, why_en, why_fr, effective_on, recorded_at, needs_approval,
    decision_id)
SELECT s.key, s.digest, s.why_en, s.why_fr, s.effective_on, s.recorded_at, s.needs_approval, d.id
FROM bare_transfers s JOIN closings c ON c.period = :beside
JOIN decisions d ON d.closing_id = c.id AND d.rule_version_id = s.rule_version_id
    AND d.partner_id = s.partner_id;

INSERT INTO entries (transfer_id, account_id, points)
SELECT t.id, s.account_id, s.points FROM bare_entries s JOIN transfers t ON t.key = s.key;

UPDATE accounts SET balance_points = accounts.balance_points + s.points
FROM (SELECT account_id, sum(points) AS points FROM bare_entries GROUP BY account_id) s
WHERE s.account_id = accounts.id
"""


_TABLES = ("bare_decisions", "bare_transfers", "bare_entries")


def _bare(engine: sa.Engine, period: Period, beside: Period) -> tuple[float, float]:
    """Write the rows of a closed quarter again, for the one beside it: seconds with the commit.

    Returns those of the sets alone, and those with the handing over of the rows.
    """
    named = {"period": str(period), "beside": str(beside)}
    with engine.execution_options(writes=True).connect() as connection:
        _run(connection, _STAGED, named)
        rows = {name: _emptied(connection, name) for name in _TABLES}
        connection.commit()
        began = perf_counter()
        for name, (columns, of_table) in rows.items():
            _hand_over(connection, name, columns, of_table)
        connection.commit()
        handed = perf_counter() - began
        for name in _TABLES:
            connection.exec_driver_sql(f"ANALYZE {name}")
        connection.commit()
        began = perf_counter()
        _run(connection, _BARE, named)
        connection.commit()
        seconds = perf_counter() - began
        for name in _TABLES:
            connection.exec_driver_sql(f"DROP TABLE {name}")
        connection.commit()
    return seconds, handed + seconds


def _emptied(connection: sa.Connection, name: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """A table's columns and rows, taken out of it."""
    found = connection.exec_driver_sql(f"SELECT * FROM {name}")
    columns, rows = list(found.keys()), [tuple(row) for row in found]
    connection.exec_driver_sql(f"DELETE FROM {name}")
    return columns, rows


def _hand_over(
    connection: sa.Connection, name: str, columns: list[str], rows: list[tuple[Any, ...]]
) -> None:
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql("SELECT 1")  # so that the transaction has begun
        driver.executemany(f"INSERT INTO {name} VALUES ({places})", rows)
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _run(connection: sa.Connection, statements: str, named: dict[str, str]) -> None:
    for statement in statements.split(";"):
        asked = {name: value for name, value in named.items() if f":{name}" in statement}
        connection.execute(sa.text(statement), asked)


def _counted(engine: sa.Engine, period: Period) -> tuple[int, int]:
    with writing(engine) as session:
        found = session.execute(
            sa.text(
                "SELECT count(*), count(t.id) FROM closings c "
                "JOIN decisions d ON d.closing_id = c.id "
                "LEFT JOIN transfers t ON t.decision_id = d.id WHERE c.period = :period"
            ),
            {"period": str(period)},
        )
        decisions, awards = found.one()
    return decisions, awards
