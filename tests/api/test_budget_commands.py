"""The budgets' commands: what is held, what is set aside, and when it was told to run out."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands import backtest, budgets
from api.headings import HEADINGS
from partner_cx.journal import Did, JournalLine
from tests.harness.programme import BONUS, MANAGER, OTIF_BONUS, a_programme, close_it

Office = Callable[..., Result]
AT = ("--now", "2026-07-03T11:00")


@pytest.fixture
def office(network_url: str) -> Office:
    return lambda *words: CliRunner().invoke(
        app, [*map(str, words), "--database", network_url], prog_name="partner-cx"
    )


@pytest.fixture
def network_url(engine: sa.Engine, database_url: str) -> str:
    from tests.harness.programme import a_tallied_network

    a_tallied_network(engine)
    a_programme(engine, OTIF_BONUS, points=1_000)
    close_it(engine)
    return database_url


def rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def reserve(office: Office, points: int, key: str) -> Result:
    return office("budgets", "reserve", BONUS.budget, points, "--key", key, "--why", "A panel", *AT)


def test_every_column_has_its_french() -> None:
    columns = {*budgets.LISTED, *budgets.ALERTS}
    for views in (budgets.COLUMNS, backtest.COLUMNS):
        columns |= {name for names in views.values() for name in names}
    assert columns <= set(HEADINGS)


def test_the_journal_names_who_funded_a_budget(office: Office, session: Session) -> None:
    given = ("budgets", "fund", BONUS.budget, 50, "--why", "More", "--key", "more", *AT)
    for _ in range(2):
        assert office(*given, "--by", MANAGER).exit_code == 0
    funded = sa.select(JournalLine.about, JournalLine.by).where(JournalLine.by == MANAGER)
    assert session.execute(funded.where(JournalLine.did == Did.BUDGET_FUNDED)).all() == [
        (BONUS.budget, MANAGER)
    ]


def test_budgets_are_listed_with_what_is_reserved(office: Office) -> None:
    assert reserve(office, 300, "panel").exit_code == 0
    assert rows(office("budgets", "list", "--format", "json")) == [
        {
            "code": BONUS.budget,
            "given": 1_000,
            "awarded": 500,
            "left": 200,
            "reserved": 300,
            "committed": 0,
        }
    ]


def test_a_budget_shows_where_its_points_are_and_what_may_come(office: Office) -> None:
    (row,) = rows(office("budgets", "show", BONUS.budget, *AT, "--format", "json"))
    assert (row["given"], row["spent"], row["left"], row["used"]) == (1_000, 500, 500, 0.5)
    assert (row["open_awards"], row["expected"], row["p95"]) == (3, 550, 1_000)
    assert row["chance_short"] == 0.264
    drawn = office("budgets", "show", BONUS.budget, "--show", "rules", "--format", "json")
    assert rows(drawn) == [{"rule": OTIF_BONUS.code, "n": 1, "points": 500}]


def test_more_than_a_budget_holds_is_refused_whole(office: Office) -> None:
    assert reserve(office, 450, "panel").exit_code == 0
    refused = reserve(office, 100, "training")
    assert refused.exit_code == 2
    assert "holds 50 of 100 points" in refused.stderr
    kept = office("budgets", "show", BONUS.budget, "--show", "reservations", "--format", "json")
    assert [(row["key"], row["points"]) for row in rows(kept)] == [("panel", 450)]


def test_a_reservation_is_released_once_or_settled(office: Office) -> None:
    reserve(office, 100, "one")
    reserve(office, 100, "other")
    assert office("budgets", "release", "one", "--why", "Cancelled", *AT).exit_code == 0
    paid = ("budgets", "settle", "other", "--to", "R3", "--points", 60, "--why", "Came", *AT)
    assert office(*paid).exit_code == 0
    assert office(*paid).exit_code == 0
    again = office("budgets", "release", "other", "--why", "Cancelled", *AT)
    assert again.exit_code == 2
    assert "is over" in again.stderr
    (row,) = rows(office("budgets", "list", "--format", "json"))
    assert (row["awarded"], row["left"], row["reserved"]) == (560, 440, 0)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "nothing"), "No budget is called nothing"),
        (("release", "nothing", "--why", "x"), "Nothing is reserved under nothing"),
        (("settle", "nothing", "--to", "NOBODY", "--why", "x"), "No partner has the code NOBODY"),
        (("settle", "nothing", "--to", "a@b.example", "--why", "x"), "Nobody is known by a@b"),
        (("reserve", "q", "0", "--key", "k", "--why", "x"), "greater than or equal to 1"),
        (("reserve", "q", "5", "--key", "k", "--why", "x"), "holds 0 of 5 points"),
        (("reserve", "two words", "5", "--key", "k", "--why", "x"), "the budget"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(office: Office, words: tuple[str, ...], why: str) -> None:
    refused = office("budgets", *words)
    assert refused.exit_code == 2
    assert why in refused.stderr


def test_alerts_are_listed_newest_first_in_both_languages(office: Office) -> None:
    reserve(office, 450, "panel")
    told = rows(office("budgets", "alerts", "--format", "json"))
    assert [row["level"] for row in told] == [95, 80, 50]
    assert told[0]["sentence"] == f"Budget {BONUS.budget}: 95% is used, 950 of 1,000 points."
    french = office("budgets", "alerts", BONUS.budget, "--language", "fr")
    assert "95 % sont utilisés" in french.stdout
    assert rows(office("budgets", "alerts", "another", "--format", "json")) == []
