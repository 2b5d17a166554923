"""Sessions: who has signed in, until when, and how. Kept here, so that any can be ended at once.

A browser holds a token in its cookie; only the token's digest is kept.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class WebSession(Base):
    """Somebody's signing in with one browser.

    opened_by: `link`, or `staff` for the brand's own sign-in. ended_at: when they signed out, or
    were signed out.
    """

    __tablename__ = "web_sessions"
    __table_args__ = (sa.CheckConstraint("opened_by IN ('link', 'staff')", name="opened_by"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
