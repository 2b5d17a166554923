"""Transactions: whole or not at all, and run again when they lost a race."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InvalidRequestError, OperationalError, StatementError
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.database import lock, lock_number, open_database, reading, transact, writing
from partner_cx.errors import Invalid
from partner_cx.operations.imports import Source
from partner_cx.prepared import Prepared


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


def test_a_shared_lock_is_held_beside_others_and_not_beside_one_alone(engine: sa.Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("a writing transaction is alone on SQLite")
    alone = sa.select(sa.func.pg_try_advisory_xact_lock(2026, lock_number("it")))
    with Session(engine) as one, Session(engine) as two, Session(engine) as three:
        lock(one, "it", shared=True)
        lock(two, "it", shared=True)
        assert not three.scalar(alone)
        one.rollback()
        two.rollback()
        assert three.scalar(alone)


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


def _by_copy(session: Session, code: str) -> None:
    bulk.write(session, Source.__table__, pa.table({"code": [code]}))


def _prepared(session: Session, code: str) -> None:
    Prepared(sa.insert(Source.__table__), given=["code"]).rows(session, {"code": code})


@pytest.mark.parametrize("write", [_by_copy, _prepared])
def test_connections_that_may_only_read_arent_lent_to_the_next_writer(
    engine: sa.Engine, write: Callable[[Session, str], None]
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("a file goes by no such setting")
    own = open_database(engine.url.render_as_string(hide_password=False))
    only_read = f'ALTER DATABASE "{engine.url.database}" SET default_transaction_read_only ='
    _say(engine, f"{only_read} on")
    with pytest.raises((DBAPIError, psycopg.Error), match="read-only transaction"):
        transact(own, lambda session: write(session, "refused"))
    _say(engine, f"{only_read} off")
    transact(own, lambda session: write(session, "kept"))
    with reading(own) as session:
        assert session.scalars(sa.select(Source.code)).all() == ["kept"]
    own.dispose()


def _say(engine: sa.Engine, sql: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(sql)


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


def test_on_sqlite_one_connection_rests_for_the_next_writer(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'network.sqlite3'}")
    with writing(engine) as session:
        first = _driver_of(session)
    with writing(engine) as session:
        assert _driver_of(session) is first
        session.execute(sa.text("SELECT 1"))
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        raise ZeroDivisionError  # such a one goes back to the pool, which undoes what is left
    with writing(engine) as session:
        session.execute(sa.text("CREATE TABLE kept (id INTEGER)"))
        last = _driver_of(session)
    engine.dispose()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        last.execute("SELECT 1")


def test_a_writer_waits_for_its_turn_from_its_beginning(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'network.sqlite3'}")

    def work(session: Session) -> None:
        before = session.scalar(sa.text("SELECT count(*) FROM turns"))
        session.execute(sa.text("INSERT INTO turns VALUES (:n)"), {"n": before})

    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE turns (n INTEGER)"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: transact(engine, work), range(40)))
    with reading(engine) as session:
        turns = list(session.scalars(sa.text("SELECT n FROM turns ORDER BY rowid")))
    engine.dispose()
    assert turns == list(range(40))


def test_a_day_is_written_to_sqlite_as_sqlalchemy_writes_it(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'network.sqlite3'}")
    day = sa.select(sa.cast(sa.bindparam("day", type_=sa.Date), sa.Text))
    with reading(engine) as session:
        assert session.scalar(day, {"day": date(987, 6, 5)}) == "0987-06-05"
        assert (
            session.scalar(day, {"day": datetime(2026, 3, 29, 1, 30, tzinfo=UTC)}) == "2026-03-29"
        )
        assert session.scalar(day, {"day": None}) is None
        with pytest.raises(StatementError):
            session.scalar(day, {"day": "2026-03-29"})
    engine.dispose()


def _driver_of(session: Session) -> sqlite3.Connection:
    found = session.connection().connection.dbapi_connection
    assert isinstance(found, sqlite3.Connection)
    return found
