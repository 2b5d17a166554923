"""Tallies: facts summed up per KPI, day and partner, so that a period is a sum and never a scan.

Before: facts, and the marks intake left on the partner-days (cells) it touched. After:
scorecards. A marked cell is tallied again from all facts that bear on it, never by increments, so
that late, repeated and corrected facts all lead to what a rebuild from nothing would give.

Time changes tallies too: an order line falls due, a visit matures. `tally_state` says which
moment the tallies hold for; a refresh for another one first marks the cells that differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Instant, Text, lock, transact
from partner_cx.errors import Conflict
from partner_cx.frames import read_frame
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.families import (
    FAMILIES,
    Facts,
    Family,
    Terms,
    becoming_known,
    everything,
    falling_due,
)
from partner_cx.operations.imports import Import
from partner_cx.operations.marks import Mark
from partner_cx.settings import Settings

T = TypeVar("T")

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


# --- Refreshing ---------------------------------------------------------------------------------

FACTS_AT_ONCE = 200_000  # what fits comfortably in memory, many times over
CELLS_AT_FIRST = 5_000
CELLS_AT_MOST = 100_000


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: the cells it tallied anew, per family."""

    cells: Mapping[str, int]


def refresh(database: sa.Engine | Session, *, now: datetime, settings: Settings) -> Refreshed:
    """Make the tallies hold for `now`: tally every marked cell again, and what time has changed.

    database: an engine, then each portion is a transaction of its own, and a refresh that was
        cut off goes on where it stopped; or a session, then all of it is the caller's transaction.
    """
    in_turn = _transactions(database)
    terms = Terms.of(settings, now)
    in_turn(lambda session: _move_to(session, terms))
    return Refreshed({family.name: _refresh_family(in_turn, family, terms) for family in FAMILIES})


def rebuild(database: sa.Engine | Session, *, now: datetime, settings: Settings) -> Refreshed:
    """Throw all tallies away and make them again from the facts."""
    terms = Terms.of(settings, now)
    _transactions(database)(lambda session: _start_over(session, terms))
    return refresh(database, now=now, settings=settings)


def _transactions(database: sa.Engine | Session) -> Callable[[Callable[[Session], T]], T]:
    if isinstance(database, Session):
        return lambda work: work(database)
    return lambda work: transact(database, work)


# --- Time passes --------------------------------------------------------------------------------


def _move_to(session: Session, terms: Terms) -> None:
    """Mark the cells whose facts mean something else at the new moment, and remember it.

    Portions are tallied as of the moment remembered here; the marks carry what is still owed.
    """
    lock(session, "tallies")
    state = session.get(TallyState, 1, populate_existing=True)
    if state is None:  # nothing was ever tallied, and intake has marked all there is
        _remember(session, terms)
    elif state.terms != _digest(terms):
        _start_over(session, terms)
    else:
        _let_time_pass(session, state, terms)
        _remember(session, terms)


def _remember(session: Session, terms: Terms) -> None:
    last_import_id = session.scalar(sa.select(sa.func.max(Import.id))) or 0
    session.merge(
        TallyState(id=1, as_of=terms.as_of, terms=_digest(terms), last_import_id=last_import_id)
    )
    session.flush()


def _start_over(session: Session, terms: Terms) -> None:
    lock(session, "tallies")
    for table in (Tally, MonthTally, Spread, Presence, Mark):
        session.execute(sa.delete(table))
    for family in FAMILIES:
        _mark(session, family, everything(family))
    _remember(session, terms)


def _let_time_pass(session: Session, state: TallyState, terms: Terms) -> None:
    """Mark what fell due in between and, where files had brought the future, what came true.

    Backwards is the same way: what is due or known at one moment and not at the other.
    """
    earlier, later = sorted([state.as_of, terms.as_of])
    first, last = sorted([terms.day_of(state.as_of), terms.today])
    span = {"first": first, "last": last, "earlier": earlier, "later": later}
    maturing = timedelta(days=terms.follow_up_days)
    matured = span | {"first": first - maturing, "last": last - maturing}
    known_until = _known_until(session, state.last_import_id)
    for family in FAMILIES:
        _mark(session, family, falling_due(family), matured if family.matures else span)
        known = max(known_until.get(kind, date.min) for kind in family.kinds)
        if known > first or (known == first and family.to_the_instant):
            _mark(session, family, becoming_known(family), span, whole_month=True)


def _known_until(session: Session, last_import_id: int) -> dict[str, date]:
    """Per kind of file, the last day on which anything happened, in the imports tallied so far.

    An import says until which instant its events reach, exclusively.
    """
    reached = (
        sa.select(Import.kind, sa.func.max(Import.events_until))
        .where(Import.id <= last_import_id, Import.events_until.is_not(None))
        .group_by(Import.kind)
    )
    return {
        kind: (until - timedelta(microseconds=1)).date() for kind, until in session.execute(reached)
    }


def _mark(
    session: Session,
    family: Family,
    queries: Iterable[str],
    span: Mapping[str, Any] | None = None,
    *,
    whole_month: bool = False,
) -> None:
    """Mark the cells that queries find; see `operations.marks`."""
    for query in queries:
        sql = (
            "INSERT INTO marks (family, day, partner_id, whole_month) "
            f"SELECT DISTINCT '{family.name}', day, partner_id, {str(whole_month).lower()} "
            f"FROM ({query}) AS found WHERE true "
            "ON CONFLICT (family, day, partner_id) DO UPDATE "
            "SET whole_month = excluded.whole_month OR marks.whole_month"
        )
        session.execute(_typed(sql), span)


_PARAMETERS = {"first": sa.Date(), "last": sa.Date(), "earlier": Instant(), "later": Instant()}


def _typed(sql: str) -> sa.TextClause:
    """Written SQL whose days and instants reach the database as it keeps them."""
    named = [name for name in _PARAMETERS if f":{name}" in sql]
    return sa.text(sql).bindparams(*(sa.bindparam(name, type_=_PARAMETERS[name]) for name in named))


def _digest(terms: Terms) -> str:
    """What the tallies' meaning rests on; when it changes, none of them holds any more."""
    versions = sorted((kpi.code, kpi.version) for kpi in CATALOGUE.values())
    choices = (terms.zone, terms.under, terms.over, terms.follow_up_days, terms.currency)
    return hashlib.sha256(
        repr((versions, [str(choice) for choice in choices])).encode()
    ).hexdigest()


# --- Portions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Portion:
    """Some marked cells that were tallied in one go."""

    cells: int
    facts: int

    def next_size(self) -> int:
        """How many cells to take next, so that their facts are about FACTS_AT_ONCE."""
        fitting = FACTS_AT_ONCE * self.cells // max(self.facts, 1)
        return max(1, min(fitting, 4 * self.cells, CELLS_AT_MOST))


def _refresh_family(
    in_turn: Callable[[Callable[[Session], Portion]], Portion], family: Family, terms: Terms
) -> int:
    size, cells = CELLS_AT_FIRST, 0
    while True:
        portion = in_turn(partial(_tally_portion, family=family, terms=terms, size=size))
        if not portion.cells:
            return cells
        cells += portion.cells
        size = portion.next_size()


def _tally_portion(session: Session, *, family: Family, terms: Terms, size: int) -> Portion:
    """Tally the first marked cells again, from all facts that bear on them."""
    lock(session, "tallies")
    state = session.get_one(TallyState, 1, populate_existing=True)
    if state.as_of != terms.as_of:
        raise Conflict(
            "The tallies were moved to another moment in the meantime.", remedy="Refresh again."
        )
    marks = _take_marks(session, family, size)
    if marks.empty:
        return Portion(0, 0)
    months = _whole_months(marks)
    cells = _distinct(pd.concat([marks[_CELL], _days_of(months)]))
    cells, facts = _read_facts(session, family, cells)
    tallied = family.measure(facts, terms)
    codes = _codes(session, family)
    _store_counts(session, _within(tallied.counts, cells), codes)
    _store_spreads(session, _within(tallied.spreads, cells), codes)
    _store_presences(session, tallied.presences, codes, months)
    return Portion(len(marks), sum(map(len, facts.values())))


_CELL = ["day", "partner_id"]


def _take_marks(session: Session, family: Family, size: int) -> pd.DataFrame:
    """Remove the first marks, in order of their days, and return them.

    They go before any fact is read: what intake brings from now on is marked anew. Whole days
    are taken if more than one fits.
    """
    next_ones = (
        sa.select(Mark.day, Mark.partner_id)
        .where(Mark.family == family.name)
        .order_by(Mark.day, Mark.partner_id)
        .limit(size + 1)
    )
    cells = read_frame(session, next_ones)
    if len(cells) > size:
        whole = cells[cells["day"] < cells["day"].iloc[-1]]
        cells = whole if len(whole) else cells[:size]
    if cells.empty:
        return cells
    last = cells.iloc[-1]
    taken = _typed(
        "DELETE FROM marks WHERE family = :family AND (day, partner_id) <= (:last, :partner_id) "
        "RETURNING day, partner_id, whole_month"
    ).columns(Mark.day, Mark.partner_id, Mark.whole_month)
    return read_frame(
        session,
        taken,
        {
            "family": family.name,
            "last": last["day"].date(),
            "partner_id": int(last["partner_id"]),
        },
    )


def _whole_months(marks: pd.DataFrame) -> pd.DataFrame:
    """The partner-months whose presences must be looked for again: month, partner_id."""
    again = marks[marks["whole_month"].astype(bool)]
    months = pd.DataFrame({"month": _month(again["day"]), "partner_id": again["partner_id"]})
    return months.drop_duplicates(ignore_index=True)


def _days_of(months: pd.DataFrame) -> pd.DataFrame:
    """All cells of some partner-months."""
    length = months["month"].dt.days_in_month.to_numpy()
    days = months.loc[months.index.repeat(length)].reset_index(drop=True)
    ordinal = days.groupby(["month", "partner_id"]).cumcount()
    days["day"] = days["month"] + pd.to_timedelta(ordinal, unit="D")
    return days[_CELL]


def _read_facts(
    session: Session, family: Family, cells: pd.DataFrame
) -> tuple[pd.DataFrame, Facts]:
    """Read the facts that bear on cells; and, where facts are linked, the cells these lead to."""
    _stage_cells(session, cells)
    facts = family.read(session)
    if family.linked is None:
        return cells, facts
    frame, day = family.linked
    reached = facts[frame][[day, "partner_id"]].set_axis(_CELL, axis="columns")
    wider = _distinct(pd.concat([cells, reached]))
    if len(wider) == len(cells):
        return cells, facts
    _stage_cells(session, wider)
    return wider, family.read(session)


def _stage_cells(session: Session, cells: pd.DataFrame) -> None:
    _stage(session, Mark, cells, "cells")


def _stage(session: Session, model: type[Base], rows: pd.DataFrame, name: str) -> None:
    """Put rows in a temporary table, and tell PostgreSQL how few they are."""
    bulk.stage(session, _table(model), bulk.arrow(rows), name=name)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"ANALYZE {name}"))


def _names(model: type[Base]) -> list[str]:
    return [column.name for column in _table(model).columns]


def _table(model: type[Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


# --- Storing ------------------------------------------------------------------------------------


def _codes(session: Session, family: Family) -> dict[type[Base], list[str]]:
    """The codes under which the family is stored so far, found without reading every row."""
    return {
        model: [code for code in _distinct_codes(session, model) if family.owns(code)]
        for model in (Tally, Spread, Presence)
    }


def _distinct_codes(session: Session, model: type[Base]) -> list[str]:
    name = model.__tablename__
    statement = sa.text(
        f"WITH RECURSIVE codes (kpi) AS (SELECT min(kpi) FROM {name} UNION ALL "
        f"SELECT (SELECT min(kpi) FROM {name} WHERE kpi > codes.kpi) FROM codes "
        "WHERE codes.kpi IS NOT NULL) SELECT kpi FROM codes WHERE kpi IS NOT NULL"
    )
    return list(session.scalars(statement))


def _store_counts(
    session: Session, counts: pd.DataFrame, codes: Mapping[type[Base], list[str]]
) -> None:
    """Replace the cells' tallies, and move the months by the difference."""
    former = _stored(session, Tally, codes[Tally])
    gone, new = _replace(session, Tally, former, counts, ["kpi", *_CELL])
    _move_months(session, gone, new)


def _store_spreads(
    session: Session, spreads: pd.DataFrame, codes: Mapping[type[Base], list[str]]
) -> None:
    former = _stored(session, Spread, codes[Spread])
    _replace(session, Spread, former, spreads, ["kpi", *_CELL, "value"])


def _stored(session: Session, model: type[Base], codes: list[str]) -> pd.DataFrame:
    """What a table holds of the cells under the family's codes."""
    table = _table(model)
    columns = ", ".join(f'stored."{name}"' for name in _names(model))
    statement = sa.text(
        f"SELECT {columns} FROM cells CROSS JOIN {table.name} stored WHERE stored.kpi IN :codes "
        "AND stored.day = cells.day AND stored.partner_id = cells.partner_id"
    ).bindparams(sa.bindparam("codes", expanding=True, type_=sa.Text()))
    return read_frame(session, statement.columns(*table.c), {"codes": codes})


def _replace(
    session: Session,
    model: type[Base],
    former: pd.DataFrame,
    rows: pd.DataFrame,
    key: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Store rows instead of former ones; rows that stay as they were are left alone.

    Returns the rows that went and those that came.
    """
    if len(former):
        both = former.merge(rows, how="outer", indicator="side")
        former = both.loc[both["side"] == "left_only", list(former)]
        rows = both.loc[both["side"] == "right_only", list(former)]
    if len(former):
        _stage(session, model, former[key], "outdated")
        names = ", ".join(key)
        session.execute(
            sa.text(
                f"DELETE FROM {model.__tablename__} WHERE ({names}) IN "
                f"(SELECT {names} FROM outdated)"
            )
        )
    bulk.write(session, _table(model), bulk.arrow(rows))
    return former, rows


_SUMS = ["hits", "of", "n"]


def _move_months(session: Session, gone: pd.DataFrame, new: pd.DataFrame) -> None:
    """Add the difference between new and former tallies to their months. No month is all zero."""
    moves = pd.concat([new, gone.assign(**{name: -gone[name] for name in _SUMS})])
    moves = moves.assign(month=_month(moves["day"])).groupby(["kpi", "month", "partner_id"])
    moved = moves[_SUMS].sum().reset_index()
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


def _store_presences(
    session: Session,
    presences: pd.DataFrame,
    codes: Mapping[type[Base], list[str]],
    months: pd.DataFrame,
) -> None:
    """Add who was seen; where facts were corrected away, forget first who was seen that month."""
    if len(months) and codes[Presence]:
        _stage(session, Presence, months, "months")
        forget = sa.text(
            "DELETE FROM presences WHERE kpi IN :codes "
            "AND (month, partner_id) IN (SELECT month, partner_id FROM months)"
        ).bindparams(sa.bindparam("codes", expanding=True, type_=sa.Text()))
        session.execute(forget, {"codes": codes[Presence]})
    bulk.write_new(
        session,
        _table(Presence),
        bulk.arrow(presences),
        key=["kpi", "month", "partner_id", "who"],
        clashes_expected=True,
    )


def _within(frame: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The rows that lie in the cells; facts of other cells were only read to judge these."""
    return frame[np.isin(_number(frame), _number(cells))]


def _distinct(cells: pd.DataFrame) -> pd.DataFrame:
    _, first = np.unique(_number(cells), return_index=True)
    return cells.iloc[first].reset_index(drop=True)


def _number(cells: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """One number per cell, in order of the days."""
    day = cells["day"].to_numpy().astype("datetime64[D]").astype("int64")
    return np.asarray(day * 2**40 + cells["partner_id"].to_numpy().astype("int64"))


def _month(days: pd.Series) -> pd.Series:
    return days.astype("datetime64[s]").dt.to_period("M").dt.start_time.astype("datetime64[us]")
