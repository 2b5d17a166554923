"""The ledger: double-entry, append-only, in whole points.

An entry belongs to a transfer, and a transfer's entries sum to zero; so do all balances. Points
come into being by funding a budget, and only the funding account may go below zero.

`post` moves points once per key; `post_many` does the same for thousands in a few statements.
Both take accounts in one order, so that two of them never wait for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Id, Instant, Text, where_given
from partner_cx.errors import Conflict, Invalid
from partner_cx.quantities import number_text, points_text
from partner_cx.words import Words


class AccountKind(StrEnum):
    """What the points in an account are."""

    FUNDING = "funding"  # where all points come from; its balance is what was ever funded, negated
    BUDGET = "budget"  # given to a programme, not yet awarded
    RESERVED = "reserved"  # of a budget, set aside for something under way
    WALLET = "wallet"  # a partner's or a person's, to spend
    PENDING = "pending"  # awarded, and not to be spent before its rule's hold has ended
    HELD = "held"  # set aside for a redemption under way
    SPENT = "spent"  # redeemed
    EXPIRED = "expired"  # lapsed


class Account(Base):
    """A place points can be. The database refuses a balance below zero, but for funding."""

    __tablename__ = "accounts"
    __table_args__ = (
        sa.UniqueConstraint("kind", "owner"),
        sa.CheckConstraint(
            "kind IN ('funding', 'budget', 'reserved', 'pending', 'wallet', 'held', 'spent', "
            "'expired')",
            name="kind",
        ),
        sa.CheckConstraint("kind = 'funding' OR balance_points >= 0", name="not_below_zero"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)  # `partner:R042`, `person:a@b`, a budget's code
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    balance_points: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")

    @cached_property
    def named(self) -> tuple[str, str]:
        """Its kind and owner, which never change."""
        return self.kind, self.owner

    @cached_property
    def order(self) -> tuple[bool, int]:
        """Where it stands among those that are taken together: the shared ones come last."""
        return self.kind in _SHARED, self.id


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


class HoldsTooLittle(Conflict):
    """An account doesn't hold the points that are asked of it."""


@dataclass(frozen=True)
class Move:
    """Points on their way from one account to another; one or more."""

    source: Account
    target: Account
    points: int


@dataclass(frozen=True)
class Posting:
    """What is to be posted, once: the contents of a transfer.

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
    def changes(self) -> Mapping[Account, int]:
        """What it does to each account, in the order in which accounts are taken."""
        changes: dict[Account, int] = defaultdict(int)
        for move in self.moves:
            if move.points < 1:
                raise Invalid(f"{move.points} points can't be moved.", remedy="Name 1 or more.")
            changes[move.source] -= move.points
            changes[move.target] += move.points
        return {account: changes[account] for account in _in_order(changes) if changes[account]}

    @cached_property
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
    contents: list[object] = [key, why_en, why_fr, effective_on, sorted(map(list, entries))]
    if held_until or needs_approval:  # the others keep the digests they have
        contents.append([held_until or "", needs_approval])
    return hashlib.sha256(_PLAIN.encode(contents).encode()).hexdigest()


_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def account(
    session: Session, kind: AccountKind, owner: str, partner_id: int | None = None
) -> Account:
    """The account of an owner, opened when it is first asked for."""
    return accounts(session, kind, {owner: partner_id})[owner]


def accounts(
    session: Session, kind: AccountKind, owners: Mapping[str, int | None]
) -> dict[str, Account]:
    """The accounts of several owners, by owner; those that aren't there yet are opened.

    owners: each owner with the id of its partner, if it is one.
    """
    found = _accounts_of(session, kind, owners)
    missing = [owner for owner in sorted(owners) if owner not in found]
    if missing:
        # Another transaction may open the same account: whoever comes second finds it there.
        rows = [{"kind": kind, "owner": name, "partner_id": owners[name]} for name in missing]
        session.execute(insert_for(session, Account).on_conflict_do_nothing(), rows)
        found |= _accounts_of(session, kind, missing)
    return found


def wallet_of(partner_code: str) -> str:
    """The owner of a partner's wallet."""
    return f"partner:{partner_code}"


def wallet_of_person(email: str) -> str:
    """The owner of a person's wallet."""
    return f"person:{email.lower()}"


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
            _change(session, changed, points)
        session.execute(sa.insert(Entry), [_entry(added, *c) for c in posting.changes.items()])
    return added


def post_new(session: Session, posting: Posting, *, now: datetime) -> bool:
    """Post a transfer that can't be there yet, as the award of an event that was just recorded.

    False, and nothing is posted, when a budget holds too little. It says less to the database than
    `post_one`: no savepoint, since what comes in is taken back by hand. The caller commits.
    Raises Conflict when the key is there; the caller's transaction is then to be undone.
    """
    connection = session.connection()
    done: list[tuple[Account, int]] = []
    for changed, points in posting.changes.items():
        asked = {"account_id": changed.id, "points": points}
        if connection.execute(_CHANGE_BALANCE, asked).first() is None:
            for account_, given in done:
                back = {"account_id": account_.id, "points": -given}
                assert connection.execute(_CHANGE_BALANCE, back).first(), "it was there just now"
            return False
        done.append((changed, points))
    insert = _INSERT_TRANSFER[connection.dialect.name]
    added = connection.execute(insert, _transfer(posting, now)).scalar()
    if added is None:
        raise _used_otherwise(posting.key)
    entries = [_entry(added, *change) for change in done]
    connection.execute(_INSERT_ENTRIES, entries)
    return True


def post_many(session: Session, postings: Sequence[Posting], *, now: datetime) -> int:
    """Post many at once: all of them, or none with a Conflict. The caller commits.

    Returns how many were new; the others were there already, with the same contents.
    """
    if not postings:
        return 0
    by_key: dict[str, Posting] = {}
    for posting in postings:
        if by_key.setdefault(posting.key, posting).digest != posting.digest:
            raise _used_otherwise(posting.key)
    with session.begin_nested():
        ids = _add_transfers(session, [_transfer(each, now) for each in by_key.values()])
        added = [each for each in by_key.values() if each.key in ids]
        totals: dict[Account, int] = defaultdict(int)
        entries: dict[str, list[int]] = {"transfer_id": [], "account_id": [], "points": []}
        for each in added:
            for changed, points in each.changes.items():
                totals[changed] += points
                entries["transfer_id"].append(ids[each.key])
                entries["account_id"].append(changed.id)
                entries["points"].append(points)
        _change_many(session, totals)
        bulk.write(session, Entry.__table__, pa.table(entries, _ENTRIES))
    return len(added)


def take(session: Session, taken: Iterable[Account]) -> dict[Account, int]:
    """Take accounts until the transaction ends, and say what each holds.

    For whoever decides by it how much to post: what comes in between waits.
    """
    in_order = _in_order(taken)
    held: dict[int, int] = {}
    for start in range(0, len(in_order), _AT_ONCE):
        ids = [account.id for account in in_order[start : start + _AT_ONCE]]
        found = session.execute(
            sa.select(Account.id, Account.balance_points)
            .where(Account.id.in_(ids))
            .order_by(Account.kind.in_(_SHARED), Account.id)
            .with_for_update()
        )
        held |= {number: points for number, points in found}  # noqa: C416  rows aren't tuples
    return {account: held[account.id] for account in in_order}


# What both ways of posting rest on.

_SHARED = frozenset({AccountKind.BUDGET, AccountKind.FUNDING})
_AT_ONCE = 5_000  # ids in one statement
_ENTRIES = pa.schema([(name, pa.int64()) for name in ("transfer_id", "account_id", "points")])


def _in_order(changed: Iterable[Account]) -> list[Account]:
    """By id, budgets and their source last: everybody waits for those, so they are held shortly."""
    return sorted(changed, key=attrgetter("order"))


def _accounts_of(session: Session, kind: AccountKind, owners: Iterable[str]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    names = list(owners)
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        wanted = sa.select(Account).where(Account.kind == kind, Account.owner.in_(some))
        found |= {account.owner: account for account in session.scalars(wanted)}
    return found


def insert_for(session: Session, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, which each database spells for itself."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)


_CHANGE_BALANCE = (
    sa.update(Account.__table__)
    .where(
        Account.__table__.c.id == sa.bindparam("account_id"),
        sa.or_(
            Account.__table__.c.kind == AccountKind.FUNDING.value,
            Account.__table__.c.balance_points + sa.bindparam("points") >= 0,
        ),
    )
    .values(balance_points=Account.__table__.c.balance_points + sa.bindparam("points"))
    .returning(Account.__table__.c.id)
)
_INSERT_TRANSFER = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(Transfer.__table__)
    .on_conflict_do_nothing(index_elements=["key"])
    .returning(Transfer.__table__.c.id)
    for dialect in (postgresql, sqlite)
}
_INSERT_ENTRIES = sa.insert(Entry.__table__)


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


def _entry(transfer_id: int, account: Account, points: int) -> dict[str, int]:
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


def _change(session: Session, account: Account, points: int) -> None:
    """Change a balance unless it would fall below zero; looking first would let two spend it."""
    after = Account.balance_points + points
    changed = session.execute(
        sa.update(Account)
        .where(Account.id == account.id, sa.or_(Account.kind == AccountKind.FUNDING, after >= 0))
        .values(balance_points=after)
        .execution_options(synchronize_session=False)
        .returning(Account.id)
    )
    session.expire(account, ["balance_points"])
    if changed.first() is None:
        raise _too_little(account, -points)


def _too_little(account: Account, asked: int) -> HoldsTooLittle:
    held = account.balance_points
    name = f"{account.kind} {account.owner}".capitalize()
    return HoldsTooLittle(
        f"{name} holds {number_text(held, 'en')} of {points_text(asked, 'en')}.",
        remedy=f"Add {points_text(asked - held, 'en')}, or ask for less.",
    )


def _add_transfers(session: Session, rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The ids of those that are new, by key. The others must say what is said already."""
    # What no row says is left to the table's own defaults.
    told = [name for name in rows[0] if any(row[name] for row in rows)]
    columns = {name: [row[name] for row in rows] for name in told}
    staged = bulk.stage(session, Transfer.__table__, pa.table(columns), name="new_transfers")
    names = ", ".join(told)
    added = session.execute(
        sa.text(
            f"INSERT INTO transfers ({names}) SELECT {names} FROM {staged} WHERE 1 = 1 "
            "ORDER BY staged_row ON CONFLICT (key) DO NOTHING RETURNING key, id"
        )
    ).all()
    if len(added) < len(rows):
        _refuse_contradictions(session, staged)
    return dict(tuple(row) for row in added)


def _refuse_contradictions(session: Session, staged: str) -> None:
    contradicts = session.scalar(
        sa.text(
            f"SELECT min(s.key) FROM {staged} s JOIN transfers t ON t.key = s.key "
            "WHERE t.digest <> s.digest"
        )
    )
    if contradicts:
        raise _used_otherwise(contradicts)


def _change_many(session: Session, changes: Mapping[Account, int]) -> None:
    """Change balances in one statement, then the shared ones one by one."""
    in_order = _in_order(changes)
    own = [account for account in in_order if account.kind not in _SHARED]
    if own:
        _change_together(session, {account: changes[account] for account in own})
    for shared in in_order[len(own) :]:
        _change(session, shared, changes[shared])


def _change_together(session: Session, changes: Mapping[Account, int]) -> None:
    rows = {"id": [account.id for account in changes], "balance_points": list(changes.values())}
    staged = bulk.stage(session, Account.__table__, pa.table(rows), name="balance_changes")
    if session.get_bind().dialect.name == "postgresql":
        # An UPDATE takes rows as it finds them; taken in order, no two wait for each other.
        session.execute(
            sa.text(
                f"SELECT a.id FROM accounts a JOIN {staged} c ON c.id = a.id "
                "ORDER BY a.id FOR UPDATE OF a"
            )
        )
    short = session.scalar(
        sa.text(
            f"SELECT min(c.id) FROM {staged} c JOIN accounts a ON a.id = c.id "
            "WHERE a.balance_points + c.balance_points < 0"
        )
    )
    for account in changes:
        session.expire(account, ["balance_points"])
        if account.id == short:
            raise _too_little(account, -changes[account])
    session.execute(
        sa.text(
            "UPDATE accounts SET balance_points = accounts.balance_points + c.balance_points "
            f"FROM {staged} c WHERE accounts.id = c.id"
        )
    )
