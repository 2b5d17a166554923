"""Leasing: which worker carries out which effects, and what it notes of them.

A lease is a worker's name and a moment on the row itself. Everything noted afterwards is guarded by
that name: a worker whose lease ran out and was taken over can note nothing any more, so that an
effect is settled once, whatever was carried out twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from integrations.carrying import Due
from integrations.outcomes import Again, Done, Outcome
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
    """

    due: Due
    taken_over: bool


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
    if not _any(engine, wanted):
        return []
    with writing(engine) as session:
        if session.get_bind().dialect.name == "postgresql":
            # One worker looks at a time, so that no two take effects of one subject side by side.
            lock(session, "effects")
            session.execute(FORGETTABLE)
        found = session.execute(wanted.with_for_update(skip_locked=True, of=TABLE)).all()
        if found:
            taken = sa.update(TABLE).where(TABLE.c.id.in_([row.id for row in found]))
            session.execute(taken.values(leased_by=by, leased_until=now + lasting))
    return [_leased(row) for row in found]


def _any(engine: sa.Engine, wanted: sa.Select[Any]) -> bool:
    """Whether there is anything to take: asked first, so that an idle worker writes nothing."""
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
    return Leased(due, taken_over=row.leased_by is not None)


def step(
    engine: sa.Engine,
    *,
    by: str,
    ended: tuple[int, Outcome] | None,
    begun: int | None,
    now: datetime,
) -> tuple[bool, bool]:
    """Note what came of one effect, and that the next one begins: one transaction for both.

    Returns whether each of the two was still ours.
    """
    with writing(engine) as session:
        if ended is None and session.get_bind().dialect.name == "postgresql":
            session.execute(FORGETTABLE)
        was_ours = ended is None or _note(session, by, *ended, now=now)
        is_ours = begun is None or _changed(session, by, begun, tries=TABLE.c.tries + 1)
        return was_ours, is_ours


def _note(session: Any, by: str, effect_id: int, outcome: Outcome, *, now: datetime) -> bool:
    free_again = {"leased_by": None, "leased_until": None}
    if isinstance(outcome, Done):
        said = None if outcome.result is None else storable(outcome.result)
        return _changed(session, by, effect_id, **free_again, done_at=now, result=said)
    if isinstance(outcome, Again):
        counted = {"last_error": outcome.error} if outcome.error else {"tries": TABLE.c.tries - 1}
        return _changed(session, by, effect_id, **free_again, **counted, due_at=outcome.at)
    why = outcome.because
    return _changed(
        session, by, effect_id, **free_again, parked_at=now, parked_because=why, last_error=why
    )


def storable(result: Any) -> Any:
    """A result as JSON keeps it; what JSON doesn't know becomes its text."""
    return json.loads(json.dumps(dict(result), default=str))


def _changed(session: Any, by: str, effect_id: int, **values: Any) -> bool:
    ours = sa.and_(TABLE.c.id == effect_id, TABLE.c.leased_by == by, is_open(TABLE))
    return bool(session.execute(sa.update(TABLE).where(ours).values(**values)).rowcount)


def prolong(engine: sa.Engine, ids: Iterable[int], *, by: str, until: datetime) -> None:
    """Keep what is leased for longer."""
    with writing(engine) as session:
        session.execute(_held(ids, by).values(leased_until=until))


def give_back(engine: sa.Engine, ids: Iterable[int], *, by: str) -> None:
    """Let others have what was leased and never begun."""
    with writing(engine) as session:
        session.execute(_held(ids, by).values(leased_by=None, leased_until=None))


def _held(ids: Iterable[int], by: str) -> sa.Update:
    ours = sa.and_(TABLE.c.id.in_(list(ids)), TABLE.c.leased_by == by, is_open(TABLE))
    return sa.update(TABLE).where(ours)
