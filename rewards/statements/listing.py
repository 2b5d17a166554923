"""A statement in pages: entries, what is held, and what brought nothing, some at a time.

`statement` tells everything there is, with every reason; this asks a fixed number of times however
much there is. An entry's own reasons are told when it is opened, see `explaining`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.periods import Period
from partner_cx.prepared import Prepared
from partner_cx.words import Words
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.ledger.owners import Owner
from rewards.restating.proposals import Proposal
from rewards.rulebook import RuleVersion
from rewards.rules import Recipient, Rule
from rewards.statements import Held
from rewards.statements.known_rules import known_rules


@dataclass(frozen=True)
class Purse:
    """What an owner has: to spend, and held besides. since: the day of its first entry."""

    balance: int = 0
    pending: int = 0
    since: date | None = None


@dataclass(frozen=True)
class Shown:
    """Which part of a statement is asked for. None: all of it. rule: its code."""

    period: Period | None = None
    rule: str | None = None


@dataclass(frozen=True)
class Listed:
    """An entry of the wallet as it stands in the list: its day, its points, the balance after it.

    why: what the ledger says. rule, period: what it was earned by, where a rule gave it.
    corrects: the day of the entry that it puts right. held_since: from when on it was held.
    """

    key: str
    on: date
    points: int
    balance: int
    why: Words
    rule: Rule | None
    period: Period | None
    corrects: date | None
    held_since: date | None


@dataclass(frozen=True)
class Some:
    """Some of a list. total: how many there are altogether."""

    rows: Sequence[Any]
    total: int


def purse(session: Session, owner: Owner) -> Purse:
    found = _PURSE.rows(session, {"wallet": owner.wallet})
    held = {row.kind: row.balance_points for row in found}
    return Purse(
        held.get(AccountKind.WALLET, 0),
        held.get(AccountKind.PENDING, 0),
        min((row.since for row in found if row.since), default=None),
    )


def rules_met(session: Session, partner_id: int) -> dict[int, Rule]:
    """Every rule version that ever decided about a partner, by its id; persons' rules too."""
    found = _RULES_MET.rows(session, {"partner_id": partner_id})
    return known_rules(session, {row.id: row.digest for row in found})


# Statements are made once: to put one together takes longer than the database does to answer it.

_OWN_WALLET = sa.bindparam("wallet", type_=sa.Text)
_PURSE = Prepared(
    sa.select(
        Account.kind,
        Account.balance_points,
        sa.select(sa.func.min(Transfer.effective_on))
        .join(Entry, Entry.transfer_id == Transfer.id)
        .where(Entry.account_id == Account.id)
        .scalar_subquery()
        .label("since"),
    ).where(
        sa.or_(Account.kind == AccountKind.WALLET, Account.kind == AccountKind.PENDING),
        Account.owner == _OWN_WALLET,
    )
)
_RULES_MET = Prepared(
    sa.select(RuleVersion.id, RuleVersion.digest)
    .where(
        RuleVersion.id.in_(
            sa.select(DecisionRow.rule_version_id).where(
                DecisionRow.partner_id == sa.bindparam("partner_id")
            )
        )
    )
    .order_by(RuleVersion.code, RuleVersion.version)
)


# --- Entries --------------------------------------------------------------------------------------


def entries(
    session: Session,
    owner: Owner,
    shown: Shown,
    *,
    limit: int | None,
    offset: int = 0,
) -> Some:
    """The wallet's entries, the newest first. limit: at most so many; None: all of them."""
    wanted = _entries(by_period=shown.period is not None, by_rule=shown.rule is not None)
    found = wanted.rows(session, _asked(shown, owner, limit, offset))
    rules = known_rules(session, {row.version_id: row.digest for row in found if row.version_id})
    return Some([_listed(row, rules) for row in found], found[0].total if found else 0)


_EVERYTHING = 1_000_000_000  # a limit that is none


def _asked(shown: Shown, owner: Owner, limit: int | None, offset: int) -> dict[str, Any]:
    """The values of a list's statement."""
    asked: dict[str, Any] = {
        "wallet": owner.wallet,
        "most": _EVERYTHING if limit is None else limit,
        "skipped": offset,
    }
    if shown.period:
        asked |= {"first": shown.period.first_day, "last": shown.period.last_day}
    return asked | ({"rule": shown.rule} if shown.rule else {})


def _some(wanted: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    return wanted.limit(sa.bindparam("most", type_=sa.Integer)).offset(
        sa.bindparam("skipped", type_=sa.Integer)
    )


def _within(day: Any) -> sa.ColumnElement[bool]:
    return sa.between(
        day, sa.bindparam("first", type_=sa.Date), sa.bindparam("last", type_=sa.Date)
    )


@lru_cache
def _entries(*, by_period: bool, by_rule: bool) -> Prepared:
    own = _entries_of_wallet().subquery()
    corrected = aliased(Transfer)
    wanted = (
        sa.select(
            *own.c,
            Closing.period,
            RuleVersion.id.label("version_id"),
            RuleVersion.digest,
            corrected.effective_on.label("corrects"),
            sa.func.count().over().label("total"),
        )
        .select_from(own)
        .outerjoin(DecisionRow, DecisionRow.id == own.c.decision_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(corrected, corrected.id == own.c.corrects_id)
        .order_by(own.c.effective_on.desc(), own.c.transfer_id.desc())
    )
    if by_period:
        wanted = wanted.where(_within(own.c.effective_on))
    if by_rule:
        wanted = wanted.where(RuleVersion.code == sa.bindparam("rule", type_=sa.Text))
    return Prepared(_some(wanted))


def _entries_of_wallet() -> sa.Select[*tuple[Any, ...]]:
    """Every entry of a wallet with the balance after it, and the decision it goes back to."""
    settled = aliased(Transfer)
    decision = sa.func.coalesce(
        Transfer.decision_id, settled.decision_id, Proposal.decision_id
    ).label("decision_id")
    balance = sa.func.sum(Entry.points).over(order_by=[Transfer.effective_on, Transfer.id])
    return (
        sa.select(
            Transfer.id.label("transfer_id"),
            Transfer.key,
            Transfer.why_en,
            Transfer.why_fr,
            Transfer.effective_on,
            Transfer.corrects_id,
            Entry.points,
            settled.effective_on.label("held_since"),
            decision,
            balance.label("balance"),
        )
        .join(Account, Account.id == Entry.account_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(settled, settled.id == Transfer.settles_id)
        .outerjoin(Proposal, Proposal.id == Transfer.proposal_id)
        .where(Account.kind == AccountKind.WALLET, Account.owner == _OWN_WALLET)
    )


def _listed(row: Any, rules: Mapping[int, Rule]) -> Listed:
    return Listed(
        key=row.key,
        on=row.effective_on,
        points=row.points,
        balance=int(row.balance),
        why=Words(row.why_en, row.why_fr),
        rule=rules.get(row.version_id),
        period=Period.parse(row.period) if row.period else None,
        corrects=row.corrects,
        held_since=row.held_since,
    )


def _ends(period: Period) -> tuple[date, date]:
    return period.first_day, period.last_day


# --- Held -----------------------------------------------------------------------------------------


def held(session: Session, owner: Owner, shown: Shown, *, limit: int, offset: int = 0) -> Some:
    """What can't be spent yet, then what was taken back before it could; each newest first."""
    found = session.execute(
        _held_rows(by_period=shown.period is not None, by_rule=shown.rule is not None),
        _asked(shown, owner, limit, offset),
    ).all()
    rules = known_rules(session, {row.version_id: row.digest for row in found if row.version_id})
    return Some([_held(row, rules) for row in found], found[0].total if found else 0)


@lru_cache
def _held_rows(*, by_period: bool, by_rule: bool) -> sa.Select[*tuple[Any, ...]]:
    settling, released = aliased(Transfer), aliased(Entry)
    wallet = sa.select(Account.id).where(
        Account.kind == AccountKind.WALLET, Account.owner == _OWN_WALLET
    )
    wanted = (
        sa.select(
            Transfer,
            Entry.points,
            Entry.id.label("entry_id"),
            settling.effective_on.label("settled_on"),
            settling.why_en.label("settled_en"),
            settling.why_fr.label("settled_fr"),
            Closing.period,
            RuleVersion.id.label("version_id"),
            RuleVersion.digest,
            sa.func.count().over().label("total"),
        )
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .outerjoin(settling, settling.settles_id == Transfer.id)
        .outerjoin(
            released,
            sa.and_(
                released.transfer_id == settling.id,
                released.account_id == wallet.scalar_subquery(),
            ),
        )
        .outerjoin(DecisionRow, DecisionRow.id == Transfer.decision_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(
            Account.kind == AccountKind.PENDING,
            Account.owner == _OWN_WALLET,
            Entry.points > 0,
            released.id.is_(None),
        )
        .order_by(settling.id.is_not(None), Transfer.effective_on.desc(), Transfer.id.desc())
    )
    if by_period:
        wanted = wanted.where(_within(Transfer.effective_on))
    if by_rule:
        wanted = wanted.where(RuleVersion.code == sa.bindparam("rule", type_=sa.Text))
    return _some(wanted)


def _held(row: Any, rules: Mapping[int, Rule]) -> Held:
    transfer: Transfer = row.Transfer
    return Held(
        on=transfer.effective_on,
        points=row.points,
        why=Words(transfer.why_en, transfer.why_fr),
        key=transfer.key,
        until=transfer.held_until,
        needs_approval=transfer.needs_approval,
        rule=rules.get(row.version_id),
        period=Period.parse(row.period) if row.period else None,
        entry=row.entry_id,
        settled_on=row.settled_on,
        settled_why=Words(row.settled_en, row.settled_fr) if row.settled_on else None,
    )


# --- What brought nothing on events ---------------------------------------------------------------


@dataclass(frozen=True)
class MissedEvent:
    """An event that was decided on and brought nothing, or nothing yet.

    number: the decision's. subject: what the event was about.
    """

    number: int
    rule: Rule
    on: date
    subject: str | None
    verdict: str
    points: int
    recorded_at: datetime


def missed_events(
    session: Session,
    partner_id: int,
    rules: Mapping[int, Rule],
    shown: Shown,
    *,
    limit: int,
    offset: int = 0,
) -> Some:
    """The events that brought the partner nothing, the newest first.

    rules: as `rules_met` finds them. What a person alone could win isn't the partner's.
    """
    own = [
        number
        for number, rule in rules.items()
        if rule.on.event and shown.rule in (None, rule.code)
    ]
    if not own:
        return Some((), 0)
    persons = [number for number in own if rules[number].award.to is Recipient.PERSON]
    wanted = (
        sa.select(
            DecisionRow.id,
            DecisionRow.rule_version_id,
            DecisionRow.verdict,
            DecisionRow.points,
            EventRow.on,
            EventRow.subject,
            EventRow.recorded_at,
            sa.func.count().over().label("total"),
        )
        .join(EventRow, EventRow.id == DecisionRow.event_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(
            DecisionRow.partner_id == partner_id,
            DecisionRow.rule_version_id.in_(own),
            Transfer.id.is_(None),
            sa.or_(EventRow.person_email.is_(None), DecisionRow.rule_version_id.not_in(persons)),
        )
        .order_by(EventRow.on.desc(), DecisionRow.id.desc())
    )
    if shown.period:
        wanted = wanted.where(EventRow.on.between(*_ends(shown.period)))
    found = session.execute(wanted.limit(limit).offset(offset)).all()
    rows = [
        MissedEvent(
            each.id,
            rules[each.rule_version_id],
            each.on,
            each.subject,
            each.verdict,
            each.points,
            each.recorded_at,
        )
        for each in found
    ]
    return Some(rows, found[0].total if found else 0)
