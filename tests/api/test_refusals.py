"""Whose fault it was: what the world refuses is told with a remedy, our own mistakes as ours."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
import structlog

from api import cli
from api.refusals import explain
from api.wiring import set_up_logs
from partner_cx.database import open_database
from tests.harness.cast import at_the_door
from tests.harness.intake import SETTINGS


def told(driver: Exception) -> list[str | None]:
    """What is answered to a driver's error, as it is and as SQLAlchemy hands it on."""
    base: type[Exception] = psycopg.Error if isinstance(driver, psycopg.Error) else sqlite3.Error
    wrapped = sa.exc.DBAPIError.instance("SELECT 1", None, driver, base)
    assert isinstance(wrapped, Exception)
    answers = [explain(error) for error in (driver, wrapped)]
    return [str(answer) if answer else None for answer in answers]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (sqlite3.OperationalError("database is locked"), "The database is busy"),
        (sqlite3.OperationalError("unable to open database file"), "can't be opened"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "may not be written"),
        (sqlite3.OperationalError("database or disk is full"), "The disk is full"),
        (sqlite3.DatabaseError("file is not a database"), "isn't an SQLite database"),
        (sqlite3.DatabaseError("database disk image is malformed"), "is damaged"),
        (psycopg.errors.DiskFull("could not extend: No space left on device"), "The disk is full"),
        (psycopg.errors.DeadlockDetected("deadlock detected"), "The database is busy"),
        (
            psycopg.errors.ReadOnlySqlTransaction(
                "cannot execute INSERT in a read-only transaction"
            ),
            "may not be written",
        ),
        (psycopg.errors.InsufficientPrivilege("permission denied for table x"), "may not do this"),
        (
            psycopg.OperationalError("connection failed: Connection refused\n\tIs it running?"),
            "failed: Connection refused. Check the database URL and that its server runs; nothing",
        ),
        (psycopg.InterfaceError("the connection is closed"), "Check the database URL"),
    ],
    ids=str,
)
def test_what_the_database_refuses_is_told_with_a_remedy(error: Exception, words: str):
    for answer in told(error):
        assert answer is not None
        assert words in answer


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.IntegrityError("UNIQUE constraint failed: partners.code"),
        sqlite3.ProgrammingError("Incorrect number of bindings supplied."),
        psycopg.errors.UniqueViolation("duplicate key\nDETAIL: Key (code)=(disk is full)."),
        psycopg.errors.UndefinedColumn('column "nothing" does not exist'),
        psycopg.errors.NumericValueOutOfRange("integer out of range"),
    ],
    ids=str,
)
def test_our_own_mistakes_are_not_told_as_the_databases(error: Exception):
    assert told(error) == [None, None]


@pytest.mark.parametrize("statement", ["SELECT nothing", "SELEC 1", "SELECT * FROM nowhere"])
def test_a_statement_no_database_understands_is_our_mistake(engine: sa.Engine, statement: str):
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as failed:
        connection.exec_driver_sql(statement)
    assert explain(failed.value) is None


def test_a_command_that_fails_by_our_mistake_says_so_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(*_given: object, **_named: object) -> None:
        raise sa.exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("no such parent"))

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", f"sqlite:///{tmp_path}/programme.sqlite3")
    monkeypatch.setattr("api.wiring.migrations.require_current", fail)
    monkeypatch.setattr(sys, "argv", ["partner-cx", "scorecard", "2026Q2"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (3, "")
    assert "no such parent" in said.err
    last = said.err.splitlines()[-1]
    assert last.startswith("partner-cx: This is our mistake, not yours (IntegrityError).")


def test_a_mistake_before_the_settings_were_read_keeps_out_of_the_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("api.cli.app", None)
    structlog.reset_defaults()
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr()
    assert said.out == ""
    assert "'NoneType' object is not callable" in said.err


def test_a_page_without_its_database_is_written_down(capsys: pytest.CaptureFixture[str]):
    set_up_logs(SETTINGS)
    engine = open_database("sqlite:////no/such/folder/programme.sqlite3")
    answer = at_the_door(engine).post(
        "/sign-in/a-token-that-works", headers={"Origin": "http://testserver"}
    )
    engine.dispose()
    logged = capsys.readouterr().err
    assert answer.status_code == 503
    assert "page failed" in logged
    assert "503" in logged
    assert "The database file can't be opened" in logged
    assert "a-token-that-works" not in logged


def test_a_pool_that_has_lent_everything_is_busy_not_broken(engine: sa.Engine):
    alone = sa.create_engine(
        engine.url, poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    with alone.connect(), pytest.raises(sa.exc.TimeoutError) as raised:
        alone.connect()
    alone.dispose()
    refusal = explain(raised.value)
    assert refusal is not None
    assert (refusal.status, "every connection" in refusal.message) == (503, True)
