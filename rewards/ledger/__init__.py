"""The ledger: double-entry, append-only, in whole points.

An entry belongs to a transfer, and a transfer's entries sum to zero; so do all balances. Points
come into being by funding a budget, and only the funding account may go below zero.

`post` moves points once per key; `post_many` does the same for thousands in a few statements.
`post_new` is the shortest way, for what can't be there yet.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Id, Instant, Text, insert_for, where_given
from partner_cx.errors import Conflict, Invalid
from partner_cx.frames import read_rows
from partner_cx.prepared import Prepared, insert_new
from partner_cx.words import Words
from rewards import announcing
from rewards.ledger.balances import (
    CHANGE_BALANCE,
    Account,
    AccountKind,
    AnyAccount,
    HoldsTooLittle,
    KnownAccount,
    account,
    accounts,
    change,
    change_many,
    in_turn,
    take,
    wallet_of,
    wallet_of_person,
)

__all__ = [
    "Account",
    "AccountKind",
    "AnyAccount",
    "Entry",
    "HoldsTooLittle",
    "KnownAccount",
    "Move",
    "Posting",
    "Transfer",
    "account",
    "accounts",
    "contents_digest",
    "post",
    "post_many",
    "post_new",
    "post_one",
    "take",
    "wallet_of",
    "wallet_of_person",
]


class Transfer(Base):
    """Points that moved once, for one reason. Append-only.

    key: unique for ever; the same key again is the same transfer, or a refusal.
    digest: of its contents (key, reason, days, entries).
    corrects_id: the transfer that this one compensates; proposal_id: the proposal it carries out.
    held_until: the first day on which a pending award may be released; None: it isn't held so.
    needs_approval: whether a pending award waits for somebody to approve it.
    settles_id: the pending award that this one releases, or takes back.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        where_given("corrects_id", table="transfers"),
        where_given("held_until", table="transfers"),
        where_given("settles_id", table="transfers", unique=True),
        where_given("proposal_id", table="transfers"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[str] = mapped_column(Text)
    why_en: Mapped[str] = mapped_column(Text)
    why_fr: Mapped[str] = mapped_column(Text)
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    decision_id: Mapped[int | None] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)
    corrects_id: Mapped[int | None] = mapped_column(sa.ForeignKey("transfers.id"))
    held_until: Mapped[date | None]
    needs_approval: Mapped[bool] = mapped_column(server_default=sa.false())
    settles_id: Mapped[int | None] = mapped_column(sa.ForeignKey("transfers.id"))
    proposal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("proposals.id"))


class Entry(Base):
    """What a transfer did to one account: points in are positive. Append-only."""

    __tablename__ = "entries"
    __table_args__ = (
        sa.UniqueConstraint("transfer_id", "account_id"),
        sa.CheckConstraint("points <> 0", name="moves_something"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(sa.ForeignKey("transfers.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    points: Mapped[int] = mapped_column(sa.BigInteger)


class Move(NamedTuple):
    """Points on their way from one account to another; one or more."""

    source: AnyAccount
    target: AnyAccount
    points: int


@dataclass  # a close makes ten thousand; frozen, each would take three times as long
class Posting:
    """What is to be posted, once: the contents of a transfer. Nobody changes it.

    key: made before the attempt, and never used for anything else.
    why: what the owner reads on the statement.
    decision_id: the decision that earned it. corrects_id: the transfer it compensates.
    held_until, needs_approval, settles_id, proposal_id: as a Transfer has them.
    """

    key: str
    why: Words
    moves: tuple[Move, ...]
    effective_on: date
    decision_id: int | None = None
    corrects_id: int | None = None
    held_until: date | None = None
    needs_approval: bool = False
    settles_id: int | None = None
    proposal_id: int | None = None

    @cached_property
    def changes(self) -> Mapping[AnyAccount, int]:
        """What it does to each account, in the order in which accounts are taken."""
        changes: dict[AnyAccount, int] = {}
        for source, target, points in self.moves:
            if points < 1:
                raise Invalid(f"{points} points can't be moved.", remedy="Name 1 or more.")
            changes[source] = changes.get(source, 0) - points
            changes[target] = changes.get(target, 0) + points
        return {account: changes[account] for account in in_turn(changes) if changes[account]}

    @property
    def digest(self) -> str:
        return contents_digest(
            self.key,
            self.why.en,
            self.why.fr,
            self.effective_on.isoformat(),
            [(*account.named, points) for account, points in self.changes.items()],
            held_until=self.held_until.isoformat() if self.held_until else None,
            needs_approval=self.needs_approval,
        )


def contents_digest(
    key: str,
    why_en: str,
    why_fr: str,
    effective_on: str,
    entries: Iterable[tuple[str, str, int]],
    *,
    held_until: str | None = None,
    needs_approval: bool = False,
) -> str:
    """SHA-256 over a transfer's contents, by the accounts' names: the same in every database.

    effective_on, held_until: days, as ISO writes them. entries: kind, owner and points of each.
    """
    # A JSON list. Put together by hand it takes a third of the encoder's time.
    moved = [f"[{_text(kind)},{_text(owner)},{points}]" for kind, owner, points in sorted(entries)]
    contents = [*map(_text, (key, why_en, why_fr, effective_on)), f"[{','.join(moved)}]"]
    if held_until or needs_approval:  # the others keep the digests they have
        contents.append(f"[{_text(held_until or '')},{json.dumps(needs_approval)}]")
    return hashlib.sha256(f"[{','.join(contents)}]".encode()).hexdigest()


_text = json.encoder.encode_basestring  # a text as JSON writes it, not only in ASCII


def post(
    session: Session,
    *,
    key: str,
    why: Words,
    moves: Sequence[Move],
    effective_on: date,
    now: datetime,
    decision_id: int | None = None,
    corrects_id: int | None = None,
) -> Transfer:
    """Move points, once. The same key again returns the transfer that exists. The caller commits.

    Raises Conflict when the key was used for something else, and when an account doesn't hold
    what is asked of it; a refusal leaves nothing behind.
    """
    posting = Posting(key, why, tuple(moves), effective_on, decision_id, corrects_id)
    return session.get_one(Transfer, post_one(session, posting, now=now))


def post_one(session: Session, posting: Posting, *, now: datetime) -> int:
    """Post what `post` posts, and return the transfer's id alone."""
    if not posting.changes:
        raise Invalid("Nothing would move.", remedy="Name a source and a target that differ.")
    with session.begin_nested():
        added = session.scalar(
            insert_for(session, Transfer)
            .values(_transfer(posting, now))
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(Transfer.id)
        )
        if added is None:
            return _the_same(session, posting).id
        for changed, points in posting.changes.items():
            change(session, changed, points)
        session.execute(sa.insert(Entry), [_entry(added, *c) for c in posting.changes.items()])
        _announce(session, {added: posting.changes}, now)
    return added


def post_new(session: Session, posting: Posting, *, now: datetime) -> bool:
    """Post a transfer that can't be there yet, as the award of an event that was just recorded.

    False, and nothing is posted, when a budget holds too little. It says less to the database than
    `post_one`: no savepoint, since what comes in is taken back by hand, and no announcement: the
    caller announces what led to it. The caller commits.
    Raises Conflict when the key is there; the caller's transaction is then to be undone.
    """
    done: list[tuple[AnyAccount, int]] = []
    for changed, points in posting.changes.items():
        asked = {"account_id": changed.id, "points": points}
        if not CHANGE_BALANCE.rows(session, asked):
            for account_, given in done:
                back = {"account_id": account_.id, "points": -given}
                assert CHANGE_BALANCE.rows(session, back), "it was there just now"
            return False
        done.append((changed, points))
    added = _INSERT_TRANSFER.one(session, _transfer(posting, now))
    if added is None:
        raise _used_otherwise(posting.key)
    entries = {"transfer_id": added.id}
    for number, (changed, points) in enumerate(done):
        entries |= {f"account_id_{number}": changed.id, f"points_{number}": points}
    _insert_entries(len(done)).rows(session, entries)
    return True


def post_many(session: Session, postings: Sequence[Posting], *, now: datetime) -> int:
    """Post many at once: all of them, or none with a Conflict. The caller commits.

    Returns how many were new; the others were there already, with the same contents.
    """
    if not postings:
        return 0
    transfers: dict[str, dict[str, object]] = {}
    for posting in postings:
        transfer = _transfer(posting, now)
        if transfers.setdefault(posting.key, transfer)["digest"] != transfer["digest"]:
            raise _used_otherwise(posting.key)
    with session.begin_nested():
        ids = _add_transfers(session, list(transfers.values()))
        changes = {ids[each.key]: each.changes for each in postings if each.key in ids}
        totals: dict[AnyAccount, int] = defaultdict(int)
        for of_transfer in changes.values():
            for changed, points in of_transfer.items():
                totals[changed] += points
        change_many(session, totals)
        _add_entries(session, changes)
        _announce(session, changes, now)
    return len(ids)


def _announce(
    session: Session, changes: Mapping[int, Mapping[AnyAccount, int]], now: datetime
) -> None:
    """Owe the telling of what came to an owner, or left one; what only moves budgets isn't told.

    changes: what each new transfer does to its accounts, by the transfer's id.
    """
    told = (number for number, of_one in changes.items() if any(map(_is_owned, of_one)))
    announcing.entries_posted(session, told, now=now)


def _is_owned(account: AnyAccount) -> bool:
    return account.kind in _OWNED


_OWNED = frozenset({AccountKind.WALLET, AccountKind.PENDING})

# What the ways of posting rest on.

_INSERT_TRANSFER = Prepared(
    lambda dialect: insert_new(Transfer.__table__, dialect).returning(Transfer.__table__.c.id),
    given=Transfer.__table__.c.keys()[1:],  # all but the id
)


@lru_cache(maxsize=10)
def _insert_entries(count: int) -> Prepared:
    """The statement that writes so many entries of one transfer."""
    values: list[dict[str, Any]] = [
        {
            "transfer_id": sa.bindparam("transfer_id"),
            "account_id": sa.bindparam(f"account_id_{number}"),
            "points": sa.bindparam(f"points_{number}"),
        }
        for number in range(count)
    ]
    return Prepared(sa.insert(Entry.__table__).inline().values(values))


def _transfer(posting: Posting, now: datetime) -> dict[str, object]:
    return {
        "key": posting.key,
        "digest": posting.digest,
        "why_en": posting.why.en,
        "why_fr": posting.why.fr,
        "effective_on": posting.effective_on,
        "recorded_at": now,
        "decision_id": posting.decision_id,
        "corrects_id": posting.corrects_id,
        "held_until": posting.held_until,
        "needs_approval": posting.needs_approval,
        "settles_id": posting.settles_id,
        "proposal_id": posting.proposal_id,
    }


def _entry(transfer_id: int, account: AnyAccount, points: int) -> dict[str, int]:
    return {"transfer_id": transfer_id, "account_id": account.id, "points": points}


def _the_same(session: Session, posting: Posting) -> Transfer:
    existing = session.scalars(sa.select(Transfer).where(Transfer.key == posting.key)).one()
    if existing.digest != posting.digest:
        raise _used_otherwise(posting.key)
    return existing


def _used_otherwise(key: str) -> Conflict:
    return Conflict(
        f"The key {key} already stands for another transfer.",
        remedy="Repeat it with the same contents, or use a new key.",
    )


def _add_transfers(session: Session, rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The ids of those that are new, by key. The others must say what is said already."""
    # What no row says is left to the table's own defaults.
    told = [name for name in rows[0] if any(row[name] for row in rows)]
    columns = {name: [row[name] for row in rows] for name in told}
    staged = bulk.stage(session, Transfer.__table__, pa.table(columns), name="new_transfers")
    names = ", ".join(told)
    insert = sa.text(
        f"INSERT INTO transfers ({names}) SELECT {names} FROM {staged} WHERE 1 = 1 "
        "ORDER BY staged_row ON CONFLICT (key) DO NOTHING RETURNING key, id"
    )
    added: dict[str, int] = dict(read_rows(session, insert))
    if len(added) < len(rows):
        _refuse_contradictions(session, staged)
    return added


def _add_entries(session: Session, changes: Mapping[int, Mapping[AnyAccount, int]]) -> None:
    """changes: what each transfer does to its accounts, by the transfer's id."""
    ids = {changed: changed.id for of_transfer in changes.values() for changed in of_transfer}
    columns = {
        "transfer_id": [number for number, of_one in changes.items() for _ in of_one],
        "account_id": [ids[changed] for of_one in changes.values() for changed in of_one],
        "points": [points for of_one in changes.values() for points in of_one.values()],
    }
    bulk.write(session, Entry.__table__, pa.table(columns))


def _refuse_contradictions(session: Session, staged: str) -> None:
    contradicts = session.scalar(
        sa.text(
            f"SELECT min(s.key) FROM {staged} s JOIN transfers t ON t.key = s.key "
            "WHERE t.digest <> s.digest"
        )
    )
    if contradicts:
        raise _used_otherwise(contradicts)
