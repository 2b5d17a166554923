"""What is frozen at a close: the period's figures, and who the partners were. It never changes.

Before: the scorecards that `measures` keeps up to date, and the network. After: decisions,
statements, and the audit that proves both.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.frames import read_frame
from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import FigureColumns, ScorecardRow, kept_figures
from partner_cx.periods import Period


class Closing(Base):
    """That a period was closed, when, by whom, and on what knowledge. Append-only.

    last_import_id: what was known: facts of later imports came too late for this close.
    terms: the settings its figures rest on; see `rewards.terms`.
    last_event_id: the same for events: the last one that was known.
    digest: of the frozen scorecards, so that an altered one is found.
    partners_digest: of the frozen partners; None where the close is older than they are.
    """

    __tablename__ = "closings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    period: Mapped[str] = mapped_column(Text, unique=True)
    as_of: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime] = mapped_column(Instant)
    closed_by: Mapped[str] = mapped_column(Text)
    last_import_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    last_event_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    terms: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    partners_digest: Mapped[str | None] = mapped_column(Text)


class FrozenFigure(FigureColumns, Base):
    """One figure as it stood when its period was closed. Append-only."""

    __tablename__ = "frozen_scorecards"
    __table_args__ = (
        sa.Index("ix_frozen_scorecards_period_kpi", "period", "level", "kpi", "state"),
    )

    closing_id: Mapped[int] = mapped_column(sa.ForeignKey("closings.id"), index=True)


class FrozenPartner(Base):
    """A partner that rules could be for, as it was when a period was closed. Append-only.

    groups: the codes of all it belonged to, in order.
    """

    __tablename__ = "frozen_partners"

    closing_id: Mapped[int] = mapped_column(sa.ForeignKey("closings.id"), primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    joined_on: Mapped[date | None]
    groups: Mapped[list[str]] = mapped_column(sa.JSON)


_COLUMNS = tuple(column.name for column in ScorecardRow.__table__.columns)


def closing_of(session: Session, period: Period) -> Closing | None:
    return session.scalar(sa.select(Closing).where(Closing.period == str(period)))


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
