"""People as Odoo knows them: the partners' contacts, and the salespeople who look after them.

Part of the stream `network`: a company is told with its people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.directory import address_of, language_of
from integrations.odoo.section import Section, said
from integrations.odoo.state import OdooLink
from integrations.odoo.streams import SOURCE, Linked, Reading, Row, Told
from integrations.odoo.values import id_of, text_of
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.network.reps import PartnerRep
from partner_cx.operations.imports import Import, Source

CONTACT = "res.partner"
USER = "res.users"
AT_ONCE = 500  # values in one statement

NO_ADDRESS = "Contacts without an e-mail address are left out."
SHARED = "{address} is the address of several contacts; the one that was read first keeps it."
NOT_OURS = (
    "{address} is known already with another role or partner; what Odoo says of it is left out."
)


@dataclass(frozen=True)
class PeopleMapping(Section):
    """Which people are told."""

    NAME: ClassVar[str] = "people"
    ABOUT: ClassVar[str] = "Who becomes a person of Partner CX. Nobody's role is ever changed."

    contacts: Literal["email", "portal", "none"] = said(
        "email",
        "Contacts of partners: all that have an e-mail address, only those who may use the "
        "portal, or none.",
    )
    salespeople: bool = said(
        True,
        "Whether the salespeople of partners become people with the role rep, who visit them.",
    )


@dataclass(frozen=True)
class _Found:
    """A person as Odoo has it; `record` is where: a contact, or a user of the brand's own."""

    record: tuple[str, int]
    address: str
    name: str
    role: Role
    partner_code: str | None
    language: str | None
    seen: Mapping[str, Any]


def tell_contacts(reading: Reading, codes: Mapping[int, str], told: Told) -> None:
    """Tell the contacts of companies. codes: the companies' ids and our codes."""
    if reading.mapping.people.contacts == "none" or not codes:
        return
    domain = [("commercial_partner_id", "in", sorted(codes)), ("active", "=", True)]
    fields = ["name", "email", "lang", "type", "is_company", "commercial_partner_id"]
    size = reading.settings.odoo_page_rows
    for page in reading.odoo.pages(CONTACT, domain, fields, size=size):
        found = [*_contacts(reading, page, codes, told)]
        _tell_people(reading.session, found, told)


def tell_salespeople(reading: Reading, companies: Mapping[str, Row], told: Told) -> None:
    """Tell the users that companies are entrusted to, and whom each visits. companies: by code."""
    if not reading.mapping.people.salespeople:
        return
    entrusted = {code: id_of(row.get("user_id")) for code, row in companies.items()}
    found = _salespeople(reading, sorted({user for user in entrusted.values() if user}))
    _tell_people(reading.session, [*found.values()], told)
    addresses = {
        code: found[user].address for code, user in entrusted.items() if user and user in found
    }
    _tell_visits(reading.session, [*companies], addresses, told)


def _salespeople(reading: Reading, ids: Sequence[int]) -> dict[int, _Found]:
    found: dict[int, _Found] = {}
    if not ids:
        return found
    for row in reading.odoo.read(USER, ids, ["name", "email", "login", "lang", "active", "share"]):
        address = address_of(row["email"]) or address_of(row["login"])
        if address and row["active"] and not row["share"]:
            name = text_of(row["name"]) or address
            language = language_of(row["lang"])
            record = (USER, row["id"])
            found[row["id"]] = _Found(record, address, name, Role.REP, None, language, {})
    return found


def _tell_visits(
    session: Session, codes: Sequence[str], salespeople: Mapping[str, str], told: Told
) -> None:
    """Tell who visits companies, and who no longer does of those that Odoo named before.

    salespeople: the address of each company's, as far as it has one. One who isn't a rep with us,
    a manager perhaps, sees the company anyway.
    """
    reps = {row["email"] for row in told.rows.get("people", ()) if row["role"] == Role.REP}
    known = _people(session, sorted(set(salespeople.values())))
    reps |= {address for address, (role, _) in known.items() if role == Role.REP}
    visits = {(code, address) for code, address in salespeople.items() if address in reps}
    for code, address in sorted(visits):
        told.add("reps", {"rep_email": address, "partner_code": code, "visits": "yes"})
    for code, address in sorted(_named_before(session, codes) - visits):
        told.add("reps", {"rep_email": address, "partner_code": code, "visits": "no"})


def _named_before(session: Session, codes: Sequence[str]) -> set[tuple[str, str]]:
    """The companies' reps by Odoo's own word: the partner's code and the rep's address."""
    before: set[tuple[str, str]] = set()
    for start in range(0, len(codes), AT_ONCE):
        named = (
            sa.select(Partner.code, Person.email)
            .select_from(PartnerRep)
            .join(Partner, Partner.id == PartnerRep.partner_id)
            .join(Person, Person.id == PartnerRep.person_id)
            .join(Import, Import.id == PartnerRep.import_id)
            .join(Source, Source.id == Import.source)
            .where(Source.code == SOURCE, PartnerRep.visits)
            .where(Partner.code.in_(codes[start : start + AT_ONCE]))
        )
        before |= {(code, address) for code, address in session.execute(named)}
    return before


def _contacts(
    reading: Reading, page: Sequence[Row], codes: Mapping[int, str], told: Told
) -> Iterator[_Found]:
    portal_users = reading.directory.portal_users()
    for row in page:
        uses_portal = row["id"] in portal_users
        # A company's own record, and its addresses for goods and invoices, are nobody's.
        if not uses_portal and (row["is_company"] or row["type"] not in ("contact", False)):
            continue
        if reading.mapping.people.contacts == "portal" and not uses_portal:
            continue
        address = address_of(row["email"]) or reading.directory.login(row["id"])
        if address is None:
            told.notes.append(NO_ADDRESS)
            continue
        company = id_of(row["commercial_partner_id"])
        if company is None or company not in codes:
            continue  # it was moved while we read
        yield _Found(
            record=(CONTACT, row["id"]),
            address=address,
            name=text_of(row["name"]) or address,
            role=Role.PARTNER,
            partner_code=codes[company],
            language=language_of(row["lang"]),
            seen={"company": company},
        )


def _tell_people(session: Session, found: Sequence[_Found], told: Told) -> None:
    """Tell those whose address is theirs to tell; say of the others why they aren't."""
    addresses = sorted({each.address for each in found})
    holders = _holders(session, addresses)
    for link in told.linked:
        holders.setdefault(link.ours, (link.model, link.odoo_id))
    people = _people(session, addresses)
    links = _links(session, [each.record for each in found])
    for each in found:
        holder = holders.setdefault(each.address, each.record)
        known = people.get(each.address)
        if holder != each.record and holder[0] == each.record[0]:
            told.notes.append(SHARED.format(address=each.address))
        elif holder != each.record or not _may_tell(each, known, each.record in links):
            if each.role is Role.PARTNER:
                told.notes.append(NOT_OURS.format(address=each.address))
        else:
            _tell(each, links.get(each.record), told)


def _may_tell(found: _Found, known: tuple[str, str | None] | None, ours: bool) -> bool:
    """Whether nobody else says who this is. A person that we told may move to another partner."""
    if known is None:
        return True
    role, partner_code = known
    return role == found.role and (ours or partner_code == found.partner_code)


def _tell(found: _Found, link: Mapping[str, Any] | None, told: Told) -> None:
    told.add(
        "people",
        {
            "email": found.address,
            "name": found.name,
            "role": found.role.value,
            "partner_code": found.partner_code,
            "language": found.language,
        },
    )
    told.linked.append(Linked(*found.record, found.address, found.seen))
    if link is not None and link.get("company") != found.seen.get("company"):
        told.moved.append(found.record[1])


def _holders(session: Session, addresses: Sequence[str]) -> dict[str, tuple[str, int]]:
    """The record that each address was first told of."""
    holders: dict[str, tuple[str, int]] = {}
    for start in range(0, len(addresses), AT_ONCE):
        links = (
            sa.select(OdooLink.ours, OdooLink.model, OdooLink.odoo_id)
            .where(OdooLink.ours.in_(addresses[start : start + AT_ONCE]))
            .where(OdooLink.model.in_((CONTACT, USER)), OdooLink.gone_at.is_(None))
            .order_by(OdooLink.model.desc(), OdooLink.odoo_id)
        )
        for address, model, number in session.execute(links):
            holders.setdefault(address, (model, number))
    return holders


def _people(session: Session, addresses: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    people: dict[str, tuple[str, str | None]] = {}
    for start in range(0, len(addresses), AT_ONCE):
        known = (
            sa.select(Person.email, Person.role, Partner.code)
            .outerjoin(Partner, Partner.id == Person.partner_id)
            .where(Person.email.in_(addresses[start : start + AT_ONCE]))
        )
        people |= {address: (role, code) for address, role, code in session.execute(known)}
    return people


def _links(
    session: Session, records: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], Mapping[str, Any]]:
    links: dict[tuple[str, int], Mapping[str, Any]] = {}
    for start in range(0, len(records), AT_ONCE):
        some = records[start : start + AT_ONCE]
        known = sa.select(OdooLink).where(
            OdooLink.model.in_({model for model, _ in some}),
            OdooLink.odoo_id.in_([number for _, number in some]),
        )
        for link in session.scalars(known):
            links[link.model, link.odoo_id] = link.seen or {}
    return links
