"""Explaining and pending points on the command line and on pages, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from api.cli import app
from api.commands.explain import COLUMNS
from tests.harness.cast import signed_in
from tests.harness.events import a_course, a_rule, in_force, tell
from tests.harness.intake import partner, take
from tests.harness.programme import a_network, a_programme, close_it

KEY = "close:2026Q2:network_quality_bonus:R1"


@pytest.fixture
def network(engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The small programme with its quarter closed, asked from the command line."""
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", database_url)
    a_network(engine)
    a_programme(engine)
    close_it(engine)
    return run


@pytest.fixture
def courses(engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A programme whose awards are held for two weeks, and one of them."""
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", database_url)
    take(engine, "partners", partner("R1"))
    in_force(engine, a_rule(hold_days="14"))
    tell(engine, a_course())
    return run


def run(*words: Any) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def told(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.replace("\u202f", " ")


def test_a_miss_is_explained_down_to_its_lines(network: Any) -> None:
    said = told(network("explain", "R2", "2026Q2"))
    assert said.startswith(
        "Partner R2 (R2)\n2026-06-30  Network quality bonus, Q2 2026: no points."
    )
    for line in (
        "Decided at the close of 3 July 2026 by mia@brand.example: not met, 0 points.",
        "Rule network_quality_bonus, version 1, published on 3 July 2026 by mia@brand.example",
        "“Terms of 2026”: digest verified.",
        "Worth 500 points, paid by budget network-quality.",
        "✕ OTIF 85.00% (target 95%, 20 lines): 10 pt short",
        "Order lines received in full inside their window, out of all lines due.",
        "Counted and missed, 3 lines:",
        "R2-wrong-3  Order O-R2-wrong, line R2-wrong-3, 10 ordered, due 18 May 2026: nothing",
        "Counted and kept, 17 lines:",
        "The nearest way to it:\n    OTIF at 95%: 2 more lines on time.",
    ):
        assert line in said


def test_a_miss_is_explained_in_french(network: Any) -> None:
    said = told(network("explain", "R2", "--language", "fr", "--rows", "1"))
    for line in (
        "Décidé à la clôture du 3 juillet 2026 par mia@brand.example : non remplie, 0 point.",
        "publiée le 3 juillet 2026 par mia@brand.example « Terms of 2026 » : empreinte vérifiée.",
        "Comptées et manquées, 3 lignes, dont 1 ici :",
        "Le chemin le plus court :\n    OTIF à 95 % : 2 lignes de plus.",
    ):
        assert line in said


def test_an_entry_is_explained_by_key_and_by_number(network: Any) -> None:
    by_key = told(network("explain", KEY))
    assert f"key {KEY}, digest verified." in by_key
    (entry,) = [
        row for row in json.loads(network("statement", "R1", "--format", "json").stdout)
        if row["record"] == "entry"
    ]  # fmt: skip
    assert entry["key"] == KEY
    assert told(network("explain", entry["entry"])) == by_key


def test_programs_get_every_link_as_a_row(network: Any) -> None:
    rows = json.loads(network("explain", "R2", "--format", "json").stdout)
    assert Counter(row["record"] for row in rows) == {
        "decision": 1, "rule": 1, "finding": 3, "row": 3, "kept": 18, "step": 1,
    }  # fmt: skip
    found = {row["kpi"]: row for row in rows if row["record"] == "finding"}
    assert (found["otif"]["hits"], found["otif"]["of"], found["otif"]["value"]) == (17, 20, 0.85)
    (step,) = [row for row in rows if row["record"] == "step"]
    assert (step["why"], step["reachable"]) == ("OTIF at 95%: 2 more lines on time.", True)
    assert all(row["intact"] for row in rows if row["record"] in ("decision", "rule"))
    table = csv.reader(io.StringIO(network("explain", "R2", "--format", "csv").stdout))
    assert tuple(next(table)) == COLUMNS
    assert len(list(table)) == len(rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("R22",), "R22 is neither an entry nor a partner. Did you mean R2"),
        (("R2", "2026Q9"), "“2026Q9” isn't a period."),
        (("R2", "2026Q3"), "Nothing was decided about R2 in 2026Q3."),
        (("R2", ""), "It is empty."),
        (("R2", "--rows", "-1"), "greater than or equal to 0"),
    ],
)
def test_what_cant_be_explained_is_refused(network: Any, words: tuple[str], message: str) -> None:
    refused = network("explain", *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr


# --- Pending ------------------------------------------------------------------------------------


def test_a_statement_shows_what_is_pending_beside_the_balance(courses: Any) -> None:
    said = told(courses("statement", "R1"))
    assert said.startswith("Partner R1 (R1): 0 points\nPending: 50 points\n")
    assert "Pending, not to be spent yet:\n2026-07-10       50  Course taken" in said
    assert "To be released on 24 July 2026." in said
    french = told(courses("statement", "R1", "--language", "fr"))
    assert "En attente : 50 points" in french
    assert "À débloquer le 24 juillet 2026." in french


def test_programs_get_pending_points_as_rows(courses: Any) -> None:
    rows = json.loads(courses("statement", "R1", "--format", "json").stdout)
    assert [(row["record"], row["balance"], row["points"]) for row in rows] == [
        ("balance", 0, None), ("pending", 50, None), ("held", None, 50),
    ]  # fmt: skip
    assert (rows[2]["held_until"], rows[2]["needs_approval"]) == ("2026-07-24", False)


def test_a_statement_of_an_earlier_day_shows_what_was_pending_then(courses: Any) -> None:
    released = courses("holds", "release", "--now", "2026-07-24T12:00")
    assert released.exit_code == 0, released.output
    assert "Pending" not in told(courses("statement", "R1"))
    then = told(courses("statement", "R1", "--now", "2026-07-20T12:00"))
    assert "Pending: 50 points" in then
    before = told(courses("statement", "R1", "--now", "2026-07-09T12:00"))
    assert "Pending" not in before


def test_the_page_shows_what_is_pending_in_both_languages(closed: sa.Engine) -> None:
    in_force(closed, a_rule(hold_days="14"))
    tell(closed, a_course())
    client = signed_in(closed, "manager")
    for language, words in (
        (
            "en",
            ("Held besides: 50 points.", "Not to be spent yet", "To be released on 24 July 2026."),
        ),
        (
            "fr",
            (
                "En attente en plus : 50 points.",
                "Pas encore à dépenser",
                "À débloquer le 24 juillet 2026.",
            ),
        ),
    ):
        page = client.get(f"/statements/R1?lang={language}").text
        said = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        for each in words:
            assert each in said
    anchors = re.findall(r' id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
