"""The log of events: what was told, and what came of it, for whoever looks after the programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.ledger import Transfer


@dataclass(frozen=True)
class Logged:
    """An event that was told.

    points: what it earned. waiting: of these, what no budget could pay yet.
    """

    key: str
    kind: EventKind
    partner_code: str
    person: str | None
    subject: str | None
    happened_at: datetime
    on: date
    recorded_at: datetime
    points: int
    waiting: int


def log(
    session: Session, *, partner_code: str | None = None, kind: EventKind | None = None, last: int
) -> list[Logged]:
    """The last events told, the newest first.

    partner_code, kind: of these alone. last: at most so many.
    """
    wanted = sa.select(EventRow, Partner.code).join(Partner, Partner.id == EventRow.partner_id)
    if partner_code is not None:
        wanted = wanted.where(Partner.code == partner_code)
    if kind is not None:
        wanted = wanted.where(EventRow.kind == kind)
    found = session.execute(wanted.order_by(EventRow.id.desc()).limit(last)).all()
    earned = _earned(session, [event.id for event, _ in found])
    return [
        Logged(
            key=event.key,
            kind=EventKind(event.kind),
            partner_code=code,
            person=event.person_email,
            subject=event.subject,
            happened_at=event.happened_at,
            on=event.on,
            recorded_at=event.recorded_at,
            points=earned.get(event.id, (0, 0))[0],
            waiting=earned.get(event.id, (0, 0))[1],
        )
        for event, code in found
    ]


_AT_ONCE = 500


def _earned(session: Session, event_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """What each event earned, and what of it isn't paid."""
    earned: dict[int, tuple[int, int]] = {}
    unpaid = sa.func.sum(DecisionRow.points).filter(Transfer.id.is_(None))
    for start in range(0, len(event_ids), _AT_ONCE):
        rows = session.execute(
            sa.select(DecisionRow.event_id, sa.func.sum(DecisionRow.points), unpaid)
            .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
            .where(DecisionRow.event_id.in_(event_ids[start : start + _AT_ONCE]))
            .group_by(DecisionRow.event_id)
        )
        earned |= {
            number: (int(points), int(waits or 0)) for number, points, waits in rows if number
        }
    return earned
