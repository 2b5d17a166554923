"""Drawing: facts that are events become events, once each, and are rewarded.

Before it stand the imports; after it `happenings`, which records each event and decides the rules
on it. Every portion of facts is a transaction of its own, so that a draw that was cut off goes on
where it was, and two at once do it once. Only facts that came in or were corrected since the last
draw are looked at; those of a moment still to come wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.database import insert_for, lock, reading, transact
from partner_cx.network import groups
from partner_cx.operations.event_kinds import EventKind
from partner_cx.operations.revisions import Revision
from partner_cx.settings import Settings
from rewards.events import EventDraw, EventRow, WaitingFact
from rewards.events.awards import pay_waiting
from rewards.events.happenings import (
    PARTNERS,
    Happening,
    columns_of,
    hold_events,
    tell,
)
from rewards.events.sources import EVENT_SOURCES, EventSource
from rewards.rulebook import RuleVersion, in_force_on

PORTION = 20_000  # facts looked at in one transaction
DECIDED_AT_ONCE = 200  # events decided in one transaction
AT_ONCE = 500  # values in one statement


@dataclass(frozen=True)
class Drawn:
    """What a draw came to. events: new ones. points: what they earned, paid or not.

    points_late: paid for events of earlier draws, which no budget could pay then.
    """

    events: int = 0
    points: int = 0
    points_late: int = 0

    def __add__(self, other: Drawn) -> Drawn:
        return Drawn(
            self.events + other.events,
            self.points + other.points,
            self.points_late + other.points_late,
        )


def draw_events(engine: sa.Engine, *, now: datetime, settings: Settings) -> Drawn:
    """Make events of the facts that are some, decide the rules on them and pay what they earn.

    Again does nothing but what is new. Awards that waited for a budget are paid last.
    """
    drawn = Drawn()
    for source in EVENT_SOURCES:
        while _is_news(engine, source, now, settings):
            drawn += transact(engine, partial(_draw, source=source, now=now, settings=settings))
    with reading(engine) as session:
        waiting = session.scalar(sa.select(EventRow.id).limit(1)) is not None
    if waiting:
        late = transact(engine, lambda session: pay_waiting(session, now=now))
        drawn += Drawn(points_late=late)
    return drawn


def _is_news(engine: sa.Engine, source: EventSource, now: datetime, settings: Settings) -> bool:
    """Whether anything came in, was corrected or came due since the last draw."""
    with reading(engine) as session:
        state = _state(session, source)
        for news in (
            sa.select(source.fact_id).where(source.fact_id > state.last_fact_id),
            _revised(source, state),
            _due(source, now, settings),
        ):
            if session.execute(news.limit(1)).first() is not None:
                return True
    return False


def _draw(session: Session, *, source: EventSource, now: datetime, settings: Settings) -> Drawn:
    """Draw one portion: of new facts, else of corrected ones, else of those that waited."""
    lock(session, f"draw:{source.kind}")
    state = _state(session, source)
    portion = DECIDED_AT_ONCE if _is_decided(session, source) else PORTION
    due = source.is_due(now, settings)
    if new := _new(session, source, state, portion):
        state.last_fact_id = new[1]
        found = _found(session, source, due, source.fact_id.between(*new))
        _let_wait(session, source, due, source.fact_id.between(*new))
    elif revised := session.execute(_revised(source, state).limit(portion)).all():
        state.last_revision_id = revised[-1].id
        # What was an event already isn't another one for being corrected.
        ids = {row.fact_id for row in revised if not source.was_one(row.contents)}
        found = _found(session, source, due, source.fact_id.in_(ids))
        _let_wait(session, source, due, source.fact_id.in_(ids))
    else:
        ids = set(session.scalars(_due(source, now, settings).limit(portion)))
        found = _found(session, source, due, source.fact_id.in_(ids))
        waited = sa.and_(WaitingFact.kind == source.kind, WaitingFact.fact_id.in_(ids))
        session.execute(sa.delete(WaitingFact).where(waited))
    session.merge(state)
    return _record(session, [source.read(row, settings) for row in found], now, settings)


def _state(session: Session, source: EventSource) -> EventDraw:
    found = session.get(EventDraw, source.kind)
    return found or EventDraw(kind=source.kind, last_fact_id=0, last_revision_id=0)


def _is_decided(session: Session, source: EventSource) -> bool:
    """Whether any rule was ever published on events of this source."""
    versions = session.scalars(sa.select(RuleVersion))
    return any(version.rule.on.event in source.events for version in versions)


def _new(
    session: Session, source: EventSource, state: EventDraw, portion: int
) -> tuple[int, int] | None:
    """The first and last id of the next new facts; None where there are none.

    Imports of a kind wait for each other, so none with a lower id comes in later.
    """
    ids = sa.select(source.fact_id.label("id")).where(source.fact_id > state.last_fact_id)
    some = ids.order_by(source.fact_id).limit(portion).subquery()
    last = session.scalar(sa.select(sa.func.max(some.c.id)))
    return None if last is None else (state.last_fact_id + 1, last)


def _revised(source: EventSource, state: EventDraw) -> sa.Select[int, int, dict[str, object]]:
    return (
        sa.select(Revision.id, Revision.fact_id, Revision.contents)
        .where(Revision.kind == source.kind, Revision.id > state.last_revision_id)
        .order_by(Revision.id)
    )


def _due(source: EventSource, now: datetime, settings: Settings) -> sa.Select[Any]:
    """The facts that waited for a moment that has come."""
    waits = sa.and_(WaitingFact.kind == source.kind, WaitingFact.fact_id == source.fact_id)
    found: sa.Select[Any] = sa.select(WaitingFact.fact_id)
    return (
        found.join(source.fact, waits)
        .where(source.is_due(now, settings))
        .order_by(WaitingFact.fact_id)
    )


def _found(
    session: Session, source: EventSource, *conditions: sa.ColumnElement[bool]
) -> Sequence[Any]:
    return session.execute(source.found.where(*conditions)).all()


def _let_wait(
    session: Session,
    source: EventSource,
    due: sa.ColumnElement[bool],
    among: sa.ColumnElement[bool],
) -> None:
    """Note the facts of a moment that is still to come."""
    ids = session.scalars(sa.select(source.fact_id).where(~due, among)).all()
    if ids:
        rows = [{"kind": source.kind, "fact_id": number} for number in ids]
        session.execute(insert_for(session, WaitingFact).on_conflict_do_nothing(), rows)


# --- From facts to events -----------------------------------------------------------------------


def _record(
    session: Session, happenings: Iterable[Happening], now: datetime, settings: Settings
) -> Drawn:
    """Record what isn't there yet: together where no rule decides, else one by one."""
    hold_events(session)
    new = _not_there(session, happenings)
    deciding: dict[tuple[EventKind, date], bool] = {}
    decided: list[Happening] = []
    others: list[Happening] = []
    for each in sorted(new, key=lambda each: (each.happened_at, each.key)):
        occasion = (each.kind, each.happened_at.astimezone(settings.zone).date())
        if occasion not in deciding:
            deciding[occasion] = bool(in_force_on(session, occasion[1], occasion[0]))
        (decided if deciding[occasion] else others).append(each)
    written = _record_together(session, others, now, settings)
    told = [tell(session, each, now=now, settings=settings) for each in decided]
    points = sum(recorded.points for recorded in told if recorded.new)
    return Drawn(written + sum(recorded.new for recorded in told), points)


def _not_there(session: Session, happenings: Iterable[Happening]) -> list[Happening]:
    """Those whose key is new, the first of each. What is there stays, however it is told now."""
    by_key: dict[str, Happening] = {}
    for each in happenings:
        by_key.setdefault(each.key, each)
    keys = list(by_key)
    for start in range(0, len(keys), AT_ONCE):
        there = sa.select(EventRow.key).where(EventRow.key.in_(keys[start : start + AT_ONCE]))
        for key in session.scalars(there).all():
            del by_key[key]
    return list(by_key.values())


def _record_together(
    session: Session, happenings: Sequence[Happening], now: datetime, settings: Settings
) -> int:
    """Record events on which no rule is decided; returns how many."""
    if not happenings:
        return 0
    partners = {row.code: row for row in session.execute(PARTNERS)}
    memberships = groups.memberships(session).groupby("partner_id")["group_code"]
    belongs_to = {number: json.dumps(sorted(codes)) for number, codes in memberships}
    rows = []
    for each in happenings:
        partner = partners[each.partner_code]
        known = {"groups": belongs_to.get(partner.id, "[]"), "recorded_at": now}
        rows.append(columns_of(each, partner, settings) | known)
    table = EventRow.__table__
    return bulk.write_new(session, table, pa.Table.from_pylist(rows, _SCHEMA), key=("key",))


_INSTANT = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "digest": pa.string(),
        "kind": pa.string(),
        "partner_id": pa.int64(),
        "person_email": pa.string(),
        "subject": pa.string(),
        "happened_at": _INSTANT,
        "on": pa.date32(),
        "groups": pa.string(),
        "joined_on": pa.date32(),
        "last_closing_id": pa.int64(),
        "recorded_at": _INSTANT,
    }
)
