"""`partner-cx audit` and `partner-cx totals`, as a person and a script use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from api.cli import app
from partner_cx.database import open_database
from tests.harness import databases
from tests.harness.audited import a_sound_programme, intruding

Command = Callable[..., Result]


@pytest.fixture(params=databases.EACH_KIND)
def url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with databases.prepared_database(request.param, "audited", a_sound_programme) as made:
        yield made


@pytest.fixture
def run(url: str) -> Command:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["--database", url, *words], prog_name="partner-cx")

    return run


def damage(url: str) -> None:
    engine = open_database(url)
    with intruding(engine) as sql:
        sql("UPDATE transfers SET why_en = 'Gift' WHERE key LIKE 'close:2026Q2:network%'")
    engine.dispose()


def test_a_sound_programme_passes_and_says_what_was_checked(run: Command) -> None:
    audited = run("audit", "--quick")
    assert audited.exit_code == 0
    assert audited.stdout == ""
    assert "transfers" in audited.stderr
    assert "Nothing differs." in audited.stderr


def test_damage_is_told_with_what_to_do_and_status_1(run: Command, url: str) -> None:
    damage(url)
    audited = run("audit", "--quick")
    assert audited.exit_code == 1
    assert "transfer_altered" in audited.stdout
    assert "backup" in audited.stderr
    in_french = run("audit", "--quick", "--language", "fr")
    assert "Le contenu du mouvement" in in_french.stdout


def test_damage_as_json_is_flat(run: Command, url: str) -> None:
    damage(url)
    [found] = json.loads(run("audit", "--quick", "--format", "json").stdout)
    assert found["kind"] == "transfer_altered"
    assert found["count"] == 1
    assert found["where"].startswith("close:2026Q2:network")


def test_an_empty_database_is_told_of_and_stays_empty(tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    audited = CliRunner().invoke(app, ["audit", "--database", f"sqlite:///{empty}"])
    assert audited.exit_code == 1
    assert "schema_revision" in audited.stdout
    with sa.create_engine(f"sqlite:///{empty}").connect() as connection:
        assert sa.inspect(connection).get_table_names() == []


def test_a_database_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.sqlite3"
    audited = CliRunner().invoke(app, ["audit", "--database", f"sqlite:///{nowhere}"])
    assert audited.exit_code == 2
    assert not nowhere.exists()


def test_totals_are_signed_and_verified(run: Command, url: str) -> None:
    assert run("totals", "sign", "2026-07", "--out", "july.json").exit_code == 0
    verified = run("totals", "verify", "july.json")
    assert verified.exit_code == 0
    assert "the signature holds" in verified.stderr
    engine = open_database(url)
    with intruding(engine) as sql:
        sql("UPDATE closings SET closed_by = 'eve' WHERE period = '2026Q2'")
    engine.dispose()
    again = run("totals", "verify", "july.json")
    assert again.exit_code == 1
    assert "closings 2026Q2" in again.stdout


def test_totals_on_stdout_are_the_document_alone(run: Command) -> None:
    printed = run("totals", "sign", "2026-07")
    assert json.loads(printed.stdout)["period"] == "2026-07"
    key = run("totals", "key").stdout.strip()
    assert json.loads(printed.stdout)["public_key"] == key


def test_what_cannot_be_verified_is_refused(run: Command) -> None:
    Path("other.json").write_text("{}")
    for words in (["other.json"], ["missing.json"]):
        refused = run("totals", "verify", *words)
        assert refused.exit_code == 2
        assert "Traceback" not in refused.output
