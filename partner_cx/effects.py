"""Effects: what we owe outside, one row each, written in the transaction that made it owed.

Before: whatever decides that a neighbour must hear of something. After: the worker, which carries
effects out at least once, each time under the same key, and settles them once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.prepared import Prepared, insert_new

AT_ONCE = 1_000  # rows in one statement
ANNOUNCE = "announce"  # the kind that works out who is to hear of an act


class Effect(Base):
    """One thing we owe outside: owed, leased while somebody carries it out, then done or parked.

    key: unique for ever, and the neighbour's idempotency key where it takes one.
    subject: effects of one subject are carried out in the order in which they were owed; one that
        is parked holds the later ones back. None: in any order.
    digest: of kind, key and payload.
    tries: how often a worker took it up. last_error: what went wrong the last time.
    dropped_because: why it was settled without being carried out; who did it is the result: a
        person, or the schedule, for a later one that does its work, too.
    result: what the neighbour answered that is worth keeping, such as the id of its record.
    """

    __tablename__ = "effects"
    __table_args__ = (
        sa.Index(
            "ix_effects_due",
            "due_at",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        ),
        sa.Index(
            "ix_effects_subject",
            "subject",
            "id",
            sqlite_where=sa.text("done_at IS NULL AND subject IS NOT NULL"),
            postgresql_where=sa.text("done_at IS NULL AND subject IS NOT NULL"),
        ),
        sa.Index(
            "ix_effects_parked_at",
            "parked_at",
            sqlite_where=sa.text("parked_at IS NOT NULL"),
            postgresql_where=sa.text("parked_at IS NOT NULL"),
        ),
        sa.CheckConstraint("done_at IS NULL OR parked_at IS NULL", name="one_end"),
        sa.CheckConstraint("(parked_at IS NULL) = (parked_because IS NULL)", name="parked_why"),
        sa.CheckConstraint("dropped_because IS NULL OR done_at IS NOT NULL", name="dropped_done"),
        sa.CheckConstraint("(leased_by IS NULL) = (leased_until IS NULL)", name="lease_whole"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, unique=True)
    subject: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    digest: Mapped[str] = mapped_column(Text)
    owed_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    leased_by: Mapped[str | None] = mapped_column(Text)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(Text)
    parked_at: Mapped[datetime | None] = mapped_column(Instant)
    parked_because: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    dropped_because: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


TABLE = Effect.__table__


@dataclass(frozen=True)
class Owed:
    """What is to be owed; see `Effect`. due_at: None is at once."""

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    due_at: datetime | None = None


def owe(session: Session, effect: Owed, *, now: datetime, exactly: bool = False) -> None:
    """Owe an effect, in the caller's transaction. A key that is owed already changes nothing.

    exactly: raise Conflict where the key is owed with other contents. For whoever makes the key
        from a request that may come twice; what is planned by the clock doesn't care.
    """
    row = _row(effect, now)
    _OWE.rows(session, row)
    if exactly:
        _refuse_others(session, [row])


def owe_all(
    session: Session, effects: Iterable[Owed], *, now: datetime, exactly: bool = False
) -> None:
    """Owe effects, in the caller's transaction, those with keys of their own. See `owe`."""
    rows = [_row(effect, now) for effect in effects]
    statement = insert_new(TABLE, session.get_bind().dialect)
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        session.connection().execute(statement, some)
        if exactly:
            _refuse_others(session, some)


_OWE = Prepared(
    lambda dialect: insert_new(TABLE, dialect),
    given=("kind", "key", "subject", "payload", "digest", "owed_at", "due_at", "tries"),
)


def _refuse_others(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    digests = {row["key"]: row["digest"] for row in rows}
    kept = sa.select(TABLE.c.key, TABLE.c.digest).where(TABLE.c.key.in_(sorted(digests)))
    for key, digest in session.execute(kept):
        if digest != digests[key]:
            raise Conflict(
                f"{key} is owed already, with other contents.",
                remedy="Give what is new a key of its own.",
            )


def is_open(table: Any) -> sa.ColumnElement[bool]:
    """Neither done nor parked. table: Effect's, or an alias of it."""
    return sa.and_(table.c.done_at.is_(None), table.c.parked_at.is_(None))


def free(table: Any, now: datetime) -> sa.ColumnElement[bool]:
    """Leased by nobody, or by somebody whose lease has run out."""
    return sa.or_(table.c.leased_until.is_(None), table.c.leased_until <= now)


def held_back_by(table: Any, now: datetime) -> sa.Select[Any]:
    """The effects that one has to wait for: of its subject, owed earlier or under way."""
    other = sa.alias(TABLE)
    return (
        sa.select(other.c.id)
        .where(
            other.c.subject == table.c.subject,
            other.c.done_at.is_(None),
            sa.or_(
                other.c.id < table.c.id,
                sa.and_(other.c.id != table.c.id, other.c.leased_until > now),
            ),
        )
        .correlate(table)
    )


def _row(effect: Owed, now: datetime) -> dict[str, Any]:
    payload = dict(effect.payload)
    return {
        "kind": effect.kind,
        "key": effect.key,
        "subject": effect.subject,
        "payload": payload,
        "digest": digest_of(effect.kind, effect.key, payload),
        "owed_at": now,
        "due_at": effect.due_at or now,
        "tries": 0,
    }


def digest_of(kind: str, key: str, payload: Mapping[str, Any]) -> str:
    """What proves that an effect still says what it was owed with."""
    return hashlib.sha256(_plain([kind, key, payload]).encode()).hexdigest()


_plain = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


class State(StrEnum):
    """Where an effect stands."""

    WAITING = "waiting"  # for its moment, a worker, or another try
    HELD_BACK = "held_back"  # behind an earlier one of its subject
    UNDER_WAY = "under_way"  # leased by a worker
    PARKED = "parked"  # until somebody retries or drops it
    DONE = "done"
    DROPPED = "dropped"  # by hand or by the schedule, never to be carried out


OPEN_STATES = (State.PARKED, State.UNDER_WAY, State.WAITING, State.HELD_BACK)


@dataclass(frozen=True)
class Listed:
    """An effect as people read it.

    why: what it waits for: why it was parked or dropped, what went wrong last, or nothing.
    behind: the key of the earlier one that holds it back.
    """

    id: int
    kind: str
    key: str
    subject: str | None
    state: State
    owed_at: datetime
    due_at: datetime
    tries: int
    why: str | None
    behind: str | None
    done_at: datetime | None


def listed(
    session: Session,
    *,
    now: datetime,
    states: Collection[State] = tuple(State),
    kind: str | None = None,
    keys: Collection[str] | None = None,
    limit: int | None = None,
    offset: int = 0,
    newest_first: bool = False,
) -> list[Listed]:
    """Effects by the moment they are due, and by what stands first in their order.

    newest_first: those that were done or parked last, and those owed last among the others.
    """
    state = _state(now)
    wanted = (
        sa.select(TABLE, state.label("state"), _behind(now).label("behind"))
        .where(state.in_(list(states)))
        .order_by(*(_NEWEST if newest_first else (TABLE.c.due_at, TABLE.c.id)))
        .limit(limit)
        .offset(offset)
    )
    if not {State.DONE, State.DROPPED} & set(states):
        wanted = wanted.where(TABLE.c.done_at.is_(None))
    if kind is not None:
        wanted = wanted.where(TABLE.c.kind == kind)
    if keys is not None:
        wanted = wanted.where(TABLE.c.key.in_(list(keys)))
    return [_listed(row) for row in session.execute(wanted)]


_NEWEST = (
    sa.func.coalesce(TABLE.c.done_at, TABLE.c.parked_at, TABLE.c.owed_at).desc(),
    TABLE.c.id.desc(),
)


def _listed(row: Any) -> Listed:
    state = State(row.state)
    why = row.dropped_because or row.parked_because or row.last_error
    return Listed(
        id=row.id,
        kind=row.kind,
        key=row.key,
        subject=row.subject,
        state=state,
        owed_at=row.owed_at,
        due_at=row.due_at,
        tries=row.tries,
        why=None if state is State.DONE else why,
        behind=row.behind if state is State.HELD_BACK else None,
        done_at=row.done_at,
    )


def counted(session: Session, *, now: datetime) -> dict[tuple[str, State], int]:
    """How many effects there are of each kind that aren't done, by where they stand."""
    state = _state(now)
    counts = (
        sa.select(TABLE.c.kind, state, sa.func.count())
        .where(TABLE.c.done_at.is_(None))
        .group_by(TABLE.c.kind, state)
        .order_by(TABLE.c.kind, state)
    )
    return {(kind, State(name)): count for kind, name, count in session.execute(counts)}


def _state(now: datetime) -> sa.Case[str]:
    t = TABLE.c
    return sa.case(
        (t.dropped_because.is_not(None), State.DROPPED.value),
        (t.done_at.is_not(None), State.DONE.value),
        (t.parked_at.is_not(None), State.PARKED.value),
        (t.leased_until > now, State.UNDER_WAY.value),
        (held_back_by(TABLE, now).exists(), State.HELD_BACK.value),
        else_=State.WAITING.value,
    )


def _behind(now: datetime) -> sa.ScalarSelect[str]:
    """The key of the first effect that one has to wait for."""
    earlier = held_back_by(TABLE, now)
    other = earlier.get_final_froms()[0]
    return earlier.with_only_columns(other.c.key).order_by(other.c.id).limit(1).scalar_subquery()


def retry(
    session: Session,
    *,
    now: datetime,
    keys: Collection[str] | None = None,
    kind: str | None = None,
) -> int:
    """Owe parked effects again, at once and with all patience anew. The caller commits.

    keys: these, also where they only wait for another try; None: every parked one.
    kind: of this kind alone.
    Returns how many. Raises NotFound for a key that none has, Conflict for one that is settled or
    under way.
    """
    chosen: sa.ColumnElement[bool] = TABLE.c.parked_at.is_not(None)
    if keys is not None:
        _refuse_settled(_found(session, keys, now), "retry")
        chosen = TABLE.c.key.in_(list(keys))
    if kind is not None:
        chosen = sa.and_(chosen, TABLE.c.kind == kind)
    anew = {
        "due_at": now,
        "tries": 0,
        "parked_at": None,
        "parked_because": None,
        "leased_by": None,  # whoever lost the lease and still works is not to settle it any more
        "leased_until": None,
    }
    still = sa.and_(chosen, TABLE.c.done_at.is_(None), free(TABLE, now))
    return session.connection().execute(sa.update(TABLE).where(still).values(**anew)).rowcount


def drop(session: Session, keys: Collection[str], *, by: str, because: str, now: datetime) -> int:
    """Settle effects without carrying them out; those behind them go on. The caller commits.

    because: on one line. Returns how many.
    Raises NotFound for a key that none has, Conflict for one that is settled or under way.
    """
    if not because.strip() or "\n" in because.strip():
        raise Invalid("Why it is dropped is missing, or isn't one line.", remedy="Say it in one.")
    _refuse_settled(_found(session, keys, now), "drop")
    dropped = {
        "done_at": now,
        "dropped_because": because.strip(),
        "result": {"dropped_by": by},
        "parked_at": None,
        "parked_because": None,
        "leased_by": None,
        "leased_until": None,
    }
    still = sa.and_(TABLE.c.key.in_(list(keys)), TABLE.c.done_at.is_(None), free(TABLE, now))
    return session.connection().execute(sa.update(TABLE).where(still).values(**dropped)).rowcount


def _found(session: Session, keys: Collection[str], now: datetime) -> list[Listed]:
    found = listed(session, now=now, keys=keys)
    missing = sorted(set(keys) - {each.key for each in found})
    if missing:
        raise NotFound(
            f"No effect has the key {missing[0]}.",
            remedy="`partner-cx effects list` tells those that are open.",
        )
    return found


def _refuse_settled(found: Iterable[Listed], act: str) -> None:
    for each in found:
        if each.state in (State.DONE, State.DROPPED):
            raise Conflict(f"{each.key} is {each.state} already.", remedy="Nothing is left to do.")
        if each.state is State.UNDER_WAY:
            raise Conflict(
                f"{each.key} is under way.", remedy=f"Wait until it ends, then {act} it if need be."
            )
