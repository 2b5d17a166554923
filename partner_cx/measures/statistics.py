"""How sure one may be: intervals, the difference between two waves, and correlations.

Floats are at home here, and only here: no threshold is compared with them unless a rule asks for
a lower bound. All intervals are at 95 %. Sources: Wilson 1927; Agresti and Coull's adjusted Wald as
Sauro applies it to NPS; Fisher's z for correlations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054
Floats = NDArray[np.float64]


def wilson(hits: ArrayLike, of: ArrayLike) -> tuple[Floats, Floats]:
    """The interval of shares, as fractions of one; NaN where nothing was counted."""
    hits, of = _floats(hits), _floats(of)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, doubt = hits / of, Z_95**2 / of
        middle = (share + doubt / 2) / (1 + doubt)
        reach = Z_95 * np.sqrt(share * (1 - share) / of + doubt / (4 * of)) / (1 + doubt)
    # None and all bound exactly; the formula only nearly says so.
    low, high = np.where(hits == 0, 0 * middle, middle - reach), middle + reach
    return low, np.where(hits == of, 1 + 0 * middle, high)


def nps_interval(
    promoters: ArrayLike, detractors: ArrayLike, answers: ArrayLike
) -> tuple[Floats, Floats]:
    """The interval of an NPS, −100 to 100: adjusted Wald, ¾ more of either kind, 3 more answers.

    NaN where nobody answered.
    """
    answers = _floats(answers)
    n = np.where(answers > 0, answers + 3, np.nan)
    more, fewer = (_floats(promoters) + 0.75) / n, (_floats(detractors) + 0.75) / n
    score = more - fewer
    reach = Z_95 * np.sqrt((more + fewer - score**2) / n)
    return np.clip(100 * (score - reach), -100, 100), np.clip(100 * (score + reach), -100, 100)


@dataclass(frozen=True)
class Votes:
    """One wave of an NPS question."""

    promoters: int
    passives: int
    detractors: int

    @property
    def answers(self) -> int:
        return self.promoters + self.passives + self.detractors


@dataclass(frozen=True)
class Change:
    """From one wave to the next.

    difference: in NPS points. z, p: two-sided; None where a wave has no answers, or where all
        answers of both waves fell into one box, so that there is no spread to compare with.
    """

    difference: float | None
    z: float | None
    p: float | None

    @property
    def is_significant(self) -> bool:
        return self.p is not None and self.p < 0.05


def between_waves(before: Votes, after: Votes) -> Change:
    """Say whether an NPS really moved, or whether chance would do as much."""
    if not before.answers or not after.answers:
        return Change(None, None, None)
    difference = _score(after) - _score(before)
    doubt = math.sqrt(_variance(before) / before.answers + _variance(after) / after.answers)
    if doubt == 0:
        return Change(100 * difference, None, None)
    z = difference / doubt
    return Change(100 * difference, z, math.erfc(abs(z) / math.sqrt(2)))


@dataclass(frozen=True)
class Correlation:
    """How far two series go together; never called a cause.

    coefficient: −1 to 1, None with fewer than two pairs or where a series never moves.
    low, high: the interval; None with fewer than four pairs, and for ranks.
    """

    coefficient: float | None
    n: int
    low: float | None = None
    high: float | None = None


def pearson(left: Sequence[float], right: Sequence[float]) -> Correlation:
    """How far two series lie on one line, with Fisher's interval."""
    coefficient = _coefficient(np.asarray(left, float), np.asarray(right, float))
    if coefficient is None or len(left) < 4:
        return Correlation(coefficient, len(left))
    if abs(coefficient) == 1:
        return Correlation(coefficient, len(left), coefficient, coefficient)
    centre, reach = math.atanh(coefficient), Z_95 / math.sqrt(len(left) - 3)
    return Correlation(coefficient, len(left), math.tanh(centre - reach), math.tanh(centre + reach))


def spearman(left: Sequence[float], right: Sequence[float]) -> Correlation:
    """How far two series rise together, by rank; equals share the mean of their ranks."""
    return Correlation(_coefficient(_ranks(left), _ranks(right)), len(left))


def _score(votes: Votes) -> float:
    return (votes.promoters - votes.detractors) / votes.answers


def _variance(votes: Votes) -> float:
    return (votes.promoters + votes.detractors) / votes.answers - _score(votes) ** 2


def _coefficient(left: Floats, right: Floats) -> float | None:
    assert len(left) == len(right), "a correlation needs pairs"
    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    left, right = left - left.mean(), right - right.mean()
    together = float(left @ right / math.sqrt(float(left @ left) * float(right @ right)))
    return max(-1.0, min(1.0, together))


def _ranks(series: Sequence[float]) -> Floats:
    _, place, sizes = np.unique(np.asarray(series, float), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    mean_rank: Floats = (last - (sizes - 1) / 2)[place]
    return mean_rank


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype="float64")
