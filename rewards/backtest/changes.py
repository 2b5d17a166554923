"""Changes: who would win more and who less, by one rule rather than by another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rewards.backtest.lines import Line


class Direction(StrEnum):
    """Which way a partner's points would go."""

    GAINS = "gains"
    LOSES = "loses"
    SAME = "same"


@dataclass(frozen=True)
class Change:
    """What a partner would have won by each of two rules, over all periods, before any budget."""

    partner_code: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before

    @property
    def direction(self) -> Direction:
        if self.difference == 0:
            return Direction.SAME
        return Direction.GAINS if self.difference > 0 else Direction.LOSES


def compared(before: Iterable[Line], after: Iterable[Line]) -> tuple[Change, ...]:
    """Compare two rules by everyone that either is for: who loses most comes first."""
    points_before, points_after = _by_partner(before), _by_partner(after)
    changes = [
        Change(code, points_before[code], points_after[code])
        for code in points_before.keys() | points_after.keys()
    ]
    return tuple(sorted(changes, key=lambda each: (each.difference, each.partner_code)))


def _by_partner(lines: Iterable[Line]) -> Counter[str]:
    points: Counter[str] = Counter()
    for line in lines:
        points[line.candidate.code] += line.points
    return points
