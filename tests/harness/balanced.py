"""The ledger's proof as tests make it: in SQL of their own, beside the audit's."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.ledger import Account, Entry, Transfer


@dataclass(frozen=True)
class Imbalance:
    """Something that doesn't add up: an account and its entries, a transfer, or the sum of all."""

    what: str
    points: int
    expected: int


def unbalanced(session: Session) -> list[Imbalance]:
    """Prove the ledger: whatever doesn't add up, and nothing when all is well."""
    return [*_accounts_off(session), *_transfers_off(session), *_total_off(session)]


def _accounts_off(session: Session) -> list[Imbalance]:
    sums = sa.select(Entry.account_id, sa.func.sum(Entry.points).label("points"))
    entered = sums.group_by(Entry.account_id).subquery()
    expected = sa.func.coalesce(entered.c.points, 0)
    found = session.execute(
        sa.select(Account.kind, Account.owner, Account.balance_points, expected)
        .outerjoin(entered, entered.c.account_id == Account.id)
        .where(Account.balance_points != expected)
        .order_by(Account.kind, Account.owner)
    )
    return [Imbalance(f"{kind} {owner}", kept, int(due)) for kind, owner, kept, due in found]


def _transfers_off(session: Session) -> list[Imbalance]:
    rest = sa.func.coalesce(sa.func.sum(Entry.points), 0)
    found = session.execute(
        sa.select(Transfer.key, rest)
        .outerjoin(Entry, Entry.transfer_id == Transfer.id)
        .group_by(Transfer.id, Transfer.key)
        .having(sa.or_(rest != 0, sa.func.count(Entry.id) == 0))
        .order_by(Transfer.key)
    )
    return [Imbalance(f"transfer {key}", int(points), 0) for key, points in found]


def _total_off(session: Session) -> list[Imbalance]:
    total = int(session.scalar(sa.select(sa.func.sum(Account.balance_points))) or 0)
    return [Imbalance("all accounts", total, 0)] if total else []
