"""Sessions: who has signed in, until when, and how. Kept here, so that any can be ended at once.

A browser holds a token in its cookie; only the token's digest is kept: who reads the database
can't sign in with it. Before it stand sign-in links and the brand's own sign-in, after it whoever
asks at each request who is there.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.network.departures import Departure
from partner_cx.network.people import Person
from partner_cx.network.person_choices import PersonChoice

SESSION_LASTS = timedelta(hours=12)
KEPT_AFTER = timedelta(days=30)  # how long a session is still to be looked up once it is over


class OpenedBy(StrEnum):
    """How somebody showed who they are."""

    LINK = "link"  # a single-use link, mailed or handed over
    STAFF = "staff"  # the brand's own sign-in


class WebSession(Base):
    """Somebody's signing in with one browser.

    ended_at: when they signed out, or were signed out.
    """

    __tablename__ = "web_sessions"
    __table_args__ = (sa.CheckConstraint("opened_by IN ('link', 'staff')", name="opened_by"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class SessionHolder:
    """Who is there. language: the one they chose for themselves; None: none."""

    person: Person
    token_digest: str
    language: str | None


def open_session(session: Session, person_id: int, *, opened_by: OpenedBy, now: datetime) -> str:
    """Open a session for a person; its token, for their browser alone. The caller commits."""
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            token_digest=digest_of(token),
            person_id=person_id,
            opened_by=opened_by,
            opened_at=now,
            expires_at=now + SESSION_LASTS,
        )
    )
    session.flush()
    return token


def holder_of_session(session: Session, token: str, *, now: datetime) -> SessionHolder | None:
    """Who holds a session's token; None when it is over, or the person has departed."""
    asked = {"digest": digest_of(token), "now": now}
    found = session.execute(_holder(), asked).one_or_none()
    return None if found is None else SessionHolder(*found)


@lru_cache  # every page asks; to put it together takes longer than the database does to answer
def _holder() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Person, WebSession.token_digest, PersonChoice.language)
        .join(WebSession, WebSession.person_id == Person.id)
        .outerjoin(Departure, Departure.person_id == Person.id)
        .outerjoin(PersonChoice, PersonChoice.person_id == Person.id)
        .where(
            WebSession.token_digest == sa.bindparam("digest"),
            WebSession.ended_at.is_(None),
            WebSession.expires_at > sa.bindparam("now", type_=Instant),
            Departure.person_id.is_(None),
        )
    )


def open_sessions(session: Session, person_id: int, *, now: datetime) -> list[WebSession]:
    """The sessions a person has open, the newest first."""
    mine = sa.select(WebSession).where(WebSession.person_id == person_id, _is_open(now))
    return list(session.scalars(mine.order_by(WebSession.opened_at.desc(), WebSession.id.desc())))


def end_session(session: Session, token_digest: str, *, now: datetime) -> None:
    """Sign out: the session is over, wherever its cookie still is. The caller commits."""
    _end(session, WebSession.token_digest == token_digest, now)


def end_one_of(session: Session, person_id: int, session_id: int, *, now: datetime) -> bool:
    """End one of a person's sessions; whether it was theirs and open. The caller commits."""
    return bool(_end(session, _of(person_id) & (WebSession.id == session_id), now))


def end_sessions(session: Session, person_id: int, now: datetime) -> int:
    """End all of a person's sessions; how many were open. The caller commits."""
    return _end(session, _of(person_id), now)


def prune_sessions(session: Session, *, now: datetime) -> int:
    """Let go of sessions that were over long ago; how many. The caller commits."""
    over = sa.select(WebSession.id).where(WebSession.expires_at < now - KEPT_AFTER)
    nobodys = over.with_for_update(skip_locked=True)  # that nobody else is letting go of
    gone = sa.delete(WebSession).where(WebSession.id.in_(nobodys))
    return session.connection().execute(gone).rowcount


def digest_of(token: str) -> str:
    # What a browser sends may hold half of a pair of surrogates.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _of(person_id: int) -> sa.ColumnElement[bool]:
    return WebSession.person_id == person_id


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(WebSession.ended_at.is_(None), WebSession.expires_at > now)


def _end(session: Session, which: sa.ColumnElement[bool], now: datetime) -> int:
    ended = sa.update(WebSession).where(which, _is_open(now)).values(ended_at=now)
    return session.connection().execute(ended).rowcount
