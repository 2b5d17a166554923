"""Reservations: a budget's points set aside for something under way, until it is settled.

Whoever plans a panel, a gesture or a training reserves what it may cost, so that nothing else
spends it meanwhile. A reservation is a transfer, and so is what becomes of it: settled into a
wallet, the rest going back, or released whole. Each of the two happens once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.quantities import points_text
from partner_cx.words import Words
from rewards.budgets import budget, raise_alerts
from rewards.ledger import Account, AccountKind, Entry, Move, Transfer, account, post
from rewards.reading import Given


@dataclass(frozen=True)
class Reservation:
    """Points that a budget has set aside, and nobody has settled or released yet."""

    key: str
    budget_code: str
    points: int
    why: Words
    reserved_at: datetime


def reserve(
    session: Session, budget_code: str, points: int, *, key: str, why: Words, now: datetime
) -> Transfer:
    """Set points of a budget aside: all of them, or none with a Conflict. The caller commits.

    key: a text on one line, never used for another reservation; told again it is the same one.
    """
    Given.of(budget_code, "the budget").code()
    Given.of(key, "the key").line()
    for reason in (why.en, why.fr):
        Given.of(reason, "why").line()
    set_aside = account(session, AccountKind.RESERVED, budget_code)
    reserved = post(
        session,
        key=_key(key),
        why=why,
        moves=[Move(budget(session, budget_code), set_aside, points)],
        effective_on=_first_day(session, _key(key), now),
        now=now,
    )
    raise_alerts(session, [budget_code], now)
    return reserved


def settle(
    session: Session,
    key: str,
    target: Account,
    *,
    points: int | None = None,
    why: Words,
    now: datetime,
) -> Transfer:
    """Pay what was reserved into an account, once; what isn't needed goes back to the budget.

    points: None: all of them. Settled again alike it is the same payment; a reservation that was
    settled otherwise, or released, is a Conflict. The caller commits.
    """
    reservation, paid = _found(session, key), points
    if paid is None:
        paid = reservation.points
    if not 1 <= paid <= reservation.points:
        raise Invalid(
            f"{points_text(paid, 'en')} can't be settled: "
            f"{points_text(reservation.points, 'en')} are reserved under {key}.",
            remedy=f"Settle 1 to {reservation.points:,}, or release the reservation.",
        )
    return _over(session, reservation, why, now, target, paid)


def release(session: Session, key: str, *, why: Words, now: datetime) -> Transfer:
    """Give what was reserved back to its budget, once. The caller commits."""
    return _over(session, _found(session, key), why, now)


def reservations(session: Session, budget_code: str | None = None) -> list[Reservation]:
    """What is reserved and not over yet, the oldest first. budget_code: of this budget alone."""
    over = aliased(Transfer)
    wanted = (
        _reserving()
        .outerjoin(over, over.key == Transfer.key + _OVER)
        .where(over.id.is_(None))
        .order_by(Transfer.id)
    )
    if budget_code is not None:
        wanted = wanted.where(Account.owner == budget_code)
    return [_told(*row) for row in session.execute(wanted)]


_PREFIX, _OVER = "reserve:", ":over"  # a quoted key holds no colon


def _over(
    session: Session,
    reservation: Reservation,
    why: Words,
    now: datetime,
    target: Account | None = None,
    paid: int = 0,
) -> Transfer:
    """Empty the reservation: settling and releasing share a key, so that only one can happen."""
    Given.of(why.en, "why").line()
    source = account(session, AccountKind.RESERVED, reservation.budget_code)
    home = budget(session, reservation.budget_code)
    moves = [Move(source, target, paid)] if target else []
    if rest := reservation.points - paid:
        moves.append(Move(source, home, rest))
    key = _key(reservation.key) + _OVER
    try:
        return post(
            session,
            key=key,
            why=why,
            moves=moves,
            effective_on=_first_day(session, key, now),
            now=now,
        )
    except Conflict:
        raise Conflict(
            f"The reservation {reservation.key} is over: it was settled or released.",
            remedy="Reserve under a new key.",
        ) from None


def _found(session: Session, key: str) -> Reservation:
    row = session.execute(_reserving().where(Transfer.key == _key(key))).first()
    if row is None:
        raise NotFound(
            f"Nothing is reserved under {key}.",
            remedy="`partner-cx budgets show CODE --show reservations` lists what is.",
        )
    return _told(*row)


def _reserving() -> sa.Select[Transfer, str, int]:
    """Every reservation ever made, with its budget and points."""
    return (
        sa.select(Transfer, Account.owner, Entry.points)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.RESERVED, Entry.points > 0)
    )


def _told(transfer: Transfer, budget_code: str, points: int) -> Reservation:
    return Reservation(
        key=unquote(transfer.key.removeprefix(_PREFIX)),
        budget_code=budget_code,
        points=points,
        why=Words(transfer.why_en, transfer.why_fr),
        reserved_at=transfer.recorded_at,
    )


def _key(key: str) -> str:
    return _PREFIX + quote(key, safe="")


def _first_day(session: Session, key: str, now: datetime) -> date:
    """The day of the first telling, so that telling it again on another day is the same."""
    first = session.scalar(sa.select(Transfer.effective_on).where(Transfer.key == key))
    return first or now.date()
