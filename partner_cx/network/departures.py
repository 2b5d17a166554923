"""Departures: who may no longer sign in. Files go on telling of a person; this is said by hand."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class Departure(Base):
    """That a person may no longer sign in. Taken away again when they may."""

    __tablename__ = "departures"

    person_id: Mapped[int] = mapped_column(
        Id, sa.ForeignKey("people.id"), primary_key=True, autoincrement=False
    )
    left_at: Mapped[datetime] = mapped_column(Instant)
    said_by: Mapped[str] = mapped_column(Text)


def depart(session: Session, person_id: int, *, by: str, now: datetime) -> None:
    """Let a person in no more: open sessions and links count no longer, from this commit on.

    Said twice, the first holds.
    """
    if not has_departed(session, person_id):
        session.add(Departure(person_id=person_id, left_at=now, said_by=by))
        session.flush()


def come_back(session: Session, person_id: int) -> None:
    """Let a person in again, by a fresh link. The caller commits, and ends their old sessions."""
    session.execute(sa.delete(Departure).where(Departure.person_id == person_id))


def has_departed(session: Session, person_id: int) -> bool:
    gone = sa.select(Departure.person_id).where(Departure.person_id == person_id)
    return session.scalar(gone) is not None
