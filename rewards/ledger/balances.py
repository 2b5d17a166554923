"""Accounts: where points can be, and what each holds.

Balances are changed by postings alone, and everybody takes accounts in one order, so that no two
ever wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple, TypeAlias, TypeVar

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Id, Text, insert_for
from partner_cx.errors import Conflict
from partner_cx.prepared import Prepared
from partner_cx.quantities import number_text, points_text


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


_SHARED = frozenset({AccountKind.BUDGET, AccountKind.FUNDING})
_AT_ONCE = 5_000  # ids in one statement


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


class KnownAccount(NamedTuple):
    """An account whose id is known, for whoever doesn't ask for what it holds."""

    id: int
    kind: str
    owner: str

    @property
    def named(self) -> tuple[str, str]:
        return self.kind, self.owner

    @property
    def order(self) -> tuple[bool, int]:
        return self.kind in _SHARED, self.id


AnyAccount: TypeAlias = Account | KnownAccount
A = TypeVar("A", bound=AnyAccount)


class HoldsTooLittle(Conflict):
    """An account doesn't hold the points that are asked of it."""


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


def take(session: Session, taken: Iterable[Account]) -> dict[Account, int]:
    """Take accounts until the transaction ends, and say what each holds.

    For whoever decides by it how much to post: what comes in between waits.
    """
    in_order = in_turn(taken)
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


def in_turn(changed: Iterable[A]) -> list[A]:
    """By id, budgets and their source last: everybody waits for those, so they are held shortly."""
    return sorted(changed, key=attrgetter("order"))


def change(session: Session, account: AnyAccount, points: int) -> None:
    """Change a balance unless it would fall below zero; looking first would let two spend it."""
    after = Account.balance_points + points
    changed = session.execute(
        sa.update(Account)
        .where(Account.id == account.id, sa.or_(Account.kind == AccountKind.FUNDING, after >= 0))
        .values(balance_points=after)
        .execution_options(synchronize_session=False)
        .returning(Account.id)
    )
    _forget_balance(session, account)
    if changed.first() is None:
        raise _too_little(session, account, -points)


def change_many(session: Session, changes: Mapping[AnyAccount, int]) -> None:
    """Change balances in one statement, then the shared ones one by one."""
    in_order = in_turn(changes)
    own = [account for account in in_order if account.kind not in _SHARED]
    if own:
        _change_together(session, {account: changes[account] for account in own})
    for shared in in_order[len(own) :]:
        change(session, shared, changes[shared])


def _change_together(session: Session, changes: Mapping[AnyAccount, int]) -> None:
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
        _forget_balance(session, account)
        if account.id == short:
            raise _too_little(session, account, -changes[account])
    session.execute(
        sa.text(
            "UPDATE accounts SET balance_points = accounts.balance_points + c.balance_points "
            f"FROM {staged} c WHERE accounts.id = c.id"
        )
    )


def _forget_balance(session: Session, account: AnyAccount) -> None:
    if isinstance(account, Account):
        session.expire(account, ["balance_points"])


def _too_little(session: Session, account: AnyAccount, asked: int) -> HoldsTooLittle:
    held = session.get_one(Account, account.id).balance_points
    name = f"{account.kind} {account.owner}".capitalize()
    return HoldsTooLittle(
        f"{name} holds {number_text(held, 'en')} of {points_text(asked, 'en')}.",
        remedy=f"Add {points_text(asked - held, 'en')}, or ask for less.",
    )


def _accounts_of(session: Session, kind: AccountKind, owners: Iterable[str]) -> dict[str, Account]:
    found: dict[str, Account] = {}
    names = list(owners)
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        wanted = sa.select(Account).where(Account.kind == kind, Account.owner.in_(some))
        found |= {account.owner: account for account in session.scalars(wanted)}
    return found


# What `change` says, without the account's object: for whoever asks at once what became of it.
CHANGE_BALANCE = Prepared(
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
