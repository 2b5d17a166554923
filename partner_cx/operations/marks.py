"""Marks: which partner-days an import touched, so that exactly those are tallied again.

Intake writes marks in its own transaction; `measures.tallies` reads and removes them. The arrow
stays one way.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base


class Mark(Base):
    """A partner-day whose tallies of one family of KPIs no longer hold.

    whole_month: a fact was corrected away, so what the month had seen must be looked for again.
    """

    __tablename__ = "marks"
    __table_args__ = {"sqlite_with_rowid": False}

    family: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    whole_month: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
