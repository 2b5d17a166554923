"""Holds: awards that wait for their day, or for somebody's yes, before they can be spent.

Before it stand awards, posted to the pending account; after it the wallet, or the budget again.
Every pending award is settled once, by an entry of its own: released, approved or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from partner_cx import journal
from partner_cx.database import lock
from partner_cx.errors import Conflict, NotFound
from partner_cx.journal import Did
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.ledger import (
    Account,
    AccountKind,
    Entry,
    Move,
    Posting,
    Transfer,
    accounts,
    post_many,
    post_one,
)
from rewards.reading import Given
from rewards.restating.compensations import collect_carried

AT_ONCE = 1_000  # awards released in one go
TRIES = 3  # where a restatement takes an award back at the same moment


@dataclass(frozen=True)
class Held:
    """An award that waits.

    owner: of the wallet it is for: `partner:R042`, `person:a@b`.
    on: the day it was earned on. held_until: from when it may be released; None: from any day.
    needs_approval: whether somebody must say yes.
    """

    transfer_id: int
    key: str
    owner: str
    partner_id: int | None
    budget: str
    points: int
    on: date
    held_until: date | None
    needs_approval: bool
    why: Words

    def is_due(self, day: date) -> bool:
        return self.held_until is None or self.held_until <= day


@dataclass(frozen=True)
class Released:
    """What a release brought to wallets."""

    awards: int = 0
    points: int = 0


def pending(session: Session, owner: str | None = None) -> list[Held]:
    """The awards that wait, by the day on which they may be released, then as they were made.

    owner: of one wallet alone; None: of everyone.
    """
    found = _held(Account.owner == owner) if owner else _held()
    held = [_read(row) for row in session.execute(found)]
    return sorted(held, key=lambda each: (each.held_until or each.on, each.transfer_id))


def release_due(session: Session, *, on: date, now: datetime) -> Released:
    """Release every award whose hold has ended and that needs nobody's yes. The caller commits.

    on: the day, on which the entries take effect. Again releases nothing.
    """
    lock(session, "holds")
    for _ in range(TRIES):
        due = [each for each in pending(session) if each.is_due(on) and not each.needs_approval]
        try:
            with session.begin_nested():
                _release(session, due, on, now, _released)
        except IntegrityError:  # one of them was taken back meanwhile
            continue
        return Released(len(due), sum(each.points for each in due))
    raise Conflict("Held awards were taken back meanwhile.", remedy="Release them again.")


def approve(
    session: Session, key: str, *, by: str, why: str, now: datetime, settings: Settings
) -> Held:
    """Say yes to an award that waits for it: it goes to its wallet. The caller commits.

    key: the award's. why: a text on one line, or nothing.
    Raises NotFound for a key no award has, Conflict for one that is settled, that needs nobody's
    yes or whose hold still lasts.
    """
    _read_texts(by, why)
    held, today = _waiting(session, key), now.astimezone(settings.zone).date()
    if not held.needs_approval:
        raise Conflict(
            f"{key} needs nobody's yes.",
            remedy=f"It is released from {held.held_until} on; or refuse it.",
        )
    if not held.is_due(today):
        raise Conflict(
            f"{key} is held until {held.held_until}.",
            remedy="Approve it from then on; it can be refused any day.",
        )
    with _still_waiting(session, key):
        _release(session, [held], today, now, lambda each: _approved(each, by, why))
    _note(session, Did.HOLD_APPROVED, held, by, why, now)
    return held


def refuse(
    session: Session, key: str, *, by: str, why: str, now: datetime, settings: Settings
) -> Held:
    """Take back an award that waits: its points go back to the budget. The caller commits.

    why: what the winner reads on the statement, on one line.
    Raises NotFound for a key no award has, Conflict for one that is settled.
    """
    Given.of(why, "why").line()
    _read_texts(by, why)
    held = _waiting(session, key)
    source = accounts(session, AccountKind.PENDING, {held.owner: held.partner_id})[held.owner]
    budget = accounts(session, AccountKind.BUDGET, {held.budget: None})[held.budget]
    posting = Posting(
        key=f"refuse:{key}",
        why=_refused(held, by, why),
        moves=(Move(source, budget, held.points),),
        effective_on=now.astimezone(settings.zone).date(),
        settles_id=held.transfer_id,
    )
    with _still_waiting(session, key):
        post_one(session, posting, now=now)
    _note(session, Did.HOLD_REFUSED, held, by, why, now)
    return held


def _note(session: Session, did: Did, held: Held, by: str, why: str, now: datetime) -> None:
    details = {"owner": held.owner, "points": held.points, "why": why}
    journal.note(session, by=by, did=did, about=held.key, now=now, details=details)


def _released(held: Held) -> Words:
    return Words("No longer held. {award}", "N’est plus en attente. {award}").format(award=held.why)


def _approved(held: Held, by: str, why: str) -> Words:
    if not why:
        said = Words("Approved by {by}. {award}", "Approuvé par {by}. {award}")
        return said.format(by=by, award=held.why)
    return Words(
        "Approved by {by}: “{why}”. {award}",
        "Approuvé par {by}\u202f: «\u202f{why}\u202f». {award}",
    ).format(by=by, why=why, award=held.why)


def _refused(held: Held, by: str, why: str) -> Words:
    return Words(
        "Refused by {by}: “{why}”. {award}",
        "Refusé par {by}\u202f: «\u202f{why}\u202f». {award}",
    ).format(by=by, why=why, award=held.why)


def _release(
    session: Session, held: Sequence[Held], on: date, now: datetime, told: Callable[[Held], Words]
) -> None:
    for start in range(0, len(held), AT_ONCE):
        some = held[start : start + AT_ONCE]
        owners = {each.owner: each.partner_id for each in some}
        sources = accounts(session, AccountKind.PENDING, owners)
        wallets = accounts(session, AccountKind.WALLET, owners)
        postings = [
            Posting(
                key=f"release:{each.key}",
                why=told(each),
                moves=(Move(sources[each.owner], wallets[each.owner], each.points),),
                effective_on=on,
                settles_id=each.transfer_id,
            )
            for each in some
        ]
        post_many(session, postings, now=now)
    _collect_carried(session, held, now, on)


def _collect_carried(session: Session, held: Iterable[Held], now: datetime, on: date) -> None:
    partners: Collection[int] = {each.partner_id for each in held if each.partner_id is not None}
    if partners:
        collect_carried(session, partners, now, on)


@contextmanager
def _still_waiting(session: Session, key: str) -> Iterator[None]:
    """Raises Conflict where a correction takes the award back at this very moment."""
    try:
        yield
    except IntegrityError:
        _waiting(session, key)
        raise


def _waiting(session: Session, key: str) -> Held:
    """The award of a key, if it still waits."""
    lock(session, "holds")
    row = session.execute(_held(Transfer.key == key)).one_or_none()
    if row is not None:
        return _read(row)
    transfer = session.scalar(sa.select(Transfer).where(Transfer.key == key))
    if transfer is None:
        raise NotFound(
            f"No award has the key {key}.", remedy="List those that wait: partner-cx holds list."
        )
    settled = session.scalar(sa.select(Transfer.key).where(Transfer.settles_id == transfer.id))
    if settled is None:
        raise Conflict(f"{key} was never held.", remedy="Only what waits can be settled.")
    raise Conflict(f"{key} is settled already, by {settled}.", remedy="Nothing is left to do.")


def _held(*conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """The unsettled awards, found from the accounts that hold any: few among many transfers."""
    settling, paying, payer = aliased(Transfer), aliased(Entry), aliased(Account)
    return (
        sa.select(
            Transfer.id,
            Transfer.key,
            Account.owner,
            Account.partner_id,
            payer.owner.label("budget"),
            Entry.points,
            Transfer.effective_on,
            Transfer.held_until,
            Transfer.needs_approval,
            Transfer.why_en,
            Transfer.why_fr,
        )
        .join_from(Account, Entry, Entry.account_id == Account.id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .join(paying, paying.transfer_id == Transfer.id)
        .join(payer, sa.and_(payer.id == paying.account_id, payer.kind == AccountKind.BUDGET))
        .outerjoin(settling, settling.settles_id == Transfer.id)
        .where(
            Account.kind == AccountKind.PENDING,
            Account.balance_points > 0,
            Entry.points > 0,
            settling.id.is_(None),
            *conditions,
        )
    )


def _read(row: Any) -> Held:
    return Held(
        transfer_id=row.id,
        key=row.key,
        owner=row.owner,
        partner_id=row.partner_id,
        budget=row.budget,
        points=row.points,
        on=row.effective_on,
        held_until=row.held_until,
        needs_approval=row.needs_approval,
        why=Words(row.why_en, row.why_fr),
    )


def _read_texts(by: str, why: str) -> None:
    Given.of(by, "who settles it").line()
    if why:
        Given.of(why, "why").line()
