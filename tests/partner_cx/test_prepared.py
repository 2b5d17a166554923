"""Prepared statements: said straight to the driver, in the session's transaction as any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact, writing
from partner_cx.effects import Effect
from partner_cx.operations.imports import Source
from partner_cx.prepared import Prepared

SOURCES = Source.__table__
ADD = Prepared(sa.insert(SOURCES).returning(SOURCES.c.id, SOURCES.c.code), given=["code"])
COUNT = Prepared(sa.select(sa.func.count().label("sources")).select_from(SOURCES))

EFFECTS = Effect.__table__
GIVEN = ("kind", "key", "payload", "digest", "owed_at", "due_at", "tries")
OWE = Prepared(sa.insert(EFFECTS), given=GIVEN)
OWED = Prepared(sa.select(EFFECTS).where(EFFECTS.c.key == sa.bindparam("key")))


def test_a_row_has_the_names_of_its_columns(session: Session) -> None:
    added = ADD.one(session, {"code": "erp"})
    assert added is not None
    assert added.code == "erp"
    assert session.get_one(Source, added.id).code == "erp"


def test_what_a_failed_act_said_is_undone_though_nothing_else_was(engine: sa.Engine) -> None:
    def work(session: Session) -> None:
        ADD.rows(session, {"code": "erp"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transact(engine, work)
    assert _count(engine) == 0


def test_what_it_says_is_undone_with_the_savepoint_it_was_said_in(engine: sa.Engine) -> None:
    with writing(engine) as session:
        ADD.rows(session, {"code": "kept"})
        savepoint = session.begin_nested()
        ADD.rows(session, {"code": "undone"})
        savepoint.rollback()
        ADD.rows(session, {"code": "also kept"})
    assert _count(engine) == 2


def test_it_sees_what_the_session_flushed_and_the_session_what_it_said(engine: sa.Engine) -> None:
    with writing(engine) as session:
        ADD.rows(session, {"code": "erp"})
        session.add(Source(code="helpdesk"))
        session.flush()
        assert COUNT.rows(session, {}) == [(2,)]
        assert session.scalar(sa.select(sa.func.count()).select_from(Source)) == 2
    assert _count(engine) == 2


def test_a_session_that_begins_again_is_asked_for_its_way_again(engine: sa.Engine) -> None:
    with Session(engine.execution_options(writes=True)) as session:
        ADD.rows(session, {"code": "erp"})
        session.rollback()
        ADD.rows(session, {"code": "helpdesk"})
        session.commit()
        assert COUNT.rows(session, {}) == [(1,)]


def test_a_transaction_that_is_over_answers_nothing_more(engine: sa.Engine) -> None:
    for opened in (reading, writing):
        with opened(engine) as session:
            assert COUNT.rows(session, {}) == [(0,)]
        with pytest.raises(InvalidRequestError, match="closed"):
            COUNT.rows(session, {})


def test_a_transaction_that_is_over_answers_nothing_from_the_next_one(engine: sa.Engine) -> None:
    """On SQLite the next one has the same connection."""
    with writing(engine) as over:
        assert COUNT.rows(over, {}) == [(0,)]
    with writing(engine) as session:
        ADD.rows(session, {"code": "erp"})
        with pytest.raises(InvalidRequestError, match="closed"):
            COUNT.rows(over, {})


def test_what_a_row_is_made_into_is_made_once_of_equal_rows(session: Session) -> None:
    sources = Prepared(sa.select(SOURCES.c.code), into=lambda row: [row.code])
    ADD.rows(session, {"code": "erp"})
    first = sources.rows(session, {})
    assert first == [["erp"]]
    assert sources.rows(session, {})[0] is first[0]


def test_whoever_listens_to_the_engine_hears_it(engine: sa.Engine) -> None:
    heard: list[Any] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def hear(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: bool) -> None:
        heard.append((statement.split(maxsplit=1)[0], values))

    with writing(engine) as session:
        ADD.rows(session, {"code": "erp"})
    ((verb, values),) = [said for said in heard if said[0] != "BEGIN"]
    assert verb == "INSERT"
    assert values in (["erp"], {"code": "erp"})


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, 0, 7, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_it_writes_and_reads_values_as_sqlalchemy_does(session: Session, moment: datetime) -> None:
    told = {"kind": "x", "payload": {"é": [1, None]}, "digest": "", "owed_at": moment, "tries": 0}
    OWE.rows(session, {**told, "key": "ours", "due_at": moment})
    session.execute(sa.insert(EFFECTS), {**told, "key": "its", "due_at": moment})
    ours, its = (OWED.one(session, {"key": key}) for key in ("ours", "its"))
    assert ours is not None
    assert its is not None
    assert ours[3:] == its[3:]
    assert ours.due_at == moment
    assert ours.due_at.tzinfo is UTC
    as_kept = sa.select(sa.cast(EFFECTS.c.due_at, sa.Text)).order_by(EFFECTS.c.id)
    assert len(set(session.scalars(as_kept))) == 1
    found = session.scalars(sa.select(Effect.key).where(Effect.due_at == moment))
    assert sorted(found) == ["its", "ours"]


def test_an_instant_without_a_time_zone_is_refused(session: Session) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  that is the point
    told = dict.fromkeys(GIVEN, "") | {"owed_at": naive, "due_at": naive, "tries": 0}
    with pytest.raises(AssertionError, match="two moments"):
        OWE.rows(session, told)


def _count(engine: sa.Engine) -> int:
    with reading(engine) as session:
        ((count,),) = COUNT.rows(session, {})
    return int(count)
