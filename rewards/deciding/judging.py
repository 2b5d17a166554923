"""Judging everybody at once: the verdicts of `rules.judge`, a column of them per condition.

A close asks fifty rules about thousands of partners. What a condition is stands in its `judge`;
here the common ones are answered again for all partners together, in exact integers, and any
other is asked partner by partner. A test holds the two against each other.

Verdicts are ranks, so that of several the lowest is that of all of them, and the highest that of
any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, singledispatch

import numpy as np

from partner_cx.measures.figures import State
from rewards import sentences
from rewards.conditions import (
    MEMBERS_MIN,
    AllOf,
    AnyOf,
    AtLeastOf,
    Compared,
    Condition,
    EventsAtLeast,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
    KpiIsGreen,
    PartnerIn,
    Verdict,
)
from rewards.conditions.thresholds import NOTHING
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import Figures, Gathered, peer_group, subject_of
from rewards.deciding.kept import Array, KeptFigures, KpiColumns, Quotients, crosswise
from rewards.evidence import Earlier, EventsAsked, Evidence, Peers
from rewards.rules import Award, FixedPoints, Level, PointsPerUnit, Rule, TieredPoints
from rewards.rules.limits import Won, left_of
from rewards.rules.scales import POINTS_MAX

RANKS = (Verdict.NOT_MET, Verdict.UNKNOWN, Verdict.MET)
NOT_MET, UNKNOWN, MET = range(3)


@dataclass(frozen=True)
class Judged:
    """What a rule comes to for each of those it is for: verdicts as ranks, and points."""

    candidates: Sequence[Candidate]
    ranks: Array
    points: Array


@dataclass(frozen=True)
class Judging:
    """A period's evidence, ready to be judged by many rules."""

    gathered: Gathered
    _crowds: dict[object, Crowd] = field(default_factory=dict)

    def judge(self, rule: Rule, history: Mapping[int, Sequence[Won]]) -> Judged:
        """What `rules.judge` says of everybody the rule is for. history: by the partner's id."""
        crowd = self._crowd(rule)
        ranks = _all([judge_all(condition, crowd) for condition in rule.conditions], crowd)
        points, known = worth_to_all(rule.award, crowd)
        ranks = np.where(ranks < MET, ranks, _rank(points > 0, unknown=~known))
        points = np.where(ranks == MET, points, 0)
        if rule.limits or rule.cool_down_days:
            points = _limited(rule, crowd, points, history)
        return Judged(crowd.candidates, ranks, points)

    def _crowd(self, rule: Rule) -> Crowd:
        alike = (rule.audience, rule.measured_on)
        if alike not in self._crowds:
            self._crowds[alike] = Crowd(self.gathered, self.gathered.audience(rule), rule)
        return self._crowds[alike]


@dataclass(frozen=True)
class Crowd:
    """Those whom some rules are for, place by place, and their figures.

    rule: one of those rules; it says whose figures are looked at.
    """

    gathered: Gathered
    candidates: Sequence[Candidate]
    rule: Rule
    _columns: dict[object, KpiColumns] = field(default_factory=dict)

    def figures(self, kpi: str) -> KpiColumns:
        """A KPI's figures of the period itself."""
        return self._kept(("own", kpi), self._side(self.gathered.own, self.gathered.by_group), kpi)

    def earlier(self, earlier: Earlier, kpi: str) -> KpiColumns:
        """A KPI's figures of an earlier period."""
        sides = self.gathered.earlier.get(earlier)
        return self._kept((earlier, kpi), self._side(*sides) if sides else None, kpi)

    def peers(self, peers: Peers, kpi: str) -> tuple[KpiColumns, Array]:
        """A KPI's figures of each one's peers, and how many they are."""
        groups = [peer_group(peers, each.groups) or "" for each in self.candidates]
        members = [self.gathered.members.get(group, 0) for group in groups]
        figures = self._kept((peers, kpi), self.gathered.by_group, kpi, groups)
        return figures, np.array(members, dtype=np.int64)

    def counts(self, asked: EventsAsked) -> Array | None:
        """How many events each had; None where none was ever told of."""
        counted = self.gathered.events.get(asked)
        if counted is None:
            return None
        counts = [counted.get(each.partner_id, 0) for each in self.candidates]
        return np.array(counts, dtype=np.int64)

    def evidence(self) -> Iterator[Evidence]:
        """Each one's evidence, for what can't be answered for all together."""
        return (self.gathered.evidence(self.rule, each) for each in self.candidates)

    def _side(self, own: Figures, by_group: Figures) -> Figures:
        return own if self.rule.measured_on is Level.PARTNER else by_group

    def _kept(
        self, name: object, figures: Figures | None, kpi: str, subjects: Sequence[str] = ()
    ) -> KpiColumns:
        if name not in self._columns:
            self._columns[name] = self._read(figures, kpi, subjects)
        return self._columns[name]

    def _read(self, figures: Figures | None, kpi: str, subjects: Sequence[str]) -> KpiColumns:
        if figures is None:
            return KpiColumns.of_nothing(len(self.candidates))
        assert isinstance(figures, KeptFigures), "evidence made by hand is judged one by one"
        return figures.columns(kpi, subjects or self._subjects)

    @cached_property
    def _subjects(self) -> list[str]:
        return [subject_of(self.rule, each.code)[1] for each in self.candidates]


# --- Conditions ---------------------------------------------------------------------------------


@singledispatch
def judge_all(condition: Condition, crowd: Crowd) -> Array:
    """The ranks of a condition's verdicts, place by place."""
    verdicts = [condition.judge(evidence) for evidence in crowd.evidence()]
    return np.array([RANKS.index(verdict) for verdict in verdicts], dtype=np.int8)


@judge_all.register
def _(condition: AllOf, crowd: Crowd) -> Array:
    return _all([judge_all(each, crowd) for each in condition.conditions], crowd)


@judge_all.register
def _(condition: AnyOf, crowd: Crowd) -> Array:
    return np.max([judge_all(each, crowd) for each in condition.conditions], axis=0)


@judge_all.register
def _(condition: AtLeastOf, crowd: Crowd) -> Array:
    ranks = np.array([judge_all(each, crowd) for each in condition.conditions])
    # What is unknown may yet be met: the k-th highest rank is the verdict.
    return np.sort(ranks, axis=0)[-condition.count]


@judge_all.register
def _(condition: PartnerIn, crowd: Crowd) -> Array:
    return _rank(
        np.array([condition.group in each.groups for each in crowd.candidates], dtype=bool)
    )


@judge_all.register
def _(condition: EventsAtLeast, crowd: Crowd) -> Array:
    counts = crowd.counts(condition.asked)
    if counts is None:
        return np.full(len(crowd.candidates), UNKNOWN)
    return _rank(counts >= condition.count)


@judge_all.register
def _(condition: KpiIsGreen, crowd: Crowd) -> Array:
    figures = crowd.figures(condition.kpi)
    green, red = figures.state == State.GREEN, figures.state == State.RED
    unclear = _unclear(figures, figures.n_min, None)
    return _rank(green, unknown=unclear | ~figures.aimed | ~(green | red))


@judge_all.register(KpiAtLeast)
@judge_all.register(KpiAtMost)
def _(condition: KpiAtLeast | KpiAtMost, crowd: Crowd) -> Array:
    figures = crowd.figures(condition.kpi)
    number = _compared(figures, condition.against)
    beyond = crosswise(number, condition.threshold)
    unclear = _unclear(figures, condition.n_min, condition.coverage_min)
    return _rank(beyond <= 0 if condition.at_most else beyond >= 0, unknown=unclear | ~number.given)


def _compared(figures: KpiColumns, against: Compared) -> Quotients:
    if against is Compared.VALUE:
        return figures.value
    return figures.low if against is Compared.LOWER else figures.high


@judge_all.register
def _(condition: KpiImproved, crowd: Crowd) -> Array:
    now, then = crowd.figures(condition.kpi), crowd.earlier(condition.since, condition.kpi)
    unclear = _unclear(now, condition.n_min) | _unclear(then, condition.n_min)
    return _rank(_better(condition, now.value, then.value), unknown=unclear)


@judge_all.register
def _(condition: KpiBeats, crowd: Crowd) -> Array:
    own = crowd.figures(condition.kpi)
    theirs, members = crowd.peers(condition.peers, condition.kpi)
    unclear = _unclear(own, condition.n_min) | _unclear(theirs, 1) | (members < MEMBERS_MIN)
    return _rank(_better(condition, own.value, theirs.value), unknown=unclear)


def _better(condition: KpiImproved | KpiBeats, one: Quotients, other: Quotients) -> Array:
    """Where one is better than the other by enough."""
    gain = crosswise(one, other)
    if sentences.lower_is_better(condition.kpi):
        gain = -gain
    if not condition.by:
        return gain > 0
    parts = one.denominator * other.denominator
    enough: Array = gain * condition.by.denominator >= condition.by.numerator * parts
    return enough


def _unclear(
    figures: KpiColumns, n_min: int | Array, coverage_min: Fraction | None = NOTHING
) -> Array:
    """Where nothing can be said of a figure; see `of_kpis.is_unclear`.

    coverage_min: None: what each target asks.
    """
    unclear = figures.silent | (figures.n < n_min)
    if figures.coverage.given.any():
        asked = figures.coverage_min if coverage_min is None else coverage_min
        unclear |= figures.coverage.given & (crosswise(figures.coverage, asked) < 0)
    return unclear


def _rank(met: Array, unknown: Array | bool = False) -> Array:
    return np.where(unknown, UNKNOWN, np.where(met, MET, NOT_MET))


def _all(ranks: Sequence[Array], crowd: Crowd) -> Array:
    """Of several conditions, and of none: then everything is met."""
    return np.min(ranks, axis=0) if ranks else np.full(len(crowd.candidates), MET)


# --- Awards -------------------------------------------------------------------------------------


@singledispatch
def worth_to_all(award: Award, crowd: Crowd) -> tuple[Array, Array]:
    """What an award comes to, place by place, and where that can be said."""
    worth = [award.worth(evidence) for evidence in crowd.evidence()]
    known = np.array([points is not None for points in worth], dtype=bool)
    return np.array([points or 0 for points in worth], dtype=np.int64), known


@worth_to_all.register
def _(award: FixedPoints, crowd: Crowd) -> tuple[Array, Array]:
    count = len(crowd.candidates)
    return np.full(count, award.points, dtype=np.int64), np.full(count, True)


@worth_to_all.register
def _(award: PointsPerUnit, crowd: Crowd) -> tuple[Array, Array]:
    figures = crowd.figures(award.kpi)
    beyond = crosswise(figures.value, award.start)
    if sentences.lower_is_better(award.kpi):
        beyond = -beyond
    parts = figures.value.denominator * award.start.denominator * award.unit.numerator
    units = np.maximum(beyond * award.unit.denominator // parts, 0)
    points = np.minimum(units * award.points, award.cap or POINTS_MAX)
    return points.astype(np.int64), ~_unclear(figures, award.n_min)


@worth_to_all.register
def _(award: TieredPoints, crowd: Crowd) -> tuple[Array, Array]:
    figures = crowd.figures(award.kpi)
    points = np.zeros(len(crowd.candidates), dtype=np.int64)
    for step in award.steps:  # from the easiest on: the last one reached counts
        beyond = crosswise(figures.value, step.reaches)
        reached = beyond <= 0 if sentences.lower_is_better(award.kpi) else beyond >= 0
        points = np.where(reached, step.points, points)
    return points, ~_unclear(figures, award.n_min)


def _limited(
    rule: Rule, crowd: Crowd, points: Array, history: Mapping[int, Sequence[Won]]
) -> Array:
    """What the rule's limits leave: those who earn something are looked at one by one."""
    left, on = points.copy(), crowd.gathered.period.last_day
    for place in np.flatnonzero(points).tolist():
        won = history.get(crowd.candidates[place].partner_id, ())
        left[place] = left_of(rule.limits, rule.cool_down_days, on, int(points[place]), won)
    return left
