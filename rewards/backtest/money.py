"""The money of a back-test: what a budget would have paid, in the order in which it was asked.

Two budgets can be asked: one that holds so many points from the start and pays nobody else, or the
rule's own as it was in the ledger, with every gift and every other rule that drew on it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.awards import award_key
from rewards.backtest.lines import Batch
from rewards.budgets.shares import Due, shared_out
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook import RuleVersion
from rewards.rules import Shortage


def pay_without_end(batches: Iterable[Batch]) -> None:
    """Pay whatever was earned."""
    for batch in batches:
        for line in batch.due:
            line.paid = line.points


def pay_from(batches: Iterable[Batch], points: int) -> None:
    """Pay from a budget that holds so many points at first."""
    left = points
    for batch in batches:
        left -= _pay(batch, left)
        batch.left = left


def pay_as_the_ledger_could(session: Session, rule_code: str, batches: Sequence[Batch]) -> None:
    """Pay from the rule's own budgets as they stood whenever its awards were paid, or refused.

    A close that was run again after its budget was funded is asked again then. What isn't closed
    is paid from what is left now.
    """
    own = _own_awards(session, rule_code, batches)
    asked = sorted(
        (position, number)
        for number, batch in enumerate(batches)
        for position in _positions(session, batch, own)
    )
    own_ids = {award.transfer_id for award in own}
    budgets: dict[str, _Drawn] = {}
    paid: Counter[str] = Counter()
    for position, number in asked:
        batch = batches[number]
        code = batch.rule.budget
        if code not in budgets:
            budgets[code] = _drawn_by_others(session, code, own_ids)
        left = budgets[code].before(position) - paid[code]
        taken = _pay(batch, left)
        paid[code] += taken
        batch.left = left - taken


def _pay(batch: Batch, left: int) -> int:
    """What a batch takes from a budget that holds so much; its lines are told."""
    rule, due = batch.rule, batch.due
    if rule.when_short is Shortage.PRO_RATA and any(line.paid for line in batch.lines):
        return 0  # it was shared out, and that is final
    # An event is alone: it is paid whole or waits.
    policy = Shortage.REFUSE_WHOLE if batch.event_id else rule.when_short
    dues = [
        Due(award_key(line.period, rule.code, line.candidate.code), line.points) for line in due
    ]
    shares = shared_out(dues, left, policy)
    for line, share in zip(due, shares, strict=True):
        line.paid = share
    return sum(shares)


@dataclass(frozen=True)
class _Drawn:
    """What a budget held but for one rule's awards, by the transfers that changed it."""

    transfer_ids: Sequence[int]
    balances: Sequence[int]

    def before(self, transfer_id: int) -> int:
        place = bisect_left(self.transfer_ids, transfer_id)
        return self.balances[place - 1] if place else 0


def _drawn_by_others(session: Session, budget_code: str, own_ids: Collection[int]) -> _Drawn:
    account = sa.select(Account.id).where(
        Account.kind == AccountKind.BUDGET, Account.owner == budget_code
    )
    found = session.execute(
        sa.select(Entry.transfer_id, Entry.points)
        .where(Entry.account_id == account.scalar_subquery())
        .order_by(Entry.transfer_id)
    ).all()
    others = [(number, points) for number, points in found if number not in own_ids]
    balances = accumulate(points for _, points in others)
    return _Drawn([number for number, _ in others], list(balances))


class _Award(NamedTuple):
    """A transfer that paid the rule's award, at a close or on an event."""

    transfer_id: int
    recorded_at: datetime
    closing_id: int | None
    event_id: int | None


_AT_THE_END = 2**62  # after every transfer there is


def _positions(session: Session, batch: Batch, own: Sequence[_Award]) -> list[int]:
    """Before which transfers the budget was asked for a batch: once per moment it was paid at.

    Where nothing was paid at first, it is asked after all that was transferred by then: what
    refused it then refuses it there.
    """
    if batch.closing_id is None and batch.event_id is None:
        return [_AT_THE_END]
    paid: dict[datetime, int] = {}
    for award in own:
        if (award.closing_id, award.event_id) == (batch.closing_id, batch.event_id):
            paid.setdefault(award.recorded_at, award.transfer_id)
    first = _first_asked(session, batch)
    if first not in paid:
        latest = sa.select(Transfer.id).where(Transfer.recorded_at <= first)
        paid[first] = (session.scalar(latest.order_by(Transfer.id.desc()).limit(1)) or 0) + 1
    return list(paid.values())


def _first_asked(session: Session, batch: Batch) -> datetime:
    if batch.closing_id is not None:
        asked = sa.select(Closing.closed_at).where(Closing.id == batch.closing_id)
    else:
        asked = sa.select(EventRow.recorded_at).where(EventRow.id == batch.event_id)
    return session.scalars(asked).one()


def _own_awards(session: Session, rule_code: str, batches: Sequence[Batch]) -> list[_Award]:
    """The transfers that paid the rule's awards, the first one first."""
    versions = session.scalars(sa.select(RuleVersion.id).where(RuleVersion.code == rule_code))
    closings = {batch.closing_id for batch in batches if batch.closing_id is not None}
    decided = sa.select(DecisionRow.id).where(DecisionRow.rule_version_id.in_(versions.all()))
    if any(batch.event_id for batch in batches):
        decided = decided.where(DecisionRow.event_id.is_not(None))
    else:
        decided = decided.where(DecisionRow.closing_id.in_(sorted(closings)))
    found = session.execute(
        sa.select(Transfer.id, Transfer.recorded_at, DecisionRow.closing_id, DecisionRow.event_id)
        .join(DecisionRow, DecisionRow.id == Transfer.decision_id)
        .where(Transfer.decision_id.in_(decided))
        .order_by(Transfer.id)
    )
    return [_Award(*row) for row in found]
