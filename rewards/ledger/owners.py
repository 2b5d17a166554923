"""Owners of points: a partner by its code, a person by e-mail address."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import NotFound
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from rewards.events import EventRow
from rewards.ledger import Account, wallet_of, wallet_of_person


@dataclass(frozen=True)
class Owner:
    """Whose points they are.

    subject: the partner's code, or the person's address. wallet: the owner of the accounts.
    partner_id: None for a person.
    """

    subject: str
    name: str
    wallet: str
    partner_id: int | None = None


def owner_of(session: Session, subject: str) -> Owner:
    """Whoever is meant by what was typed: the partner of a code, or the person of an address.

    A code may look like an address: then the partner is meant. Who knows which it is says so by
    `partner_owner` or `person_owner`. Raises NotFound, naming those that are spelt alike.
    """
    is_code = sa.exists().where(Partner.code == subject)
    if "@" in subject and not session.scalar(sa.select(is_code)):
        return person_owner(session, subject)
    return partner_owner(session, subject)


def partner_owner(session: Session, code: str) -> Owner:
    """Raises NotFound, naming those that are spelt alike."""
    partner = session.scalar(sa.select(Partner).where(Partner.code == code))
    if partner is None:
        codes = session.scalars(sa.select(Partner.code))
        raise not_found(f"No partner has the code {code}.", code, list(codes))
    return Owner(partner.code, partner.name, wallet_of(partner.code), partner.id)


def person_owner(session: Session, asked: str) -> Owner:
    """Somebody known as a person, or by what was won: an event may name any address.

    Raises NotFound, naming those that are spelt alike.
    """
    email = asked.strip().lower()
    person = session.scalar(sa.select(Person).where(Person.email == email))
    wallet = wallet_of_person(email)
    if person is not None:
        return Owner(person.email, person.name, wallet)
    won = sa.select(Account.id).where(Account.owner == wallet)
    did = sa.select(EventRow.id).where(EventRow.person_email == email)
    if session.scalar(won.limit(1)) is None and session.scalar(did.limit(1)) is None:
        emails = session.scalars(sa.select(Person.email))
        raise not_found(f"Nobody is known by {asked}.", asked, list(emails))
    return Owner(email, email, wallet)


def not_found(message: str, asked: str, known: list[str]) -> NotFound:
    """A refusal that names what is spelt alike."""
    by_small = {name.lower(): name for name in known}
    near = [by_small[name] for name in get_close_matches(asked.lower(), by_small, n=3)]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Look it up among those imported."
    return NotFound(message, remedy=remedy)
