"""The report's sections, in the order they run: first the yardsticks, then what is held to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.bench import baselines
from tests.bench.baselines import BareIntake, FourFigures, Quarter
from tests.bench.generator import make_day, make_files
from tests.bench.report import Bench, Line, as_rate, as_seconds, section

QUARTER = Quarter("2025Q3")  # long over by the end of the facts: every line and ticket is due


# --- what several sections need, made once ----------------------------------------------------


def files(bench: Bench) -> dict[str, Path]:
    folder = bench.folder / f"facts-{bench.share:g}"
    return bench.once("files", lambda: make_files(folder, share=bench.share))


def files_of_one_more_day(bench: Bench) -> dict[str, Path]:
    return bench.once("one more day", lambda: make_day(bench.folder / "one-more-day"))


def bare_sqlite(bench: Bench) -> BareIntake:
    file = files(bench)["order-lines"]
    return bench.once("bare sqlite", lambda: baselines.bare_sqlite(file, folder=bench.folder))


def bare_postgresql(bench: Bench) -> BareIntake:
    file, url = files(bench)["order-lines"], bench.postgresql_url
    assert url is not None, "a run on PostgreSQL has a server"
    return bench.once("bare postgresql", lambda: baselines.bare_postgresql(file, url=url))


def by_duckdb(bench: Bench) -> FourFigures:
    facts = files(bench)
    return bench.once(
        "duckdb", lambda: baselines.four_figures_by_duckdb(facts, QUARTER, folder=bench.folder)
    )


def by_pandas(bench: Bench) -> FourFigures:
    facts = files(bench)
    return bench.once("pandas", lambda: baselines.four_figures_by_pandas(facts, QUARTER))


def by_pandas_reading_everything(bench: Bench) -> FourFigures:
    facts = files(bench)
    return bench.once(
        "pandas, every column",
        lambda: baselines.four_figures_by_pandas(facts, QUARTER, every_column=True),
    )


# --- the yardsticks ---------------------------------------------------------------------------


@section("files")
def the_files(bench: Bench) -> Iterator[Line]:
    began = perf_counter()
    made = files(bench)
    files_of_one_more_day(bench)
    size = sum(path.stat().st_size for path in made.values()) / 1e6
    yield Line("Making the files", as_seconds(perf_counter() - began), f"{size:,.0f} MB")


@section("bare-driver")
def the_bare_driver(bench: Bench) -> Iterator[Line]:
    if "sqlite" in bench.databases:
        sqlite = bare_sqlite(bench)
        yield Line("SQLite executemany, tuples ready", as_rate(sqlite.ready_rate))
        yield Line("SQLite executemany from csv.reader", as_rate(sqlite.streamed_rate))
    if "postgresql" in bench.databases:
        postgresql = bare_postgresql(bench)
        yield Line("PostgreSQL COPY, tuples ready", as_rate(postgresql.ready_rate))
        yield Line("PostgreSQL COPY, text ready", as_rate(postgresql.streamed_rate))


@section("engines")
def the_engines(bench: Bench) -> Iterator[Line]:
    duckdb, pandas, careless = (
        by_duckdb(bench),
        by_pandas(bench),
        by_pandas_reading_everything(bench),
    )
    baselines.check_agreement(duckdb.figures, pandas.figures)
    threads = f"{baselines.duckdb_threads()} threads"
    asked = f"four figures of {QUARTER.name}"
    yield Line(f"DuckDB, own table, {asked}", as_seconds(duckdb.seconds), threads)
    yield Line("DuckDB, loading that table", as_seconds(duckdb.reading_seconds), threads)
    yield Line(f"pandas script, {asked}, files read whole", as_seconds(careless.end_to_end_seconds))
    yield Line(
        f"pandas script, {asked}, only needed columns", as_seconds(pandas.end_to_end_seconds)
    )
    yield Line(f"pandas script, {asked}, facts in memory", as_seconds(pandas.seconds))
