"""Readers: whom letters are for, and in which language each is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail.letters.desk import Reader
from partner_cx.network.departures import has_departed
from partner_cx.network.letter_choices import unwanted
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.network.person_choices import chosen_language
from partner_cx.settings import Settings

LANGUAGES = ("en", "fr")


def language_of(chosen: Iterable[str | None]) -> str:
    """The first that is said among those we write: `fr-CH` is French."""
    said = ((each or "").strip().lower()[:2] for each in chosen)
    return next((each for each in said if each in LANGUAGES), LANGUAGES[0])


def reader_of(session: Session, person_id: int, settings: Settings) -> Reader | None:
    """A person as a reader; None: there is no such person any more, or they have departed."""
    person = session.get(Person, person_id)
    if person is None or has_departed(session, person_id):
        return None
    return _reader(session, person, settings)


def reader_at(
    session: Session, email: str, settings: Settings, *, language: str | None = None
) -> Reader:
    """Whoever reads at an address: a person, or a stranger.

    language: goes before the person's own.
    """
    address = email.strip().lower()
    person = session.scalar(sa.select(Person).where(Person.email == address))
    if person is not None:
        return _reader(session, person, settings, language)
    return Reader(address, "", language_of([language, settings.language]))


def _reader(
    session: Session, person: Person, settings: Settings, language: str | None = None
) -> Reader:
    partner = session.get(Partner, person.partner_id) if person.partner_id else None
    spoken = [
        language,
        chosen_language(session, person.id),
        person.language,
        partner.language if partner else None,
        settings.language,
    ]
    return Reader(
        person.email,
        person.name,
        language_of(spoken),
        person.role,
        person.id,
        partner.code if partner else None,
        partner.name if partner else None,
    )


def people_of(session: Session, partner_ids: Collection[int]) -> list[Person]:
    """Those who belong to partners."""
    found = sa.select(Person).where(
        Person.partner_id.in_(sorted(partner_ids)), Person.role == Role.PARTNER
    )
    return list(session.scalars(found.order_by(Person.id)))


def people_who(session: Session, *roles: Role) -> list[Person]:
    """Those with one of these roles."""
    return list(
        session.scalars(sa.select(Person).where(Person.role.in_(roles)).order_by(Person.id))
    )


def wanting(session: Session, people: Iterable[Person], topic: str) -> list[Person]:
    """Those who haven't stopped letters of a topic, and whose letters don't come back."""
    asked = list(people)
    without = unwanted(session, [each.email for each in asked], topic)
    return [each for each in asked if each.email not in without]
