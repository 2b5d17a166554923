"""Held awards: each settled once at most, whole, and not before its day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased

from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection, as_text
from rewards.ledger import Account, AccountKind, Entry, Transfer


def settled(inspection: Inspection) -> Iterator[Found]:
    for row in inspection.stream(_SETTLED):
        inspection.saw("settled awards")
        if row.held_key is None or row.pending is None:
            yield Found("hold_of_nothing", row.key, "", row.held_key or "nothing")
        elif row.settlements > 1:
            yield Found("hold_settled_twice", row.held_key, 1, row.settlements)
        elif (row.came_from, row.taken) != (row.pending, -(row.held or 0)):
            yield Found(
                "hold_settled_amount",
                row.held_key,
                f"{row.held} in {row.pending}",
                f"{-(row.taken or 0)} of {row.came_from or 'nothing pending'}",
            )
        elif row.released and row.held_until and row.effective_on < row.held_until:
            yield Found("hold_settled_early", row.held_key, row.held_until, row.effective_on)


def taken(inspection: Inspection) -> Iterator[Found]:
    """What left a pending account without settling anything."""
    unsettled = (
        sa.select(Transfer.key, Account.owner)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.PENDING, Entry.points < 0, Transfer.settles_id.is_(None))
        .order_by(Transfer.id)
    )
    for key, owner in inspection.stream(unsettled):
        yield Found("hold_of_nothing", key, "", f"nothing of what {owner} has pending")


def _of_pending(transfer: type[Transfer], what: InstrumentedAttribute[Any]) -> sa.ScalarSelect[Any]:
    """Something about a transfer's one entry in a pending account."""
    return (
        sa.select(what)
        .select_from(Entry)
        .join(Account, Account.id == Entry.account_id)
        .where(Entry.transfer_id == transfer.id, Account.kind == AccountKind.PENDING)
        .limit(1)
        .scalar_subquery()
    )


_HELD = aliased(Transfer)
_OTHER = aliased(Transfer)
_SETTLED = (
    sa.select(
        Transfer.key,
        as_text(Transfer.effective_on).label("effective_on"),
        _HELD.key.label("held_key"),
        as_text(_HELD.held_until).label("held_until"),
        _of_pending(_HELD, Account.owner).label("pending"),
        _of_pending(_HELD, Entry.points).label("held"),
        _of_pending(Transfer, Account.owner).label("came_from"),
        _of_pending(Transfer, Entry.points).label("taken"),
        sa.select(sa.func.count())
        .where(_OTHER.settles_id == Transfer.settles_id)
        .scalar_subquery()
        .label("settlements"),
        sa.exists(
            sa.select(Entry.id)
            .join(Account, Account.id == Entry.account_id)
            .where(
                Entry.transfer_id == Transfer.id,
                Account.kind == AccountKind.WALLET,
                Entry.points > 0,
            )
        ).label("released"),
    )
    .select_from(Transfer)
    .outerjoin(_HELD, _HELD.id == Transfer.settles_id)
    .where(Transfer.settles_id.is_not(None))
    .order_by(Transfer.id)
)
