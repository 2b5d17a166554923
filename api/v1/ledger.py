"""Points: what partners and people have, every entry behind it, and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session, aliased

from api.addresses import address
from api.request_scope import Reading, wiring
from api.v1.asking import AskedPeriodOrNone, Page, PartnerCode, Sliced, Spoken
from api.v1.doorway import Doorway
from api.v1.explained import ToldExplanation, told_explanation
from api.v1.holders import Holder, Reads
from api.v1.partners import person_seen
from api.v1.problems import documented, wrong_value
from api.v1.told import Instant, PeriodCode
from partner_cx.errors import NotFound
from partner_cx.network.partners import Partner
from partner_cx.network.scopes import Scope
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer, wallet_of, wallet_of_person
from rewards.ledger.owners import Owner, partner_owner
from rewards.rulebook import RuleVersion
from rewards.statements.explaining import explain_entry, explain_owner, explain_transfer
from rewards.statements.explanations import Explained

router = APIRouter(prefix="/api/v1", tags=["points"], route_class=Doorway)

Own = Literal["wallet", "pending"]
OWN = (AccountKind.WALLET, AccountKind.PENDING)
PERSON = wallet_of_person("")
Email = Annotated[
    str | None,
    Query(
        max_length=300,
        description="The e-mail address of a person; needs the scope `people`, too.",
        examples=["remy@r2.example"],
    ),
]


class ToldBalance(BaseModel):
    """What a partner has."""

    partner: str = Field(examples=["R1"])
    points: int = Field(description="To be spent.", examples=[500])
    pending: int = Field(description="Awarded, and held or waiting for approval.", examples=[0])


class ToldEntry(BaseModel):
    """One entry of a statement. It never changes; a correction is another entry."""

    entry: int = Field(description="Its number.", examples=[3])
    key: str = Field(
        description="What made it happen once; see `/entries/by-key`.",
        examples=["close:2026Q2:network_quality_bonus:R1"],
    )
    account: Own = Field(description="`pending` while it can't be spent yet.", examples=["wallet"])
    on: date = Field(description="The day it takes effect.", examples=["2026-06-30"])
    recorded_at: Instant
    points: int = Field(
        description="Below zero where they were spent or taken back.", examples=[500]
    )
    balance: int = Field(
        description="Of the account, after this entry and all recorded before.", examples=[500]
    )
    why: str = Field(examples=["Network quality bonus, Q2 2026: 500 points."])
    rule: str | None = Field(description="What gave it.", examples=["network_quality_bonus"])
    rule_version: int | None = Field(examples=[1])
    period: PeriodCode | None
    corrects: str | None = Field(
        description="The key of the entry that it puts right.", examples=[None]
    )
    held_until: date | None = Field(
        description="The first day on which a pending award may be released.", examples=[None]
    )
    needs_approval: bool = Field(examples=[False])
    explanation: str = Field(
        description="Where it is explained, back to the rows.",
        examples=["/api/v1/entries/by-key?key=close%3A2026Q2%3Anetwork_quality_bonus%3AR1"],
    )


@router.get("/balances", responses=documented(404))
def balances(
    session: Reading, holder: Reads, sliced: Sliced, partner: PartnerCode = None
) -> Page[ToldBalance]:
    """What each partner has, by code. People's points stand with the people."""
    wanted = sa.select(Partner.code).where(holder.seen(Partner.id))
    if partner is not None:
        wanted = wanted.where(Partner.id == holder.partner(session, partner).id)
    if behind := sliced.begins_behind(str):
        wanted = wanted.where(Partner.code > behind[0])
    codes = session.scalars(wanted.order_by(Partner.code).limit(sliced.one_more)).all()
    owners = {wallet_of(code): code for code in codes}
    held: dict[str, dict[str, int]] = {}
    kept = sa.select(Account.owner, Account.kind, Account.balance_points)
    for owner, kind, points in session.execute(kept.where(Account.owner.in_(owners))):
        held.setdefault(owners[owner], {})[kind] = points
    rows = [(code, held.get(code, {})) for code in codes]
    return sliced.page(rows, _told_balance, lambda row: (row[0],))


@router.get("/statements", responses=documented(404))
def statements(
    request: Request,
    session: Reading,
    holder: Reads,
    sliced: Sliced,
    language: Spoken,
    partner: PartnerCode = None,
    person: Email = None,
    account: Annotated[Own | None, Query(description="Only those of one account.")] = None,
) -> Page[ToldEntry]:
    """The entries of a partner's or a person's statement, in the order in which they came.

    Name one of the two. What comes later is asked for by `last` of the last page.
    """
    wallet = _wallet(session, holder, partner, person)
    kinds = OWN if account is None else (AccountKind(account),)
    entries = _entries(wallet, kinds)
    wanted = sa.select(entries).order_by(entries.c.number).limit(sliced.one_more)
    if behind := sliced.begins_behind(int):
        wanted = wanted.where(entries.c.number > behind[0])
    rows = session.execute(wanted).all()

    def told(row: Any) -> ToldEntry:
        return _told_entry(row, language, _explained_at(request, row.key))

    return sliced.page(rows, told, lambda row: (row.number,))


@router.get("/entries/by-key", responses=documented(404))
def entry(
    request: Request,
    session: Reading,
    holder: Reads,
    language: Spoken,
    key: Annotated[
        str,
        Query(max_length=1_000, examples=["close:2026Q2:network_quality_bonus:R1"]),
    ],
    rows: Annotated[
        int, Query(ge=0, le=200, description="How many rows behind each figure at most.")
    ] = 20,
) -> ToldExplanation:
    """Why an entry is what it is: the rule, what it found, and the rows behind."""
    transfer = session.scalar(sa.select(Transfer).where(Transfer.key == key))
    owners = _owners(session, transfer) if transfer else []
    if transfer is None or not _sees(session, holder, owners):
        raise NotFound("There is no such entry, or the token doesn't see it.")
    settings = wiring(request).settings
    own = [owner for kind, owner, _ in owners if kind in OWN]
    if own:
        found = explain_entry(session, _owner(session, own[0]), key, settings=settings, rows=rows)
        return told_explanation(Explained((found,)), language, with_staff=holder.sees_network)
    told = explain_transfer(session, transfer, settings=settings, rows=rows)
    return told_explanation(told, language, with_staff=holder.sees_network)


@router.get("/explanations", responses=documented(404))
def explanations(
    request: Request,
    session: Reading,
    holder: Reads,
    language: Spoken,
    period: AskedPeriodOrNone,
    partner: Annotated[str, Query(max_length=200, examples=["R2"])],
    rows: Annotated[
        int, Query(ge=0, le=200, description="How many rows behind each figure at most.")
    ] = 20,
) -> ToldExplanation:
    """Why a partner has each point of a period, and why it hasn't each other one.

    Without a period it is the one that was closed last.
    """
    holder.partner(session, partner)
    settings, owner = wiring(request).settings, partner_owner(session, partner)
    told = explain_owner(session, owner, period, settings=settings, rows=rows)
    return told_explanation(told, language, with_staff=holder.sees_network)


def _wallet(session: Session, holder: Holder, partner: str | None, person: str | None) -> str:
    if (partner is None) == (person is None):
        raise wrong_value("query.partner", "Whose statement?", "Name a partner or a person.")
    if partner is not None:
        return wallet_of(holder.partner(session, partner).code)
    holder.require(Scope.PEOPLE)
    return wallet_of_person(person_seen(session, holder, person or "").email)


def _entries(wallet: str, kinds: tuple[AccountKind, ...]) -> sa.Subquery:
    """An owner's entries, each with the balance after it and what it was earned by."""
    settled, corrected = aliased(Transfer), aliased(Transfer)
    decision = sa.func.coalesce(Transfer.decision_id, settled.decision_id)
    after = sa.func.sum(Entry.points).over(partition_by=Account.id, order_by=Entry.id)
    return (
        sa.select(
            Entry.id.label("number"),
            Entry.points,
            after.label("balance"),
            Account.kind.label("account"),
            Transfer.key,
            Transfer.effective_on,
            Transfer.recorded_at,
            Transfer.why_en,
            Transfer.why_fr,
            Transfer.held_until,
            Transfer.needs_approval,
            corrected.key.label("corrects"),
            RuleVersion.code.label("rule"),
            RuleVersion.version.label("rule_version"),
            Closing.period,
        )
        .select_from(Entry)
        .join(Account, Account.id == Entry.account_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(settled, settled.id == Transfer.settles_id)
        .outerjoin(corrected, corrected.id == Transfer.corrects_id)
        .outerjoin(DecisionRow, DecisionRow.id == decision)
        .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .where(Account.owner == wallet, Account.kind.in_(kinds))
        .subquery()
    )


def _told_entry(row: Any, language: str, explained_at: str) -> ToldEntry:
    return ToldEntry(
        entry=row.number,
        key=row.key,
        account=row.account,
        on=row.effective_on,
        recorded_at=row.recorded_at,
        points=row.points,
        balance=int(row.balance),
        why=row.why_fr if language == "fr" else row.why_en,
        rule=row.rule,
        rule_version=row.rule_version,
        period=row.period,
        corrects=row.corrects,
        held_until=row.held_until,
        needs_approval=row.needs_approval,
        explanation=explained_at,
    )


def _explained_at(request: Request, key: str) -> str:
    return address(request, f"/api/v1/entries/by-key?{urlencode({'key': key})}")


def _owners(session: Session, transfer: Transfer) -> list[Any]:
    """The accounts that a transfer moved points of or to: kind, owner, and the entry there."""
    return list(
        session.execute(
            sa.select(Account.kind, Account.owner, Entry.id)
            .join(Entry, Entry.account_id == Account.id)
            .where(Entry.transfer_id == transfer.id)
            .order_by(Entry.id)
        )
    )


def _sees(session: Session, holder: Holder, owners: list[Any]) -> bool:
    """Whether a token sees whom a transfer is about. Persons' are for those that see people."""
    own = {owner for kind, owner, _ in owners if kind in OWN}
    if any(owner.startswith(PERSON) for owner in own):
        return holder.sees_network and Scope.PEOPLE in holder.scopes
    if holder.sees_network:
        return True
    codes = session.scalars(sa.select(Partner.code).where(holder.seen(Partner.id)))
    return bool(own) and own <= {wallet_of(code) for code in codes}


def _owner(session: Session, wallet: str) -> Owner:
    """Whose a wallet is."""
    if wallet.startswith(PERSON):
        email = wallet.removeprefix(PERSON)
        return Owner(email, email, wallet)
    code = wallet.removeprefix(wallet_of(""))
    found = session.scalars(sa.select(Partner).where(Partner.code == code)).one()
    return Owner(found.code, found.name, wallet, found.id)


def _told_balance(row: Any) -> ToldBalance:
    code, held = row
    return ToldBalance(
        partner=code,
        points=held.get(AccountKind.WALLET, 0),
        pending=held.get(AccountKind.PENDING, 0),
    )
