"""Tallies: facts summed up per KPI, day and partner, so that a period is a sum and never a scan.

Before: `refreshing`, which tallies marked partner-days (cells) again. After: scorecards.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Instant, Text
from partner_cx.frames import read_frame

Big = sa.BigInteger


class Tally(Base):
    """Hits out of `of`, and the sample size, of one code, day and partner."""

    __tablename__ = "tallies"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hits: Mapped[int] = mapped_column(Big)
    of: Mapped[int] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)


class MonthTally(Base):
    """The sum of a month's tallies, kept by the difference each recomputed day makes."""

    __tablename__ = "month_tallies"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hits: Mapped[int] = mapped_column(Big)
    of: Mapped[int] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)


class Spread(Base):
    """How often a value (seconds, a score) occurred on a day: means and medians rest on it."""

    __tablename__ = "spreads"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    times: Mapped[int] = mapped_column(Big)


class Presence(Base):
    """Who was seen in a month: what distinct counts rest on."""

    __tablename__ = "presences"
    __table_args__ = {"sqlite_with_rowid": False}

    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)  # its first day
    partner_id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    who: Mapped[str] = mapped_column(Text, primary_key=True)


class TallyState(Base):
    """The moment the tallies hold for: a promise that was open then may be broken now."""

    __tablename__ = "tally_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    as_of: Mapped[datetime] = mapped_column(Instant)
    terms: Mapped[str] = mapped_column(Text)  # digest of definitions and the programme's choices
    last_import_id: Mapped[int] = mapped_column(Big)  # later imports have marked all they touched


# --- Cells --------------------------------------------------------------------------------------

CELL = ["day", "partner_id"]


def stage_cells(session: Session, cells: pd.DataFrame) -> None:
    """Put cells in the temporary table `cells`, where the queries for facts begin."""
    _stage(session, Tally, cells[CELL], "cells")


def within(frame: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The rows that lie in the cells."""
    return frame[np.isin(_number(frame), _number(cells))]


def distinct(cells: pd.DataFrame) -> pd.DataFrame:
    """Each cell once, in order of the days."""
    first = np.unique(_number(cells), return_index=True)[1]
    return cells[CELL].take(first.tolist()).reset_index(drop=True)


def month_of(days: pd.Series) -> pd.Series:
    """The first day of each day's month."""
    return pd.Series(
        days.to_numpy().astype("datetime64[M]").astype("datetime64[us]"), index=days.index
    )


def _number(cells: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    day = cells["day"].to_numpy().astype("datetime64[D]").astype("int64")
    return np.asarray(day * 2**40 + cells["partner_id"].to_numpy().astype("int64"))


# --- Replacing what is kept of cells ------------------------------------------------------------

_SUMS = ["hits", "of", "n"]
_MONTH = ["kpi", "month", "partner_id"]


def replace_counts(
    session: Session, counts: pd.DataFrame, cells: pd.DataFrame, owns: Callable[[str], bool]
) -> None:
    """Keep these tallies of some cells instead of former ones, and move their months.

    cells: those that are staged. owns: whether a code is one of those to replace.
    """
    gone, new = _replace(session, Tally, ["kpi", *CELL], counts, cells, owns)
    _move_months(session, gone, new)


def replace_spreads(
    session: Session, spreads: pd.DataFrame, cells: pd.DataFrame, owns: Callable[[str], bool]
) -> None:
    """Keep these spreads of some cells instead of former ones; see `replace_counts`."""
    _replace(session, Spread, ["kpi", *CELL, "value"], spreads, cells, owns)


def add_presences(
    session: Session, presences: pd.DataFrame, again: pd.DataFrame, owns: Callable[[str], bool]
) -> None:
    """Add who was seen. Of the partner-months `again`, these are all: forget others first."""
    if len(again):
        _stage(session, Presence, again, "again")
        owned = [code for code in codes(session, Presence) if owns(code)]
        forget = _of_codes(
            "DELETE FROM presences WHERE kpi IN :codes "
            "AND (month, partner_id) IN (SELECT month, partner_id FROM again)"
        )
        session.execute(forget, {"codes": owned})
    bulk.write_new(
        session,
        _table(Presence),
        bulk.arrow(presences),
        key=["kpi", "month", "partner_id", "who"],
        clashes_expected=True,
    )


def _replace(
    session: Session,
    model: type[Base],
    key: list[str],
    rows: pd.DataFrame,
    cells: pd.DataFrame,
    owns: Callable[[str], bool],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace rows, leaving alone those that stay. Returns the rows that went and that came."""
    former = _kept(session, model, cells, owns)
    if len(former):
        both = former.merge(rows, how="outer", indicator="side")
        former = both.loc[both["side"] == "left_only", list(former)]
        rows = both.loc[both["side"] == "right_only", list(former)]
    if len(former):
        _stage(session, model, former[key], "outdated")
        names = ", ".join(key)
        table = model.__tablename__
        session.execute(
            sa.text(f"DELETE FROM {table} WHERE ({names}) IN (SELECT {names} FROM outdated)")
        )
    rows = rows.sort_values(key)  # the table's own order: neighbours are written together
    bulk.write(session, _table(model), bulk.arrow(rows))
    return former, rows


def _kept(
    session: Session, model: type[Base], cells: pd.DataFrame, owns: Callable[[str], bool]
) -> pd.DataFrame:
    """What a table holds of the staged cells."""
    table = _table(model)
    first, last = cells["day"].min().date(), cells["day"].max().date()
    owned = [code for code in codes(session, model, first, last) if owns(code)]
    columns = ", ".join(f'kept."{column.name}"' for column in table.columns)
    statement = _of_codes(
        f"SELECT {columns} FROM cells CROSS JOIN {table.name} kept WHERE kept.kpi IN :codes "
        "AND kept.day = cells.day AND kept.partner_id = cells.partner_id"
    )
    return read_frame(session, statement.columns(*table.columns), {"codes": owned})


def codes(
    session: Session, model: type[Base], first: date | None = None, last: date | None = None
) -> list[str]:
    """The codes there are, between two days if told: found by leaps, not by reading every row."""
    table = model.__tablename__
    between = f"AND EXISTS (SELECT 1 FROM {table} WHERE {table}.kpi = codes.kpi AND day BETWEEN "
    between = f"{between} :first AND :last)" if first else ""
    statement = sa.text(
        f"WITH RECURSIVE codes (kpi) AS (SELECT min(kpi) FROM {table} UNION ALL "
        f"SELECT (SELECT min(kpi) FROM {table} WHERE kpi > codes.kpi) FROM codes "
        f"WHERE kpi IS NOT NULL) SELECT kpi FROM codes WHERE kpi IS NOT NULL {between}"
    )
    if first:
        days = {"first": first, "last": last}
        statement = statement.bindparams(
            *(sa.bindparam(name, value, type_=sa.Date()) for name, value in days.items())
        )
    return list(session.scalars(statement))


def _move_months(session: Session, gone: pd.DataFrame, new: pd.DataFrame) -> None:
    """Add the difference between new and former tallies to their months. No month is all zero."""
    moves = pd.concat([new, gone.assign(**{name: -gone[name] for name in _SUMS})])
    moves["month"] = month_of(moves["day"])
    moved: pd.DataFrame = moves.groupby(_MONTH, as_index=False)[_SUMS].sum()
    moved = moved[(moved[_SUMS] != 0).any(axis="columns")]
    if moved.empty:
        return
    _stage(session, MonthTally, moved, "moved")
    session.execute(
        sa.text(
            'INSERT INTO month_tallies (kpi, month, partner_id, hits, "of", n) '
            'SELECT kpi, month, partner_id, hits, "of", n FROM moved WHERE true '
            "ON CONFLICT (kpi, month, partner_id) DO UPDATE "
            "SET hits = month_tallies.hits + excluded.hits, "
            '"of" = month_tallies."of" + excluded."of", n = month_tallies.n + excluded.n'
        )
    )
    if len(gone):
        session.execute(
            sa.text(
                'DELETE FROM month_tallies WHERE hits = 0 AND "of" = 0 AND n = 0 '
                "AND (kpi, month, partner_id) IN (SELECT kpi, month, partner_id FROM moved)"
            )
        )


def _stage(session: Session, model: type[Base], rows: pd.DataFrame, name: str) -> None:
    """Put rows in a temporary table, and tell PostgreSQL how few they are."""
    bulk.stage(session, _table(model), bulk.arrow(rows), name=name)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"ANALYZE {name}"))


def _of_codes(sql: str) -> sa.TextClause:
    return sa.text(sql).bindparams(sa.bindparam("codes", expanding=True, type_=sa.Text()))


def _table(model: type[Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table
