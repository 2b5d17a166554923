"""Pruning: what the schedule had done long ago is let go, so that effects don't grow for ever.

Only what came by the clock goes: its key names a moment that never comes again, and its work was
done anew since. What was owed to a neighbour stays: its key keeps it from being told twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.schedule import TASKS, CatchUp, newest_key, planned_as
from partner_cx.effects import Effect
from partner_cx.errors import Invalid

KEPT_AT_LEAST = timedelta(days=7)  # the schedule looks back a day at most
TABLE = Effect.__table__


def prune(session: Session, *, before: datetime, now: datetime) -> int:
    """Delete what the schedule owed and was settled before a moment. The caller commits.

    Each task's newest stays, and whatever is for a moment of its own, such as a close.
    Returns how many. Raises Invalid for a moment less than a week ago.
    """
    if before > now - KEPT_AT_LEAST:
        raise Invalid(
            "The last week's effects are kept.",
            remedy=f"Name a day until {now - KEPT_AT_LEAST:%Y-%m-%d}.",
        )
    return sum(
        _prune(session, newest, sa.and_(planned_as(task), TABLE.c.done_at < before))
        for task in TASKS.values()
        if task.catch_up is CatchUp.LAST and (newest := newest_key(session, task))
    )


def _prune(session: Session, newest: str, chosen: sa.ColumnElement[bool]) -> int:
    gone = sa.delete(TABLE).where(chosen, TABLE.c.key != newest)
    return session.connection().execute(gone).rowcount
