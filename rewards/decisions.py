"""Decisions: what each rule said of each partner at a close, with every finding. Append-only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Text


class DecisionRow(Base):
    """One rule version's verdict on one partner at one close.

    points: what a met decision awards; 0 otherwise.
    sentence_en, sentence_fr: what the partner reads; findings: the same with all figures.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        sa.UniqueConstraint("closing_id", "rule_version_id", "partner_id"),
        sa.CheckConstraint("verdict IN ('met', 'not_met', 'unknown')", name="verdict"),
        sa.CheckConstraint("points >= 0 AND (verdict = 'met' OR points = 0)", name="points"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    closing_id: Mapped[int] = mapped_column(sa.ForeignKey("closings.id"))
    rule_version_id: Mapped[int] = mapped_column(sa.ForeignKey("rule_versions.id"))
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    verdict: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(sa.BigInteger)
    sentence_en: Mapped[str] = mapped_column(Text)
    sentence_fr: Mapped[str] = mapped_column(Text)
    findings: Mapped[Any] = mapped_column(sa.JSON)
