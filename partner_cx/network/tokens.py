"""API tokens: how another system shows who it is. Shown once; only their digests are kept."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class ApiToken(Base):
    """A token of a system beside us, with what it may do.

    scopes: names parted by spaces. ended_at: when it was taken back.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (sa.CheckConstraint("scopes <> ''", name="scopes"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    scopes: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
