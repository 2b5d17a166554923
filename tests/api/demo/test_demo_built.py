"""The demo built by its command: files taken in, quarters closed, links that open the pages."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from tests.harness.balanced import unbalanced
from tests.harness.built_demo import build, built_on_sqlite
from tests.harness.databases import fresh_database
from tests.harness.intake import partner, take


@pytest.fixture(scope="module")
def built() -> tuple[str, Path, str]:
    """The database, the files and what was said: built once, however many workers there are."""
    return built_on_sqlite()


def test_its_past_quarters_are_closed_and_somebody_wins_in_each(built):
    url, _, _ = built
    engine = open_database(url)
    with Session(engine) as session:
        closed = session.scalars(sa.select(Closing.period).order_by(Closing.id)).all()
        won = sa.select(DecisionRow.closing_id).where(
            DecisionRow.points > 0, DecisionRow.closing_id.is_not(None)
        )
        assert closed == [
            *("2024Q4", "2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3")
        ]
        assert len(session.scalars(won.distinct()).all()) == len(closed)
        assert unbalanced(session) == []
    engine.dispose()


def test_it_says_what_happened_and_whom_to_sign_in_as(built):
    _, _, said = built
    assert "Q3 2026 is closed: " in said
    assert "Network quality bonus, version 1: " in said
    assert "order-lines-corrections.csv: 42 corrected" in said
    assert said.count("http://127.0.0.1:8000/sign-in/") == 5  # one for each role
    assert "refused" not in said


def test_it_never_mixes_with_another_network(tmp_path: Path):
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        take(engine, "partners", partner("MINE"))
        engine.dispose()
        refused = build(url, tmp_path)
    assert refused.exit_code == 2
    assert "another network" in refused.stderr
