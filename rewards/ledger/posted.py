"""What is written in the ledger, read back with its proof: each transfer beside its digest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.words import Words
from rewards.ledger import Account, AccountKind, Entry, Transfer, contents_digest


@dataclass(frozen=True)
class Posted:
    """A transfer, as it is written in the ledger.

    points: what its owner has more of by it, to spend or pending; below zero where they were taken
        back, zero where what was held is released.
    account: wallet, or pending while it is held. entry: the number of the entry there; moved: how
        many points it moved there.
    intact: whether its digest is that of its contents.
    settles, corrects: the keys of the held award that it settles, of the transfer it compensates.
    """

    key: str
    entry: int
    owner: str
    account: str
    points: int
    moved: int
    why: Words
    on: date
    recorded_at: datetime
    intact: bool
    held_until: date | None = None
    needs_approval: bool = False
    settles: str | None = None
    corrects: str | None = None


def posted(
    session: Session, transfers: Sequence[Transfer], wallet: str | None, zone: ZoneInfo
) -> Iterator[Posted]:
    """The transfers with what they did to their owner's accounts.

    wallet: the owner's, if it is known; else it is whoever isn't the programme itself.
    zone: in whose days moments are told.
    """
    keys = _keys_of(session, transfers)
    for transfer in transfers:
        entries = session.execute(
            sa.select(Entry.id, Account.kind, Account.owner, Entry.points)
            .join(Account, Account.id == Entry.account_id)
            .where(Entry.transfer_id == transfer.id)
            .order_by(Entry.id)
        ).all()
        one = _one(transfer, entries, wallet, keys)
        yield replace(one, recorded_at=one.recorded_at.astimezone(zone))


_OWN = (AccountKind.WALLET, AccountKind.PENDING)


def _one(
    transfer: Transfer, entries: Sequence[Any], wallet: str | None, keys: dict[int, str]
) -> Posted:
    own = [each for each in entries if each.kind in _OWN and wallet in (None, each.owner)]
    # A release moves points from pending to the wallet: it is shown where they came to.
    came_to = [each for each in entries if each.points > 0]
    shown = next((each for each in own if each.kind == AccountKind.WALLET), (own or came_to)[0])
    return Posted(
        key=transfer.key,
        entry=shown.id,
        owner=shown.owner,
        account=shown.kind,
        points=sum(each.points for each in own) if own else shown.points,
        moved=shown.points,
        why=Words(transfer.why_en, transfer.why_fr),
        on=transfer.effective_on,
        recorded_at=transfer.recorded_at,
        intact=_digest(transfer, entries) == transfer.digest,
        held_until=transfer.held_until,
        needs_approval=transfer.needs_approval,
        settles=keys.get(transfer.settles_id or 0),
        corrects=keys.get(transfer.corrects_id or 0),
    )


def _digest(transfer: Transfer, entries: Sequence[Any]) -> str:
    return contents_digest(
        transfer.key,
        transfer.why_en,
        transfer.why_fr,
        transfer.effective_on.isoformat(),
        [(each.kind, each.owner, each.points) for each in entries],
        held_until=transfer.held_until.isoformat() if transfer.held_until else None,
        needs_approval=transfer.needs_approval,
    )


def _keys_of(session: Session, transfers: Sequence[Transfer]) -> dict[int, str]:
    """The keys of the transfers that these ones settle or correct."""
    named = {each.settles_id for each in transfers} | {each.corrects_id for each in transfers}
    wanted = sa.select(Transfer.id, Transfer.key).where(Transfer.id.in_(named - {None}))
    return {row.id: row.key for row in session.execute(wanted)}
