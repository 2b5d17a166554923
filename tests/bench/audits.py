"""The audit of a large ledger: how long it takes, and that its memory doesn't grow with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.words import Words
from rewards.budgets import budget, fund
from rewards.ledger import AccountKind, Move, Posting, accounts, post_many, wallet_of_person
from tests.bench.product import fresh_database
from tests.bench.report import Bench, Line, as_seconds, section
from tests.bench.timing import CommandRun, run_command

ENTRIES = 1_000_000  # at full size
WALLETS = 2_000
AT_ONCE = 20_000
NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)
GROWTH_MAX = 1.15  # of peak memory, while the ledger grows tenfold
WHY = Words("For a report from the field", "Pour un rapport du terrain")


@section("rules-audit")
def rules_audit(bench: Bench) -> Iterator[Line]:
    entries = max(20_000, round(ENTRIES * bench.share))
    for database in bench.databases:
        small = _audited(_ledger(bench, database, entries // 10))
        large = _audited(_ledger(bench, database, entries))
        yield Line(
            f"Auditing {entries:,} entries, {database}",
            as_seconds(large.seconds),
            f"{round(entries / large.seconds):,} entries/s",
        )
        ratio = large.peak_bytes / small.peak_bytes
        yield Line(
            f"Peak memory of that, {database}",
            f"{large.peak_megabytes:.0f} MB",
            f"{entries // 10:,} entries: {small.peak_megabytes:.0f} MB",
            ratio,
            f"≤ {GROWTH_MAX:g} ×",
            ratio <= GROWTH_MAX,
        )


def _audited(url: str) -> CommandRun:
    command = [Path(sys.executable).with_name("partner-cx"), "audit", "--quick", "--database", url]
    run = run_command(command)
    if run.status != 0:
        raise RuntimeError(f"the audit found something: {run.output} {run.complaints}")
    return run


def _ledger(bench: Bench, database: str, entries: int) -> str:
    """A ledger of so many entries, posted by the program itself."""
    url = fresh_database(bench, database, f"audit_{entries}")
    engine = open_database(url)
    _post(engine, 0, 0)
    gifts = entries // 2 - 1  # and the funding
    for first in range(0, gifts, AT_ONCE):
        _post(engine, first, min(AT_ONCE, gifts - first))
    if database == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return url


def _post(engine: sa.Engine, first: int, count: int) -> None:
    owners = [wallet_of_person(f"rep{number:05}@brand.example") for number in range(WALLETS)]

    def work(session: Session) -> None:
        if not count:
            fund(session, "insights", 10**9, key="fund:insights", why=WHY, now=NOW)
            return
        source = budget(session, "insights")
        wallets = accounts(session, AccountKind.WALLET, dict.fromkeys(owners))
        gifts = [
            Posting(
                key=f"report:{number}",
                why=WHY,
                moves=(Move(source, wallets[owners[number % WALLETS]], 20),),
                effective_on=date(2026, 1, 1) + timedelta(days=number % 180),
            )
            for number in range(first, first + count)
        ]
        post_many(session, gifts, now=NOW + timedelta(minutes=first // AT_ONCE))

    transact(engine, work)
