"""Budgets: what a programme may give away. Points come into being here, by funding."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import Conflict, Invalid
from partner_cx.quantities import points_text
from partner_cx.words import Words
from rewards.ledger import Account, AccountKind, Move, Transfer, account, post
from rewards.reading import Given

FUNDER = "programme"  # the one account that may go below zero: what was ever funded, negated
POINTS_MAX = 10**12  # what a budget may hold: no sum of such comes near the end of 64 bits


class BudgetAlert(Base):
    """That so much of a budget was used, told once per level and funding. Append-only.

    level: in percent of what was funded. used_points: awarded, pending and reserved together.
    """

    __tablename__ = "budget_alerts"
    __table_args__ = (sa.UniqueConstraint("budget_code", "level", "funded_points"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    budget_code: Mapped[str] = mapped_column(Text)
    level: Mapped[int]
    funded_points: Mapped[int] = mapped_column(sa.BigInteger)
    used_points: Mapped[int] = mapped_column(sa.BigInteger)
    raised_at: Mapped[datetime] = mapped_column(Instant)


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

    budget_code: a code, as rules name budgets. key, why: each a text on one line.
    effective_on: None is the day of `now`. Told again on another day it is still the same gift,
        effective on its first day.

    Raises Invalid or Conflict when the budget would hold more than POINTS_MAX; a refusal leaves
    nothing behind. The caller commits.
    """
    Given.of(budget_code, "the budget").code()
    Given.of(key, "the key").line()
    for reason in (why.en, why.fr):
        Given.of(reason, "why").line()
    if points > POINTS_MAX:
        raise Invalid(
            f"{points_text(points, 'en')} are more than a budget may hold.",
            remedy=f"Give {points_text(POINTS_MAX, 'en')} at most.",
        )
    source = account(session, AccountKind.FUNDING, FUNDER)
    first = session.scalar(sa.select(Transfer.effective_on).where(Transfer.key == key))
    with session.begin_nested():
        given = post(
            session,
            key=key,
            why=why,
            moves=[Move(source, budget(session, budget_code), points)],
            effective_on=first or effective_on or now.date(),
            now=now,
        )
        # Asked once the balance has moved, since only then can no other gift come between.
        _refuse_too_much(budget_code, points_left(session, budget_code), points)
    return given


def points_left(session: Session, budget_code: str) -> int:
    """What a budget holds right now, not what it held when it was last looked at."""
    balance = sa.select(Account.balance_points).where(
        Account.kind == AccountKind.BUDGET, Account.owner == budget_code
    )
    return session.scalar(balance) or 0


def _refuse_too_much(budget_code: str, held: int, points: int) -> None:
    if held > POINTS_MAX:
        raise Conflict(
            f"Budget {budget_code} would hold {points_text(held, 'en')}; "
            f"{points_text(POINTS_MAX, 'en')} is the most.",
            remedy=f"Give {points_text(POINTS_MAX - held + points, 'en')} at most.",
        )
