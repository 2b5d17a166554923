"""Carrying out: what a handler of effects is given, and the kinds there are handlers for.

A handler does one thing outside, under the effect's key: if it ran before and nobody noted it, it
finds out and does nothing again. It returns what is worth keeping, or raises: `Unreachable` is
tried again later, `Refused` (and any other refusal) is parked with its words, `Later` waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from partner_cx.settings import Settings


@dataclass(frozen=True)
class Due:
    """An effect that is to be carried out now.

    tries: how often a worker took it up, with this time.
    """

    id: int
    kind: str
    key: str
    subject: str | None
    payload: Mapping[str, Any]
    owed_at: datetime
    tries: int


@dataclass(frozen=True)
class Hands:
    """What handlers work with. They open their own transactions.

    clock: the present moment; a handler may take a while.
    stopping: whether the worker is to end. A handler that lasts for minutes asks now and then, and
        leaves by `Later` once it has put down how far it came.
    """

    engine: sa.Engine
    settings: Settings
    clock: Callable[[], datetime]
    stopping: Callable[[], bool] = lambda: False


@dataclass(eq=False)  # not frozen: whatever it passes through may add to its traceback
class Later(Exception):
    """Not a failure: the effect is owed at another moment, and its tries don't count."""

    at: datetime


Handler = Callable[[Due, Hands], Mapping[str, Any] | None]
