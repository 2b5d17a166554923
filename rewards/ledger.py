"""The ledger: double-entry, append-only, in whole points.

An entry belongs to a transfer, and a transfer's entries sum to zero; so do all balances. Points
come into being by funding a budget, and only the funding account may go below zero.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class AccountKind(StrEnum):
    """What the points in an account are."""

    FUNDING = "funding"  # where all points come from; its balance is what was ever funded, negated
    BUDGET = "budget"  # given to a programme, not yet awarded
    WALLET = "wallet"  # a partner's or a person's, to spend
    HELD = "held"  # set aside for a redemption under way
    SPENT = "spent"  # redeemed
    EXPIRED = "expired"  # lapsed


class Account(Base):
    """A place points can be. The database refuses a balance below zero, but for funding."""

    __tablename__ = "accounts"
    __table_args__ = (
        sa.UniqueConstraint("kind", "owner"),
        sa.CheckConstraint(
            "kind IN ('funding', 'budget', 'wallet', 'held', 'spent', 'expired')", name="kind"
        ),
        sa.CheckConstraint("kind = 'funding' OR balance_points >= 0", name="not_below_zero"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)  # `partner:R042`, `person:a@b`, a budget's code
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    balance_points: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")


class Transfer(Base):
    """Points that moved once, for one reason. Append-only.

    key: unique for ever; the same key again is the same transfer, or a refusal.
    digest: of its contents (key, reason, days, entries).
    corrects_id: the transfer that this one compensates.
    """

    __tablename__ = "transfers"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[str] = mapped_column(Text)
    why_en: Mapped[str] = mapped_column(Text)
    why_fr: Mapped[str] = mapped_column(Text)
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    decision_id: Mapped[int | None] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)
    corrects_id: Mapped[int | None] = mapped_column(sa.ForeignKey("transfers.id"))


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
