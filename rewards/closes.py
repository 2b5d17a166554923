"""The closes there were, and the periods that can be closed: what a channel manager goes through.

Before: closings and the rules in force. After: the page of closes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.scorecards import NETWORK, ScorecardRow
from partner_cx.periods import Period, PeriodKind
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Entry, Transfer
from rewards.rulebook.standings import Standing, Status, standings
from rewards.rules.occasions import Occasion

SHOWN = 12  # periods of a kind that are over and not closed


@dataclass(frozen=True)
class Close:
    """A close there was. points: earned by its decisions; paid: what was posted for them so far.

    A share that a short budget cut stays unpaid for ever; see the close's outcomes.
    """

    period: Period
    closed_at: datetime
    closed_by: str
    met: int
    points: int
    paid: int


def closes(session: Session) -> list[Close]:
    """Every close there was, the latest period first."""
    paid = _paid(session)
    earned = {row.closing_id: row for row in session.execute(_earned())}
    found = []
    for closing in session.scalars(sa.select(Closing)):
        told = earned.get(closing.id)
        met, points = (int(told.met), int(told.points)) if told else (0, 0)
        period = Period.parse(closing.period)
        found.append(
            Close(
                period, closing.closed_at, closing.closed_by, met, points, paid.get(closing.id, 0)
            )
        )
    return sorted(found, key=lambda each: (each.period.end_day, each.period), reverse=True)


def _earned() -> sa.Select[Any, Any, Any]:
    return sa.select(
        DecisionRow.closing_id,
        sa.func.sum(sa.case((DecisionRow.points > 0, 1), else_=0)).label("met"),
        sa.func.sum(DecisionRow.points).label("points"),
    ).group_by(DecisionRow.closing_id)


def _paid(session: Session) -> Mapping[int, int]:
    """The points that were posted for the decisions of each close, by its id."""
    found = session.execute(
        sa.select(DecisionRow.closing_id, sa.func.sum(Entry.points))
        .select_from(DecisionRow)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .where(Entry.points > 0, DecisionRow.closing_id.is_not(None))
        .group_by(DecisionRow.closing_id)
    )
    return {closing_id: int(points) for closing_id, points in found if closing_id is not None}


def to_close(session: Session, today: date) -> list[Period]:
    """The periods that are over, that some rule is decided for, and that nobody closed; the oldest
    first, a year's worth of each kind."""
    closed = set(session.scalars(sa.select(Closing.period)))
    due: set[Period] = set()
    for standing in standings(session, today):
        periods = [each for each in _decided(standing, today) if str(each) not in closed]
        due.update(periods)
    measured = _first_measured(session)
    return sorted(
        (each for each in due if measured is None or each.end_day > measured),
        key=lambda each: (each.end_day, each),
    )


def _decided(standing: Standing, today: date) -> Iterator[Period]:
    """The periods over by today that a published rule was or will be decided for."""
    rule = standing.rule
    if standing.status in (Status.DRAFT, Status.AWAITING_APPROVAL) or rule.on is not Occasion.CLOSE:
        return
    period = Period.of(today, rule.period).previous()
    for _ in range(SHOWN):
        ends = standing.until is not None and period.last_day > standing.until
        if period.first_day < rule.starts:
            return
        if not ends:
            yield period
        period = period.previous()


def _first_measured(session: Session) -> date | None:
    """The first day of the earliest period that has figures; None where nothing has."""
    periods = session.scalars(
        sa.select(ScorecardRow.period).where(ScorecardRow.level == NETWORK).distinct()
    )
    return min((Period.parse(each).first_day for each in periods), default=None)


def running(today: date) -> dict[PeriodKind, Period]:
    """The period of each kind that a day lies in."""
    return {kind: Period.of(today, kind) for kind in PeriodKind}
