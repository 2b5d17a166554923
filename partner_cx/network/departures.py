"""Departures: who may no longer sign in. Files go on telling of a person; this is said by hand."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class Departure(Base):
    """That a person may no longer sign in. Taken away again when they may."""

    __tablename__ = "departures"

    person_id: Mapped[int] = mapped_column(
        Id, sa.ForeignKey("people.id"), primary_key=True, autoincrement=False
    )
    left_at: Mapped[datetime] = mapped_column(Instant)
    said_by: Mapped[str] = mapped_column(Text)
