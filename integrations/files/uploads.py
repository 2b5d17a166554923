"""Uploads: files that somebody handed in by a page, until they are taken in or thrown away.

They lie in the database, so that any process finds them, on whichever machine it runs.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class Upload(Base):
    """A file as it was handed in.

    kind: of facts. mapping: TOML, once columns were pointed at. source: who sends it.
    """

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    mapping: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant, index=True)
    import_id: Mapped[int | None] = mapped_column(sa.ForeignKey("imports.id"))  # once taken in


class SavedMapping(Base):
    """A mapping kept under a name, for the next file of its kind. content: TOML."""

    __tablename__ = "saved_mappings"
    __table_args__ = (sa.UniqueConstraint("kind", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(Instant)
