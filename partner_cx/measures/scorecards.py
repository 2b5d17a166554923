"""Scorecards: the figures of partners, groups and the network, per period.

`scorecards` holds what is known now, replaced by each measurement. A close copies a period's
rows to `frozen_scorecards` (see rewards.closings), which never change.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Exact, Instant, Text
from partner_cx.frames import read_frame
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.periods import Period

Big = sa.BigInteger


class FigureColumns:
    """A Figure as a row; see measures.figures for what each column means."""

    period: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)  # partner, group, network
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Fraction | None] = mapped_column(Exact)
    hits: Mapped[int | None] = mapped_column(Big)
    of: Mapped[int | None] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)
    coverage: Mapped[Fraction | None] = mapped_column(Exact)
    low: Mapped[float | None]
    high: Mapped[float | None]
    state: Mapped[str | None] = mapped_column(Text)
    target: Mapped[Fraction | None] = mapped_column(Exact)
    n_min: Mapped[int | None]
    coverage_min: Mapped[Fraction | None] = mapped_column(Exact)
    stale_after_days: Mapped[int | None]
    target_group: Mapped[str | None] = mapped_column(Text)
    as_of: Mapped[datetime] = mapped_column(Instant)
    definition_version: Mapped[int]
    details: Mapped[str | None] = mapped_column(Text)  # JSON, further figures by name


class ScorecardRow(FigureColumns, Base):
    """One figure as known at the last measurement of its period."""

    __tablename__ = "scorecards"
    __table_args__ = (
        sa.Index("ix_scorecards_period_kpi", "period", "level", "kpi", "state"),
        {"sqlite_with_rowid": False},
    )


NETWORK = "network"


# --- Keeping ------------------------------------------------------------------------------------


def keep(
    session: Session, period: Period, figures: pd.DataFrame, subjects: pd.DataFrame, now: datetime
) -> None:
    """Keep a period's figures instead of its former ones.

    figures: as `summing.figures` draws them, with `target` and `state`; subject is a place in
        `subjects`, which holds level and subject.
    """
    place = figures["subject"].to_numpy()
    targets = figures["target"].tolist()
    versions = {code: kpi.version for code, kpi in CATALOGUE.items()}
    columns: dict[str, Any] = {
        "period": pa.repeat(pa.scalar(str(period)), len(figures)),
        "level": subjects["level"].to_numpy()[place],
        "subject": subjects["subject"].to_numpy()[place],
        "kpi": figures["kpi"],
        "value": _quotients(figures["value_hits"], figures["value_of"]),
        "hits": pa.array(plain_values(figures["hits"]), pa.int64()),
        "of": pa.array(plain_values(figures["of"]), pa.int64()),
        "n": figures["n"].fillna(0).astype("int64"),
        "coverage": _quotients(figures["coverage_hits"], figures["coverage_of"]),
        "low": figures["low"].round(_DECIMALS),
        "high": figures["high"].round(_DECIMALS),
        "state": pa.array(plain_values(figures["state"]), pa.string()),
        "target": pa.array([_written(t and t.value) for t in targets], pa.string()),
        "n_min": pa.array([t and t.n_min for t in targets], pa.int64()),
        "coverage_min": pa.array([_written(t and t.coverage_min) for t in targets], pa.string()),
        "stale_after_days": pa.array([t and t.stale_after_days for t in targets], pa.int64()),
        "target_group": pa.array([t and t.group for t in targets], pa.string()),
        "as_of": pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), len(figures)),
        "definition_version": figures["kpi"].map(versions).astype("int64"),
        "details": pa.array(map(_details, figures["details"]), pa.string()),
    }
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    rows = pa.table(arrays).sort_by([(name, "ascending") for name in ("level", "subject", "kpi")])
    session.execute(sa.delete(ScorecardRow).where(ScorecardRow.period == str(period)))
    bulk.write(session, ScorecardRow.__tablename__, rows)


_DECIMALS = 6  # of floats: an interval's last digits differ between machines


def _quotients(hits: pd.Series, of: pd.Series) -> pa.Array:
    pairs = zip(plain_values(hits), plain_values(of), strict=True)
    return pa.array([_reduced(*pair) if pair[1] else None for pair in pairs], pa.string())


def _reduced(hits: int, of: int) -> str:
    divisor = math.gcd(hits, of)
    return f"{hits // divisor}/{of // divisor}"


def _written(share: Fraction | None) -> str | None:
    return None if share is None else f"{share.numerator}/{share.denominator}"


def _details(details: Mapping[str, float | int | None]) -> str | None:
    if not details:
        return None
    rounded = {
        name: round(value, _DECIMALS) if isinstance(value, float) else value
        for name, value in details.items()
    }
    return json.dumps(rounded, sort_keys=True)


def plain_values(column: pd.Series) -> list[Any]:
    """A column as Python's own values, None where there is none."""
    exact = column.astype(object)
    return exact.where(exact.notna(), None).tolist()


# --- Reading ------------------------------------------------------------------------------------


def scorecards(
    session: Session, period: Period, level: str, *, table: type[FigureColumns] = ScorecardRow
) -> list[Scorecard]:
    """The kept scorecards of a period on a level (partner, group or network), by subject.

    table: `ScorecardRow` for what is known now, or the frozen ones.
    """
    return _read(session, table, period, level)


def scorecard_of(
    session: Session,
    period: Period,
    subject: str,
    level: str,
    *,
    table: type[FigureColumns] = ScorecardRow,
) -> Scorecard:
    """One subject's kept scorecard; without figures when it wasn't measured in the period."""
    found = _read(session, table, period, level, table.subject == subject)
    return found[0] if found else Scorecard(period, subject, {})


def kept_figures(
    session: Session,
    period: Period,
    level: str,
    *conditions: sa.ColumnElement[bool],
    table: type[FigureColumns] = ScorecardRow,
) -> dict[str, dict[str, Figure]]:
    """The kept figures of a period on a level, by subject and KPI.

    conditions: on the table's columns, where only some figures are wanted.
    """
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    wanted = (
        sa.select(*columns)
        .where(table.period == str(period), table.level == level, *conditions)
        .order_by(table.subject, table.kpi)
    )
    figures: dict[str, dict[str, Figure]] = {}
    for row in session.execute(wanted):
        figures.setdefault(row.subject, {})[row.kpi] = figure_of(row)
    return figures


def _read(
    session: Session,
    table: type[FigureColumns],
    period: Period,
    level: str,
    *conditions: sa.ColumnElement[bool],
) -> list[Scorecard]:
    figures = kept_figures(session, period, level, *conditions, table=table)
    belongs = _groups_of(session) if level == "partner" and figures else {}
    return [
        Scorecard(period, subject, of_subject, belongs.get(subject, frozenset()))
        for subject, of_subject in figures.items()
    ]


def figure_of(row: Any) -> Figure:
    """The figure that a row with a Figure's columns holds."""
    return Figure(
        kpi=row.kpi,
        value=row.value,
        hits=row.hits,
        of=row.of,
        n=row.n,
        coverage=row.coverage,
        low=row.low,
        high=row.high,
        state=None if row.state is None else State(row.state),
        target=None if row.target is None else _target(row),
        as_of=row.as_of,
        definition_version=row.definition_version,
        details=json.loads(row.details) if row.details else {},
    )


def _target(row: Any) -> Target:
    return Target(
        kpi=row.kpi,
        value=row.target,
        n_min=row.n_min,
        coverage_min=row.coverage_min,
        stale_after_days=row.stale_after_days,
        group=row.target_group,
    )


def _groups_of(session: Session) -> dict[str, frozenset[str]]:
    """The groups of each partner, by its code."""
    codes = read_frame(session, sa.select(Partner.id.label("partner_id"), Partner.code))
    belonging = groups.memberships(session).merge(codes, on="partner_id").groupby("code")
    return {str(code): frozenset(group_codes) for code, group_codes in belonging["group_code"]}
