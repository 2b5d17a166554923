"""Refreshing: marked cells (partner-days) are tallied again, and what time has changed.

Before: facts, and the marks intake left on the cells it touched. After: tallies. A cell is tallied
from all facts that bear on it, never by increments, so that late, repeated and corrected facts all
lead to what a rebuild from nothing would give.

Time changes tallies too: an order line falls due, a visit matures. `tally_state` says which
moment the tallies hold for; a refresh for another one first marks the cells that differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import Instant, lock, transact
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
from partner_cx.measures.tallies import (
    CELL,
    MonthTally,
    Presence,
    Spread,
    Tally,
    TallyState,
    add_presences,
    distinct,
    month_of,
    replace_counts,
    replace_spreads,
    stage_cells,
    within,
)
from partner_cx.operations.imports import Import
from partner_cx.operations.marks import Mark, hold_marks
from partner_cx.settings import Settings

T = TypeVar("T")

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


@contextmanager
def tallies_of(
    session: Session, *, now: datetime, settings: Settings, until: date
) -> Iterator[None]:
    """Tallies that hold for another moment within the block; after it they are as they were.

    until: the last day that matters. Only cells up to it hold for that moment, so that the price
        isn't that of all that fell due since.
    """
    terms = Terms.of(settings, now)
    aside = session.begin_nested()
    try:
        _move_to(session, terms, until)
        for family in FAMILIES:
            _refresh_family(_transactions(session), family, terms, until)
        yield
    finally:
        aside.rollback()


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


def _move_to(session: Session, terms: Terms, until: date | None = None) -> None:
    """Mark the cells whose facts mean something else at the new moment, and remember it.

    Portions are tallied as of the moment remembered here; the marks carry what is still owed.
    until: the last day whose cells are marked; None: all of them, as it must be for good.
    """
    _hold_tallies(session)
    state = session.get(TallyState, 1, populate_existing=True)
    if state is None:  # nothing was ever tallied, and intake has marked all there is
        _remember(session, terms)
    elif state.terms != _digest(terms):
        _start_over(session, terms)
    else:
        _let_time_pass(session, state, terms, until or date.max)
        _remember(session, terms)


def _hold_tallies(session: Session) -> None:
    lock(session, "tallies")
    hold_marks(session)


def _remember(session: Session, terms: Terms) -> None:
    session.merge(
        TallyState(
            id=1,
            as_of=terms.as_of,
            terms=_digest(terms),
            last_import_id=_last_import_id(session),
        )
    )
    session.flush()


def _last_import_id(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(Import.id))) or 0


def _start_over(session: Session, terms: Terms) -> None:
    _hold_tallies(session)
    for table in (Tally, MonthTally, Spread, Presence, Mark):
        session.execute(sa.delete(table))
    for family in FAMILIES:
        _mark(session, family, everything(family))
    _remember(session, terms)


def _let_time_pass(session: Session, state: TallyState, terms: Terms, until: date) -> None:
    """Mark what fell due in between and, where files had brought the future, what came true.

    Backwards is the same way: what is due or known at one moment and not at the other.
    """
    if state.as_of == terms.as_of:
        return
    earlier, later = sorted([state.as_of, terms.as_of])
    first, last = sorted([terms.day_of(state.as_of), terms.today])
    span = {"first": first, "last": last, "earlier": earlier, "later": later}
    maturing = timedelta(days=terms.follow_up_days)
    # What falls due lies in the cell of that day: after `until` there is nothing to look for.
    due = span | {"last": min(last, until)}
    matured = span | {"first": first - maturing, "last": min(last - maturing, until)}
    known_until = _known_until(session, state.last_import_id)
    for family in FAMILIES:
        _mark(session, family, falling_due(family), matured if family.matures else due)
        known = max(known_until.get(kind, date.min) for kind in family.kinds)
        if known > first or (known == first and family.to_the_instant):
            _mark(
                session, family, becoming_known(family), span | {"until": until}, whole_month=True
            )


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
        kind: (until - timedelta(microseconds=1)).date()
        for kind, until in session.execute(reached)
        if until is not None
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
    within = "day <= :until" if span and "until" in span else "true"
    for query in queries:
        sql = (
            "INSERT INTO marks (family, day, partner_id, whole_month) "
            f"SELECT DISTINCT '{family.name}', day, partner_id, {str(whole_month).lower()} "
            f"FROM ({query}) AS found WHERE {within} "
            "ON CONFLICT (family, day, partner_id) DO UPDATE "
            "SET whole_month = excluded.whole_month OR marks.whole_month"
        )
        session.execute(_typed(sql), span)


_PARAMETERS: Mapping[str, Any] = {
    "first": sa.Date(),
    "last": sa.Date(),
    "until": sa.Date(),
    "earlier": Instant(),
    "later": Instant(),
}


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
    in_turn: Callable[[Callable[[Session], Portion]], Portion],
    family: Family,
    terms: Terms,
    until: date | None = None,
) -> int:
    size, cells = CELLS_AT_FIRST, 0
    while True:
        portion = in_turn(
            partial(_tally_portion, family=family, terms=terms, size=size, until=until)
        )
        if not portion.cells:
            return cells
        cells += portion.cells
        size = portion.next_size()


def _tally_portion(
    session: Session, *, family: Family, terms: Terms, size: int, until: date | None
) -> Portion:
    """Tally the first marked cells again, from all facts that bear on them."""
    _hold_tallies(session)
    state = session.get_one(TallyState, 1, populate_existing=True)
    if state.as_of != terms.as_of:
        raise Conflict(
            "The tallies were moved to another moment in the meantime.", remedy="Refresh again."
        )
    marks = _take_marks(session, family, size, until)
    if marks.empty:
        return Portion(0, 0)
    # An import that came in since may have left some of them: what it tells of the future is
    # no longer marked, and must be found when its day comes.
    state.last_import_id = _last_import_id(session)
    months = _whole_months(marks)
    cells = distinct(pd.concat([marks[CELL], _days_of(months)]))
    cells, facts = _read_facts(session, family, cells)
    tallied = family.measure(facts, terms)
    replace_counts(session, within(tallied.counts, cells), cells, family.owns)
    replace_spreads(session, within(tallied.spreads, cells), cells, family.owns)
    add_presences(session, tallied.presences, months, family.owns)
    return Portion(len(marks), sum(map(len, facts.values())))


def _take_marks(session: Session, family: Family, size: int, until: date | None) -> pd.DataFrame:
    """Remove the first marks, about so many, in order of their days, and return them.

    They go before any fact is read: what intake brings from now on is marked anew.
    """
    end = _end_of_portion(session, family, size, until)
    condition = "" if end is None else " AND (day, partner_id) < (:last, :partner_id)"
    taken = _typed(
        f"DELETE FROM marks WHERE family = '{family.name}'{condition} "
        "RETURNING day, partner_id, whole_month"
    )
    columns = taken.columns(Mark.day, Mark.partner_id, Mark.whole_month)
    return read_frame(session, columns, end)


def _end_of_portion(
    session: Session, family: Family, size: int, until: date | None
) -> dict[str, Any] | None:
    """The first mark that is left for later; None if all can be taken. Days stay whole if
    more than one fits, so that a portion is seldom written where another one was."""
    of_family = (
        sa.select(Mark.day, Mark.partner_id)
        .where(Mark.family == family.name)
        .order_by(Mark.day, Mark.partner_id)
    )
    if until is not None:
        of_family = of_family.where(Mark.day <= until)
    end = session.execute(of_family.offset(size).limit(1)).one_or_none()
    if end is None:
        return None if until is None else {"last": until + timedelta(days=1), "partner_id": 0}
    first = session.execute(of_family.limit(1)).one()
    return {"last": end.day, "partner_id": 0 if end.day > first.day else end.partner_id}


def _whole_months(marks: pd.DataFrame) -> pd.DataFrame:
    """The partner-months whose presences must be looked for again: month, partner_id."""
    again = marks[marks["whole_month"].astype(bool)]
    months = pd.DataFrame({"month": month_of(again["day"]), "partner_id": again["partner_id"]})
    return months.drop_duplicates(ignore_index=True)


def _days_of(months: pd.DataFrame) -> pd.DataFrame:
    """All cells of some partner-months."""
    length = months["month"].dt.days_in_month.to_numpy()
    days = months.loc[months.index.repeat(length)].reset_index(drop=True)
    ordinal = days.groupby(["month", "partner_id"]).cumcount()
    days["day"] = days["month"] + pd.to_timedelta(ordinal, unit="D")
    return days[CELL]


def _read_facts(
    session: Session, family: Family, cells: pd.DataFrame
) -> tuple[pd.DataFrame, Facts]:
    """Read the facts that bear on cells; and, where facts are linked, the cells these lead to."""
    stage_cells(session, cells)
    facts = family.read(session)
    if family.linked is None:
        return cells, facts
    frame, day = family.linked
    reached = facts[frame][[day, "partner_id"]].set_axis(CELL, axis="columns")
    wider = distinct(pd.concat([cells, reached]))
    if len(wider) == len(cells):
        return cells, facts
    stage_cells(session, wider)
    return wider, family.read(session)
