"""The commands about events and holds, and the guide's page about them, as somebody types them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands import events, holds
from api.headings import HEADINGS
from tests.harness.guide import BLOCK

PAGE = Path(__file__).parents[2] / "docs/guide/events.md"


@pytest.fixture(autouse=True)
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", "sqlite:///network.sqlite3")


def run(command: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, shlex.split(command)[1:], prog_name="partner-cx")
    assert result.exit_code == status, result.output
    return result.output


def rows(command: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, [*shlex.split(command)[1:], "--format", "json"])
    return json.loads(result.stdout)


@pytest.fixture
def guided(tmp_path: Path) -> list[tuple[str, str]]:
    """What the guide's page types, each with what it printed; its files lie ready."""
    said = []
    for name, language, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if name:
            (tmp_path / name).write_text(text, encoding="utf-8")
        if language == "console":
            commands = [line.removeprefix("$ ") for line in text.splitlines()]
            said += [(each, run(each)) for each in commands if not each.startswith("export")]
    return said


def test_the_guides_page_goes_as_it_says(guided: list[tuple[str, str]]) -> None:
    printed = "\n".join(output for _, output in guided)
    assert "1 new events, which earned 50 points." in printed
    assert "panel-2026-07 was told before: nothing changed." in printed
    assert "1 awards released, 50 points." in printed
    assert rows("partner-cx holds list") == []
    [course] = rows("partner-cx events list --kind course_completed")
    assert (course["key"], course["points"], course["waiting"]) == ("learning:default:L-1", 50, 0)
    assert course["partner"] == "R01"


def test_a_key_that_stands_for_another_event_is_refused(guided: list[tuple[str, str]]) -> None:
    told = "partner-cx events tell panel-2026-07 panel_attended R01 --at 2026-06-04"
    assert "already stands for another event" in run(told, status=2)


def test_an_award_no_budget_can_pay_is_named_and_paid_later(
    guided: list[tuple[str, str]],
) -> None:
    run("partner-cx budgets reserve learning 4950 --key all --why Set-aside", status=0)
    at = "--at 2026-06-05 --now 2026-06-06"
    told = f"partner-cx events tell C-9 course_completed R01 --person ada@lyon.example {at}"
    assert "partner-cx events pay" in run(told, status=1)
    assert [each["waiting"] for each in rows("partner-cx events list --last 1")] == [50]
    run('partner-cx budgets fund learning 70 --why "More" --key more')
    assert "50 points paid" in run("partner-cx events pay")
    assert [each["waiting"] for each in rows("partner-cx events list --last 1")] == [0]
    [held] = rows("partner-cx holds list --now 2026-06-18")
    assert (held["held_until"], held["due"], held["budget"]) == ("2026-06-19", False, "learning")
    assert "back in budget learning" in run(f"partner-cx holds refuse {held['key']} --why Twice")
    assert "settled already" in run(f"partner-cx holds refuse {held['key']} --why Twice", 2)
    assert "Twice" in run("partner-cx statement R01")


def test_every_column_of_a_table_has_its_french() -> None:
    assert {*events.LISTED_IN_TABLE, *events.RULINGS, *holds.LISTED_IN_TABLE} <= set(HEADINGS)
