"""How often something was asked for in a while: counts that several processes share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Instant, Text


class RateCount(Base):
    """A count that begins anew once its time is over. key: who asks for what, without names."""

    __tablename__ = "rate_counts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(Instant, index=True)
