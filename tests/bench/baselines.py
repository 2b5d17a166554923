"""What a good engineer would have without us: the yardsticks the product is held against.

Intake is held against the bare driver, which fills the same table with rows that need no thought.
KPIs are held against DuckDB over its own table of the raw facts, and against the script that
everybody writes with pandas. All read the generator's files; DuckDB and pandas must agree on
every partner's hits and of, or there is no yardstick.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import psycopg
from psycopg import sql

from tests.bench.timing import median_seconds

Fields = Sequence[str]
Row = Sequence[Any]

# --- intake: the bare driver ------------------------------------------------------------------


def blank_is_null(fields: Fields) -> Row:
    return [field or None for field in fields]


@dataclass(frozen=True)
class BareTable:
    """The table the bare driver fills, and how the fields of a CSV line become one of its rows.

    ddl: what makes the table and its indexes, in the database's own dialect; no foreign keys,
        since nothing else is there to point at.
    shape: from a line's fields, in the file's order, to the values of `columns`.
    """

    name: str
    ddl: Sequence[str]
    columns: Sequence[str]
    shape: Callable[[Fields], Row] = blank_is_null


def order_lines_as_they_are(*, day: str, decimal: str) -> BareTable:
    """The file's own columns, a unique id, and the index that finds a partner's due lines."""
    types = {
        "source_id": "text not null",
        "order_code": "text not null",
        "partner_code": "text not null",
        "ordered_qty": "bigint not null",
        "window_start": day,
        "window_end": f"{day} not null",
        "status": "text not null",
        "cancelled_on": day,
        "product_code": "text",
        "value": decimal,
        "currency": "text",
        "received_qty": "bigint",
        "received_on": day,
    }
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return BareTable(
        name="bare_order_lines",
        ddl=(
            f"create table bare_order_lines ({columns})",
            "create unique index bare_order_lines_id on bare_order_lines (source_id)",
            "create index bare_order_lines_due on bare_order_lines (partner_code, window_end)",
        ),
        columns=tuple(types),
    )


SQLITE_ORDER_LINES = order_lines_as_they_are(day="text", decimal="numeric")
POSTGRESQL_ORDER_LINES = order_lines_as_they_are(day="date", decimal="numeric(14, 2)")


@dataclass(frozen=True)
class BareIntake:
    """How long the bare driver took to put a file's rows into its table, commit included.

    ready_seconds: from tuples that are ready in memory; making them isn't counted.
    streamed_seconds: SQLite: csv.reader hands its lines to the driver, reading counted;
        PostgreSQL: COPY is handed CSV text that is ready in memory, writing it not counted.
    """

    rows: int
    ready_seconds: float
    streamed_seconds: float

    @property
    def ready_rate(self) -> float:
        return self.rows / self.ready_seconds

    @property
    def streamed_rate(self) -> float:
        return self.rows / self.streamed_seconds


def bare_sqlite(file: Path, *, folder: Path, table: BareTable = SQLITE_ORDER_LINES) -> BareIntake:
    """executemany in one transaction, WAL, synchronous FULL: as durable as the product's own."""
    columns, places = ", ".join(table.columns), ", ".join("?" * len(table.columns))
    insert = f"insert into {table.name} ({columns}) values ({places})"
    clock = Clock()
    with _scratch_sqlite(folder, table) as connection:
        for rows in _ready_rows(file, table):
            with clock:
                connection.executemany(insert, rows)
        with clock:
            connection.execute("commit")
        count = connection.execute(f"select count(*) from {table.name}").fetchone()[0]
    streamed = Clock()
    with _scratch_sqlite(folder, table) as connection, _open_lines(file) as lines, streamed:
        connection.executemany(insert, map(table.shape, lines))
        connection.execute("commit")
    return BareIntake(count, clock.seconds, streamed.seconds)


def bare_postgresql(
    file: Path, *, url: str, table: BareTable = POSTGRESQL_ORDER_LINES
) -> BareIntake:
    """COPY in one transaction, into a schema of its own that is dropped afterwards."""
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    copy_rows = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), names)
    copy_text = sql.SQL("{} with (format csv)").format(copy_rows)
    clock, streamed, count = Clock(), Clock(), 0
    with _scratch_postgresql(url, table) as connection:
        with connection.cursor().copy(copy_rows) as copy:
            for rows in _ready_rows(file, table):
                count += len(rows)
                with clock:
                    for row in rows:
                        copy.write_row(row)
            clock.start()  # leaving the block waits until the server has taken everything
        connection.commit()
        clock.stop()
    with _scratch_postgresql(url, table) as connection:
        with connection.cursor().copy(copy_text) as copy:
            for rows in _ready_rows(file, table):
                text = _csv_text(rows)
                with streamed:
                    copy.write(text)
            streamed.start()
        connection.commit()
        streamed.stop()
    return BareIntake(count, clock.seconds, streamed.seconds)


class Clock:
    """Adds up the seconds between its starts and stops."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def start(self) -> None:
        self._since = perf_counter()

    def stop(self) -> None:
        self.seconds += perf_counter() - self._since

    def __enter__(self) -> Clock:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


READY_ROWS = 50_000  # made at a time: five million tuples would take gigabytes


def _ready_rows(file: Path, table: BareTable) -> Iterator[list[tuple[Any, ...]]]:
    with _open_lines(file) as lines:
        rows = (tuple(table.shape(fields)) for fields in lines)
        while ready := list(islice(rows, READY_ROWS)):
            yield ready


@contextmanager
def _open_lines(file: Path) -> Iterator[Iterator[list[str]]]:
    with file.open(encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        next(lines)
        yield lines


def _csv_text(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@contextmanager
def _scratch_sqlite(folder: Path, table: BareTable) -> Iterator[sqlite3.Connection]:
    """An empty database with the table, in an open transaction; its files are gone afterwards."""
    path = folder / "bare.sqlite"
    files = [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]
    for leftover in files:
        leftover.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma cache_size = -131072")  # KiB: what the product gives itself
        for statement in table.ddl:
            connection.execute(statement)
        connection.execute("begin immediate")
        yield connection
    for leftover in files:
        leftover.unlink(missing_ok=True)


@contextmanager
def _scratch_postgresql(url: str, table: BareTable) -> Iterator[psycopg.Connection]:
    """An empty schema with the table; the schema is dropped afterwards, whatever happened."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("drop schema if exists bench_bare cascade")
        connection.execute("create schema bench_bare")
        connection.execute("set search_path to bench_bare")
        for statement in table.ddl:
            connection.execute(sql.SQL(statement))
        connection.autocommit = False
        try:
            yield connection
        finally:
            connection.rollback()
            connection.autocommit = True
            connection.execute("drop schema if exists bench_bare cascade")


# --- KPIs: what both yardsticks are asked -----------------------------------------------------

KPIS = ("otif", "sla_response", "portal_adoption", "nps")
FACTS = ("order-lines", "tickets", "portal-events", "answers")
PARIS = ZoneInfo("Europe/Paris")
ELIGIBLE_DAYS = 30


@dataclass(frozen=True)
class Quarter:
    """A quarter by its name (`2025Q3`): days and instants, half-open, as the programme counts."""

    name: str

    @property
    def first_day(self) -> date:
        return date(int(self.name[:4]), 3 * int(self.name[-1]) - 2, 1)

    @property
    def next_day(self) -> date:
        year, month = self.first_day.year, self.first_day.month + 3
        return date(year + 1, 1, 1) if month > 12 else date(year, month, 1)

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.first_day)

    @property
    def ends_at(self) -> datetime:
        return _midnight(self.next_day)


def _midnight(day: date) -> datetime:
    """The day's first instant in Paris, as UTC without saying so: both engines hold it that way."""
    local = datetime(day.year, day.month, day.day, tzinfo=PARIS)
    return local.astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class FourFigures:
    """The four KPIs of all partners in a quarter, and how long an engine took for them.

    figures: kpi, partner_code, hits, of; a partner without anything to measure has no row.
    reading_seconds: from the CSV files to the engine's own table or frames.
    seconds: from there to the figures, the median of several runs.
    """

    figures: pd.DataFrame
    reading_seconds: float
    seconds: float

    @property
    def end_to_end_seconds(self) -> float:
        return self.reading_seconds + self.seconds


class Disagreement(Exception):
    """Two yardsticks that should say the same don't."""


def check_agreement(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Raise Disagreement unless both hold the same hits and of for every KPI and partner.

    The product's own figures can be checked in the same way: kpi, partner_code, hits, of.
    """
    both = in_order(one).merge(
        in_order(other), on=["kpi", "partner_code"], how="outer", indicator="in_which"
    )
    agree = (both["hits_x"] == both["hits_y"]) & (both["of_x"] == both["of_y"])
    different = both[~agree]
    if len(different):
        per_kpi = different.groupby("kpi").size().to_dict()
        raise Disagreement(f"{len(different)} figures differ: {per_kpi}\n{different.head(10)}")


def in_order(figures: pd.DataFrame) -> pd.DataFrame:
    kinds = {"kpi": "str", "partner_code": "str", "hits": "int64", "of": "int64"}
    ordered = figures[list(kinds)].astype(kinds)
    return ordered.sort_values(["kpi", "partner_code"], ignore_index=True)


# --- KPIs: DuckDB -----------------------------------------------------------------------------

DUCKDB_TYPES = {
    "partners": {"code": "varchar", "joined_on": "date", "left_on": "date"},
    "order-lines": {
        "source_id": "varchar",
        "order_code": "varchar",
        "partner_code": "varchar",
        "ordered_qty": "bigint",
        "window_start": "date",
        "window_end": "date",
        "status": "varchar",
        "cancelled_on": "date",
        "product_code": "varchar",
        "value": "decimal(14, 2)",
        "currency": "varchar",
        "received_qty": "bigint",
        "received_on": "date",
    },
    "tickets": {
        "source_id": "varchar",
        "partner_code": "varchar",
        "opened_at": "timestamp",
        "first_reply_at": "timestamp",
        "resolved_at": "timestamp",
        "response_target_minutes": "bigint",
        "resolution_target_minutes": "bigint",
    },
    "portal-events": {
        "source_id": "varchar",
        "partner_code": "varchar",
        "at": "timestamp",
        "kind": "varchar",
        "person_email": "varchar",
        "internal": "boolean",
    },
    "answers": {
        "source_id": "varchar",
        "survey_code": "varchar",
        "partner_code": "varchar",
        "answered_at": "timestamp",
        "question_code": "varchar",
        "value": "bigint",
        "dismissed": "boolean",
    },
}
DUCKDB_QUESTIONS = {
    "otif": """
        select partner_code,
            count(*) filter (
                where status <> 'cancelled_by_supplier'
                and received_qty >= ordered_qty
                and received_on <= window_end
                and (window_start is null or received_on >= window_start)
            ) as hits,
            count(*) as "of"
        from "order-lines"
        where window_end >= $first_day and window_end < $next_day
            and not (status = 'cancelled_by_customer' and cancelled_on < window_end)
        group by partner_code""",
    "sla_response": """
        select partner_code,
            count(*) filter (where first_reply_at <= due_at) as hits,
            count(*) as "of"
        from (
            select partner_code, first_reply_at,
                opened_at + to_minutes(response_target_minutes) as due_at
            from tickets)
        where due_at >= $starts_at and due_at < $ends_at
        group by partner_code""",
    "portal_adoption": """
        select code as partner_code,
            (code in (
                select partner_code from "portal-events"
                where "at" >= $starts_at and "at" < $ends_at and not internal))::bigint as hits,
            1 as "of"
        from partners
        where least(coalesce(left_on, $next_day), $next_day)
            - greatest(joined_on, $first_day) >= $eligible_days""",
    "nps": """
        select partner_code,
            count(*) filter (where value >= 9) - count(*) filter (where value <= 6) as hits,
            count(*) as "of"
        from answers
        where question_code = 'nps' and not dismissed and value is not null
            and answered_at >= $starts_at and answered_at < $ends_at
        group by partner_code""",
}


def four_figures_by_duckdb(
    files: Mapping[str, Path], quarter: Quarter, *, folder: Path, runs: int = 5
) -> FourFigures:
    """Load the facts into a database file of DuckDB's own, then ask it the four questions."""
    path = folder / "network.duckdb"
    path.unlink(missing_ok=True)
    loading = Clock()
    with duckdb.connect(str(path)) as connection:
        with loading:
            for kind, types in DUCKDB_TYPES.items():
                _load_into_duckdb(connection, kind, types, files[kind])
            connection.execute("checkpoint")
        seconds, answers = median_seconds(lambda: _ask_duckdb(connection, quarter), runs=runs)
    path.unlink()
    figures = pd.concat(
        [
            pd.DataFrame(rows, columns=["partner_code", "hits", "of"]).assign(kpi=kpi)
            for kpi, rows in answers.items()
        ]
    )
    return FourFigures(in_order(figures), loading.seconds, seconds)


def _load_into_duckdb(
    connection: duckdb.DuckDBPyConnection, kind: str, types: Mapping[str, str], file: Path
) -> None:
    columns = ", ".join(f'"{name}"::{type_} as "{name}"' for name, type_ in types.items())
    connection.execute(
        f'create table "{kind}" as select {columns} from read_csv($file, header = true,'
        " delim = ',', all_varchar = true)",
        {"file": str(file)},
    )


def _ask_duckdb(
    connection: duckdb.DuckDBPyConnection, quarter: Quarter
) -> dict[str, list[tuple[Any, ...]]]:
    known = {
        "first_day": quarter.first_day,
        "next_day": quarter.next_day,
        "starts_at": quarter.starts_at,
        "ends_at": quarter.ends_at,
        "eligible_days": ELIGIBLE_DAYS,
    }
    return {
        kpi: connection.execute(
            question, {name: value for name, value in known.items() if f"${name}" in question}
        ).fetchall()
        for kpi, question in DUCKDB_QUESTIONS.items()
    }


def duckdb_threads() -> int:
    with duckdb.connect() as connection:
        found = connection.execute("select current_setting('threads')").fetchone()
    assert found is not None
    return int(found[0])


# --- KPIs: the usual pandas script ------------------------------------------------------------

LINE_DAYS = "window_start window_end cancelled_on"
PANDAS_COLUMNS = {  # kind: what is read, and what of it is days or instants
    "partners": ("code joined_on left_on", "joined_on left_on"),
    "order-lines": (
        "partner_code ordered_qty received_qty status received_on " + LINE_DAYS,
        "received_on " + LINE_DAYS,
    ),
    "tickets": (
        "partner_code opened_at first_reply_at response_target_minutes",
        "opened_at first_reply_at",
    ),
    "portal-events": ("partner_code at internal", "at"),
    "answers": ("partner_code answered_at question_code value", "answered_at"),
}


def four_figures_by_pandas(
    files: Mapping[str, Path], quarter: Quarter, *, every_column: bool = False, runs: int = 3
) -> FourFigures:
    """Read the facts, cut the quarter out, group.

    every_column: read files whole, as a script does whose author didn't think about it;
        otherwise only the columns that the four figures need.
    """
    reading = Clock()
    with reading:
        frames = {
            kind: _read_with_pandas(files[kind], kind, every_column) for kind in PANDAS_COLUMNS
        }
    seconds, figures = median_seconds(lambda: _ask_pandas(frames, quarter), runs=runs)
    return FourFigures(in_order(figures), reading.seconds, seconds)


def _read_with_pandas(file: Path, kind: str, every_column: bool) -> pd.DataFrame:
    columns, dates = PANDAS_COLUMNS[kind]
    needed = None if every_column else columns.split()
    return pd.read_csv(file, usecols=needed, parse_dates=dates.split())


def _ask_pandas(frames: Mapping[str, pd.DataFrame], quarter: Quarter) -> pd.DataFrame:
    first_day, next_day = pd.Timestamp(quarter.first_day), pd.Timestamp(quarter.next_day)
    starts_at = pd.Timestamp(quarter.starts_at, tz="UTC")
    ends_at = pd.Timestamp(quarter.ends_at, tz="UTC")

    lines = frames["order-lines"]
    lines = lines[(lines["window_end"] >= first_day) & (lines["window_end"] < next_day)]
    called_off = lines["status"].eq("cancelled_by_customer") & (
        lines["cancelled_on"] < lines["window_end"]
    )
    lines = lines[~called_off]
    on_time = (lines["received_on"] <= lines["window_end"]) & (
        lines["window_start"].isna() | (lines["received_on"] >= lines["window_start"])
    )
    in_full = lines["received_qty"] >= lines["ordered_qty"]
    kept = on_time & in_full & lines["status"].ne("cancelled_by_supplier")

    tickets = frames["tickets"].dropna(subset="response_target_minutes")
    due_at = tickets["opened_at"] + pd.to_timedelta(tickets["response_target_minutes"], unit="min")
    due = (due_at >= starts_at) & (due_at < ends_at)
    tickets, due_at = tickets[due], due_at[due]
    answered_in_time = tickets["first_reply_at"] <= due_at

    events = frames["portal-events"]
    events = events[(events["at"] >= starts_at) & (events["at"] < ends_at) & ~events["internal"]]
    partners = frames["partners"]
    leaves = partners["left_on"].fillna(next_day).where(lambda day: day < next_day, next_day)
    contract = leaves - partners["joined_on"].where(lambda day: day > first_day, first_day)
    eligible = partners.loc[contract >= pd.Timedelta(days=ELIGIBLE_DAYS), "code"]
    present = eligible.isin(events["partner_code"].unique())

    answers = frames["answers"]
    answers = answers[answers["question_code"].eq("nps") & answers["value"].notna()]
    answers = answers[(answers["answered_at"] >= starts_at) & (answers["answered_at"] < ends_at)]
    vote = answers["value"].ge(9).astype(int) - answers["value"].le(6).astype(int)

    return pd.concat(
        [
            _per_partner("otif", kept, lines["partner_code"]),
            _per_partner("sla_response", answered_in_time, tickets["partner_code"]),
            _per_partner("portal_adoption", present, eligible),
            _per_partner("nps", vote, answers["partner_code"]),
        ]
    )


def _per_partner(kpi: str, hits: pd.Series, partner_codes: pd.Series) -> pd.DataFrame:
    counted = hits.groupby(partner_codes.rename("partner_code")).agg(hits="sum", of="size")
    return counted.reset_index().assign(kpi=kpi)
