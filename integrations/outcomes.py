"""Outcomes: what is noted of an effect after a try: done, owed again at another moment, or parked.

Before: what a handler returned or raised. After: `leasing`, which writes it down.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from integrations.carrying import Due, Later
from integrations.patience import (
    WITH_DEATHS,
    WITH_OLD_VERSIONS,
    WITH_OURSELVES,
    Patience,
)
from partner_cx.errors import PartnerCXError, Unreachable

SOONEST = timedelta(seconds=1)  # after which something that waits is looked at again


@dataclass(frozen=True)
class Done:
    """Carried out. result: what is worth keeping."""

    result: Mapping[str, Any] | None


@dataclass(frozen=True)
class Again:
    """Owed again.

    error: what went wrong; None: nothing, it only waits, and the try isn't counted.
    """

    at: datetime
    error: str | None


@dataclass(frozen=True)
class Parked:
    """Waits for a person. because: what that person reads."""

    because: str


Outcome: TypeAlias = Done | Again | Parked


def outcome_of(
    error: Exception, due: Due, now: datetime, *, patience: Patience, draw: Callable[[], float]
) -> Outcome:
    """What follows from what a handler raised.

    What may pass (a neighbour that doesn't answer, a database that is away) is tried again as long
    as `patience` lasts; a refusal is parked with its words; anything else is our own mistake.
    """
    match error:
        case Later(at=at):
            return Again(max(at, now + SOONEST), None)
        case Unreachable():
            return _again_or_parked(str(error), due, now, patience, draw)
        case PartnerCXError():
            return Parked(str(error))
        case OSError():
            told = f"{type(error).__name__}: {error.strerror or 'the network failed'}."
            return _again_or_parked(told, due, now, patience, draw)
        case NoConnection():
            return _again_or_parked("Our database was busy.", due, now, patience, draw)
        case DBAPIError() | psycopg.Error() if is_passing(error):  # the latter from a COPY
            return _again_or_parked("Our database was away.", due, now, patience, draw)
    return _again_or_parked(_owned_up(error), due, now, WITH_OURSELVES, draw)


ENDED = "the last worker that held it ended before it was done."


def broken_off(
    due: Due, last_error: str | None, now: datetime, *, draw: Callable[[], float]
) -> Outcome:
    """What follows when workers end, killed perhaps, whenever they carry this effect out."""
    told = f"Taken up {due.tries} times, and {ENDED}"
    if last_error is None or ENDED not in last_error:
        # It may only have waited its turn in their hands, or failed without harm for days.
        return Again(now + WITH_DEATHS.first, told)
    return _again_or_parked(told, due, now, WITH_DEATHS, draw)


def unknown_kind(due: Due, now: datetime, *, draw: Callable[[], float]) -> Outcome:
    """What follows when nothing here knows how."""
    told = f"Nothing here carries out effects of the kind {due.kind}: is this version too old?"
    return _again_or_parked(told, due, now, WITH_OLD_VERSIONS, draw)


def _again_or_parked(
    told: str, due: Due, now: datetime, patience: Patience, draw: Callable[[], float]
) -> Outcome:
    wait = patience.drawn(due.tries, draw)
    if wait is None:
        return Parked(f"{told} Given up after {due.tries} tries.")
    return Again(now + wait, told)


def is_passing(error: DBAPIError | psycopg.Error) -> bool:
    """Whether it was the connection, a lost race or a want of room, and not what we said."""
    reason = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(reason, "sqlstate", None) or ""
    return (
        (isinstance(error, DBAPIError) and error.connection_invalidated)
        or (isinstance(reason, psycopg.OperationalError) and not state)  # nobody answers there
        or state[:2] in ("08", "40", "53", "57")
        or any(word in str(reason) for word in ("locked", "disk is full"))  # SQLite's words
    )


def _owned_up(error: Exception) -> str:
    # The error's own words may hold an address with its key, or a person's letter.
    return f"This is our mistake, not yours ({type(error).__name__}{where(error)})."


def where(error: BaseException) -> str:
    """The last line of ours that an error passed through, such as ` in cards.py:43`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if "site-packages" not in each.filename]
    return f" in {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


def way_of(error: BaseException) -> list[str]:
    """The lines that an error passed through, without anything it says: fit for logs."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in frames]
