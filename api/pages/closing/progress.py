"""How far what somebody asked for is: measuring, closing, restating a period."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.catalogues import text
from api.render import translator
from integrations.asked import Asked, Work, last_asked
from partner_cx.effects import State
from partner_cx.periods import Period

STATES = {
    State.WAITING: text("waiting for a worker"),
    State.HELD_BACK: text("waiting for what was asked for before it"),
    State.UNDER_WAY: text("under way"),
    State.PARKED: text("couldn’t be done"),
    State.DONE: text("finished"),
    State.DROPPED: text("given up"),
}
NAMES = {
    Work.MEASURE: text("Measuring"),
    Work.CLOSE: text("Closing"),
    Work.RESTATE: text("Comparing with what is known now"),
}


def told(
    session: Session, period: Period, *, now: datetime, language: str
) -> dict[str, dict[str, Any] | None]:
    """What was last asked for of each work, by its code; None of what never was."""
    found = {work: last_asked(session, work, period, now=now) for work in Work}
    return {work.value: _told(each, language) if each else None for work, each in found.items()}


def _told(asked: Asked, language: str) -> dict[str, Any]:
    say = translator(language)
    return {
        "name": say(NAMES[asked.work]),
        "state": say(STATES[asked.state]),
        "is_open": asked.is_open,
        "failed": asked.state is State.PARKED,
        "by": asked.by,
        "asked_at": asked.asked_at,
        "done_at": asked.done_at,
        "told": [each.in_(language) for each in asked.told],
        "why": asked.why or "",
    }
