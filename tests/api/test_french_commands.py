"""French on the command line: headings, states and sentences for people, codes for programs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands import closing, facts, measures, rules
from api.headings import HEADINGS, STATES
from partner_cx.measures.figures import State
from tests.harness.programme import a_network, a_programme

DATA = Path(__file__).parents[1] / "data"
AFTER_THE_QUARTER = ("--now", "2026-07-03T11:00")


@pytest.fixture
def french(engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch):
    """Commands over the small programme, answered in French."""
    monkeypatch.setenv("PARTNER_CX_LANGUAGE", "fr")
    a_network(engine)

    def run(*words: object) -> Result:
        given = ["--database", database_url, *map(str, words)]
        return CliRunner().invoke(app, given, prog_name="partner-cx")

    return run


def test_every_column_of_a_table_has_its_french():
    columns = {
        *(*measures.FIGURES_IN_TABLE, *measures.DEFINITIONS, *rules.RULES_IN_TABLE),
        *(*facts.COUNTED, *facts.KINDS_LISTED, *facts.KIND_COLUMNS, *closing.OUTCOMES),
        *("code", "given", "awarded", "left"),  # of budgets
    }
    assert columns <= set(HEADINGS)
    assert {state.value for state in State} == set(STATES)


def test_a_scorecard_is_headed_and_judged_in_french(french: Any):
    asked = ("scorecard", "2026Q2", "--kpi", "otif", *AFTER_THE_QUARTER)
    head, _, row = french(*asked).stdout.splitlines()
    assert head.split()[:4] == ["période", "niveau", "sujet", "indicateur"]
    assert "92,50\u202f%" in row
    assert "rouge" in row
    for form in ("csv", "json"):
        plain = french(*asked, "--format", form).stdout
        assert "red" in plain
        assert "période" not in plain


def test_a_closed_period_says_so_in_french(engine: sa.Engine, french: Any):
    a_programme(engine)
    assert "sans verdict" in french("close", "2026Q2", *AFTER_THE_QUARTER).stdout
    said = french("scorecard", "2026Q2").stderr
    assert "2026Q2 est clôturé\u202f: voici ses chiffres tels que figés le 2026-07-03." in said
    assert french("statement", "R1").stdout.startswith("Partner R1 (R1)\u202f: 500 points")


def test_refused_rows_are_told_in_french(french: Any, tmp_path: Path):
    file = Path(shutil.copy(DATA / "deliveries.csv", tmp_path))
    refused = french("import", "order-lines", file, "--map", DATA / "deliveries.toml")
    assert "refusés" in refused.stdout
    assert "Les lignes refusées sont dans" in refused.stderr
    assert "»)\u202f: Aucun partenaire n’a ce code." in refused.stderr


def test_yes_and_no_are_said_in_french(french: Any):
    assert " oui " in french("kinds", "receipts", "--language", "fr").stdout
