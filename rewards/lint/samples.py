"""Samples too small to tell: a reward that hangs on a single order line is drawn by lot.

A sample is too small when a partner that is exactly as good as asked would often miss, and one
that is far worse would often win: when the 95 % interval around the threshold, at the smallest
sample that counts, is wider than 30 points. For means, fewer than 5 cases are too few.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Target
from partner_cx.measures.kpi import AddsUp, Family, Unit
from partner_cx.measures.statistics import wilson
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import (
    Compared,
    Condition,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
)
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.places import AWARD, place_of, single_conditions
from rewards.rules import PointsPerUnit, Rule, TieredPoints
from rewards.sentences.numbers import value
from rewards.sentences.things import counted

WIDTH_MAX = Fraction(3, 10)  # of the interval of a share
CASES_MIN = 5  # of a mean
USUAL_SHARE = Fraction(9, 10)  # where what is asked for depends on another figure
N_MAX_TOLD = 10_000

# One partner is one of these: there is nothing to draw a sample from.
_ONE_OF_EACH = frozenset(
    {"portal_adoption"}
    | {kpi for kpi, known in CATALOGUE.items() if known.adds_up is AddsUp.STANDING}
    | {"referral_rate"}
)


def concerns(rule: Rule) -> list[Concern]:
    """Conditions and scales of a rule's own that a few cases can decide. Pure."""
    asked = [*_of_award(rule), *_of_conditions(rule)]
    guarded = _guarded(rule)
    return [
        too_small(kpi, threshold, n_min, where)
        for kpi, threshold, n_min, where in asked
        if is_too_small(kpi, threshold, max(n_min, guarded.get(kpi, 1)))
    ]


def of_targets(kpi: str, targets: list[Target], where: str) -> list[Concern]:
    """The same of targets that “green” is held against."""
    weak = [each for each in targets if is_too_small(kpi, each.value, each.n_min)]
    return [_target_too_small(kpi, weak[0], where)] if weak else []


def is_too_small(kpi: str, threshold: Fraction, n_min: int) -> bool:
    """Whether the smallest sample that counts says nothing about a threshold."""
    known = CATALOGUE[kpi]
    if kpi in _ONE_OF_EACH or known.family is Family.PERCEPTION:
        return False  # a satisfaction level has a concern of its own
    if known.unit is Unit.SHARE:
        return known.has_interval and _width(threshold, n_min) > WIDTH_MAX
    return known.adds_up is AddsUp.VALUES and n_min < CASES_MIN


def enough(kpi: str, threshold: Fraction) -> int:
    """The smallest sample that isn't too small."""
    tried = range(1, N_MAX_TOLD)
    return next((n for n in tried if not is_too_small(kpi, threshold, n)), N_MAX_TOLD)


def too_small(kpi: str, threshold: Fraction, n_min: int, where: str) -> Concern:
    return warning(
        Kind.SMALL_SAMPLE,
        where,
        Words(
            "{kpi} is judged from {cases} on: too few to tell {threshold} from luck.",
            "{kpi} se juge dès {cases}\u202f: trop peu pour distinguer {threshold} du hasard.",
        ).format(
            kpi=sentences.label(kpi),
            cases=counted(kpi).times(n_min),
            threshold=value(kpi, threshold, short=True),
        ),
        Words(
            "Ask for “n_min: {enough}” or more; whoever has fewer is left open, not refused.",
            "Demandez «\u202fn_min: {enough}\u202f» ou plus\u202f; qui en a moins reste en "
            "suspens, sans refus.",
        ).format(enough=enough(kpi, threshold)),
    )


def _target_too_small(kpi: str, target: Target, where: str) -> Concern:
    return warning(
        Kind.SMALL_SAMPLE,
        where,
        Words(
            "The target of {kpi} holds from {cases} on: too few to tell {threshold} from luck.",
            "L’objectif de {kpi} vaut dès {cases}\u202f: trop peu pour distinguer {threshold} du "
            "hasard.",
        ).format(
            kpi=sentences.label(kpi),
            cases=counted(kpi).times(target.n_min),
            threshold=value(kpi, target.value, short=True),
        ),
        Words(
            "Import the target again with an n_min of {enough} or more (partner-cx import "
            "targets FILE).",
            "Réimportez l’objectif avec un n_min de {enough} ou plus (partner-cx import targets "
            "FICHIER).",
        ).format(enough=enough(kpi, target.value)),
    )


def _guarded(rule: Rule) -> dict[str, int]:
    """The largest sample that a condition asks of each KPI: what is met, is met by as many."""
    asked: dict[str, int] = {}
    for condition in rule.conditions:
        if n_min := n_min_of(condition):
            for kpi in condition.needs().figures:
                asked[kpi] = max(n_min, asked.get(kpi, 1))
    return asked


def _of_conditions(rule: Rule) -> Iterator[tuple[str, Fraction, int, str]]:
    for condition in single_conditions(rule):
        if isinstance(condition, KpiAtLeast | KpiAtMost):
            if condition.against is Compared.VALUE:
                yield condition.kpi, condition.threshold, condition.n_min, place_of(condition)
        elif isinstance(condition, KpiImproved | KpiBeats):
            yield condition.kpi, USUAL_SHARE, condition.n_min, place_of(condition)


def _of_award(rule: Rule) -> Iterator[tuple[str, Fraction, int, str]]:
    award = rule.award
    if isinstance(award, PointsPerUnit):
        yield award.kpi, award.start, award.n_min, AWARD
    if isinstance(award, TieredPoints):
        yield award.kpi, award.steps[0].reaches, award.n_min, AWARD


def n_min_of(condition: Condition) -> int | None:
    """The smallest sample that a condition of its own counts; None where it names none."""
    if isinstance(condition, KpiAtLeast | KpiAtMost | KpiImproved | KpiBeats):
        return condition.n_min
    return None


def _width(threshold: Fraction, n: int) -> float:
    low, high = wilson(float(threshold * n), float(n))
    return float(high - low)
