"""Revisions: what a fact said before it was corrected, and between which imports it said so.

A fact's table holds what is known now; a correction moves the superseded contents here. With
both, any fact can be told as it was known after any import.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Text


class Revision(Base):
    """The contents of a fact that a later import corrected. Append-only."""

    __tablename__ = "revisions"
    __table_args__ = (
        sa.Index("ix_revisions_kind_fact_id", "kind", "fact_id"),
        sa.Index("ix_revisions_kind_partner_id", "kind", "partner_id"),
        sa.CheckConstraint("superseded_by > import_id", name="superseded_later"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    fact_id: Mapped[int] = mapped_column(sa.BigInteger)
    partner_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    superseded_by: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    contents: Mapped[dict[str, object]] = mapped_column(sa.JSON)
