"""Leasing: which worker carries out which effects, and what it notes of them.

A lease is a worker's name and a moment on the row itself. Everything noted afterwards is guarded by
that name: a worker whose lease ran out and was taken over can note nothing any more, so that an
effect is settled once, whatever was carried out twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from integrations.carrying import Due
from integrations.outcomes import Again, Done, Outcome, Parked
from partner_cx.database import lock, reading, writing
from partner_cx.effects import Effect, free, held_back_by, is_open

TABLE = Effect.__table__
# What a crash of the database's machine may forget: a lease. An outcome is never forgotten.
FORGETTABLE = sa.text("SET LOCAL synchronous_commit = off")


@dataclass(frozen=True)
class Lane:
    """Which kinds a worker takes.

    only: these alone; None: all but those left out.
    """

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        if self.only is not None:
            return TABLE.c.kind.in_(sorted(self.only))
        return TABLE.c.kind.not_in(sorted(self.without)) if self.without else sa.true()


ANYTHING = Lane()


@dataclass(frozen=True)
class Leased:
    """An effect that is ours for a while.

    taken_over: whether another worker held it and let its lease run out.
    last_error: what went wrong when a worker last noted something.
    """

    due: Due
    taken_over: bool
    last_error: str | None


def lease(
    engine: sa.Engine,
    *,
    by: str,
    now: datetime,
    lasting: timedelta,
    limit: int,
    lane: Lane = ANYTHING,
) -> list[Leased]:
    """Take up to so many effects that are due, oldest first; none that stands behind another.

    Of one subject one at a time is anybody's: not before an earlier one is done, nor while any
    other is leased.
    """
    wanted = _due(now, lane).order_by(TABLE.c.due_at, TABLE.c.id).limit(limit)
    if engine.dialect.name == "sqlite" and not _any(engine, wanted):
        return []
    with writing(engine) as session:
        if session.get_bind().dialect.name == "postgresql":
            # One worker looks at a time, so that no two take effects of one subject side by side.
            lock(session, "effects")
            session.execute(FORGETTABLE)
        found = session.execute(wanted.with_for_update(skip_locked=True, of=TABLE)).all()
        if found:
            taken = sa.update(TABLE).where(TABLE.c.id.in_([row.id for row in found]))
            mine = {"leased_by": by, "leased_until": now + lasting, "tries": TABLE.c.tries + 1}
            session.execute(taken.values(**mine))
    return [_leased(row) for row in found]


def _any(engine: sa.Engine, wanted: sa.Select[Any]) -> bool:
    """Whether there is anything to take: asked first where only one can write at a time."""
    with reading(engine) as session:
        return session.execute(wanted.limit(1)).first() is not None


def _due(now: datetime, lane: Lane) -> sa.Select[Any]:
    return sa.select(TABLE).where(
        is_open(TABLE),
        TABLE.c.due_at <= now,
        free(TABLE, now),
        ~held_back_by(TABLE, now).exists(),
        lane.condition,
    )


def _leased(row: Any) -> Leased:
    due = Due(
        id=row.id,
        kind=row.kind,
        key=row.key,
        subject=row.subject,
        payload=row.payload,
        owed_at=row.owed_at,
        tries=row.tries + 1,
    )
    return Leased(due, taken_over=row.leased_by is not None, last_error=row.last_error)


@dataclass
class Notes:
    """Where a worker writes down what came of effects, each by one statement of its own.

    It keeps its connection meanwhile: getting one costs as much as the statement.
    """

    engine: sa.Engine
    by: str
    _kept: sa.Connection | None = None

    def note(self, due: Due, outcome: Outcome, now: datetime) -> bool:
        """Write down an outcome; whether the effect was still ours.

        Where the database fails, the next attempt has a new connection.
        """
        change, given = _said(outcome, now)
        try:
            connection = self._connection()
            done = connection.execute(change, {"effect_id": due.id, "me": self.by, **given})
            connection.commit()
        except DBAPIError:
            self.close()
            raise
        return bool(done.rowcount)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _connection(self) -> sa.Connection:
        if self._kept is None:
            self._kept = _for_single_statements(self.engine.connect())
        return self._kept


def _for_single_statements(connection: sa.Connection) -> sa.Connection:
    """Each statement is a transaction by itself: on PostgreSQL it goes there and back once."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection.execution_options(writes=True)


def _said(outcome: Outcome, now: datetime) -> tuple[sa.Update, dict[str, Any]]:
    match outcome:
        case Done(result):
            return SETTLE, {
                "now": now,
                "said": sa.null() if result is None else storable(result),
            }
        case Again(at, error):
            if error is None:
                return LATER, {"at": at}
            return AGAIN, {"at": at, "error": _readable(error)}
        case Parked(because):
            return PARK, {"now": now, "because": _readable(because)}


# What is said for every effect, put together once.
OURS = sa.and_(
    TABLE.c.id == sa.bindparam("effect_id"), TABLE.c.leased_by == sa.bindparam("me"), is_open(TABLE)
)
FREE_AGAIN = {"leased_by": None, "leased_until": None}
SETTLE = (
    sa.update(TABLE)
    .where(OURS)
    .values(**FREE_AGAIN, done_at=sa.bindparam("now"), result=sa.bindparam("said"))
)
AGAIN = (
    sa.update(TABLE)
    .where(OURS)
    .values(**FREE_AGAIN, due_at=sa.bindparam("at"), last_error=sa.bindparam("error"))
)
LATER = (
    sa.update(TABLE)
    .where(OURS)
    .values(**FREE_AGAIN, due_at=sa.bindparam("at"), tries=TABLE.c.tries - 1)
)
PARK = (
    sa.update(TABLE)
    .where(OURS)
    .values(
        **FREE_AGAIN,
        parked_at=sa.bindparam("now"),
        parked_because=sa.bindparam("because"),
        last_error=sa.bindparam("because"),
    )
)


def storable(result: Mapping[str, Any]) -> Any:
    """A result as JSON keeps it; what JSON doesn't know becomes its text."""
    named = {str(name): value for name, value in result.items()}
    return json.loads(json.dumps(named, default=str, skipkeys=True), parse_constant=str)


def _readable(words: str) -> str:
    """A neighbour's words without what neither database can keep: NUL, half a character."""
    return words.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection, _for_single_statements(connection).begin():
        yield connection


def prolong(engine: sa.Engine, ids: Iterable[int], *, by: str, until: datetime) -> None:
    """Keep what is leased for longer."""
    with _writing(engine) as connection:
        connection.execute(_held(ids, by).values(leased_until=until))


def give_back(engine: sa.Engine, ids: Iterable[int], *, by: str) -> None:
    """Let others have what was leased and never begun."""
    with _writing(engine) as connection:
        connection.execute(_held(ids, by).values(**FREE_AGAIN, tries=TABLE.c.tries - 1))


def _held(ids: Iterable[int], by: str) -> sa.Update:
    ours = sa.and_(TABLE.c.id.in_(list(ids)), TABLE.c.leased_by == by, is_open(TABLE))
    return sa.update(TABLE).where(ours)
