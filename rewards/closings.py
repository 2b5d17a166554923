"""Closings: a period's figures frozen, its rules decided, its awards posted, once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.measures.scorecards import FigureColumns


class Closing(Base):
    """That a period was closed, when, by whom, and on what knowledge. Append-only.

    last_import_id: what was known: facts of later imports came too late for this close.
    digest: of the frozen scorecards, so that an altered one is found.
    """

    __tablename__ = "closings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    period: Mapped[str] = mapped_column(Text, unique=True)
    as_of: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime] = mapped_column(Instant)
    closed_by: Mapped[str] = mapped_column(Text)
    last_import_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    digest: Mapped[str] = mapped_column(Text)


class FrozenFigure(FigureColumns, Base):
    """One figure as it stood when its period was closed. Append-only."""

    __tablename__ = "frozen_scorecards"

    closing_id: Mapped[int] = mapped_column(sa.ForeignKey("closings.id"), index=True)
