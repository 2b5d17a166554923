"""A database of another version than the program's: refused with what to do, by every door."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from api.cli import app
from partner_cx.database import open_database
from tests.harness.cast import at_the_door, signed_in, the_cast
from tests.harness.databases import EACH_KIND, fresh_database
from tests.harness.programme import a_network

AT_WORK = (
    ("serve", "--port", "0"),
    ("work", "--once"),
    ("demo", "--no-serve"),
    ("migrate",),
    ("schedule",),
    ("scorecard", "2026Q2"),
    ("link", "mia@brand.example"),
    ("audit",),
)


@pytest.fixture(params=EACH_KIND)
def newer(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that a version yet to come has been at work on."""
    with fresh_database(request.param) as url:
        note_revision(url, "0099")
        yield url


def note_revision(url: str, revision: str | None) -> None:
    """Let a database say that it is at a revision; None: that it says nothing."""
    engine = open_database(url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        if revision:
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")
    engine.dispose()


def run(monkeypatch: pytest.MonkeyPatch, folder: Any, url: str, *words: str) -> Result:
    for name in [each for each in os.environ if each.startswith("PARTNER_CX_")]:
        if not name.startswith("PARTNER_CX_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    return CliRunner().invoke(app, [*words, "--database", url], prog_name="partner-cx")


@pytest.mark.parametrize("words", AT_WORK, ids=" ".join)
def test_a_database_of_a_newer_version_is_refused_by_every_command(
    newer: str, words: tuple[str, ...], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    refused = run(monkeypatch, tmp_path, newer, *words)
    assert refused.exit_code == 2, refused.output
    assert "at revision 0099, which this program doesn't know" in refused.stderr
    assert "Run that version, or put back a backup" in refused.stderr
    assert "partner-cx migrate" not in refused.stderr


def test_several_revisions_at_once_are_told_too(
    newer: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    engine = open_database(newer)
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0100')")
    engine.dispose()
    refused = run(monkeypatch, tmp_path, newer, "migrate")
    assert refused.exit_code == 2, refused.output
    assert "0099" in refused.stderr
    assert "0100" in refused.stderr


@pytest.mark.parametrize("words", [("migrate",), ("scorecard", "2026Q2")], ids=" ".join)
def test_tables_that_dont_say_of_which_version_they_are_are_left_alone(
    database_url: str, words: tuple[str, ...], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    note_revision(database_url, None)
    refused = run(monkeypatch, tmp_path, database_url, *words)
    assert refused.exit_code == 2, refused.output
    assert "doesn't say of which version" in refused.stderr
    assert "Name an empty database" in refused.stderr


def test_what_else_lies_in_a_database_is_in_nobodys_way(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
):
    url = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE spatial_ref_sys (srid INTEGER)")
    engine.dispose()
    refused = run(monkeypatch, tmp_path, url, "scorecard", "2026Q2")
    assert "run `partner-cx migrate`" in refused.stderr
    assert run(monkeypatch, tmp_path, url, "migrate").exit_code == 0


def test_a_service_over_a_newer_database_isnt_ready(newer: str):
    engine = open_database(newer)
    answer = at_the_door(engine).get("/ready")
    engine.dispose()
    assert answer.status_code == 503
    assert "of a version that this program doesn't know" in answer.text
    assert "migrate" not in answer.text


# --- Brought to another version while it serves ------------------------------------------------


@pytest.fixture
def overtaken(engine: sa.Engine) -> TestClient:
    """A manager's browser at a service under which a newer version changed the schema."""
    a_network(engine)
    the_cast(engine)
    client = signed_in(engine, "manager")
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE people RENAME COLUMN name TO called")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099'")
    return client


def test_pages_over_a_database_that_was_changed_meanwhile_say_so(
    overtaken: TestClient, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()
    page = overtaken.get("/partners")
    logged = capsys.readouterr().err + capsys.readouterr().out
    assert page.status_code == 503
    assert "are of different versions" in page.text
    assert "doesn't know" in logged
    assert "Traceback" not in logged
