"""Tellings of entries: points that came to a wallet, wait for it, or left it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from integrations.telling import Telling
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook import RuleVersion

OWNED = (AccountKind.WALLET, AccountKind.PENDING)
RUNS_AT_ONCE = 200


def of_transfers(session: Session, runs: Sequence[Sequence[int]]) -> Iterator[Telling]:
    """Of transfers, by runs of their ids, each with its first and last: one for each wallet."""
    for start in range(0, len(runs), RUNS_AT_ONCE):
        some = runs[start : start + RUNS_AT_ONCE]
        yield from _tellings(
            session, sa.or_(*(Transfer.id.between(first, last) for first, last in some))
        )


def of_decisions(session: Session, decision_ids: Collection[int]) -> Iterator[Telling]:
    """Of the transfers that pay these decisions."""
    yield from _tellings(session, Transfer.decision_id.in_(decision_ids))


def _tellings(session: Session, which: sa.ColumnElement[bool]) -> Iterator[Telling]:
    for row in session.execute(_ENTRIES.where(which).order_by(Entry.id)):
        transfer, entry, owned = row.Transfer, row.Entry, row.Account
        kind, _, subject = owned.owner.partition(":")
        partner_code = subject if kind == "partner" else None
        yield Telling(
            event="entry.posted",
            id=f"entry:{entry.id}",
            at=transfer.recorded_at,
            partner_id=owned.partner_id,
            partner_code=partner_code,
            data={
                "entry": entry.id,
                "key": transfer.key,
                "partner": partner_code,
                "person": subject if kind == "person" else None,
                "account": owned.kind,
                "points": entry.points,
                "why": {"en": transfer.why_en, "fr": transfer.why_fr},
                "effective_on": transfer.effective_on.isoformat(),
                "recorded_at": transfer.recorded_at.isoformat(),
                "held_until": transfer.held_until.isoformat() if transfer.held_until else None,
                "needs_approval": transfer.needs_approval,
                "settles": row.settles,
                "corrects": row.corrects,
                **_earned_by(row),
            },
        )


def _earned_by(row: Any) -> Mapping[str, Any]:
    """The rule that earned it, and at which close or on which event; None of it is a correction."""
    rule = {"code": row.code, "version": row.version} if row.code else None
    return {"rule": rule, "period": row.period, "event": row.event_key}


_settled, _corrected = aliased(Transfer), aliased(Transfer)
_ENTRIES = (
    sa.select(
        Transfer,
        Entry,
        Account,
        _settled.key.label("settles"),
        _corrected.key.label("corrects"),
        RuleVersion.code,
        RuleVersion.version,
        Closing.period,
        EventRow.key.label("event_key"),
    )
    .join(Entry, Entry.transfer_id == Transfer.id)
    .join(Account, Account.id == Entry.account_id)
    .outerjoin(_settled, _settled.id == Transfer.settles_id)
    .outerjoin(_corrected, _corrected.id == Transfer.corrects_id)
    .outerjoin(
        DecisionRow,
        DecisionRow.id == sa.func.coalesce(Transfer.decision_id, _settled.decision_id),
    )
    .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
    .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
    .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
    .where(Account.kind.in_(OWNED))
)
