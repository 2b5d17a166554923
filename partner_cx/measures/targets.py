"""Targets: what a KPI is held against, from a day on, for the network or for one group."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Exact, Id


class DatedTarget(Base):
    """A target as it was set: it holds from a day on, until the next one of the same KPI and group.

    group_code: '' for the network as a whole; else the group whose members it overrides.
    """

    __tablename__ = "targets"
    __table_args__ = (
        sa.UniqueConstraint("kpi", "group_code", "starts_on"),
        sa.CheckConstraint("n_min >= 0", name="n_min"),
        sa.CheckConstraint("stale_after_days > 0", name="stale_after_days"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kpi: Mapped[str] = mapped_column(sa.Text)
    group_code: Mapped[str] = mapped_column(sa.Text, server_default="")
    starts_on: Mapped[date]
    target: Mapped[Fraction] = mapped_column(Exact)
    n_min: Mapped[int | None]
    coverage_min: Mapped[Fraction | None] = mapped_column(Exact)
    stale_after_days: Mapped[int | None]
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
