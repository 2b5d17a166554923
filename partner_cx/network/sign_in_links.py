"""Sign-in links: single-use keys to the pages, each of which opens one session.

Only the digest of a link's token is kept: who reads the database can't sign in with it.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import Forbidden, NotFound
from partner_cx.network.departures import has_departed
from partner_cx.network.people import Person
from partner_cx.network.sessions import digest_of

LINK_LASTS = timedelta(minutes=30)


class SignInLink(Base):
    """A link made for a person. It opens one session, if it is used in time."""

    __tablename__ = "sign_in_links"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


def make_link(session: Session, email: str, *, now: datetime) -> str:
    """The token of a fresh link for a person.

    Raises NotFound for a stranger, Forbidden for whoever has departed.
    """
    person = person_called(session, email)
    if has_departed(session, person.id):
        raise Forbidden(
            f"{person.email} may no longer sign in.",
            remedy="An administrator can let them in again, on their page under People.",
        )
    token = secrets.token_urlsafe(32)
    session.add(
        SignInLink(
            token_digest=digest_of(token),
            person_id=person.id,
            made_at=now,
            expires_at=now + LINK_LASTS,
        )
    )
    session.flush()
    return token


def use_link(session: Session, token: str, *, now: datetime) -> SignInLink | None:
    """Use a link up; None when it is used, expired or was never made.

    Of two who use it at once, one gets it.
    """
    used = session.execute(
        sa.update(SignInLink)
        .where(
            SignInLink.token_digest == digest_of(token),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(SignInLink.id)
    ).scalar_one_or_none()
    return None if used is None else session.get(SignInLink, used, populate_existing=True)


def person_called(session: Session, email: str) -> Person:
    """The person of an e-mail address, whatever its capitals. Raises NotFound."""
    person = person_at(session, email)
    if person is None:
        raise NotFound(
            f"Nobody here has the address “{email}”.",
            remedy="Check its spelling, or import the person with `partner-cx import people`.",
        )
    return person


def person_at(session: Session, email: str) -> Person | None:
    """The person of an e-mail address, if there is one.

    Of another alphabet's signs some have a small letter of ours, as the kelvin sign has k: an
    address with one is somebody else's, and nobody here.
    """
    address = email.strip().lower()
    looks_alike = address.isascii() and not email.strip().isascii()
    if looks_alike or not address.isprintable():  # PostgreSQL has no word for some signs
        return None
    return session.scalars(sa.select(Person).where(Person.email == address)).one_or_none()
