"""Compensations: the entries that carry out an approved proposal, beside the original one.

Giving is the budget's; taking back never brings a wallet below zero: what it doesn't hold is
carried forward, and taken from what comes in later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from partner_cx.database import lock
from partner_cx.network.partners import Partner
from partner_cx.prepared import Prepared
from partner_cx.quantities import number_text
from partner_cx.words import Words
from rewards import sentences
from rewards.budgets import budget, raise_alerts
from rewards.decisions import DecisionRow
from rewards.ledger import (
    Account,
    AccountKind,
    Entry,
    HoldsTooLittle,
    Move,
    Posting,
    Transfer,
    account,
    post_one,
    wallet_of,
)
from rewards.restatements import Given
from rewards.restating.proposals import Proposal, ProposalOutcome
from rewards.rulebook import RuleVersion

_OWN = (AccountKind.WALLET, AccountKind.PENDING)  # where a partner's points are
_TRIES = 3  # to take what a wallet holds while somebody spends from it


def given_so_far(session: Session, decisions: Mapping[int, int]) -> dict[int, Given]:
    """What decisions have brought, by their ids.

    decisions: the points each of them awards, by its id.
    """
    paid, compensated = _paid(session, decisions), _compensated(session, decisions)
    return {
        number: Given(points, paid.get(number, 0), compensated.get(number, 0))
        for number, points in decisions.items()
    }


def compensate(session: Session, proposal: Proposal, *, now: datetime, on: date) -> None:
    """Post what a proposal that was just approved asks for. The caller commits.

    on: the day the entry takes effect. Raises Conflict when the budget can't pay.
    """
    case = _Case.of(session, proposal)
    if proposal.points > 0:
        _give(session, case, now, on)
    elif not _unheld(session, case, now, on):
        _take(session, case, -proposal.points, proposal.key, now, on)


@dataclass(frozen=True)
class Carried:
    """What is left to be taken back of an approved proposal."""

    proposal_id: int
    partner_id: int
    partner_code: str
    points: int


def carried(session: Session, partner_ids: Collection[int] | None = None) -> list[Carried]:
    """What is still to be taken back, the oldest first, of what has been flushed.

    partner_ids: from these alone; None: from everyone.
    """
    asked = None if partner_ids is None else set(partner_ids)
    return [
        Carried(proposal_id, partner_id, code, int(points))
        for proposal_id, partner_id, code, points in _carried().rows(session, {})
        if asked is None or partner_id in asked
    ]


@lru_cache  # to put it together takes longer than the database does to answer it
def _carried() -> Prepared:
    taken = (
        sa.select(Transfer.proposal_id, sa.func.sum(Entry.points).label("points"))
        .join(Entry, Entry.transfer_id == Transfer.id)
        .where(Transfer.proposal_id.is_not(None), Entry.points > 0)
        .group_by(Transfer.proposal_id)
        .subquery()
    )
    left = -Proposal.points - sa.func.coalesce(taken.c.points, 0)
    return Prepared(
        sa.select(Proposal.id, Partner.id, Partner.code, left)
        .join(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
        .join(DecisionRow, DecisionRow.id == Proposal.decision_id)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(taken, taken.c.proposal_id == Proposal.id)
        .where(ProposalOutcome.approved, Proposal.points < 0, left > 0)
        .order_by(Proposal.id)
    )


def collect_carried(
    session: Session, partner_ids: Collection[int], now: datetime, on: date | None = None
) -> int:
    """Take what was carried forward from wallets that something came into. The caller commits.

    on: the day the entries take effect; None is the day of `now`. Returns the points taken.
    """
    owing = sorted({each.partner_id for each in carried(session, partner_ids)})
    for partner_id in owing:
        lock(session, f"carried:{partner_id}")
    return sum(
        _take_carried(session, each, now, on or now.date())
        for each in (carried(session, owing) if owing else [])
    )


# --- Posting ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    """A proposal beside all that its entries name."""

    proposal: Proposal
    partner_id: int
    partner_code: str
    budget_code: str
    original: Transfer | None

    @classmethod
    def of(cls, session: Session, proposal: Proposal) -> _Case:
        row, partner, version = session.execute(
            sa.select(DecisionRow, Partner, RuleVersion)
            .join(Partner, Partner.id == DecisionRow.partner_id)
            .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
            .where(DecisionRow.id == proposal.decision_id)
        ).one()
        original = session.scalar(sa.select(Transfer).where(Transfer.decision_id == row.id))
        return cls(proposal, partner.id, partner.code, version.rule.budget, original)

    @property
    def why(self) -> Words:
        return Words(self.proposal.why_en, self.proposal.why_fr)

    def posting(
        self,
        key: str,
        move: Move,
        on: date,
        why: Words | None = None,
        settles_id: int | None = None,
    ) -> Posting:
        return Posting(
            key=key,
            why=why or self.why,
            moves=(move,),
            effective_on=on,
            corrects_id=self.original.id if self.original else None,
            settles_id=settles_id,
            proposal_id=self.proposal.id,
        )

    def wallet(self, session: Session) -> Account:
        owner = wallet_of(self.partner_code)
        return account(session, AccountKind.WALLET, owner, self.partner_id)

    def budget(self, session: Session) -> Account:
        return budget(session, self.budget_code)


def _give(session: Session, case: _Case, now: datetime, on: date) -> None:
    move = Move(case.budget(session), case.wallet(session), case.proposal.points)
    post_one(session, case.posting(case.proposal.key, move, on), now=now)
    raise_alerts(session, [case.budget_code], now)
    collect_carried(session, [case.partner_id], now, on)


def _unheld(session: Session, case: _Case, now: datetime, on: date) -> bool:
    """Take an award back whole that is still held, and so was never in the wallet."""
    points = -case.proposal.points
    if case.original is None or _pending(session, case.original.id) != points:
        return False
    owner = wallet_of(case.partner_code)
    source = account(session, AccountKind.PENDING, owner, case.partner_id)
    move = Move(source, case.budget(session), points)
    try:
        with session.begin_nested():
            settling = case.posting(case.proposal.key, move, on, settles_id=case.original.id)
            post_one(session, settling, now=now)
    except (IntegrityError, HoldsTooLittle):  # it was released at this very moment
        return False
    return True


def _take(session: Session, case: _Case, owed: int, key: str, now: datetime, on: date) -> int:
    """Take what the wallet holds, up to what is owed; the balance decides. Returns the points."""
    wallet = case.wallet(session)
    for _ in range(_TRIES):
        session.refresh(wallet, ["balance_points"])
        points = min(owed, wallet.balance_points)
        if points < 1:
            return 0
        move = Move(wallet, case.budget(session), points)
        posting = case.posting(key, move, on, why=_told(case, points))
        try:
            post_one(session, posting, now=now)
        except HoldsTooLittle:  # somebody has just spent some
            continue
        return points
    return 0


def _take_carried(session: Session, each: Carried, now: datetime, on: date) -> int:
    proposal = session.get_one(Proposal, each.proposal_id)
    times = sa.select(sa.func.count()).where(Transfer.proposal_id == proposal.id)
    key = f"{proposal.key}:carried:{(session.scalar(times) or 0) + 1}"
    return _take(session, _Case.of(session, proposal), each.points, key, now, on)


def _told(case: _Case, points: int) -> Words:
    """The reason, and of how many points in all these are some."""
    of = -case.proposal.points
    if points == of:
        return case.why
    part = Words(
        "{points} of {of} taken back; what a wallet lacks is taken from what comes in.",
        "{points} repris sur {of}\u202f; ce qui manque est repris sur ce qui viendra.",
    ).format(
        points=Words(number_text(points, "en"), number_text(points, "fr")), of=sentences.points(of)
    )
    return sentences.joined([case.why, part])


# --- What was given -----------------------------------------------------------------------------


def _pending(session: Session, transfer_id: int) -> int:
    """How many points of a transfer are still held; 0 where it isn't held, or was settled."""
    settling = aliased(Transfer)
    held = (
        sa.select(sa.func.sum(Entry.points))
        .join(Account, Account.id == Entry.account_id)
        .outerjoin(settling, settling.settles_id == Entry.transfer_id)
        .where(
            Entry.transfer_id == transfer_id,
            Account.kind == AccountKind.PENDING,
            settling.id.is_(None),
        )
    )
    return int(session.scalar(held) or 0)


def _paid(session: Session, decisions: Collection[int]) -> dict[int, int]:
    """What reached the partner: awards, less those that were refused while they were held."""
    paid: dict[int, int] = {}
    award, settling = aliased(Transfer), aliased(Transfer)
    awarded = sa.select(award.decision_id, sa.func.sum(Entry.points)).join(
        Entry, Entry.transfer_id == award.id
    )
    settled = (
        sa.select(award.decision_id, sa.func.sum(Entry.points))
        .join(settling, settling.settles_id == award.id)
        .join(Entry, Entry.transfer_id == settling.id)
        .where(settling.proposal_id.is_(None))
    )
    for some in _pieces(decisions):
        for found in (awarded, settled):
            own = found.join(Account, Account.id == Entry.account_id)
            own = own.where(Account.kind.in_(_OWN), award.decision_id.in_(some))
            for decision_id, points in session.execute(own.group_by(award.decision_id)):
                number = int(decision_id or 0)  # never empty: it was asked for by its id
                paid[number] = paid.get(number, 0) + int(points)
    return paid


def _compensated(session: Session, decisions: Collection[int]) -> dict[int, int]:
    compensated: dict[int, int] = {}
    for some in _pieces(decisions):
        approved = (
            sa.select(Proposal.decision_id, sa.func.sum(Proposal.points))
            .join(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
            .where(ProposalOutcome.approved, Proposal.decision_id.in_(some))
            .group_by(Proposal.decision_id)
        )
        compensated |= {number: int(points) for number, points in session.execute(approved)}
    return compensated


def _pieces(ids: Collection[int], size: int = 500) -> Iterator[list[int]]:
    in_order = sorted(ids)
    for start in range(0, len(in_order), size):
        yield in_order[start : start + size]
