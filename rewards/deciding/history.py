"""History: what a rule has come to for each partner before, as its limits count it.

Counted is what was decided, not what was paid: a decision never changes, so that the limit of a
later one can be told again for ever, whatever was corrected or left unpaid since.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.periods import Period
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.rulebook import RuleVersion
from rewards.rules.limits import Won


def history(
    session: Session,
    rule_code: str,
    *,
    before: Closing | EventRow | None,
    only: Collection[int] | None = None,
    person: str | None = None,
) -> dict[int, list[Won]]:
    """What partners had won by a rule, in any of its versions, by their ids.

    before: the close or the event about which something is decided: what was known then, by the
        order in which closes and events were recorded. None: all there is.
    only: these partners alone; None: all of them.
    person: what this person did alone, by its e-mail address; None: whoever did it.
    """
    won: dict[int, list[Won]] = {}
    for partner_id, points, period, on in session.execute(_found(rule_code, before, only, person)):
        day = Period.parse(period).last_day if on is None else on
        won.setdefault(partner_id, []).append(Won(day, points))
    return won


def _found(
    rule_code: str,
    before: Closing | EventRow | None,
    only: Collection[int] | None,
    person: str | None,
) -> sa.Select[*tuple[Any, ...]]:
    found = (
        sa.select(DecisionRow.partner_id, DecisionRow.points, Closing.period, EventRow.on)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
        .where(RuleVersion.code == rule_code, DecisionRow.points > 0)
        .order_by(DecisionRow.id)
    )
    if only is not None:
        found = found.where(DecisionRow.partner_id.in_(sorted(only)))
    if person is not None:
        found = found.where(EventRow.person_email == person)
    if isinstance(before, Closing):
        known = before.last_event_id or 0
        return found.where(sa.or_(Closing.id < before.id, EventRow.id <= known))
    if isinstance(before, EventRow):
        known = before.last_closing_id or 0
        return found.where(sa.or_(Closing.id <= known, EventRow.id < before.id))
    return found
