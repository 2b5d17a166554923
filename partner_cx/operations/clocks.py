"""Clocks: when a ticket's reply and resolution fall due, and how long they took.

They run in the ticket's calendar, minus its pauses, when the ticket is taken in; so a target
holds as it was applied. A corrected calendar runs the clocks of its tickets again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.calendars import (
    ALWAYS,
    BusinessCalendar,
    calendar_from_row,
    from_instants,
    parse_pauses,
)
from partner_cx.errors import Invalid
from partner_cx.operations.facts import Calendar, Ticket
from partner_cx.operations.marks import cells, write_marks
from partner_cx.operations.revisions import keep_former
from partner_cx.periods import zone_named

NO_CALENDAR = -1  # stands for around the clock
PAUSES_BETWEEN = (0, 4_133_894_400)  # 1970 to 2100: beyond lies a mistyped year

CLOCKS = (
    "response_due_at",
    "response_due_on",
    "resolution_due_at",
    "resolution_due_on",
    "response_seconds",
    "resolution_seconds",
)


def calendars(session: Session) -> Mapping[int, BusinessCalendar]:
    """The business calendars by their id."""
    return {
        row.id: calendar_from_row(
            row.code, row.time_zone, row.days, row.opens, row.closes, row.holidays, row.closed_on
        )
        for row in session.scalars(sa.select(Calendar))
    }


def run_clocks(
    tickets: pd.DataFrame, by_id: Mapping[int, BusinessCalendar], zone: str
) -> pd.DataFrame:
    """The clocks of tickets, one row each, under the names in CLOCKS.

    tickets: opened_at, first_reply_at, resolved_at (UTC instants), response_target_minutes,
        resolution_target_minutes, calendar_id (NA: around the clock), paused (text or NA).
    zone: the programme's time zone, in which the due instants have their days.
    """
    calendar_ids = tickets["calendar_id"].astype("Int64").fillna(NO_CALENDAR)
    parts = [
        _run_by(by_id.get(number, ALWAYS), tickets[calendar_ids == number], zone)
        for number in calendar_ids.unique().tolist()
    ]
    if not parts:
        return pd.DataFrame(columns=list(CLOCKS), index=tickets.index)
    return pd.concat(parts).reindex(tickets.index)


def _run_by(calendar: BusinessCalendar, tickets: pd.DataFrame, zone: str) -> pd.DataFrame:
    """The clocks of tickets that share a calendar."""
    clocks = pd.DataFrame(index=tickets.index)
    pauses = _pauses(tickets["paused"])
    for name, end in (("response", "first_reply_at"), ("resolution", "resolved_at")):
        target = tickets[f"{name}_target_minutes"].astype("Int64") * 60
        due = calendar.due_at(tickets["opened_at"], target, pauses).astype("datetime64[us, UTC]")
        clocks[f"{name}_due_at"] = due
        clocks[f"{name}_due_on"] = due.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
        clocks[f"{name}_seconds"] = calendar.elapsed_between(
            tickets["opened_at"], tickets[end], pauses
        )
    return clocks


def _pauses(texts: pd.Series) -> pd.Series | None:
    """The pauses of each ticket; None when no ticket has any, which is the quick case."""
    if texts.isna().all():
        return None
    zone = zone_named("UTC")
    return texts.map(lambda text: parse_pauses(text, zone) if isinstance(text, str) else ())


def pauses_in_utc(texts: pa.Array, zone: str) -> tuple[pa.Array, np.ndarray]:
    """Pauses as written, turned into instants of UTC; and which can't be understood."""
    if texts.null_count == len(texts):
        return texts.cast(pa.string()), np.zeros(len(texts), dtype=bool)
    words = texts.dictionary_encode()
    read: list[str | None] = []
    wrong: list[bool] = []
    for text in words.dictionary.to_pylist():
        told = _pause_text(text, zone)
        read.append(told)
        wrong.append(told is None)
    found = pa.array(read, pa.string()).take(words.indices)
    bad = pc.fill_null(pa.array(wrong, pa.bool_()).take(words.indices), False)
    return found, np.asarray(bad)


def _pause_text(text: str, zone: str) -> str | None:
    try:
        pauses = parse_pauses(text, zone_named(zone))
    except (Invalid, OverflowError, OSError):
        return None
    instants = [instant for pause in pauses for instant in pause if instant is not None]
    if any(not PAUSES_BETWEEN[0] <= instant <= PAUSES_BETWEEN[1] for instant in instants):
        return None
    return ";".join(f"{_iso(start)}/{'' if end is None else _iso(end)}" for start, end in pauses)


def _iso(instant: int) -> str:
    moment = from_instants(np.array([instant], dtype=np.int64))[0]
    return str(moment.strftime("%Y-%m-%dT%H:%M:%S+00:00"))


def local_days(instants: pa.Array, zone: str) -> pa.Array:
    """The local days of UTC instants."""
    local = pc.local_timestamp(instants.cast(pa.timestamp("us", tz=zone)))
    return pc.floor_temporal(local, unit="day").cast(pa.date32())


def run_again(session: Session, calendar_ids: Sequence[int], zone: str, *, import_id: int) -> None:
    """Run the clocks of all tickets of some calendars by their hours of now.

    A ticket whose clocks change keeps the former ones as a revision, superseded by the import
    that corrected the calendar, and marks the days on which they count or counted.
    """
    by_id = calendars(session)
    for tickets in _in_pages(session, calendar_ids):
        clocks = run_clocks(tickets, by_id, zone)
        changed = _differ(tickets, clocks)
        if changed.any():
            _mark_days(session, tickets[changed], clocks[changed])
            keep_former(session, "tickets", Ticket.__table__, tickets["id"][changed], import_id)
            _set_clocks(session, tickets["id"][changed], clocks[changed], import_id)


def _differ(tickets: pd.DataFrame, clocks: pd.DataFrame) -> np.ndarray:
    """Which tickets have other clocks now."""
    changed = np.zeros(len(tickets), dtype=bool)
    for name in ("response_due_at", "resolution_due_at"):
        former = pd.to_datetime(tickets[name], utc=True).astype("datetime64[us, UTC]")
        changed |= ~((former == clocks[name]) | (former.isna() & clocks[name].isna())).to_numpy()
    for name in ("response_seconds", "resolution_seconds"):
        took, takes = (frame[name].astype("Int64").fillna(-1) for frame in (tickets, clocks))
        changed |= (took != takes).to_numpy(dtype=bool)
    return changed


def _mark_days(session: Session, tickets: pd.DataFrame, clocks: pd.DataFrame) -> None:
    """Mark where the clocks count: on the days they are due, and on those they were stopped."""
    stopped = (tickets[name] for name in ("replied_on", "resolved_on"))
    due = (
        frame[name]
        for name in ("response_due_on", "resolution_due_on")
        for frame in (tickets, clocks)
    )
    for days in (*stopped, *due):
        known = days.notna().to_numpy()
        day = pd.to_datetime(days[known]).to_numpy("datetime64[D]")
        touched = cells(tickets["partner_id"][known], day)
        write_marks(session, "tickets", [touched], whole_month=True)


def _set_clocks(
    session: Session, ticket_ids: pd.Series, clocks: pd.DataFrame, import_id: int
) -> None:
    values: list[dict[str, Any]] = (
        clocks.astype(object).where(clocks.notna(), None).to_dict("records")  # type: ignore[assignment]
    )
    for value, ticket_id in zip(values, ticket_ids, strict=True):
        value["number"] = int(ticket_id)
        for name in ("response_due_on", "resolution_due_on"):
            value[name] = value[name].date() if value[name] is not None else None
    session.connection().execute(
        sa.update(Ticket.__table__)
        .where(Ticket.__table__.c.id == sa.bindparam("number"))
        .values({name: sa.bindparam(name) for name in CLOCKS} | {"import_id": import_id}),
        values,
    )


def _in_pages(session: Session, calendar_ids: Sequence[int]) -> Iterator[pd.DataFrame]:
    """The tickets of some calendars as frames of at most 20,000 rows, in the order of their ids."""
    last = 0
    while True:
        page = session.execute(
            sa.select(Ticket.__table__)
            .where(Ticket.calendar_id.in_(calendar_ids), Ticket.id > last)
            .order_by(Ticket.id)
            .limit(20_000)
        )
        frame = pd.DataFrame(page.mappings().all()).convert_dtypes(dtype_backend="numpy_nullable")
        if frame.empty:
            return
        last = int(frame["id"].max())
        for name in ("opened_at", "first_reply_at", "resolved_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        yield frame
