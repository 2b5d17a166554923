"""Shares: who is paid what when a budget can't pay everyone. Pure.

Whoever shares a budget out has three ways, which a rule chooses by its `when_short`:

- refuse_whole: nobody is paid until everyone can be;
- first_come: whole awards, one after the other, while they fit. At a close all come at once, so
  that lots are drawn: the order is that of the SHA-256 of each award's key, which nobody chose and
  anybody can check. Whoever doesn't fit waits for the budget to be funded;
- pro_rata: everyone gets the same share of the award, rounded down; the points that are left over
  go one by one to those whom rounding cost most. That is final.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from rewards.rules import Shortage


class Due(NamedTuple):
    """An award that is earned and not paid yet. key: see `awards.award_key`."""

    key: str
    points: int

    @property
    def lot(self) -> str:
        """What decides who comes first."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def shared_out(earned: Sequence[Due], left: int, policy: Shortage) -> list[int]:
    """What each is paid of a budget that holds so many points; 0 for whoever gets nothing."""
    points = [due.points for due in earned]
    if sum(points) <= left:
        return points
    if policy is Shortage.FIRST_COME:
        return _by_lot(earned, left)
    if policy is Shortage.PRO_RATA:
        return _in_proportion(earned, left)
    return [0] * len(points)


def _by_lot(earned: Sequence[Due], left: int) -> list[int]:
    paid = [0] * len(earned)
    for place in sorted(range(len(earned)), key=lambda place: earned[place].lot):
        if earned[place].points <= left:
            paid[place] = earned[place].points
            left -= paid[place]
    return paid


def _in_proportion(earned: Sequence[Due], left: int) -> list[int]:
    total = sum(due.points for due in earned)
    paid = [due.points * left // total for due in earned]
    # Of two whom rounding cost the same, lots decide who gets the point.
    lost_most = sorted(
        range(len(earned)),
        key=lambda place: (-(earned[place].points * left % total), earned[place].lot),
    )
    for place in lost_most[: left - sum(paid)]:
        paid[place] += 1
    return paid
