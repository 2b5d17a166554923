"""How far the values of a KPI can go, and what of a rule lies beyond: known without any data."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Unit
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Compared, KpiAtLeast, KpiAtMost
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.places import AWARD, place_of, single_conditions
from rewards.rules import PointsPerUnit, Rule, TieredPoints
from rewards.sentences.numbers import value

_ENDS: dict[Unit, tuple[int, int | None]] = {
    Unit.SHARE: (0, 1),
    Unit.NPS: (-100, 100),
    Unit.INDEX: (0, 100),
    Unit.MINUTES: (0, None),
    Unit.HOURS: (0, None),
    Unit.COUNT: (0, None),
}
_SCORES = {"ces": (1, 7), "ces5": (1, 5)}


def ends(kpi: str) -> tuple[int | None, int | None]:
    """The lowest and the highest value a KPI can have; None where there is no end."""
    if kpi in _SCORES:
        return _SCORES[kpi]
    return _ENDS.get(CATALOGUE[kpi].unit, (None, None))


def concerns(rule: Rule) -> list[Concern]:
    """Thresholds, steps and units that no value can reach, or that every value reaches."""
    found = list(_of_award(rule))
    for condition in single_conditions(rule):
        if isinstance(condition, KpiAtLeast | KpiAtMost):
            found += _of_threshold(condition)
    return found


def _of_threshold(condition: KpiAtLeast | KpiAtMost) -> Iterator[Concern]:
    low, high = ends(condition.kpi)
    threshold, where = condition.threshold, place_of(condition)
    if isinstance(condition, KpiAtLeast):
        never = high is not None and threshold > high
        always = low is not None and threshold <= low
    else:
        never = low is not None and threshold < low
        always = high is not None and threshold >= high
    if never:
        yield _never(condition.kpi, threshold, where)
    elif always and condition.against is Compared.VALUE:
        yield _always(condition.kpi, threshold, where)


def _of_award(rule: Rule) -> Iterator[Concern]:
    award = rule.award
    if isinstance(award, TieredPoints):
        for step in award.steps:
            if _lies_beyond(award.kpi, step.reaches):
                yield _never(award.kpi, step.reaches, AWARD)
    if isinstance(award, PointsPerUnit):
        first = -award.unit if sentences.lower_is_better(award.kpi) else award.unit
        if _lies_beyond(award.kpi, award.start + first):
            yield _never(award.kpi, award.start + first, AWARD)


def _lies_beyond(kpi: str, number: Fraction) -> bool:
    """Whether a value lies beyond the better end of a KPI's scale."""
    low, high = ends(kpi)
    if sentences.lower_is_better(kpi):
        return low is not None and number < low
    return high is not None and number > high


def _never(kpi: str, number: Fraction, where: str) -> Concern:
    return warning(
        Kind.OUT_OF_REACH,
        where,
        Words(
            "{kpi} can't come to {value}: it goes from {low} to {high}.",
            "{kpi} ne peut pas valoir {value}\u202f: l’échelle va de {low} à {high}.",
        ).format(kpi=sentences.label(kpi), value=value(kpi, number, short=True), **_from_to(kpi)),
        Words(
            "Write a value inside the scale; as it stands, nobody can ever win.",
            "Écrivez une valeur de l’échelle\u202f; telle quelle, personne ne pourra gagner.",
        ),
    )


def _always(kpi: str, number: Fraction, where: str) -> Concern:
    return warning(
        Kind.ALWAYS_REACHED,
        where,
        Words(
            "Whatever {kpi} is, it reaches {value}: it goes from {low} to {high}.",
            "Quelle que soit sa valeur, {kpi} atteint {value}\u202f: l’échelle va de {low} à "
            "{high}.",
        ).format(kpi=sentences.label(kpi), value=value(kpi, number, short=True), **_from_to(kpi)),
        Words(
            "Ask for more, or take the condition out.", "Demandez plus, ou retirez la condition."
        ),
    )


def _from_to(kpi: str) -> dict[str, Words]:
    return {name: _end(kpi, end) for name, end in zip(("low", "high"), ends(kpi), strict=True)}


def _end(kpi: str, end: int | None) -> Words:
    return Words("∞", "∞") if end is None else value(kpi, Fraction(end), short=True)
