"""Transactions: whole or not at all, and run again when they lost a race."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.orm import Session

from partner_cx.database import open_database, reading, transact, writing
from partner_cx.errors import Invalid
from partner_cx.operations.imports import Source


@pytest.mark.parametrize(
    "lost",
    [
        psycopg.errors.DeadlockDetected("told by a COPY"),
        OperationalError("UPDATE", {}, psycopg.errors.SerializationFailure("told by SQLAlchemy")),
    ],
)
def test_a_transaction_that_lost_a_race_runs_again_whole(
    engine: sa.Engine, lost: Exception
) -> None:
    tries: list[int] = []

    def work(session: Session) -> None:
        session.add(Source(code="erp"))
        session.flush()
        tries.append(1)
        if len(tries) == 1:
            raise lost

    transact(engine, work)
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Source)) == 1
    assert len(tries) == 2


def test_any_other_failure_undoes_everything_and_is_told(engine: sa.Engine) -> None:
    def work(session: Session) -> None:
        session.add(Source(code="erp"))
        session.flush()
        raise psycopg.errors.DiskFull("no room")

    with pytest.raises(psycopg.errors.DiskFull):
        transact(engine, work)
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Source)) == 0


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://somewhere/x"])
def test_an_address_of_no_database_of_ours_is_refused_in_words(url: str) -> None:
    with pytest.raises(Invalid, match=r"sqlite:///|database URL"):
        open_database(url)


def test_a_snapshot_that_is_over_answers_nothing_more(engine: sa.Engine) -> None:
    """What is read late would come from another moment, over a connection nobody closes."""
    with reading(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Source)) == 0
    with pytest.raises(InvalidRequestError, match="closed"):
        session.scalar(sa.select(sa.func.count()).select_from(Source))


def test_a_connection_that_died_while_nobody_used_it_is_replaced(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("a file closes no connections")
    monkeypatch.setattr("partner_cx.database.RESTED_SECONDS", 0)
    own = open_database(engine.url.render_as_string(hide_password=False))
    first = transact(own, lambda session: session.scalar(sa.text("SELECT pg_backend_pid()")))
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})
    second = transact(own, lambda session: session.scalar(sa.text("SELECT pg_backend_pid()")))
    own.dispose()
    assert second != first


def test_a_writer_that_waits_in_vain_for_another_fails_as_databases_do(tmp_path, monkeypatch):
    monkeypatch.setattr("partner_cx.database.BUSY_SECONDS", 0)
    path = tmp_path / "network.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        engine = open_database(f"sqlite:///{path}")
        with reading(engine) as session:
            session.execute(sa.text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"), writing(engine):
            pass
        other.execute("COMMIT")
        with writing(engine) as session:
            session.execute(sa.text("SELECT 1"))
        engine.dispose()
