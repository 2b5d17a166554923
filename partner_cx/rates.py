"""How often something was asked for in a while: counts that several processes share."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Instant, Text


class RateCount(Base):
    """A count that begins anew once its time is over. key: who asks for what, without names."""

    __tablename__ = "rate_counts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(Instant, index=True)


def counting(dialect: str, key: str, amount: int, *, ends_at: datetime) -> sa.Executable:
    """The one statement that counts, and returns what it comes to: of many at once none is lost."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    first = insert(RateCount).values(key=key, count=amount, ends_at=ends_at)
    again = first.on_conflict_do_update(
        index_elements=["key"], set_={"count": RateCount.count + first.excluded.count}
    )
    return again.returning(RateCount.count)


def pruning(now: datetime, *, most: int = 1_000) -> sa.Delete:
    """What lets go of counts whose time is over, but those that another is letting go of."""
    over = sa.select(RateCount.key).where(RateCount.ends_at < now).limit(most)
    return sa.delete(RateCount).where(RateCount.key.in_(over.with_for_update(skip_locked=True)))


def prune_counts(session: Session, *, now: datetime) -> int:
    """Let go of counts whose time is over; how many. The caller commits."""
    return session.connection().execute(pruning(now)).rowcount
