"""Frozen scorecards: a period's figures as they stood when it was closed. They never change.

Before: the scorecards that `measures` keeps up to date. After: decisions, statements, and the
audit that proves both.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base
from partner_cx.frames import read_frame
from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import FigureColumns, ScorecardRow, kept_figures
from partner_cx.periods import Period


class FrozenFigure(FigureColumns, Base):
    """One figure as it stood when its period was closed. Append-only."""

    __tablename__ = "frozen_scorecards"

    closing_id: Mapped[int] = mapped_column(sa.ForeignKey("closings.id"), index=True)


_COLUMNS = tuple(column.name for column in ScorecardRow.__table__.columns)


def freeze(session: Session, period: Period, closing_id: int) -> None:
    """Keep the period's scorecards for ever, as they are now."""
    kept = sa.select(sa.literal(closing_id), *_columns(ScorecardRow))
    session.execute(
        sa.insert(FrozenFigure.__table__).from_select(
            ["closing_id", *_COLUMNS], kept.where(ScorecardRow.period == str(period))
        )
    )


def digest(session: Session, table: type[FigureColumns], period: Period) -> str:
    """SHA-256 over a period's figures: equal for equal figures, in either table or database."""
    figures = read_frame(session, sa.select(*_columns(table)).where(table.period == str(period)))
    rows = pa.Table.from_pandas(figures, preserve_index=False)
    # Whole columns: Arrow writes whatever lies in memory for an empty piece of a text column.
    ordered = rows.combine_chunks().sort_by(
        [(name, "ascending") for name in ("level", "subject", "kpi")]
    )
    ordered = ordered.combine_chunks()
    written = io.BytesIO()
    pyarrow.csv.write_csv(ordered, written)
    return hashlib.sha256(written.getbuffer()).hexdigest()


def frozen_figures(
    session: Session,
    period: Period,
    level: str,
    *,
    kpis: Collection[str],
    subjects: Collection[str] | None = None,
) -> dict[str, dict[str, Figure]]:
    """The frozen figures of some KPIs, by subject and KPI.

    level: partner, group or network. subjects: only theirs; None: those of everyone.
    """
    conditions = [FrozenFigure.kpi.in_(sorted(kpis))]
    if subjects is not None:
        conditions.append(FrozenFigure.subject.in_(sorted(subjects)))
    return kept_figures(session, period, level, *conditions, table=FrozenFigure)


def _columns(table: type[FigureColumns]) -> list[Any]:
    return [getattr(table, name) for name in _COLUMNS]
