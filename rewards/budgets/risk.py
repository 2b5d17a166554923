"""Budget at risk: what open chances may still cost, before they are decided.

Before it stand awards that may come, each with its chance; after it the budget page and its
warnings. The whole distribution is computed, in integers, so that no tail is lost to rounding.

Where that is too much to compute, as for thousands of partners under fifty rules, `spread` takes
the normal distribution with the same mean and variance, both exact: with hundreds of independent
awards it lies within a fraction of a per cent of the true one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, comb, gcd
from statistics import NormalDist
from typing import Protocol

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


class Spread(Protocol):
    """What independent chances cost together, exact or nearly."""

    @property
    def expected(self) -> Fraction:
        """The mean cost, in points."""

    def enough_with(self, confidence: Fraction) -> int:
        """The smallest amount that suffices with this probability."""

    def chance_above(self, limit: int) -> Fraction:
        """The probability that the cost exceeds a limit."""


@dataclass(frozen=True)
class NearRisk:
    """The normal distribution with the mean and the variance of independent chances.

    most: what all of them cost together, which nothing exceeds.
    """

    expected: Fraction
    variance: Fraction
    most: int

    def enough_with(self, confidence: Fraction) -> int:
        if not 0 < confidence <= 1:
            raise Invalid(f"{confidence} isn't a confidence.", remedy="Choose 19/20, or up to 1.")
        if confidence == 1:
            return self.most
        return max(0, min(self.most, ceil(self._normal.inv_cdf(float(confidence)))))

    def chance_above(self, limit: int) -> Fraction:
        if limit >= self.most:
            return Fraction(0)
        if limit < 0:
            return Fraction(1)
        above = 1 - self._normal.cdf(limit + 0.5)  # amounts are whole points
        return Fraction(round(above * 10**6), 10**6)

    @cached_property
    def _normal(self) -> NormalDist:
        return NormalDist(float(self.expected), max(float(self.variance) ** 0.5, 1e-9))


WORK_MAX = 20_000_000  # bits of all the numbers of an exact distribution: a fraction of a second


def spread(chances: Iterable[Chance]) -> Spread:
    """What independent chances cost together: exactly, or nearly where that is too much work."""
    counted = Counter(each for each in chances if each.points and each.probability)
    if _work(counted) <= WORK_MAX:
        return add_up(counted.elements())
    mean, variance, most = Fraction(0), Fraction(0), 0
    for chance, times in counted.items():
        mean += times * chance.points * chance.probability
        variance += times * chance.points**2 * chance.probability * (1 - chance.probability)
        most += times * chance.points
    return NearRisk(mean, variance, most)


def _work(counted: Mapping[Chance, int]) -> int:
    """How many bits the exact distribution has, and how often each is touched, at most."""
    unit = gcd(*(chance.points for chance in counted)) or 1
    amounts, bits, work = 1, 1, 0
    for chance, times in counted.items():
        ways = times + 1
        bits += times * chance.probability.denominator.bit_length()
        work += amounts * ways * bits // 64
        amounts = min(amounts * ways, amounts + times * chance.points // unit)
    return work


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
