"""Imports: each file taken in, and the sources that rows come from.

An import is one transaction: its good rows are in, all of them, or nothing is.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class Source(Base):
    """Where rows come from (an ERP, a ticketing system): `source_id` is unique within one."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)


class Import(Base):
    """One file taken in, with what became of its rows.

    `id` also orders what we learned: a fact's `import_id` says when its contents became known.
    """

    __tablename__ = "imports"
    __table_args__ = (
        sa.UniqueConstraint("id", "source"),  # what facts point at
        sa.Index("ix_imports_kind_imported_at", "kind", "imported_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[int] = mapped_column(sa.ForeignKey("sources.id"))
    file_name: Mapped[str] = mapped_column(Text)
    imported_at: Mapped[datetime] = mapped_column(Instant)
    taken: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    unchanged: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    corrected: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    refused: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    # The last day any of its events happened: see measures.tallies for what rests on it.
    events_until: Mapped[datetime | None] = mapped_column(Instant)
