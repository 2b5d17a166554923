"""The command line: what each command does, prints and exits with, as people and scripts see it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands.measures import FIGURES
from tests.harness.cast import the_cast
from tests.harness.intake import take
from tests.harness.programme import BONUS, a_network, a_programme

DATA = Path(__file__).parents[1] / "data"
AFTER_THE_QUARTER = ("--now", "2026-07-03T11:00")


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command, with an empty home and nothing set."""
    for name in [name for name in os.environ if name.startswith("PARTNER_CX_")]:
        if not name.startswith("PARTNER_CX_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="partner-cx")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result

    return run


@pytest.fixture
def network(engine: sa.Engine, database_url: str, door: Any):
    """Commands over the small programme, its quarter still open."""
    a_network(engine)
    the_cast(engine)
    return lambda *words: door("--database", database_url, *words)


def rows(result: Result) -> list[dict[str, Any]]:
    """What a command printed with `--format json`: an array of flat objects."""
    printed: list[dict[str, Any]] = json.loads(result.stdout)
    assert all(not isinstance(value, list | dict) for row in printed for value in row.values())
    return printed


# --- Facts in -----------------------------------------------------------------------------------


def test_bad_rows_are_told_and_written_out_to_be_mended(network: Any, tmp_path: Path):
    file = Path(shutil.copy(DATA / "deliveries.csv", tmp_path))
    words = ("import", "order-lines", file, "--map", DATA / "deliveries.toml", "--format", "json")
    refused = network(*words)
    assert refused.exit_code == 1  # nobody has imported these vendors
    assert rows(refused)[0]["refused"] > 0
    assert "No partner has this code" in refused.stderr
    assert "deliveries.problems.csv" in refused.stderr
    assert (tmp_path / "deliveries.problems.csv").exists()


def test_an_export_in_either_form_comes_in_once(network: Any, tmp_path: Path):
    mapping = tmp_path / "vendors.toml"
    mapping.write_text(
        '[columns]\ncode = "Vendor"\nname = "Vendor"\nkind = {constant = "distributor"}\n'
    )
    assert network("import", "partners", DATA / "deliveries.csv", "--map", mapping).exit_code == 0
    taken = network(
        *("import", "order-lines", DATA / "deliveries.csv"),
        *("--map", DATA / "deliveries.toml", "--format", "json"),
    )
    assert taken.exit_code == 0
    raw = network(
        *("import", "order-lines", DATA / "deliveries.raw.tsv"),
        *("--map", DATA / "deliveries.raw.toml", "--format", "json"),
    )
    assert rows(raw)[0]["unchanged"] == rows(taken)[0]["taken"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "order-lines", "nowhere.csv"), "no file"),
        (("import", "order-lines", "."), "folder"),
        (("import", "order-lines", ""), "No file is named"),
        (("import", "order-lines", "/dev/null"), "isn't a regular file"),
        (("import", "orders", "nowhere.csv"), "order-lines"),
        (("import", "order-lines", DATA / "deliveries.csv", "--map", "no.toml"), "no.toml"),
        (("measure", "2026Q5"), "isn't a period"),
        (("scorecard", "2026Q2", "--now", "soon"), "isn't an instant"),
        (("scorecard", "2026Q2", "--now", "0001-01-01T00:00"), "from 1970 to 2199"),
        (("scorecard", "2026Q2", "--now", "9999-12-31"), "from 1970 to 2199"),
        (("close", "2026Q2", "--now", "9999-12-31T23:59:59"), "from 1970 to 2199"),
        (("link", "mia@brand.example", "--now", "2200-01-01"), "from 1970 to 2199"),
        (("scorecard", "2026Q2", "--partner", "NOBODY"), "no partner NOBODY"),
        (("scorecard", "2026Q2", "--kpi", "otfi"), "no KPI otfi"),
        (("scorecard", "2026Q2", "--partner", "R1", "--group", "tier:gold"), "one of them"),
        (("scorecard", "2026Q2", "--partner", "R1", "--level", "network"), "--level"),
        (("measure", "2031Q1"), "hasn't begun"),
        (("close", "2031Q1"), "isn't over"),
        (("statement", "NOBODY"), "NOBODY"),
        (("statement", "nobody@brand.example"), "nobody@brand.example"),
        (("rules", "show", "nothing"), "nothing"),
        (("rules", "check", "nowhere.yaml"), "nowhere.yaml"),
        (("link", "nobody@brand.example"), "nobody@brand.example"),
        (("kinds", "orders"), "order-lines"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_cant_be_done_is_refused_with_a_remedy(door: Any, words: tuple, said: str):
    door("migrate")
    result = door(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("partner-cx: ")
    assert result.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("import",),
        ("close", "2026Q2", "--format", "xml"),
        ("kpis", "--language", "de"),
        ("scorecard", "2026Q2", "--partner", ""),
        ("scorecard", "2026Q2", "--group", " "),
        ("scorecard", "2026Q2", "--kpi", ""),
        ("statement", "R1", "--period", ""),
    ],
    ids=str,
)
def test_bad_usage_is_refused(door: Any, words: tuple):
    refused = door(*words)
    assert refused.exit_code == 2
    assert refused.stdout == ""


# --- Measuring ----------------------------------------------------------------------------------


def test_a_scorecard_counts_as_of_the_moment_asked_for(network: Any):
    asked = ("scorecard", "2026Q2", "--kpi", "otif", "--format", "json")
    early = rows(network(*asked, "--now", "2026-04-30T23:59"))[0]
    late = rows(network(*asked, *AFTER_THE_QUARTER))[0]
    assert (early["value"], early["hits"], early["of"]) == (None, 0, 0)
    assert (late["value"], late["hits"], late["of"], late["n"]) == (0.925, 37, 40, 40)
    assert (late["state"], late["target"]) == ("red", 0.95)
    assert late["as_of"] == "2026-07-03T09:00:00Z"


def test_a_scorecard_has_the_columns_of_the_contract(network: Any):
    asked = ("scorecard", "2026Q2", "--partner", "R2", *AFTER_THE_QUARTER)
    row = rows(network(*asked, "--format", "json"))[0]
    assert list(row) == list(FIGURES)
    assert row["partner"] == "R2"
    table = list(csv.DictReader(io.StringIO(network(*asked, "--format", "csv").stdout)))
    assert table[0]["value"] == "0.85"
    assert "85.00%" in network(*asked).stdout


def test_every_level_has_its_subjects(network: Any):
    for level, expected in (("partner", {"D1", "R1", "R2", "R3"}), ("network", {"network"})):
        asked = ("scorecard", "2026Q2", "--level", level, *AFTER_THE_QUARTER, "--format", "json")
        assert {row["subject"] for row in rows(network(*asked))} == expected
    group = ("scorecard", "2026Q2", "--group", "distributor:D1", "--kpi", "otif")
    assert rows(network(*group, *AFTER_THE_QUARTER, "--format", "json"))[0]["of"] == 40


def test_a_closed_period_prints_what_was_frozen_and_says_so(engine: sa.Engine, network: Any):
    a_programme(engine)
    assert network("close", "2026Q2", *AFTER_THE_QUARTER).exit_code == 0
    take(engine, "order-lines", {**LATE_LINE})
    frozen = network("scorecard", "2026Q2", "--kpi", "otif", "--format", "json")
    assert rows(frozen)[0]["of"] == 40
    assert "frozen on 2026-07-03" in frozen.stderr


def test_the_day_of_a_close_is_the_programmes_own(engine: sa.Engine, network: Any):
    a_programme(engine)
    network("close", "2026Q2", "--now", "2026-07-03T00:30")  # in UTC, still the day before
    assert "frozen on 2026-07-03" in network("scorecard", "2026Q2").stderr


LATE_LINE = {
    "source_id": "late",
    "order_code": "late",
    "partner_code": "R1",
    "ordered_qty": "1",
    "window_end": "2026-05-20",
}

# --- Closing ------------------------------------------------------------------------------------


def test_a_quarter_is_closed_once_and_explained(engine: sa.Engine, network: Any, tmp_path: Path):
    rule = tmp_path / "bonus.yaml"
    rule.write_text(BONUS.to_yaml(), encoding="utf-8")
    assert network("rules", "check", rule).exit_code == 1  # no budget yet
    assert network("rules", "publish", rule, "--why", "Terms of 2026").exit_code == 0
    for _ in range(2):
        funded = network("budgets", "fund", BONUS.budget, 10_000, "--why", "2026", "--key", "2026")
        assert funded.exit_code == 0
    for _ in range(2):
        closed = network("close", "2026Q2", *AFTER_THE_QUARTER, "--format", "json")
        assert closed.exit_code == 0
        assert rows(closed)[0]["awarded"] == 500
    left = rows(network("budgets", "list", "--format", "json"))
    assert left == [
        {
            "code": BONUS.budget,
            "given": 10_000,
            "awarded": 500,
            "left": 9_500,
            "reserved": 0,
            "committed": 0,
        }
    ]
    told = network("statement", "R2").stdout
    assert "10 pt short" in told
    assert told.count("R2-wrong-") == 6  # three rows, each with its number and its line
    assert "il manque 10 pt" in network("statement", "R2", "--language", "fr").stdout
    records = rows(network("statement", "R2", "--rows", "1", "--format", "json"))
    assert [row["record"] for row in records].count("row") == 1


def test_awards_that_no_budget_can_pay_are_problems(engine: sa.Engine, network: Any):
    a_programme(engine, points=0)
    closed = network("close", "2026Q2", *AFTER_THE_QUARTER)
    assert closed.exit_code == 1
    assert "can't be paid" in closed.stderr
    network("budgets", "fund", BONUS.budget, 500, "--why", "At last")
    assert network("close", "2026Q2", *AFTER_THE_QUARTER).exit_code == 0


def test_a_budget_is_funded_once_per_key_whatever_the_day(network: Any):
    fund = ("budgets", "fund", "quality", "100", "--why", "2026", "--key", "2026")
    for day in ("2026-01-15", "2026-03-31", "2026-12-01"):
        assert network(*fund, "--now", day).exit_code == 0
    other = network(*fund[:3], "200", *fund[4:], "--now", "2026-01-15")
    assert other.exit_code == 2
    assert rows(network("budgets", "list", "--format", "json"))[0]["left"] == 100


@pytest.mark.parametrize("points", [2**63 - 1, 10**20])
def test_more_points_than_a_budget_may_hold_are_refused(network: Any, points: int):
    for _ in range(2):
        refused = network("budgets", "fund", "quality", points, "--why", "2026")
        assert refused.exit_code == 2
        assert "1,000,000,000,000 points at most" in refused.stderr
    assert rows(network("budgets", "list", "--format", "json")) == []


@pytest.mark.parametrize(
    ("code", "options", "said"),
    [
        ("", ("--why", "2026"), "the budget: the text is empty"),
        ("q" * 300, ("--why", "2026"), "isn't a code"),
        ("qua\nlity", ("--why", "2026"), "isn't a code"),
        ("quality", ("--why", ""), "why: the text is empty"),
        ("quality", ("--why", "20\n26"), "why: the text has several lines"),
        ("quality", ("--why", "\x1b[31m2026"), "why: the text holds an invisible control"),
        ("quality", ("--why", "2026", "--key", ""), "--key"),
        ("quality", ("--why", "2026", "--key", "a\tb"), "the key: the text holds an invisible"),
    ],
    ids=str,
)
def test_a_gift_without_a_name_or_a_reason_one_can_read_is_refused(
    network: Any, code: str, options: tuple, said: str
):
    refused = network("budgets", "fund", code, "10", *options)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert rows(network("budgets", "list", "--format", "json")) == []


@pytest.mark.parametrize("why", ["", " ", "20\n26", "20\x0026"])
def test_a_rule_is_published_for_a_reason_one_can_read(network: Any, why: str, tmp_path: Path):
    rule = tmp_path / "bonus.yaml"
    rule.write_text(BONUS.to_yaml())
    refused = network("rules", "publish", rule, "--why", why)
    assert refused.exit_code == 2
    assert "why" in refused.stderr
    assert rows(network("rules", "list", "--format", "json")) == []


def test_a_link_opens_the_pages(network: Any):
    link = network("link", "mia@brand.example", "--address", "https://cx.brand.example/").stdout
    assert link.startswith("https://cx.brand.example/sign-in/")


# --- The database -------------------------------------------------------------------------------


def test_a_brand_new_database_is_made_by_itself_and_that_is_said(door: Any, tmp_path: Path):
    first, second = door("budgets", "list"), door("budgets", "list")
    assert first.exit_code == second.exit_code == 0
    assert "Made a new database" in first.stderr
    assert second.stderr == ""
    assert list(tmp_path.rglob("partner-cx.sqlite3"))


def test_a_database_of_another_version_is_refused(door: Any, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE another (id INTEGER)")
    engine.dispose()
    refused = door("scorecard", "2026Q2", "--database", url)
    assert refused.exit_code == 2
    assert "partner-cx migrate" in refused.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hush@127.0.0.1:1/x", "refused"),
        ("sqlite:////nowhere/at/all/x.sqlite3", "can't be opened"),
        ("mysql://u:hush@h/x", "sqlite:///"),
        ("hush", "sqlite:///"),
    ],
)
def test_a_database_out_of_reach_is_told_without_its_password(door: Any, url: str, said: str):
    for words in (("--database", url, "budgets", "list"), ("migrate", "--database", url)):
        result = door(*words)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "hush" not in result.output


def test_a_file_that_is_no_database_is_told_as_such(door: Any, tmp_path: Path):
    (tmp_path / "letter.txt").write_text("Dear partner, " * 100)
    result = door("budgets", "list", "--database", f"sqlite:///{tmp_path / 'letter.txt'}")
    assert result.exit_code == 2
    assert "isn't an SQLite database" in result.stderr


# --- The process --------------------------------------------------------------------------------


def test_help_needs_none_of_the_heavy_modules():
    heavy = "'pandas', 'pyarrow', 'sqlalchemy', 'fastapi', 'numpy'"
    code = f"import sys, api.cli; print([m for m in ({heavy}) if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_reader_who_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m api.cli kpis --format csv | head -1"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert ran.stdout.startswith("code,label")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_catalogue_and_the_kinds_speak_both_languages(door: Any):
    french = rows(door("kpis", "--language", "fr", "--format", "json"))
    assert {row["code"]: row["label"] for row in french}["portal_adoption"] == "Adoption du portail"
    assert "une quantité" in door("kinds", "receipts", "--language", "fr").stdout
