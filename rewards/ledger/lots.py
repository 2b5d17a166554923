"""Points lie in lots, each with the day it expires; what is spent leaves the oldest first.

Before it stands a wallet's lots as the ledger knows them, after it the moves of a redemption.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from partner_cx.errors import Conflict, Invalid


@dataclass(frozen=True)
class Lot:
    """Points earned together, that expire together.

    id: what the ledger calls the lot; where all else is equal the smaller one is spent first.
    expires_on: the last day on which the points can be spent; None: never.
    """

    id: int
    points: int
    earned_on: date
    expires_on: date | None = None


@dataclass(frozen=True)
class Taking:
    """What was taken out of which lot, in that order, and what is left in all of them."""

    taken: tuple[tuple[Lot, int], ...]
    left: int


def take(lots: Iterable[Lot], points: int) -> Taking:
    """Take points out of lots: first what expires first, last what never does, old before new.

    lots: those that can still be spent on the day. Raises Conflict, taking nothing, when they
    hold less than is asked for.
    """
    if type(points) is not int or points < 1:  # True is an int, too
        raise Invalid(f"{points} points can't be taken.", remedy="Ask for at least one point.")
    in_order = sorted(lots, key=_urgency)
    there = sum(lot.points for lot in in_order)
    if points > there:
        raise Conflict(
            f"{points:,} points are asked for and {there:,} are there.",
            remedy="Nothing was taken: ask for less, or wait until more is earned.",
        )
    taken, missing = [], points
    for lot in in_order:
        from_lot = min(lot.points, missing)
        missing -= from_lot
        if from_lot:
            taken.append((lot, from_lot))
    return Taking(tuple(taken), there - points)


def _urgency(lot: Lot) -> tuple[date, date, int]:
    return lot.expires_on or date.max, lot.earned_on, lot.id
