"""Conditions on a KPI's own figure: green against its target, or held against a threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar, Self

from partner_cx.measures.figures import Figure, State
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions.condition import Condition, Finding, Verdict, named
from rewards.conditions.thresholds import (
    NOTHING,
    read_kpi,
    read_sample,
    read_threshold,
    read_value,
    threshold_to_plain,
    value_to_plain,
)
from rewards.evidence import Evidence, Needs
from rewards.reading import Given
from rewards.sentences import Bound

_PARTS = 10**9


class Compared(StrEnum):
    """What of a figure is held against a threshold."""

    VALUE = "value"  # the value itself
    LOWER = "lower"  # the lower end of its 95 % interval: it is surely at least this
    UPPER = "upper"  # the upper end: it is surely at most this


@named("kpi_is_green")
@dataclass(frozen=True)
class KpiIsGreen(Condition):
    """The KPI reaches the target that holds for the partner in the period.

    No data, a stale source or no target at all leave it unknown: never green, never red.
    """

    kpi: str

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(read_kpi(given))

    def to_plain(self) -> object:
        return self.kpi

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}))

    def judge(self, evidence: Evidence) -> Verdict:
        figure = evidence.scorecard.figures.get(self.kpi)
        if figure is None or (target := figure.target) is None:
            return Verdict.UNKNOWN
        if is_unclear(figure, target.n_min, target.coverage_min):
            return Verdict.UNKNOWN
        if figure.state is State.GREEN:
            return Verdict.MET
        return Verdict.NOT_MET if figure.state is State.RED else Verdict.UNKNOWN

    def examine(self, evidence: Evidence) -> Finding:
        figure, verdict = evidence[self.kpi], self.judge(evidence)
        target = figure.target
        if verdict is Verdict.UNKNOWN or target is None:
            return unknown(figure, self._why_unknown(figure))
        bound = Bound(
            target.value, Words("target", "objectif"), sentences.lower_is_better(self.kpi)
        )
        return compared(verdict, figure, bound)

    def _why_unknown(self, figure: Figure) -> Words:
        target = figure.target
        if target is None:
            return why_unclear(figure, 1, NOTHING) or sentences.NO_TARGET
        return why_unclear(figure, target.n_min, target.coverage_min) or sentences.NO_DATA


@dataclass(frozen=True)
class _KpiAgainst(Condition):
    """A KPI held against a threshold of the rule's own, with a guard against thin samples.

    against: the value itself, or an end of its interval, for a rule that wants to be sure.
    """

    kpi: str
    threshold: Fraction  # in the KPI's own unit: a share is 19/20, never 95
    n_min: int = 1
    coverage_min: Fraction = NOTHING
    against: Compared = Compared.VALUE

    called: ClassVar[Words]
    at_most: ClassVar[bool]

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(
            required=("kpi", "threshold"), optional=("n_min", "coverage_min", "bound")
        )
        kpi = read_kpi(fields["kpi"])
        coverage_min = fields.get("coverage_min")
        return cls(
            kpi=kpi,
            threshold=read_value(fields["threshold"], kpi),
            n_min=read_sample(fields),
            coverage_min=read_threshold(coverage_min, share=True) if coverage_min else NOTHING,
            against=_read_compared(fields["bound"], kpi) if "bound" in fields else Compared.VALUE,
        )

    def to_plain(self) -> object:
        plain: dict[str, object] = {
            "kpi": self.kpi,
            "threshold": value_to_plain(self.threshold, self.kpi),
        }
        if self.n_min != 1:
            plain["n_min"] = self.n_min
        if self.coverage_min:
            plain["coverage_min"] = threshold_to_plain(self.coverage_min, share=True)
        if self.against is not Compared.VALUE:
            plain["bound"] = self.against.value
        return plain

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}))

    def judge(self, evidence: Evidence) -> Verdict:
        figure = evidence.scorecard.figures.get(self.kpi)
        if figure is None or is_unclear(figure, self.n_min, self.coverage_min):
            return Verdict.UNKNOWN
        number = figure.value if self.against is Compared.VALUE else self._end(figure)
        if number is None:
            return Verdict.UNKNOWN
        ours = number.numerator * self.threshold.denominator
        theirs = self.threshold.numerator * number.denominator
        kept = ours <= theirs if self.at_most else ours >= theirs
        return Verdict.MET if kept else Verdict.NOT_MET

    def examine(self, evidence: Evidence) -> Finding:
        figure, verdict = evidence[self.kpi], self.judge(evidence)
        if verdict is Verdict.UNKNOWN:
            reason = why_unclear(figure, self.n_min, self.coverage_min)
            return unknown(figure, reason or sentences.NO_INTERVAL)
        bound = Bound(self.threshold, self.called, lower_is_better=self.at_most)
        if self.against is Compared.VALUE:
            return compared(verdict, figure, bound)
        end = self._end(figure)
        assert end is not None
        tell = sentences.reached_surely if verdict is Verdict.MET else sentences.missed_surely
        lower = self.against is Compared.LOWER
        return Finding(verdict, tell(figure, bound, end, lower=lower), figure, bound.value)

    def _end(self, figure: Figure) -> Fraction | None:
        """The end of the interval that is compared."""
        return interval_end(figure.low if self.against is Compared.LOWER else figure.high)


@named("kpi_at_least")
@dataclass(frozen=True)
class KpiAtLeast(_KpiAgainst):
    """The KPI is at the threshold or above, whatever the target."""

    called: ClassVar[Words] = Words("at least", "au moins")
    at_most: ClassVar[bool] = False


@named("kpi_at_most")
@dataclass(frozen=True)
class KpiAtMost(_KpiAgainst):
    """The KPI is at the threshold or below, whatever the target."""

    called: ClassVar[Words] = Words("at most", "au plus")
    at_most: ClassVar[bool] = True


def interval_end(number: float | None) -> Fraction | None:
    """An end of an interval, as it is compared; None where there is none.

    It comes out of square roots: what lies behind its ninth decimal is noise, and mustn't decide
    whether 0.94 reaches 94 %.
    """
    if number is None or not math.isfinite(number):
        return None
    return Fraction(round(number * _PARTS), _PARTS)


def is_unclear(figure: Figure, n_min: int, coverage_min: Fraction) -> bool:
    """Whether nothing can be said of a figure: it is missing, thin, partial or stale."""
    if figure.value is None or figure.n < n_min or figure.state is State.STALE:
        return True
    coverage = figure.coverage
    if coverage is None or not coverage_min:
        return False
    return (
        coverage.numerator * coverage_min.denominator
        < coverage_min.numerator * coverage.denominator
    )


def why_unclear(figure: Figure, n_min: int, coverage_min: Fraction) -> Words | None:
    """Why nothing can be said of a figure; None when something can."""
    if figure.value is None:
        return sentences.NO_DATA
    if figure.n < n_min:
        return sentences.too_small_a_sample(figure.n, n_min)
    if figure.coverage is not None and figure.coverage < coverage_min:
        return sentences.too_little_coverage(figure.coverage, coverage_min)
    if figure.state is State.STALE:
        return sentences.stale(
            figure.as_of.date() if figure.as_of else None,
            figure.target.stale_after_days if figure.target else None,
        )
    return None


def unknown(figure: Figure, reason: Words) -> Finding:
    return Finding(Verdict.UNKNOWN, sentences.undecided(figure.kpi, reason), figure)


def compared(verdict: Verdict, figure: Figure, bound: Bound) -> Finding:
    tell = sentences.reached if verdict is Verdict.MET else sentences.missed
    return Finding(verdict, tell(figure, bound), figure, bound.value)


def _read_compared(given: Given, kpi: str) -> Compared:
    compared = given.choice(Compared)
    if compared is not Compared.VALUE and not sentences.has_interval(kpi):
        raise given.refused(
            f"{kpi} has no interval, so it would always stay unknown.",
            "Take “bound” out, or ask for a larger sample with n_min.",
        )
    return compared
