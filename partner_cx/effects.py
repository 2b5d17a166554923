"""Effects: what we owe outside, one row each, written in the transaction that made it owed.

Before: whatever decides that a neighbour must hear of something. After: the worker, which carries
effects out at least once, each time under the same key, and settles them once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text

AT_ONCE = 1_000  # rows in one statement


class Effect(Base):
    """One thing we owe outside: owed, leased while somebody carries it out, then done or parked.

    key: unique for ever, and the neighbour's idempotency key where it takes one.
    subject: effects of one subject are carried out in the order in which they were owed; one that
        is parked holds the later ones back. None: in any order.
    digest: of kind, key and payload.
    tries: how often it was begun. last_error: what went wrong the last time.
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
    result: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


@dataclass(frozen=True)
class Owed:
    """What is to be owed; see `Effect`. due_at: None is at once."""

    kind: str
    key: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    due_at: datetime | None = None


def owe(session: Session, effect: Owed, *, now: datetime) -> None:
    """Owe an effect, in the caller's transaction. A key that is owed already changes nothing."""
    owe_all(session, [effect], now=now)


def owe_all(session: Session, effects: Iterable[Owed], *, now: datetime) -> None:
    """Owe effects, in the caller's transaction, those with keys of their own. See `owe`."""
    rows = [_row(effect, now) for effect in effects]
    for start in range(0, len(rows), AT_ONCE):
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        statement = dialect.insert(Effect.__table__).on_conflict_do_nothing(index_elements=["key"])
        session.connection().execute(statement, rows[start : start + AT_ONCE])


def is_open(table: Any) -> sa.ColumnElement[bool]:
    """Neither done nor parked. table: Effect's, or an alias of it."""
    return sa.and_(table.c.done_at.is_(None), table.c.parked_at.is_(None))


def free(table: Any, now: datetime) -> sa.ColumnElement[bool]:
    """Leased by nobody, or by somebody whose lease has run out."""
    return sa.or_(table.c.leased_until.is_(None), table.c.leased_until <= now)


def held_back_by(table: Any, now: datetime) -> sa.Select[Any]:
    """The effects that one has to wait for: of its subject, owed earlier or under way."""
    other = sa.alias(Effect.__table__)
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
    said = json.dumps([kind, key, payload], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()
