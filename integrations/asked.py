"""What somebody asks for at a page and that takes a while: measuring, closing, restating a period.

Before: a page, which owes it as an effect. After: the worker, which carries it out, and the page
again, which shows how far it is. Asked for twice while it is open, it is done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Handler, Hands
from partner_cx import effects
from partner_cx.database import lock, transact
from partner_cx.effects import Effect, Listed, Owed, State
from partner_cx.measures import measuring, refreshing
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import closings, restating


class Work(StrEnum):
    """What can be asked for of a period. Names are kinds of effects."""

    MEASURE = "measure_period"  # its figures, as far as is known now
    CLOSE = "close_period"
    RESTATE = "restate_period"


@dataclass(frozen=True)
class Asked:
    """The last time that a work was asked for.

    by: who asked. told: what it came to, once it is done. why: it was parked, or is tried again.
    """

    work: Work
    key: str
    state: State
    by: str
    asked_at: datetime
    done_at: datetime | None
    told: tuple[Words, ...]
    why: str | None

    @property
    def is_open(self) -> bool:
        return self.state in (State.WAITING, State.HELD_BACK, State.UNDER_WAY)


def ask(session: Session, work: Work, period: Period, *, by: str, now: datetime) -> str:
    """Owe a work, unless it is owed already; one that was parked is tried anew. Its key.

    The caller commits.
    """
    stem = f"{work}:{period}"
    lock(session, f"asked:{stem}")
    last = last_asked(session, work, period, now=now)
    if last is not None and last.is_open:
        return last.key
    if last is not None and last.state is State.PARKED:
        effects.drop(session, [last.key], by=by, because="asked for again", now=now)
    key = f"{stem}:{now.isoformat()}"
    payload = {"period": str(period), "by": by}
    effects.owe(session, Owed(work, key, payload, subject=f"period:{period}"), now=now)
    return key


def last_asked(session: Session, work: Work, period: Period, *, now: datetime) -> Asked | None:
    """How a work stands that was asked for last; None where it never was."""
    # A range rather than LIKE, which SQLite wouldn't look up in an index. After : comes ;
    begins = f"{work}:{period}"
    newest = (
        sa.select(Effect)
        .where(Effect.key > f"{begins}:", Effect.key < f"{begins};")
        .order_by(Effect.id.desc())
        .limit(1)
    )
    effect = session.scalar(newest)
    if effect is None:
        return None
    [listed] = effects.listed(session, now=now, keys=[effect.key])
    return _asked(work, effect, listed)


def _asked(work: Work, effect: Effect, listed: Listed) -> Asked:
    told = (effect.result or {}).get("told", [])
    return Asked(
        work=work,
        key=effect.key,
        state=listed.state,
        by=effect.payload["by"],
        asked_at=effect.owed_at,
        done_at=effect.done_at,
        told=tuple(Words(each["en"], each["fr"]) for each in told),
        why=listed.why,
    )


# --- Carried out ----------------------------------------------------------------------------------


def measure_period(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Bring an open period's figures to this moment."""
    period, now = Period.parse(due.payload["period"]), hands.clock()
    if closings.is_closed(hands.engine, period):
        return {"told": []}
    measure(hands, period, now=now)
    return {"told": []}


def measure(hands: Hands, period: Period, *, now: datetime) -> None:
    """Measure a period on tallies that nobody can move to another moment before it is done."""

    def work(session: Session) -> None:
        refreshing.refresh(session, now=now, settings=hands.settings)
        measuring.measure(session, period, now=now, settings=hands.settings)

    transact(hands.engine, work)


def close_period(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Close a period for whoever asked. Again pays what a budget can pay by now."""
    closed = closings.close(
        hands.engine,
        Period.parse(due.payload["period"]),
        now=hands.clock(),
        by=due.payload["by"],
        settings=hands.settings,
    )
    return {"told": [_plain(each) for each in closed.sentences]}


def restate_period(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Compare a closed period with what is known now, and propose what would put it right."""
    told = restating.restate(
        hands.engine,
        Period.parse(due.payload["period"]),
        now=hands.clock(),
        by=due.payload["by"],
        settings=hands.settings,
    )
    return {"told": [_plain(each) for each in told.sentences]}


def _plain(words: Words) -> dict[str, str]:
    return {"en": words.en, "fr": words.fr}


HANDLERS: Mapping[str, Handler] = {
    Work.MEASURE: measure_period,
    Work.CLOSE: close_period,
    Work.RESTATE: restate_period,
}
