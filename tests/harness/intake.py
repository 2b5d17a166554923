"""Facts for tests, taken in by the real intake without a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from partner_cx.database import transact
from partner_cx.kinds import KINDS
from partner_cx.operations.fields import Manner
from partner_cx.operations.intake import Batch, OnProblems, Taken, WholeBatch, take_in
from partner_cx.operations.problems import Problem
from partner_cx.operations.withdrawing import withdraw
from partner_cx.settings import Settings

SETTINGS = Settings.read({})
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def take(
    engine: sa.Engine,
    kind: str,
    *rows: Mapping[str, str | None],
    source: str = "erp",
    now: datetime = NOW,
    batch_rows: int = 1000,
    on_problems: OnProblems = lambda _problems, _batch: None,
) -> tuple[Taken, list[Problem]]:
    """Take rows in as a file with these cells would be; line 2 is the first row.

    on_problems: told of refused rows while the import is under way.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    schema = pa.schema([(name, pa.string()) for name in names])
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    lines = np.arange(2, 2 + len(rows), dtype=np.int64)
    batches = [
        WholeBatch(
            table.slice(start, batch_rows),
            lines[start : start + batch_rows],
            table.slice(start, batch_rows),
        )
        for start in range(0, len(rows), batch_rows)
    ]
    problems: list[Problem] = []

    def note(found: Sequence[Problem], batch: Batch) -> None:
        problems.extend(found)
        on_problems(found, batch)

    def work(session: sa.orm.Session) -> Taken:
        problems.clear()
        return take_in(
            session,
            KINDS[kind],
            batches,
            source=source,
            file_name=f"{kind}.csv",
            manner=Manner(SETTINGS.time_zone),
            settings=SETTINGS,
            now=now,
            on_problems=note,
        )

    return transact(engine, work), problems


def take_out(
    engine: sa.Engine, kind: str, *source_ids: str, source: str = "erp", now: datetime = NOW
) -> int:
    """Withdraw facts, as their source no longer has them."""
    return transact(
        engine,
        lambda session: withdraw(session, KINDS[kind], source_ids, source=source, now=now),
    )


def order_line(source_id: str = "L1", **cells: str | None) -> dict[str, str | None]:
    """An order line delivered in full on its day, but for what is said otherwise."""
    return {
        "source_id": source_id,
        "order_code": "O1",
        "partner_code": "R1",
        "ordered_qty": "10",
        "window_end": "2026-04-10",
        "received_qty": "10",
        "received_on": "2026-04-10",
        **cells,
    }


def partner(code: str = "R1", **cells: str | None) -> dict[str, str | None]:
    """A reseller, but for what is said otherwise."""
    return {"code": code, "name": f"Partner {code}", "kind": "reseller", **cells}


def counts(taken: Taken) -> Sequence[int]:
    """taken, unchanged, corrected, refused."""
    return (taken.taken, taken.unchanged, taken.corrected, taken.refused)
