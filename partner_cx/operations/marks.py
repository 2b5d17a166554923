"""Marks: which partner-days an import touched, so that exactly those are tallied again.

Intake writes marks in its own transaction; `measures.tallies` reads and removes them. The arrow
stays one way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Text, lock

DAYS_APART = 1_000_000  # a cell as one number: partner_id × this + days since 1970


class Mark(Base):
    """A partner-day whose tallies of one family of KPIs no longer hold.

    whole_month: a fact was corrected away, so what the month had seen must be looked for again.
    """

    __tablename__ = "marks"
    __table_args__ = {"sqlite_with_rowid": False}

    family: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    whole_month: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


def cells(partners: Any, days: Any) -> np.ndarray:
    """Partner-days as one number each, so that a million of them are held and merged cheaply.

    days: numbers since 1970, dates, or ISO texts; as long as `partners`, none missing.
    """
    numbers = np.asarray(days)
    if not np.issubdtype(numbers.dtype, np.integer):
        numbers = numbers.astype("datetime64[D]").astype(np.int64)
    found: np.ndarray = np.asarray(partners, dtype=np.int64) * DAYS_APART + numbers
    return found


def hold_marks(session: Session) -> None:
    """Wait for whoever writes or takes marks, and hold off others until the commit.

    An import marks cells in several goes, and a refresh takes them in another order. Row by row
    each could wait for the other, and PostgreSQL would end one: at worst a long import, at its
    very end. The price is that an import waits there for the portion that is being tallied.
    Whoever holds the marks waits for no import: this is the last lock an import takes.
    """
    lock(session, "marks")


def write_marks(
    session: Session, family: str, touched: Iterable[np.ndarray], *, whole_month: bool = False
) -> None:
    """Mark cells, each once; a cell that is marked already stays so."""
    hold_marks(session)
    numbers = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *touched]))
    numbers = numbers[np.argsort(numbers % DAYS_APART, kind="stable")]  # in the key's order
    marks = pa.table(
        {
            "family": pa.array(np.repeat(family, len(numbers)), pa.string()),
            "day": pa.array((numbers % DAYS_APART).astype(np.int32)).cast(pa.date32()),
            "partner_id": pa.array(numbers // DAYS_APART),
            "whole_month": pa.array(np.full(len(numbers), whole_month)),
        }
    )
    staged = bulk.stage(session, Mark.__table__, marks, name="new_marks")
    session.connection().exec_driver_sql(
        "INSERT INTO marks (family, day, partner_id, whole_month) "
        f"SELECT family, day, partner_id, whole_month FROM {staged} WHERE 1 = 1 "
        "ON CONFLICT (family, day, partner_id) DO UPDATE "
        "SET whole_month = excluded.whole_month OR marks.whole_month"
    )
