"""Budgets: what a programme may give away. Points come into being here, by funding."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.words import Words
from rewards.ledger import Account, AccountKind, Move, Transfer, account, post

FUNDER = "programme"  # the one account that may go below zero: what was ever funded, negated


def budget(session: Session, code: str) -> Account:
    """The budget's account. One that was never funded is there too, and holds nothing."""
    return account(session, AccountKind.BUDGET, code)


def fund(
    session: Session,
    budget_code: str,
    points: int,
    *,
    key: str,
    why: Words,
    now: datetime,
    effective_on: date | None = None,
) -> Transfer:
    """Give points to a budget, once per key.

    effective_on: None is the day of `now`. Told again on another day it is still the same gift,
        effective on its first day.
    """
    source = account(session, AccountKind.FUNDING, FUNDER)
    first = session.scalar(sa.select(Transfer.effective_on).where(Transfer.key == key))
    return post(
        session,
        key=key,
        why=why,
        moves=[Move(source, budget(session, budget_code), points)],
        effective_on=first or effective_on or now.date(),
        now=now,
    )


def points_left(session: Session, budget_code: str) -> int:
    """What a budget holds right now, not what it held when it was last looked at."""
    balance = sa.select(Account.balance_points).where(
        Account.kind == AccountKind.BUDGET, Account.owner == budget_code
    )
    return session.scalar(balance) or 0
