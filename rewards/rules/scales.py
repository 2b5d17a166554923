"""Scales: what an award comes to, once a rule's conditions are met.

A fixed number of points, so many per unit beyond a threshold, or the highest of several steps.
A scale that can't be judged, for want of its figure, leaves the decision open; one that comes to
nothing makes it unmet.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any, Self

from partner_cx.words import Words
from rewards import sentences
from rewards.conditions.condition import Finding, Verdict
from rewards.conditions.of_kpis import is_unclear, unknown, why_unclear
from rewards.conditions.thresholds import NOTHING, read_kpi, read_sample, read_value, value_to_plain
from rewards.evidence import Evidence, Needs
from rewards.reading import Fields, Given

POINTS_MAX = 10_000_000
STEPS_MAX = 50


class Recipient(StrEnum):
    """Who gets the points."""

    PARTNER = "partner"  # the partner's wallet
    PERSON = "person"  # whoever did what the event is about


@dataclass(frozen=True)
class Earned:
    """What an award comes to, before limits.

    points: None when its figure can't be judged.
    finding: what it rests on; None where it rests on no figure.
    """

    points: int | None
    finding: Finding | None = None


@dataclass(frozen=True)
class Award(ABC):
    """What meeting every condition earns."""

    @property
    @abstractmethod
    def to(self) -> Recipient:
        """Who gets it."""

    @property
    @abstractmethod
    def points_max(self) -> int | None:
        """The most it can come to; None when nothing caps it."""

    @property
    @abstractmethod
    def told(self) -> Words:
        """`500 points`, `100 points for each 1 pt of OTIF above 95%, at most 500 points`."""

    @abstractmethod
    def needs(self) -> Needs:
        """What evidence it looks at."""

    @abstractmethod
    def worth(self, evidence: Evidence) -> int | None:
        """The points alone: a close asks for thousands. None when its figure can't be judged."""

    @abstractmethod
    def earned(self, evidence: Evidence) -> Earned:
        """The same points, and why."""

    @abstractmethod
    def to_plain(self) -> dict[str, Any]:
        """As it is written under “award”."""


def read_award(given: Given) -> Award:
    fields = given.fields(required=(), optional=("points", "per_unit", "tiers", "to"))
    to = fields.pop("to").choice(Recipient) if "to" in fields else Recipient.PARTNER
    if not fields:
        given.fields(required=("points",), optional=("per_unit", "tiers", "to"))
    if len(fields) != 1:
        raise given.refused(
            f"expected exactly one of points, per_unit, tiers, found {len(fields)}.",
            "Write “points: 500”, or describe one scale.",
        )
    if "points" in fields:
        return FixedPoints(fields["points"].whole_number(1, POINTS_MAX), to)
    if "per_unit" in fields:
        return PointsPerUnit.read(fields["per_unit"], to)
    return TieredPoints.read(fields["tiers"], to)


@dataclass(frozen=True)
class FixedPoints(Award):
    """The same points each time."""

    points: int  # 1 to 10,000,000
    to: Recipient = Recipient.PARTNER

    @property
    def points_max(self) -> int:
        return self.points

    @property
    def told(self) -> Words:
        return sentences.points(self.points)

    def needs(self) -> Needs:
        return Needs()

    def worth(self, evidence: Evidence) -> int:
        return self.points

    def earned(self, evidence: Evidence) -> Earned:
        return Earned(self.points)

    def to_plain(self) -> dict[str, Any]:
        return {"points": self.points} | _to(self.to)


@dataclass(frozen=True)
class PointsPerUnit(Award):
    """Points for each full unit by which a KPI lies beyond a threshold, the better way.

    start: the threshold, which itself earns nothing: above it, or below where lower is better.
    cap: the most one award comes to; without one, 10,000,000 points.
    """

    kpi: str
    start: Fraction
    unit: Fraction
    points: int
    cap: int | None = None
    n_min: int = 1
    to: Recipient = Recipient.PARTNER

    @classmethod
    def read(cls, given: Given, to: Recipient) -> Self:
        fields = given.fields(
            required=("kpi", "unit", "points"), optional=("above", "below", "cap", "n_min")
        )
        kpi = read_kpi(fields["kpi"])
        points = fields["points"].whole_number(1, POINTS_MAX)
        unit = read_value(fields["unit"], kpi)
        if unit <= 0:
            raise fields["unit"].refused(
                f"{fields['unit'].shown} is no unit.", "Write how much earns the points: 1 %."
            )
        return cls(
            kpi=kpi,
            start=read_value(_read_start(given, fields, kpi), kpi),
            unit=unit,
            points=points,
            cap=fields["cap"].whole_number(points, POINTS_MAX) if "cap" in fields else None,
            n_min=read_sample(fields),
            to=to,
        )

    def to_plain(self) -> dict[str, Any]:
        way = "below" if sentences.lower_is_better(self.kpi) else "above"
        plain: dict[str, Any] = {
            "kpi": self.kpi,
            way: value_to_plain(self.start, self.kpi),
            "unit": value_to_plain(self.unit, self.kpi),
            "points": self.points,
        }
        if self.cap is not None:
            plain["cap"] = self.cap
        if self.n_min != 1:
            plain["n_min"] = self.n_min
        return {"per_unit": plain} | _to(self.to)

    @property
    def points_max(self) -> int | None:
        return self.cap

    @property
    def told(self) -> Words:
        return sentences.points_per_unit(self.kpi, self.start, self.unit, self.points, self.cap)

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}))

    def worth(self, evidence: Evidence) -> int | None:
        units = self._units(evidence)
        return None if units is None else min(units * self.points, self.cap or POINTS_MAX)

    def earned(self, evidence: Evidence) -> Earned:
        figure, points, units = evidence[self.kpi], self.worth(evidence), self._units(evidence)
        if points is None or units is None:
            reason = why_unclear(figure, self.n_min, NOTHING)
            assert reason is not None
            return Earned(None, unknown(figure, reason))
        if points == 0:
            told = sentences.no_unit(figure, self.start, self.unit)
            return Earned(0, Finding(Verdict.NOT_MET, told, figure, self.start))
        told = sentences.per_unit(figure, self.start, self.unit, units, self.points, points)
        return Earned(points, Finding(Verdict.MET, told, figure, self.start))

    def _units(self, evidence: Evidence) -> int | None:
        """How many full units the figure lies beyond the threshold."""
        figure = evidence.scorecard.figures.get(self.kpi)
        if figure is None or is_unclear(figure, self.n_min, NOTHING):
            return None
        assert figure.value is not None
        value, start, unit = figure.value, self.start, self.unit
        beyond = value.numerator * start.denominator - start.numerator * value.denominator
        if sentences.lower_is_better(self.kpi):
            beyond = -beyond
        parts = value.denominator * start.denominator * unit.numerator
        return max(0, beyond * unit.denominator // parts)


@dataclass(frozen=True)
class Step:
    """What reaching a value earns, in place of the steps before it."""

    reaches: Fraction
    points: int


@dataclass(frozen=True)
class TieredPoints(Award):
    """The points of the highest step that a KPI reaches.

    steps: from the easiest to the hardest, each worth more than the one before.
    """

    kpi: str
    steps: tuple[Step, ...]
    n_min: int = 1
    to: Recipient = Recipient.PARTNER

    @classmethod
    def read(cls, given: Given, to: Recipient) -> Self:
        fields = given.fields(required=("kpi", "steps"), optional=("n_min",))
        kpi = read_kpi(fields["kpi"])
        written = fields["steps"].items()
        if len(written) > STEPS_MAX:
            raise fields["steps"].refused(
                f"{len(written)} steps are too many.", f"Keep to {STEPS_MAX}."
            )
        steps = [_read_step(item, kpi) for item in written]
        for (lower, higher), item in zip(pairwise(steps), written[1:], strict=True):
            _check_order(item, kpi, lower, higher)
        return cls(kpi, tuple(steps), read_sample(fields), to)

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "kpi": self.kpi,
            "steps": [
                {"reaches": value_to_plain(step.reaches, self.kpi), "points": step.points}
                for step in self.steps
            ],
        }
        if self.n_min != 1:
            plain["n_min"] = self.n_min
        return {"tiers": plain} | _to(self.to)

    @property
    def points_max(self) -> int:
        return self.steps[-1].points

    @property
    def told(self) -> Words:
        return sentences.points_by_steps(
            self.kpi, [(step.reaches, step.points) for step in self.steps]
        )

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}))

    def worth(self, evidence: Evidence) -> int | None:
        figure = evidence.scorecard.figures.get(self.kpi)
        if figure is None or is_unclear(figure, self.n_min, NOTHING):
            return None
        assert figure.value is not None
        at = self._reached(figure.value)
        return 0 if at is None else self.steps[at].points

    def earned(self, evidence: Evidence) -> Earned:
        figure, points = evidence[self.kpi], self.worth(evidence)
        if points is None or figure.value is None:
            reason = why_unclear(figure, self.n_min, NOTHING)
            assert reason is not None
            return Earned(None, unknown(figure, reason))
        at = self._reached(figure.value)
        if at is None:
            lowest = self.steps[0].reaches
            told = sentences.no_step_reached(figure, lowest)
            return Earned(0, Finding(Verdict.NOT_MET, told, figure, lowest))
        following = self.steps[at + 1] if at + 1 < len(self.steps) else None
        more = (following.reaches, following.points) if following else None
        reaches = self.steps[at].reaches
        told = sentences.step_reached(figure, reaches, more)
        return Earned(points, Finding(Verdict.MET, told, figure, reaches))

    def _reached(self, value: Fraction) -> int | None:
        """Which step a value reaches, the highest."""
        lower, reached = sentences.lower_is_better(self.kpi), None
        for number, step in enumerate(self.steps):
            ours = value.numerator * step.reaches.denominator
            theirs = step.reaches.numerator * value.denominator
            if ours > theirs if lower else ours < theirs:
                break
            reached = number
        return reached


def _to(recipient: Recipient) -> dict[str, str]:
    """Written only where it isn't the partner, so that rules of before keep their digest."""
    return {} if recipient is Recipient.PARTNER else {"to": recipient.value}


def _read_start(given: Given, fields: Fields, kpi: str) -> Given:
    lower = sentences.lower_is_better(kpi)
    right, wrong = ("below", "above") if lower else ("above", "below")
    if wrong in fields:
        better = "lower" if lower else "higher"
        raise fields[wrong].refused(
            f"{better} is better for {kpi}, so nothing is earned {wrong} a threshold.",
            f"Write “{right}” in place of “{wrong}”.",
        )
    if right not in fields:
        raise given.refused(f"the field “{right}” is missing.", f"Add a line “{right}: …”.")
    return fields[right]


def _read_step(given: Given, kpi: str) -> Step:
    fields = given.fields(required=("reaches", "points"))
    return Step(read_value(fields["reaches"], kpi), fields["points"].whole_number(1, POINTS_MAX))


def _check_order(given: Given, kpi: str, lower: Step, higher: Step) -> None:
    down = sentences.lower_is_better(kpi)
    harder = higher.reaches < lower.reaches if down else higher.reaches > lower.reaches
    if not harder:
        raise given.refused(
            "this step is no harder to reach than the one before it.",
            f"Begin with the easiest: {'lower' if down else 'higher'} is better for {kpi}.",
        )
    if higher.points <= lower.points:
        raise given.refused(
            "this step is harder to reach than the one before it and isn't worth more.",
            f"Give it more than {lower.points} points, or leave it out.",
        )
