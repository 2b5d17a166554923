"""Effects for tests: a clock that is set by hand, a neighbour that does as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from integrations.carrying import Due, Handler, Hands
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Listed, Owed, listed, owe_all
from partner_cx.settings import Settings

START = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
SETTINGS = Settings.read({})


@dataclass
class Clock:
    """A moment that passes when it is told to."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **length: float) -> None:
        self.at += timedelta(**length)


@dataclass
class Neighbour:
    """What carries effects out in tests: it writes down what it is told, unless it fails."""

    told: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)

    def __call__(self, due: Due, _hands: Hands) -> Mapping[str, Any] | None:
        self.told.append(due.key)
        if due.key in self.fails:
            raise self.fails[due.key]
        return {"tries": due.tries}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {"note": self}


def hands(engine: sa.Engine, clock: Clock, settings: Settings = SETTINGS) -> Hands:
    return Hands(engine, settings, clock)


def note(key: str, subject: str | None = None, **more: Any) -> Owed:
    return Owed("note", key, subject=subject, **more)


def owed(engine: sa.Engine, *effects: Owed, now: datetime = START) -> None:
    transact(engine, lambda session: owe_all(session, effects, now=now))


def rows(engine: sa.Engine) -> dict[str, Effect]:
    """Every effect, by key."""
    with reading(engine) as session:
        found = {each.key: each for each in session.scalars(sa.select(Effect))}
        session.expunge_all()
        return found


def standing(engine: sa.Engine, key: str, now: datetime = START) -> Listed:
    with reading(engine) as session:
        [found] = listed(session, now=now, keys=[key])
        return found
