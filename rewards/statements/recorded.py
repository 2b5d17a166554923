"""What is on record about an owner of points: entries of its accounts, and decisions about it.

Before it stand the ledger and the decisions; after it statements and explanations, which say why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from partner_cx.periods import Period
from rewards.deciding.retelling import rules_of
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.ledger.owners import Owner
from rewards.restating.proposals import Proposal
from rewards.rules import Recipient, Rule

AT_ONCE = 500  # values in one statement


@dataclass(frozen=True)
class Moved:
    """One entry of an owner's account, with the transfer it belongs to.

    kind: wallet or pending. settles: the held award that it releases or takes back.
    corrects: the transfer that it compensates.
    """

    entry_id: int
    kind: str
    points: int
    transfer: Transfer
    settles: Transfer | None
    corrects: Transfer | None

    @property
    def decision_id(self) -> int | None:
        """The decision that earned the points, directly or once they were held."""
        own = self.transfer.decision_id
        return self.settles.decision_id if own is None and self.settles else own


@dataclass(frozen=True)
class Taken:
    """A decision as it was taken: at a close, or on an event."""

    row: DecisionRow
    closing: Closing | None
    event: EventRow | None

    @property
    def period(self) -> Period | None:
        return Period.parse(self.closing.period) if self.closing else None

    @property
    def on(self) -> date:
        """The day it is about: the period's last, or the event's."""
        if self.event:
            return self.event.on
        assert self.period is not None
        return self.period.last_day

    def recipient(self, rule: Rule) -> str | None:
        """The e-mail address of the person who gets the award; None where it is the partner."""
        if rule.award.to is not Recipient.PERSON or self.event is None:
            return None
        return self.event.person_email


def moved(session: Session, wallet: str) -> list[Moved]:
    """Every entry of an owner's wallet, and of what is held for it, the oldest first."""
    settled, corrected = aliased(Transfer), aliased(Transfer)
    found = session.execute(
        sa.select(Entry.id, Account.kind, Entry.points, Transfer, settled, corrected)
        .join(Account, Account.id == Entry.account_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(settled, settled.id == Transfer.settles_id)
        .outerjoin(corrected, corrected.id == Transfer.corrects_id)
        .where(Account.kind.in_([AccountKind.WALLET, AccountKind.PENDING]), Account.owner == wallet)
        .order_by(Transfer.effective_on, Transfer.id)
    )
    return [Moved(*row) for row in found]


def taken(session: Session, decision_ids: Collection[int]) -> dict[int, Taken]:
    """Decisions by their id."""
    found: dict[int, Taken] = {}
    for some in _pieces(decision_ids):
        wanted = _decisions().where(DecisionRow.id.in_(some))
        found |= {row[0].id: Taken(*row) for row in session.execute(wanted)}
    return found


def decided(session: Session, owner: Owner) -> list[Taken]:
    """The decisions about an owner, by the day they are about."""
    return _own(session, owner, _about(owner))


def unpaid(session: Session, owner: Owner) -> list[Taken]:
    """Those among them that no transfer paid."""
    wanted = _about(owner).outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
    return _own(session, owner, wanted.where(Transfer.id.is_(None)))


def transfers_about(session: Session, decision_ids: Sequence[int]) -> dict[int, list[Transfer]]:
    """The award of each decision, what settled it and what put it right, as they were recorded."""
    found: dict[int, dict[int, Transfer]] = {number: {} for number in decision_ids}
    awards: dict[int, int] = {}
    for transfer in _those(session, Transfer.decision_id, decision_ids):
        awards[transfer.id] = transfer.decision_id or 0
        found[awards[transfer.id]][transfer.id] = transfer
    asked = sa.select(Proposal.id, Proposal.decision_id)
    proposals = {
        row.id: row.decision_id
        for some in _pieces(decision_ids)
        for row in session.execute(asked.where(Proposal.decision_id.in_(some)))
    }
    for column, behind in (
        (Transfer.settles_id, awards),
        (Transfer.corrects_id, awards),
        (Transfer.proposal_id, proposals),
    ):
        for transfer in _those(session, column, list(behind)):
            number = behind[getattr(transfer, column.key)]
            found[number][transfer.id] = transfer
    return {number: [each[key] for key in sorted(each)] for number, each in found.items()}


def _those(
    session: Session, column: InstrumentedAttribute[int | None], values: Sequence[int]
) -> Iterator[Transfer]:
    for some in _pieces(values):
        yield from session.scalars(sa.select(Transfer).where(column.in_(some)))


def _pieces(values: Iterable[int]) -> Iterator[list[int]]:
    in_order = sorted(values)
    for start in range(0, len(in_order), AT_ONCE):
        yield in_order[start : start + AT_ONCE]


def is_shared_out(session: Session, row: DecisionRow) -> bool:
    """Whether the awards of a decision's rule at its close were paid, as far as the budget went."""
    alike = (
        sa.select(Transfer.id)
        .join(DecisionRow, DecisionRow.id == Transfer.decision_id)
        .where(
            DecisionRow.closing_id == row.closing_id,
            DecisionRow.rule_version_id == row.rule_version_id,
        )
    )
    return session.scalar(alike.limit(1)) is not None


def _about(owner: Owner) -> sa.Select[*tuple[Any, ...]]:
    if owner.partner_id is None:
        return _decisions().where(EventRow.person_email == owner.subject)
    return _decisions().where(DecisionRow.partner_id == owner.partner_id)


def _own(session: Session, owner: Owner, wanted: sa.Select[*tuple[Any, ...]]) -> list[Taken]:
    """A person's are those on what that person did, under rules that reward persons; all else is
    its partner's.
    """
    found = [Taken(*row) for row in session.execute(wanted)]
    rules = rules_of(session, {each.row.rule_version_id for each in found})
    own = []
    for each in found:
        rule = rules[each.row.rule_version_id]
        if (each.recipient(rule) is None) is (owner.partner_id is not None):
            own.append((each.on, rule.code, each.row.id, each))
    return [each for *_, each in sorted(own, key=lambda one: one[:3])]


def _decisions() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(DecisionRow, Closing, EventRow)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
    )
