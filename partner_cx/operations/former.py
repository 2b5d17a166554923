"""Former contents: what facts say before they are changed or taken out, and where that bears on.

They lie in the temporary table `former` for as long as it takes to mark their partner-days: a
kind's `left_behind` reads them there.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.bulk import quoted
from partner_cx.operations.marks import cells, write_marks
from partner_cx.operations.merging import Keeping


def keep_as_former(session: Session, table: sa.Table, which: sa.ColumnElement[bool]) -> None:
    """Keep what some facts say in the temporary table `former`, as a correction does."""
    connection = session.connection()
    connection.exec_driver_sql("DROP TABLE IF EXISTS former")
    rows = sa.select(table).where(which)
    written = rows.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE former AS {written}")


def mark_former(session: Session, kind: Keeping) -> None:
    """Mark the partner-days that `former` bears on, and what stands beside it there."""
    if not kind.family:
        return
    queries = [
        f"SELECT partner_id, {quoted(day)} FROM former WHERE {quoted(day)} IS NOT NULL"
        for day in kind.days
        if "partner_id" in kind.table.columns
    ]
    if kind.left_behind:
        queries.append(kind.left_behind)
    for query in queries:
        found = session.connection().exec_driver_sql(query).fetchall()
        if found:
            partners, days = zip(*(tuple(row) for row in found), strict=True)
            touched = cells(partners, np.array(days, dtype="datetime64[D]"))
            write_marks(session, kind.family, [touched], whole_month=True)
