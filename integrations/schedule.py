"""The schedule: moments at which something is owed by the clock, planned as effects."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Instant, Text


class SchedulePlan(Base):
    """How far a recurring task has been planned: each of its moments up to then is an effect.

    when_written: the timetable it was planned by; a changed one is planned anew from now on.
    """

    __tablename__ = "schedule_plans"

    task: Mapped[str] = mapped_column(Text, primary_key=True)
    planned_until: Mapped[datetime] = mapped_column(Instant)
    when_written: Mapped[str] = mapped_column(Text)
