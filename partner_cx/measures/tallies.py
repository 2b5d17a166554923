"""Tallies: facts summed up per KPI, day and partner, so that a period is a sum and never a scan.

Before: facts, and the marks intake left on the partner-days it touched. After: scorecards.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Instant

Big = sa.BigInteger


class Tally(Base):
    """Hits out of `of`, and the sample size, of one code, day and partner."""

    __tablename__ = "tallies"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hits: Mapped[int] = mapped_column(Big)
    of: Mapped[int] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)


class MonthTally(Base):
    """The sum of a month's tallies, kept by the difference each recomputed day makes."""

    __tablename__ = "month_tallies"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hits: Mapped[int] = mapped_column(Big)
    of: Mapped[int] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)


class Spread(Base):
    """How often a value (seconds, a score) occurred on a day: means and medians rest on it."""

    __tablename__ = "spreads"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(Big)


class Presence(Base):
    """Who was seen in a month: what distinct counts rest on."""

    __tablename__ = "presences"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    who: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class TallyState(Base):
    """The moment the tallies hold for: a promise that was open then may be broken now."""

    __tablename__ = "tally_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    as_of: Mapped[datetime] = mapped_column(Instant)
