"""Scorecards: the figures of partners, groups and the network, per period.

`scorecards` holds what is known now, replaced by each measurement. A close copies a period's
rows to `frozen_scorecards` (see rewards.closings), which never change.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Exact, Instant

Big = sa.BigInteger


class FigureColumns:
    """A Figure as a row; see measures.figures for what each column means."""

    period: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    level: Mapped[str] = mapped_column(sa.Text, primary_key=True)  # partner, group, network
    subject: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    kpi: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    value: Mapped[Fraction | None] = mapped_column(Exact)
    hits: Mapped[int | None] = mapped_column(Big)
    of: Mapped[int | None] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)
    coverage: Mapped[Fraction | None] = mapped_column(Exact)
    low: Mapped[float | None]
    high: Mapped[float | None]
    state: Mapped[str | None] = mapped_column(sa.Text)
    target: Mapped[Fraction | None] = mapped_column(Exact)
    n_min: Mapped[int | None]
    coverage_min: Mapped[Fraction | None] = mapped_column(Exact)
    stale_after_days: Mapped[int | None]
    target_group: Mapped[str | None] = mapped_column(sa.Text)
    as_of: Mapped[datetime] = mapped_column(Instant)
    definition_version: Mapped[int]
    details: Mapped[str | None] = mapped_column(sa.Text)  # JSON, further figures by name


class ScorecardRow(FigureColumns, Base):
    """One figure as known at the last measurement of its period."""

    __tablename__ = "scorecards"
    __table_args__ = {"sqlite_with_rowid": False}
