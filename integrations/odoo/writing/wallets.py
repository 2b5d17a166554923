"""A partner's wallet as its card shows it: what it holds, and the entries that led to it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.words import Words
from rewards.ledger import Account, AccountKind, Entry, Transfer, wallet_of


@dataclass(frozen=True)
class Line:
    """One entry: points in are positive."""

    entry_id: int
    points: int
    why: Words


def balance_points(session: Session, partner_code: str) -> int:
    """What a partner may spend; 0 where it has no wallet."""
    held = sa.select(Account.balance_points).where(*_wallet(partner_code))
    return session.scalar(held) or 0


def lines_after(session: Session, partner_code: str, entry_id: int) -> list[Line]:
    """The entries after one, in their order. A wallet's entries are numbered as they are posted."""
    rows = session.execute(
        sa.select(Entry.id, Entry.points, Transfer.why_en, Transfer.why_fr)
        .join(Account, Account.id == Entry.account_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .where(*_wallet(partner_code), Entry.id > entry_id)
        .order_by(Entry.id)
    )
    return [Line(row.id, row.points, Words(row.why_en, row.why_fr)) for row in rows]


def _wallet(partner_code: str) -> tuple[sa.ColumnElement[bool], ...]:
    return Account.kind == AccountKind.WALLET, Account.owner == wallet_of(partner_code)
