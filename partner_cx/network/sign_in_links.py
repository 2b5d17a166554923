"""Sign-in links: single-use keys to the pages, and the sessions they open.

Only the digest of a link's token is kept: who reads the database can't sign in with it. A used
link stands for the session it opened, so that ending it ends the session.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import NotFound
from partner_cx.network.people import Person

LINK_LASTS = timedelta(minutes=30)
SESSION_LASTS = timedelta(hours=12)


class SignInLink(Base):
    """A link made for a person. It opens one session, if it is used in time."""

    __tablename__ = "sign_in_links"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)  # when the person signed out


def make_link(session: Session, email: str, *, now: datetime) -> str:
    """The token of a fresh link for a person. Raises NotFound for a stranger."""
    person = person_called(session, email)
    token = secrets.token_urlsafe(32)
    session.add(
        SignInLink(
            token_digest=_digest(token),
            person_id=person.id,
            made_at=now,
            expires_at=now + LINK_LASTS,
        )
    )
    session.flush()
    return token


def use_link(session: Session, token: str, *, now: datetime) -> SignInLink | None:
    """Use a link up and open its session; None when it is used, expired or was never made.

    Of two who use it at once, one gets in.
    """
    used = session.execute(
        sa.update(SignInLink)
        .where(
            SignInLink.token_digest == _digest(token),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(SignInLink.id)
    ).scalar_one_or_none()
    return None if used is None else session.get(SignInLink, used, populate_existing=True)


def person_in_session(session: Session, token_digest: str, *, now: datetime) -> Person | None:
    """Whose session a used link opened; None when it has ended or is too old."""
    return session.scalars(
        sa.select(Person)
        .join(SignInLink, SignInLink.person_id == Person.id)
        .where(
            SignInLink.token_digest == token_digest,
            SignInLink.ended_at.is_(None),
            SignInLink.used_at > now - SESSION_LASTS,
        )
    ).one_or_none()


def end_session(session: Session, token_digest: str, *, now: datetime) -> None:
    """Sign out: the session that a link opened is over, wherever its cookie still is."""
    opened_by = SignInLink.token_digest == token_digest
    session.execute(sa.update(SignInLink).where(opened_by).values(ended_at=now))


def person_called(session: Session, email: str) -> Person:
    """The person of an e-mail address, whatever its capitals."""
    person = session.scalars(
        sa.select(Person).where(Person.email == email.strip().lower())
    ).one_or_none()
    if person is None:
        raise NotFound(
            f"Nobody here has the address “{email}”.",
            remedy="Check its spelling, or import the person with `partner-cx import people`.",
        )
    return person


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
