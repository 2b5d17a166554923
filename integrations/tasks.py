"""Tasks of the house itself, run by the clock: tallies, held awards, alerts, a quarter's close.

Before: the schedule, which owes them as effects. After: measures and rewards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from integrations.asked import measure
from integrations.carrying import Due, Handler, Hands
from partner_cx.database import transact
from partner_cx.measures import refreshing
from partner_cx.periods import Period, PeriodKind
from rewards import budgets, closings, holds

BY_SCHEDULE = "schedule"  # who closes, where nobody does


def refresh_tallies(_due: Due, hands: Hands) -> Mapping[str, Any]:
    """Bring the figures of the pages to this moment."""
    now = hands.clock()
    done = refreshing.refresh(hands.engine, now=now, settings=hands.settings)
    periods = running_periods(now.astimezone(hands.settings.zone).date())
    measured = [each for each in periods if not closings.is_closed(hands.engine, each)]
    for period in measured:
        measure(hands, period, now=now)
    return {"cells": sum(done.cells.values()), "measured": [str(each) for each in measured]}


def running_periods(day: date) -> list[Period]:
    """The month, the quarter and the year of a day, and those before: they may not be closed."""
    running = [Period.of(day, kind) for kind in PeriodKind]
    return [*(each.previous() for each in running), *running]


def release_holds(_due: Due, hands: Hands) -> Mapping[str, Any]:
    """Release awards whose hold has ended by today."""
    now = hands.clock()
    today = now.astimezone(hands.settings.zone).date()
    released = transact(hands.engine, lambda session: holds.release_due(session, on=today, now=now))
    return {"awards": released.awards, "points": released.points}


def raise_alerts(_due: Due, hands: Hands) -> Mapping[str, Any]:
    """Tell which budgets have come to a level of use that wasn't told yet."""

    def work(session: Any) -> int:
        codes = [told.code for told in budgets.reports(session)]
        return len(budgets.raise_alerts(session, codes, hands.clock()))

    return {"alerts": transact(hands.engine, work)}


def close_quarter(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Close the quarter that was over at the moment the effect is for. Again changes nothing."""
    moment = datetime.fromisoformat(due.payload["moment"])
    period = quarter_over_at(moment, hands)
    closed = closings.close(
        hands.engine, period, now=hands.clock(), by=BY_SCHEDULE, settings=hands.settings
    )
    return {
        "period": str(period),
        "points_awarded": closed.points_awarded,
        "points_unfunded": closed.points_unfunded,
    }


def quarter_over_at(moment: datetime, hands: Hands) -> Period:
    """The last quarter that had ended by a moment."""
    day = moment.astimezone(hands.settings.zone).date()
    return Period.of(Period.of(day, PeriodKind.QUARTER).first_day - timedelta(days=1), "quarter")


HANDLERS: Mapping[str, Handler] = {
    "tallies": refresh_tallies,
    "holds": release_holds,
    "alerts": raise_alerts,
    "close": close_quarter,
}
