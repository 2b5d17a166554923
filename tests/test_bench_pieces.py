"""The benchmark's own pieces, at a size where nothing is measured: do they do what they say?"""

from __future__ import annotations

import csv
import platform
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.bench import generator
from tests.bench.baselines import (
    Disagreement,
    Quarter,
    bare_sqlite,
    check_agreement,
    four_figures_by_duckdb,
    four_figures_by_pandas,
)
from tests.bench.report import at_least, markdown_line, times_faster
from tests.bench.timing import machine, run_command

TINY = 0.005  # 25,000 order lines
QUARTER = Quarter("2025Q3")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    return generator.make_files(tmp_path_factory.mktemp("facts"), share=TINY)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_each_kind_has_its_columns_and_its_share_of_the_rows(files):
    for kind, file in files.items():
        rows = rows_of(file)
        assert list(rows[0]) == generator.COLUMNS[kind].split()
        if kind in generator.FULL_SIZE:
            assert len(rows) == generator.FULL_SIZE[kind] * TINY
            assert len({row["source_id"] for row in rows}) == len(rows)


def test_the_network_is_whole_at_every_share(files):
    assert len(rows_of(files["partners"])) == generator.PARTNERS
    assert len(rows_of(files["people"])) == generator.PARTNERS * generator.PEOPLE_PER_PARTNER


def test_windows_end_within_the_eight_quarters_in_the_order_of_an_export(files):
    ends = pd.Series([row["window_end"] for row in rows_of(files["order-lines"])])
    assert ends.min() >= "2024-01-01"
    assert ends.max() <= "2025-12-31"
    days = pd.to_datetime(ends)
    assert (days.cummax() - days).max() <= pd.Timedelta(days=10)


def test_an_order_has_two_and_a_half_lines_of_one_partner(files):
    lines = pd.DataFrame(rows_of(files["order-lines"])).groupby("order_code")
    assert 2.4 < lines.size().mean() < 2.6
    assert lines["partner_code"].nunique().max() == 1


def test_the_same_seed_makes_the_same_files_and_another_seed_others(files, tmp_path):
    again = generator.make_files(tmp_path / "again", share=TINY)
    other = generator.make_files(tmp_path / "other", share=TINY, seed=2)
    for kind in generator.FULL_SIZE:
        assert again[kind].read_bytes() == files[kind].read_bytes()
        assert other[kind].read_bytes() != files[kind].read_bytes()


def test_one_more_day_brings_new_ids_of_the_first_days_of_2026(files, tmp_path):
    day = generator.make_day(tmp_path)
    dated = {
        "order-lines": "window_end",
        "tickets": "opened_at",
        "portal-events": "at",
        "answers": "answered_at",
    }
    for kind, column in dated.items():
        rows = rows_of(day[kind])
        assert len(rows) == generator.ONE_MORE_DAY[kind]
        assert all("2026-01-01" <= row[column] < "2026-01-06" for row in rows)
        known = {row["source_id"] for row in rows_of(files[kind])}
        assert known.isdisjoint(row["source_id"] for row in rows)


def test_duckdb_and_the_pandas_script_agree_on_every_partner(files, tmp_path):
    duckdb = four_figures_by_duckdb(files, QUARTER, folder=tmp_path, runs=1).figures
    pandas = four_figures_by_pandas(files, QUARTER, runs=1).figures
    check_agreement(duckdb, pandas)
    totals = duckdb.groupby("kpi")[["hits", "of"]].sum()
    assert set(totals.index) == {"otif", "sla_response", "portal_adoption", "nps"}
    assert (totals["hits"] < totals["of"]).all()
    assert (totals["hits"] > 0).all()


def test_yardsticks_that_differ_by_one_hit_are_none(files):
    pandas = four_figures_by_pandas(files, QUARTER, runs=1).figures
    one_off = pandas.assign(hits=pandas["hits"].where(pandas.index != 7, pandas["hits"] + 1))
    with pytest.raises(Disagreement, match="1 figures differ"):
        check_agreement(pandas, one_off)
    with pytest.raises(Disagreement, match="1 figures differ"):
        check_agreement(pandas, pandas.drop(index=7))


def test_a_quarter_begins_and_ends_at_midnight_in_paris():
    assert str(QUARTER.starts_at) == "2025-06-30 22:00:00"
    assert str(Quarter("2025Q4").ends_at) == "2025-12-31 23:00:00"


def test_the_bare_driver_takes_every_line_and_leaves_nothing_behind(files, tmp_path):
    taken = bare_sqlite(files["order-lines"], folder=tmp_path)
    assert taken.rows == generator.FULL_SIZE["order-lines"] * TINY
    assert min(taken.ready_rate, taken.streamed_rate) > 0
    assert not list(tmp_path.iterdir())


def test_a_commands_peak_memory_is_its_own_and_not_ours():
    ours = bytearray(300_000_000)
    idle = run_command([sys.executable, "-c", "print('done')"])
    hungry = run_command([sys.executable, "-c", "len(bytearray(150_000_000)); exit(1)"])
    assert (idle.status, idle.output, hungry.status) == (0, "done\n", 1)
    assert idle.peak_megabytes < 60 < 150 < hungry.peak_megabytes < len(ours) / 1e6


def test_a_line_says_the_ratio_and_whether_the_aim_is_reached():
    intake = at_least("Intake", 120_000, 300_000, aim=0.5, against="executemany")
    row = "| Intake | 120,000 rows/s | executemany: 300,000 rows/s | 0.40 × | ≥ 0.5 × | **no** |"
    assert markdown_line(intake) == row
    assert times_faster("KPIs", 0.2, 6.4, aim=30, against="pandas").reached


def test_the_machine_is_told_by_what_it_has_and_not_by_its_name():
    assert " cores, " in machine()
    assert platform.node() not in machine()
