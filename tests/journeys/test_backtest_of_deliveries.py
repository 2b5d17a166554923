"""A rule back-tested over ten years of a real delivery export comes to what its closes paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from partner_cx.database import open_database
from tests.harness.backtests import told_by_the_ledger
from tests.harness.databases import EACH_KIND, prepared_database
from tests.harness.once import folder
from tests.journeys.command_line import CommandLine

DATA = Path(__file__).parents[1] / "data"
FILES = (("partners", "vendors"), ("order-lines", "deliveries"))
NOW = ("--now", "2016-01-15")
THREE_YEARS = ("--from", "2006Q2", "--to", "2009Q1")
CODE = "delivery_bonus"
CLOSED = ("2006Q2", "2006Q3", "2006Q4", "2007Q3", "2008Q1", "2008Q4")  # 2009Q1 stays open


def _prepare(engine: sa.Engine) -> None:
    """Vendors and their lines, a rule on deliveries, a thin budget, and closed quarters."""
    office = CommandLine(engine.url.render_as_string(hide_password=False), folder())
    office.take("targets", "kpi,target,from\notif,100 %,2006-01-01")
    asked = [
        ("rules", "publish", DATA / "delivery_bonus.yaml", "--why", "Terms", *NOW),
        ("budgets", "fund", "deliveries", "300", "--why", "A thin budget", *NOW),
        *(
            ("import", kind, DATA / "deliveries.csv", "--map", DATA / f"{mapping}.toml", *NOW)
            for kind, mapping in FILES
        ),
    ]
    for words in asked:
        answer = office.run(*words)
        assert answer.status == 0, answer.err
    for quarter in CLOSED:
        office.run("close", quarter, *NOW)


@pytest.fixture(params=EACH_KIND)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CommandLine]:
    with prepared_database(request.param, "deliveries", _prepare) as url:
        yield CommandLine(url, tmp_path)


def test_it_comes_to_the_ledger_to_the_point(office: CommandLine) -> None:
    told = office.run("rules", "backtest", CODE, *THREE_YEARS, "--format", "json", *NOW)
    assert told.status == 0, told.err
    engine = open_database(office.database_url)
    held = told_by_the_ledger(engine, CODE)
    engine.dispose()
    columns = ("period", "partner", "verdict", "points", "paid")
    rows = sorted(tuple(row[name] for name in columns) for row in told.rows)
    assert [row for row in rows if row[0] in CLOSED] == held
    assert sum(row[3] for row in held) == 400
    assert sum(row[4] for row in held) == 300  # four were earned, and the budget paid three
    assert "The budget would have run out in Q4 2008" in told.err


def test_what_was_never_closed_is_measured_for_it(office: CommandLine) -> None:
    summary = ("--summary", "--format", "json", "--budget", "600")
    rows = office.run("rules", "backtest", CODE, *THREE_YEARS, *summary, *NOW).rows
    basis = {row["period"]: row["basis"] for row in rows}
    assert basis["2008Q4"] == "closed"
    assert basis["2009Q1"] == "measured"
    assert {row["period"]: row["met"] for row in rows if row["met"]} == dict.fromkeys(
        ("2006Q2", "2006Q3", "2008Q1", "2008Q4", "2009Q1"), 1
    )
    assert (rows[-1]["running_cost"], rows[-1]["left"]) == (500, 100)


def test_a_changed_file_says_who_gains_against_what_is_in_force(
    office: CommandLine, tmp_path: Path
) -> None:
    text = (DATA / "delivery_bonus.yaml").read_text(encoding="utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text(text.replace("points: 100", "points: 150"), encoding="utf-8")
    words = (
        "rules",
        "backtest",
        changed,
        *THREE_YEARS,
        "--show",
        "changes",
        "--format",
        "json",
        *NOW,
    )
    answer = office.run(*words)
    assert {row["change"] for row in answer.rows if row["before"]} == {"gains"}
    assert sum(row["before"] for row in answer.rows) == 500
    assert sum(row["after"] for row in answer.rows) == 750
    assert "Against version 1 of delivery_bonus" in answer.err


@pytest.mark.parametrize("view", ["partners", "periods", "changes", "reach", "fairness"])
def test_every_view_is_printed_in_every_form_in_french_too(office: CommandLine, view: str) -> None:
    words = ("rules", "backtest", CODE, "--from", "2008Q4", "--to", "2008Q4", "--show", view)
    for form in ("table", "json", "csv"):
        answer = office.run(*words, "--format", form, "--language", "fr", *NOW)
        assert answer.status == 0, answer.err
        assert answer.out.strip()
    assert "payés" in answer.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((CODE, "--from", "2015-01", "--to", "2015-02"), "the rule is decided for each"),
        ((CODE, "--from", "2015Q1", "--to", "2016Q2"), "2016Q2 hasn't begun"),
        ((CODE, "--from", "2015Q2", "--to", "2015Q1"), "lies before"),
        ((CODE, "--from", "soon", "--to", "2015Q1"), "isn't a period"),
        (("nothing", "--from", "2015Q1", "--to", "2015Q2"), "No rule is called nothing"),
        (("nothing.yaml", "--from", "2015Q1", "--to", "2015Q2"), "There is no file"),
        ((CODE, "--draft", "--from", "2015Q1", "--to", "2015Q2"), "has no draft"),
        ((CODE, "--budget", "-1", "--from", "2015Q1", "--to", "2015Q2"), "--budget"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(
    office: CommandLine, words: tuple[str, ...], why: str
) -> None:
    answer = office.run("rules", "backtest", *words, *NOW)
    assert answer.status == 2
    assert why in answer.err
