"""Budget at risk: what open chances may still cost, exactly, before they are decided.

Before it stand awards that may come, each with its chance; after it the budget page and its
warnings. The whole distribution is computed, in integers, so that no tail is lost to rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from partner_cx.errors import Invalid


@dataclass(frozen=True)
class Chance:
    """An award that may come: how likely, and how many points."""

    probability: Fraction
    points: int

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise Invalid(f"{self.probability} isn't a chance.", remedy="Choose from 0 to 1.")
        if self.points < 0:
            raise Invalid(f"{self.points} points can't be won.", remedy="Awards aren't negative.")


@dataclass(frozen=True)
class Risk:
    """What independent chances cost together: every possible amount, with its probability."""

    amounts: Mapping[int, Fraction]

    @property
    def expected(self) -> Fraction:
        """The mean cost, in points."""
        return sum((points * p for points, p in self.amounts.items()), Fraction(0))

    def enough_with(self, confidence: Fraction) -> int:
        """The smallest amount that suffices with this probability: with 19/20 it is the P95."""
        if not 0 < confidence <= 1:
            raise Invalid(f"{confidence} isn't a confidence.", remedy="Choose 19/20, or up to 1.")
        so_far = Fraction(0)
        for points in sorted(self.amounts):
            so_far += self.amounts[points]
            if so_far >= confidence:
                return points
        raise AssertionError("probabilities add up to one")

    def chance_above(self, limit: int) -> Fraction:
        """The probability that the cost exceeds a limit."""
        return sum((p for points, p in self.amounts.items() if points > limit), Fraction(0))


def add_up(chances: Iterable[Chance]) -> Risk:
    """Add up independent chances. None at all cost nothing for certain.

    Equal chances are taken together, as their number of wins is binomial: a network of thousands
    under a few rules is a handful of kinds.
    """
    weights, total = {0: 1}, 1
    for chance, times in Counter(chances).items():
        if chance.points and chance.probability:
            weights = _convolved(weights, _wins(chance, times))
            total *= chance.probability.denominator**times
    return Risk({points: Fraction(weight, total) for points, weight in weights.items()})


def _wins(chance: Chance, times: int) -> dict[int, int]:
    """How many of `denominator ** times` equally likely cases cost how many points."""
    hit = chance.probability.numerator
    miss = chance.probability.denominator - hit
    counts = range(times + 1) if miss else (times,)
    return {
        wins * chance.points: comb(times, wins) * hit**wins * miss ** (times - wins)
        for wins in counts
    }


def _convolved(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    together: dict[int, int] = {}
    for points, weight in one.items():
        for more, ways in other.items():
            together[points + more] = together.get(points + more, 0) + weight * ways
    return together
