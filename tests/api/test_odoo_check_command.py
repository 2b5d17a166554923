"""`odoo check`: what it prints, what it says to do, and its exit statuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands.odoo_check import CHECKED, IN_FRENCH
from api.headings import HEADINGS
from integrations.odoo.checking.findings import State
from integrations.stand_ins.odoo import DATABASE, SERVICE_GROUPS, StandIn, User, running
from tests.harness.odoo_replay import Page, Scripted, serving
from tests.harness.odoo_small import LOGIN, SERVICE, small_odoo

Check = Callable[..., Result]
KEY = "key-of-the-service"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Say in the environment what an installation says, and nothing else."""

    def say(**given: str) -> None:
        usual = {"database": DATABASE, "login": LOGIN, "key": KEY, "timeout_seconds": "5"}
        for name, value in {**usual, **given}.items():
            monkeypatch.setenv(f"PARTNER_CX_ODOO_{name.upper()}", value)
        monkeypatch.setenv("PARTNER_CX_DATA_FOLDER", str(tmp_path))

    return say


@pytest.fixture
def check(settings: Callable[..., None]) -> Check:
    def run(stand_in: StandIn, *words: str, **given: str) -> Result:
        with running(stand_in) as address:
            settings(url=address, **given)
            return CliRunner().invoke(app, ["odoo", "check", *words], prog_name="partner-cx")

    return run


def without_accounts() -> StandIn:
    groups = SERVICE_GROUPS - {"account.group_account_readonly"}
    return small_odoo(19, User(SERVICE.id, LOGIN, KEY, groups=groups))


@pytest.mark.parametrize("version", [18, 19])
def test_all_is_well(check: Check, version: int):
    result = check(small_odoo(version))
    assert result.exit_code == 0, result.output
    assert "All is well." in result.stderr
    assert f"Odoo {version}.0 over" in result.stdout


def test_a_gap_is_told_with_its_remedy_and_its_price(check: Check):
    result = check(without_accounts())
    assert result.exit_code == 1
    assert "the account may not read account.move" in result.stdout
    said = result.stderr
    assert "Show Accounting Features - Readonly (account.group_account_readonly)" in said
    assert "Until then not measured: credit_rate, dispute_rate." in said


def test_programs_get_the_same_in_columns(check: Check):
    as_json = check(without_accounts(), "--format", "json")
    assert as_json.exit_code == 1
    rows = json.loads(as_json.stdout)
    assert all(list(row) == list(CHECKED) for row in rows)
    (gap,) = [row for row in rows if row["state"] == "gap"]
    assert (gap["area"], gap["what"]) == ("invoices", "account.move")
    assert gap["costs"] == "credit_rate dispute_rate"
    assert as_json.stderr == ""
    as_csv = check(without_accounts(), "--format", "csv")
    assert [row["state"] for row in csv.DictReader(as_csv.stdout.splitlines())] == [
        row["state"] for row in rows
    ]


def test_what_is_switched_on_in_the_settings_is_looked_at(check: Check):
    result = check(small_odoo(19), "--format", "json", write_back="cards, notes")
    rows = {row["what"]: row for row in json.loads(result.stdout) if row["area"] == "writing"}
    assert [rows[name]["state"] for name in ("cards", "notes", "activities", "tickets")] == [
        "well",
        "well",
        "note",
        "note",
    ]


def test_states_and_headings_have_french_words(check: Check):
    assert set(CHECKED) <= set(HEADINGS)
    assert {state.value for state in State} == set(IN_FRENCH)
    shown = check(without_accounts(), "--language", "fr").stdout
    assert "domaine" in shown
    assert "manque" in shown


def test_a_refused_key_is_a_refusal_with_a_way_out(check: Check):
    result = check(small_odoo(19), key="a-key-of-former-days")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "refuses the API key" in result.stderr
    assert "New API Key" in result.stderr
    assert "former-days" not in result.output


def test_something_else_than_an_odoo_is_one_too(settings: Callable[..., None]):
    script = Scripted(18, lambda _: [], before=lambda _: Page("<h1>Not Found</h1>", 404))
    with serving(script) as address:
        settings(url=address)
        result = CliRunner().invoke(app, ["odoo", "check"], prog_name="partner-cx")
    assert result.exit_code == 2
    assert "isn't an Odoo" in result.stderr


def test_without_settings_it_says_which(settings: Callable[..., None]):
    settings()
    result = CliRunner().invoke(app, ["odoo", "check"], prog_name="partner-cx")
    assert result.exit_code == 2
    assert "PARTNER_CX_ODOO_URL is missing" in result.stderr
