"""Sign-in links by mail for whoever asks at the door: not too often, telling nobody who is known.

What was asked for in an hour is counted by the effects that it made, whose keys name the hour.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail.sending import KIND, owed_letter
from partner_cx.effects import TABLE, owe
from partner_cx.network.people import Person

PER_PERSON = 5  # in an hour by the clock
PER_CLIENT = 20  # in the same hour, for whomever


def owe_if_known(session: Session, email: str, *, client: str, secret: str, now: datetime) -> bool:
    """Owe a sign-in letter to the person of an address, if there is one; whether it was owed.

    client: the network address of who asks; only a digest of it is kept.
    """
    asks = hmac.new(secret.encode(), f"client {client}".encode(), hashlib.sha256).hexdigest()[:16]
    person = _person(session, email)
    asked = _asked_since(session, now)
    of_client = [key for key in asked if f":{asks}:" in key]
    if person is None or len(of_client) >= PER_CLIENT:
        return False
    of_person = [key for key in asked if f":{person.id}:" in key]
    if len(of_person) >= PER_PERSON:
        return False
    key = f"{_hour(now)}:{asks}:{person.id}:{len(of_person) + 1}"
    owe(session, owed_letter("sign_in_link", key, person_id=person.id, about={}), now=now)
    return True


def owe_to(session: Session, person: Person, *, now: datetime) -> None:
    """Owe a sign-in letter that somebody in charge asked for."""
    key = f"sign_in:by_hand:{person.id}:{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    owe(session, owed_letter("sign_in_link", key, person_id=person.id, about={}), now=now)


def _hour(now: datetime) -> str:
    return f"sign_in:{now.astimezone(UTC):%Y-%m-%dT%H}Z"


def _asked_since(session: Session, now: datetime) -> list[str]:
    begins = f"{KIND}:{_hour(now)}"
    # A range rather than LIKE, which SQLite wouldn't look up in an index. After : comes ;
    keys = sa.select(TABLE.c.key).where(TABLE.c.key > f"{begins}:", TABLE.c.key < f"{begins};")
    return list(session.scalars(keys))


def _person(session: Session, email: str) -> Person | None:
    address = email.strip().lower()
    if not address.isprintable():  # PostgreSQL has no word for some signs
        return None
    return session.scalar(sa.select(Person).where(Person.email == address))
