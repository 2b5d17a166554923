"""The money of a back-test: what a budget would have paid, in the order in which it was asked.

Two budgets can be asked: one that holds so many points from the start and pays nobody else, or the
rule's own as it was in the ledger, with every gift and every other rule that drew on it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.awards import award_key
from rewards.backtests.lines import Batch
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook import RuleVersion
from rewards.rules import Shortage
from rewards.shares import Due, shared_out


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
    """Pay from the rule's own budgets as they stood at every sitting of its closes.

    A close that was run again after its budget was funded is a sitting of its own. What isn't
    closed is paid from what is left now.
    """
    awarded = _awarded_on_events(session, rule_code)
    sittings = sorted(
        (position, number)
        for number, batch in enumerate(batches)
        for position in _positions(session, rule_code, batch, awarded)
    )
    budgets: dict[str, _Drawn] = {}
    paid: dict[str, int] = {}
    for position, number in sittings:
        batch = batches[number]
        code = batch.rule.budget
        if code not in budgets:
            budgets[code] = _drawn_by_others(session, code, rule_code)
        left = budgets[code].before(position) - paid.get(code, 0)
        taken = _pay(batch, left)
        paid[code] = paid.get(code, 0) + taken
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


def _drawn_by_others(session: Session, budget_code: str, rule_code: str) -> _Drawn:
    own = (
        sa.select(DecisionRow.id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == rule_code)
    )
    found = session.execute(
        sa.select(Transfer.id, Entry.points)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(
            Account.kind == AccountKind.BUDGET,
            Account.owner == budget_code,
            sa.or_(Transfer.decision_id.is_(None), Transfer.decision_id.not_in(own)),
        )
        .order_by(Transfer.id)
    ).all()
    return _Drawn([number for number, _ in found], list(accumulate(row[1] for row in found)))


_AT_THE_END = 2**62  # after every transfer there is


def _positions(
    session: Session, rule_code: str, batch: Batch, awarded: Mapping[int, int]
) -> Iterator[int]:
    """Before which transfers the budget was asked: once per moment at which the close was run.

    awarded: the transfers that paid events, by event.
    """
    if batch.closing_id is not None:
        yield from _of_closing(session, rule_code, batch.closing_id)
    elif batch.event_id is None:
        yield _AT_THE_END
    elif batch.event_id in awarded:
        yield awarded[batch.event_id]
    else:
        recorded = sa.select(EventRow.recorded_at).where(EventRow.id == batch.event_id)
        yield _after(session, session.scalars(recorded).one())


def _of_closing(session: Session, rule_code: str, closing_id: int) -> Iterator[int]:
    paid = session.execute(_paid(closing_id)).all()
    closed_at = sa.select(Closing.closed_at).where(Closing.id == closing_id)
    for moment in {row.recorded_at for row in paid} | {session.scalars(closed_at).one()}:
        rows = [row for row in paid if row.recorded_at == moment]
        own_or_later = [row.first for row in rows if row.code >= rule_code]
        if own_or_later:
            yield min(own_or_later)
        elif rows:
            yield max(row.last for row in rows) + 1
        else:
            yield _after(session, moment)


def _after(session: Session, moment: datetime) -> int:
    by_then = sa.select(sa.func.max(Transfer.id)).where(Transfer.recorded_at <= moment)
    return (session.scalar(by_then) or 0) + 1


def _paid(closing_id: int) -> sa.Select[int, int, str, datetime]:
    """The first and last transfer of each rule at each moment, for what a close decided."""
    return (
        sa.select(
            sa.func.min(Transfer.id).label("first"),
            sa.func.max(Transfer.id).label("last"),
            RuleVersion.code,
            Transfer.recorded_at,
        )
        .join(DecisionRow, DecisionRow.id == Transfer.decision_id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(DecisionRow.closing_id == closing_id)
        .group_by(RuleVersion.code, Transfer.recorded_at)
    )


def _awarded_on_events(session: Session, rule_code: str) -> dict[int, int]:
    found = session.execute(
        sa.select(DecisionRow.event_id, Transfer.id)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == rule_code, DecisionRow.event_id.is_not(None))
    )
    return {event_id: number for event_id, number in found if event_id is not None}
