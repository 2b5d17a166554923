"""Decisions: what each rule came to for each partner, at a close or on an event. Append-only.

Before: evidence and the rules in force, see `deciding`. After: awards, and statements that explain.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Text, where_given


class DecisionRow(Base):
    """One rule version's verdict on one partner, at one close or on one event. Append-only.

    Why it came to that is told again whenever it is asked for, from the rule version and the
    evidence of then, which never change.

    points: what a met decision awards, within the rule's limits; 0 otherwise.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        sa.UniqueConstraint("closing_id", "rule_version_id", "partner_id"),
        where_given("event_id", "rule_version_id", table="decisions", unique=True),
        sa.CheckConstraint("(closing_id IS NULL) <> (event_id IS NULL)", name="one_occasion"),
        sa.CheckConstraint("verdict IN ('met', 'not_met', 'unknown')", name="verdict"),
        sa.CheckConstraint("points >= 0 AND (verdict = 'met' OR points = 0)", name="points"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    closing_id: Mapped[int | None] = mapped_column(sa.ForeignKey("closings.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id"))
    rule_version_id: Mapped[int] = mapped_column(sa.ForeignKey("rule_versions.id"))
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    verdict: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(sa.BigInteger)
