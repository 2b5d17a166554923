"""The product's own sections: what Partner CX does with the files, held against the yardsticks.

Whole commands run as their own processes, so that their peak memory is the command's and their
time includes starting up. What a page would ask is timed inside this process.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

import pandas as pd
import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.schema import CreateIndex, CreateTable

from api.migrations import upgrade
from integrations.files.importing import import_file
from partner_cx.database import open_database, reading, writing
from partner_cx.measures import measuring, refreshing
from partner_cx.operations.facts import OrderLine
from partner_cx.periods import Period
from partner_cx.settings import Settings
from tests.bench.baselines import KPIS, Clock, check_agreement
from tests.bench.generator import make_files
from tests.bench.report import (
    Bench,
    Line,
    as_seconds,
    at_least,
    at_most,
    section,
    times_faster,
)
from tests.bench.sections import (
    QUARTER,
    by_duckdb,
    by_pandas,
    by_pandas_reading_everything,
    files,
    files_of_one_more_day,
)
from tests.bench.timing import CommandRun, median_seconds, run_command

TEMPLATE = Path(__file__).parents[2] / "templates" / "rules" / "network_quality_bonus.yaml"
PARTNER_CX = Path(sys.executable).with_name("partner-cx")
NOW = "2026-01-01T00:00"
NEXT_DAY = "2026-01-06T00:00"
ORDER = (
    "partners",
    "people",
    "calendars",
    "targets",
    "order-lines",
    "tickets",
    "portal-events",
    "answers",
)
CHUNK_ROWS = 50_000
DAYS = 6  # the first only warms up
PEAK_BYTES = 10**9
PERIOD = Period.parse(QUARTER.name)
SETTINGS = Settings.read({})


@dataclass(frozen=True)
class Filled:
    """A database with all facts in and tallied, and how its commands ran."""

    url: str
    imports: dict[str, CommandRun]
    measured: CommandRun
    rows: int  # order lines


def filled(bench: Bench, database: str, share: float) -> Filled:
    """A database with the facts of a share of the full size, imported by the commands."""
    return bench.once(f"filled {database} {share}", lambda: _fill(bench, database, share))


def _fill(bench: Bench, database: str, share: float) -> Filled:
    facts = _facts(bench, share)
    url = fresh_database(bench, database, f"{share:g}".replace(".", "_"))
    imports = {
        kind: _run("import", kind, facts[kind], "--source", "erp", "--now", NOW, url=url)
        for kind in ORDER
    }
    measured = _run("measure", QUARTER.name, "--now", NOW, url=url)
    engine = open_database(url)
    with reading(engine) as session:
        rows = session.scalar(sa.select(sa.func.count()).select_from(OrderLine))
    engine.dispose()
    return Filled(url, imports, measured, int(rows or 0))


def _facts(bench: Bench, share: float) -> dict[str, Path]:
    if share == bench.share:
        return files(bench)
    folder = bench.folder / f"facts-{share:g}"
    return bench.once(f"facts {share:g}", lambda: make_files(folder, share=share))


def fresh_database(bench: Bench, database: str, name: str) -> str:
    """An empty, migrated database for this run."""
    if database == "sqlite":
        path = bench.folder / f"product-{name}.sqlite3"
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        url = f"sqlite:///{path}"
    else:
        assert bench.postgresql_url is not None, "a run on PostgreSQL has a server"
        url = f"{bench.postgresql_url.rsplit('/', 1)[0]}/bench_{name}"
        with psycopg.connect(bench.postgresql_url, autocommit=True) as connection:
            named = sql.Identifier(f"bench_{name}")
            connection.execute(sql.SQL("drop database if exists {}").format(named))
            connection.execute(sql.SQL("create database {}").format(named))
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url


def _run(*arguments: str | Path, url: str) -> CommandRun:
    run = run_command([PARTNER_CX, *arguments], environment={"PARTNER_CX_DATABASE_URL": url})
    if run.status != 0:
        raise RuntimeError(f"partner-cx {' '.join(map(str, arguments))}: {run.complaints}")
    return run


# --- intake -----------------------------------------------------------------------------------


@section("intake")
def intake(bench: Bench) -> Iterator[Line]:
    for database in bench.databases:
        done = filled(bench, database, bench.share)
        ours = done.rows / done.imports["order-lines"].seconds
        bare = _bare_rate(bench, database, done.url)
        yield at_least(
            f"Order lines imported, {database}",
            ours,
            bare,
            aim=0.3,
            against="bare driver, same table, rows ready",
        )
        for kind, run in done.imports.items():
            yield _peak(f"import {kind}, {database}", run)
        yield _peak(f"first measure of a quarter, all tallies made, {database}", done.measured)


def _peak(what: str, run: CommandRun) -> Line:
    peak = f"{run.peak_bytes / 2**20:,.0f} MiB at the peak"
    return Line(what, as_seconds(run.seconds), peak, None, "≤ 1 GB", run.peak_bytes <= PEAK_BYTES)


def _bare_rate(bench: Bench, database: str, url: str) -> float:
    """Rows a second of the driver alone, into the same table without its foreign keys."""
    return _bare_sqlite(bench, url) if database == "sqlite" else _bare_postgresql(url)


def _ddl(dialect: sa.Dialect) -> list[str]:
    """The product's own table of order lines with its key, checks and indexes, alone."""
    alone = sa.MetaData()
    table = sa.Table(
        "order_lines",
        alone,
        *(
            sa.Column(
                column.name, column.type, primary_key=column.primary_key, nullable=column.nullable
            )
            for column in OrderLine.__table__.columns
        ),
        *(
            sa.UniqueConstraint(*[column.name for column in constraint.columns])
            for constraint in OrderLine.__table__.constraints
            if isinstance(constraint, sa.UniqueConstraint)
        ),
        *(
            sa.CheckConstraint(constraint.sqltext.text)
            for constraint in OrderLine.__table__.constraints
            if isinstance(constraint, sa.CheckConstraint)
        ),
    )
    for index in OrderLine.__table__.indexes:
        sa.Index(index.name, *[table.c[column.name] for column in index.columns])
    made = [CreateTable(table), *map(CreateIndex, table.indexes)]
    return [str(statement.compile(dialect=dialect)) for statement in made]


def _bare_sqlite(bench: Bench, url: str) -> float:
    names = [column.name for column in OrderLine.__table__.columns]
    listed = ", ".join(f'"{name}"' for name in names)
    path = bench.folder / "bare-same.sqlite3"
    clock, rows = Clock(), 0
    with (
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source,
        closing(sqlite3.connect(path, isolation_level=None)) as target,
    ):
        for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -131072"):
            target.execute(f"pragma {pragma}")
        for statement in _ddl(open_database("sqlite://").dialect):
            target.execute(statement)
        target.execute("begin immediate")
        cursor = source.execute(f"select {listed} from order_lines order by id")
        while ready := cursor.fetchmany(CHUNK_ROWS):
            rows += len(ready)
            with clock:
                target.executemany(
                    f"insert into order_lines ({listed}) values ({', '.join('?' * len(names))})",
                    ready,
                )
        with clock:
            target.execute("commit")
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return rows / clock.seconds


def _bare_postgresql(url: str) -> float:
    clock, rows = Clock(), 0
    with psycopg.connect(url) as source, psycopg.connect(url, autocommit=True) as target:
        target.execute("drop schema if exists bare cascade")
        target.execute("create schema bare")
        target.execute("set search_path to bare")
        for statement in _ddl(open_database(url).dialect):
            target.execute(sql.SQL(statement))
        target.autocommit = False
        last = 0
        with target.cursor().copy("copy order_lines from stdin (format csv)") as taking:
            while True:
                ready = b"".join(_copied(source, last))
                if not ready:
                    break
                rows += CHUNK_ROWS
                last += CHUNK_ROWS
                with clock:
                    taking.write(ready)
            clock.start()
        target.commit()
        clock.stop()
        rows = target.execute("select count(*) from order_lines").fetchone()[0]
        target.commit()
        target.autocommit = True
        target.execute("drop schema bare cascade")
    return rows / clock.seconds


def _copied(source: psycopg.Connection, last: int) -> Iterator[bytes]:
    columns = ", ".join(f'"{column.name}"' for column in OrderLine.__table__.columns)
    chunk = sql.SQL(
        f"copy (select {columns} from order_lines where id > {last} and id <= {last + CHUNK_ROWS} "
        "order by id) to stdout (format csv)"
    )
    with source.cursor().copy(chunk) as copy:
        yield from map(bytes, copy)


# --- figures ----------------------------------------------------------------------------------


@section("figures")
def figures(bench: Bench) -> Iterator[Line]:
    duckdb, pandas = by_duckdb(bench), by_pandas(bench)
    whole = by_pandas_reading_everything(bench)
    for database in bench.databases:
        engine = open_database(filled(bench, database, bench.share).url)
        ours, told = median_seconds(lambda: _four_figures(engine), runs=9)  # noqa: B023
        check_agreement(told, duckdb.figures)
        asked = f"Four figures of {QUARTER.name}, all partners, {database}"
        yield at_most(asked, ours, duckdb.seconds, aim=1.5, against="DuckDB, own table")
        yield times_faster(
            asked, ours, whole.end_to_end_seconds, aim=30, against="pandas script, files read whole"
        )
        yield times_faster(
            asked,
            ours,
            pandas.end_to_end_seconds,
            aim=30,
            against="pandas script, needed columns only",
        )
        complete, _ = median_seconds(lambda: _measure(engine), runs=3)  # noqa: B023
        yield at_most(
            f"All KPIs, all levels, stored, {database}",
            complete,
            pandas.end_to_end_seconds,
            aim=1,
            against="pandas script's four figures, needed columns only",
        )
        engine.dispose()


def _four_figures(engine: sa.Engine) -> pd.DataFrame:
    """hits and of per KPI and partner, from fresh tallies."""
    with reading(engine) as session:
        drawn = measuring.of_partners(session, PERIOD, KPIS, now=_moment(NOW), settings=SETTINGS)
    drawn = drawn[drawn["of"] > 0].rename(columns={"subject": "partner_code"})
    return drawn[["kpi", "partner_code", "hits", "of"]]


def _measure(engine: sa.Engine) -> None:
    with writing(engine) as session:
        measuring.measure(session, PERIOD, now=_moment(NOW), settings=SETTINGS)


# --- what people run --------------------------------------------------------------------------


@section("commands")
def commands(bench: Bench) -> Iterator[Line]:
    """The commands of a quarter's end, whole, with what they hold in memory."""
    rule = bench.folder / "rule.yaml"
    rule.write_text(TEMPLATE.read_text().replace("starts: 2026Q1", f"starts: {QUARTER.name}"))
    for database in bench.databases:
        url = filled(bench, database, bench.share).url
        _run("rules", "publish", rule, url=url)
        _run("budgets", "fund", "network-quality", "10000000", "--why", "a bench", url=url)
        for arguments in (
            ("scorecard", QUARTER.name, "--level", "network", "--now", NOW),
            ("close", QUARTER.name, "--now", NOW),
            ("close", QUARTER.name, "--now", NOW),
            ("statement", "P0001"),
        ):
            run = _run(*arguments, url=url)
            yield _peak(f"`{' '.join(arguments[:2])}`, {database}", run)


# --- one more day -----------------------------------------------------------------------------


@section("one-more-day")
def one_more_day(bench: Bench) -> Iterator[Line]:
    """The same days on both sizes, in turn, so that a slow moment strikes both."""
    for database in bench.databases:
        small = filled(bench, database, bench.share / 10).url
        full = filled(bench, database, bench.share).url
        taken: dict[str, list[float]] = {small: [], full: []}
        for number in range(DAYS):
            day = _another_day(bench, number)
            for url in (small, full):
                taken[url].append(_day_seconds(url, day))
        yield at_most(
            f"A day's new facts imported and tallied, {database}",
            statistics.median(taken[full][1:]),
            statistics.median(taken[small][1:]),
            aim=1.3,
            against="the same days on a database of 10 %",
        )


def _another_day(bench: Bench, number: int) -> dict[str, Path]:
    """The one more day's facts under ids of their own."""
    folder = bench.folder / f"day-{number}"
    folder.mkdir(exist_ok=True)
    for kind, path in files_of_one_more_day(bench).items():
        header, *rows = path.read_text().splitlines()
        again = "\n".join([header, *(f"{number}-{row}" for row in rows), ""])
        (folder / f"{kind}.csv").write_text(again)
    return {kind: folder / f"{kind}.csv" for kind in files_of_one_more_day(bench)}


def _day_seconds(url: str, day: dict[str, Path]) -> float:
    """From four files to tallies that hold, in a process that is warm."""
    engine, now = open_database(url), _moment(NEXT_DAY)
    refreshing.refresh(engine, now=now, settings=SETTINGS)
    began = perf_counter()
    for kind, path in day.items():
        import_file(engine, kind, path, source="erp", mapping=None, settings=SETTINGS, now=now)
    refreshing.refresh(engine, now=now, settings=SETTINGS)
    taken = perf_counter() - began
    engine.dispose()
    return taken


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SETTINGS.zone)
