"""Partners and people, as they stand now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session, aliased

from api.request_scope import Reading
from api.v1.asking import Page, PartnerCode, Sliced
from api.v1.doorway import Doorway
from api.v1.holders import NOT_THERE, Holder, Reads, ReadsPeople
from api.v1.problems import documented
from partner_cx.errors import NotFound
from partner_cx.network import groups
from partner_cx.network.departures import Departure
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from rewards.ledger import Account, AccountKind, wallet_of_person

router = APIRouter(prefix="/api/v1", route_class=Doorway)

PARTNERS: list[str | Enum] = ["partners"]
PEOPLE: list[str | Enum] = ["people"]
BY_NATURE = ("kind:", "tier:", "region:", "country:")
Filter = Annotated[str | None, Query(max_length=200)]


class ToldPartner(BaseModel):
    """A company of the network. Its code is its id, and never changes."""

    code: str = Field(examples=["R1"])
    name: str = Field(examples=["Partner R1"])
    kind: PartnerKind = Field(examples=["reseller"])
    parent: str | None = Field(description="The code of its supplier.", examples=["D1"])
    tier: str | None = Field(examples=["gold"])
    region: str | None = Field(examples=["Bretagne"])
    country: str | None = Field(examples=["FR"])
    language: str | None = Field(examples=["fr"])
    joined_on: date | None = Field(
        description="Null: for as long as anybody knows.", examples=["2024-01-15"]
    )
    left_on: date | None = Field(
        description="The first day on which it is no partner any more.", examples=[None]
    )


class PartnerInGroups(ToldPartner):
    """A partner with what it belongs to."""

    groups: list[str] = Field(examples=[["country:FR", "distributor:D1", "kind:reseller"]])


class ToldPerson(BaseModel):
    """A person. The e-mail address is its id."""

    email: str = Field(examples=["remy@r2.example"])
    name: str = Field(examples=["Remy Person"])
    role: Role = Field(examples=["partner"])
    partner: str | None = Field(
        description="The code of the partner it belongs to.", examples=["R2"]
    )
    language: str | None = Field(examples=["fr"])
    departed: bool = Field(description="Whether it may no longer sign in.", examples=[False])
    points: int = Field(description="In its own wallet, to be spent.", examples=[0])
    pending: int = Field(description="Held besides.", examples=[0])


@router.get("/partners", tags=PARTNERS, responses=documented(404))
def partners(
    session: Reading,
    holder: Reads,
    sliced: Sliced,
    kind: PartnerKind | None = None,
    tier: Filter = None,
    region: Filter = None,
    country: Filter = None,
    parent: Annotated[
        str | None, Query(max_length=200, description="Those that this partner supplies itself.")
    ] = None,
) -> Page[ToldPartner]:
    """The partners, by code."""
    above = aliased(Partner)
    wanted = _partners(above, holder).where(holder.seen(Partner.id))
    for column, value in (
        (Partner.kind, kind),
        (Partner.tier, tier),
        (Partner.region, region),
        (Partner.country, country),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    if parent is not None:
        wanted = wanted.where(Partner.parent_id == holder.partner(session, parent).id)
    if behind := sliced.begins_behind(str):
        wanted = wanted.where(Partner.code > behind[0])
    rows = session.execute(wanted.order_by(Partner.code).limit(sliced.one_more)).all()
    return sliced.page(rows, _told, lambda row: (row[0].code,))


@router.get("/partners/by-code", tags=PARTNERS, responses=documented(404))
def partner(
    session: Reading,
    holder: Reads,
    code: Annotated[str, Query(max_length=200, examples=["R1"])],
) -> PartnerInGroups:
    """One partner. Its code is given as a parameter, since it may hold any sign."""
    above = aliased(Partner)
    asked = _partners(above, holder).where(holder.seen(Partner.id), Partner.code == code)
    row = session.execute(asked).one_or_none()
    if row is None:
        raise NotFound(NOT_THERE)
    belongs = groups.of_partner(session, row[0])
    if not holder.sees_network:  # whom it buys from, and whom the channel team compares it with
        belongs = frozenset(each for each in belongs if each.startswith(BY_NATURE))
    return PartnerInGroups(**_told(row).model_dump(), groups=sorted(belongs))


@router.get("/people", tags=PEOPLE, responses=documented(404))
def people(
    session: Reading,
    holder: ReadsPeople,
    sliced: Sliced,
    partner: PartnerCode = None,
    role: Role | None = None,
) -> Page[ToldPerson]:
    """The people, by e-mail address. A token limited to a partner sees those of its partners."""
    wanted = _people(holder)
    if partner is not None:
        wanted = wanted.where(Person.partner_id == holder.partner(session, partner).id)
    if role is not None:
        wanted = wanted.where(Person.role == role)
    if behind := sliced.begins_behind(str):
        wanted = wanted.where(Person.email > behind[0])
    rows = session.execute(wanted.order_by(Person.email).limit(sliced.one_more)).all()
    return sliced.page(_with_points(session, rows), _told_person, lambda row: (row[0].email,))


@router.get("/people/by-email", tags=PEOPLE, responses=documented(404))
def person(
    session: Reading,
    holder: ReadsPeople,
    email: Annotated[str, Query(max_length=300, examples=["remy@r2.example"])],
) -> ToldPerson:
    """One person, by e-mail address in any letters."""
    return _told_person(_with_points(session, [_person(session, holder, email)])[0])


def person_seen(session: Session, holder: Holder, email: str) -> Person:
    """A person by e-mail address, if there is one and the token sees it."""
    found: Person = _person(session, holder, email)[0]
    return found


def _person(session: Session, holder: Holder, email: str) -> Any:
    wanted = _people(holder).where(Person.email == email.strip().lower())
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound("There is no such person, or the token doesn't see them.")
    return row


def _partners(above: Any, holder: Holder) -> sa.Select[*tuple[Any, ...]]:
    """The partners, each with its supplier's code, where the token sees that one, too."""
    is_above = sa.and_(above.id == Partner.parent_id, holder.seen(above.id))
    return sa.select(Partner, above.code).outerjoin(above, is_above)


def _told(row: Any) -> ToldPartner:
    found, parent = row
    return ToldPartner(
        code=found.code,
        name=found.name,
        kind=found.kind,
        parent=parent,
        tier=found.tier,
        region=found.region,
        country=found.country,
        language=found.language,
        joined_on=found.joined_on,
        left_on=found.left_on,
    )


def _people(holder: Holder) -> sa.Select[*tuple[Any, ...]]:
    seen = Person.partner_id.is_(None) if holder.sees_network else sa.false()
    found = sa.select(Person, Partner.code, Departure.left_at)
    return (
        found.outerjoin(Partner, Partner.id == Person.partner_id)
        .outerjoin(Departure, Departure.person_id == Person.id)
        .where(sa.or_(seen, holder.seen(Person.partner_id)))
    )


def _with_points(session: Session, rows: Iterable[Any]) -> list[Any]:
    """The rows, each with its person's points by kind of account."""
    found = list(rows)
    owners = {wallet_of_person(row[0].email): row[0].email for row in found}
    held: dict[str, dict[str, int]] = {}
    balances = sa.select(Account.owner, Account.kind, Account.balance_points)
    for owner, kind, points in session.execute(balances.where(Account.owner.in_(owners))):
        held.setdefault(owners[owner], {})[kind] = points
    return [(*row, held.get(row[0].email, {})) for row in found]


def _told_person(row: Any) -> ToldPerson:
    found, partner, left_at, points = row
    return ToldPerson(
        email=found.email,
        name=found.name,
        role=found.role,
        partner=partner,
        language=found.language,
        departed=left_at is not None,
        points=points.get(AccountKind.WALLET, 0),
        pending=points.get(AccountKind.PENDING, 0),
    )
