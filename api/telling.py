"""How a figure is told in tables and on pages: its value in its unit, its target, its interval.

A miss is never rounded until it reads like its target: more decimals are shown until they differ.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Unit
from partner_cx.quantities import NARROW_SPACE, NOTHING, number_text, percent

_DECIMALS = {
    Unit.SHARE: 2,
    Unit.MINUTES: 1,
    Unit.HOURS: 1,
    Unit.COUNT: 0,
    Unit.SCORE: 2,
    Unit.NPS: 1,
    Unit.INDEX: 1,
}
_SIGNS = {Unit.MINUTES: "min", Unit.HOURS: "h"}
_DECIMALS_MOST = 8
_SECONDS_A_MINUTE = 60  # times are kept in whole seconds


def value(figure: Figure, language: str) -> str:
    """`42.86%`, `112.2 min`, `45.0`; a dash where there was nothing to measure."""
    unit = _unit(figure.kpi)
    if figure.value is None:
        return NOTHING
    return _told(figure.value, unit, language, _decimals(figure, unit))


def target(figure: Figure, language: str) -> str:
    """The target without idle zeros: `95%`, `≤ 2.5%` where lower is better; a dash for none."""
    if figure.target is None:
        return NOTHING
    unit = _unit(figure.kpi)
    decimals = next(
        places
        for places in range(_DECIMALS_MOST + 1)
        if places == _DECIMALS_MOST or _is_exact(figure.target.value, unit, places)
    )
    lower = figure.kpi in CATALOGUE and CATALOGUE[figure.kpi].direction == "lower"
    return ("≤ " if lower else "") + _told(figure.target.value, unit, language, decimals)


def interval(figure: Figure, language: str) -> str:
    """The 95 % interval: `29.3 – 58.0`; a dash for none."""
    if figure.low is None or figure.high is None:
        return NOTHING
    return " – ".join(interval_end(figure, end, language) for end in (figure.low, figure.high))


def interval_end(figure: Figure, end: float | None, language: str) -> str:
    """One end of the interval, in the figure's unit."""
    return NOTHING if end is None else _told(Fraction(end), _unit(figure.kpi), language, 1)


def sums(figure: Figure) -> tuple[Fraction | None, Fraction | None]:
    """`hits` and `of` in the figure's own unit: minutes and whole quantities, not their parts."""
    scale = CATALOGUE[figure.kpi].scale if figure.kpi in CATALOGUE else 1
    parts = _SECONDS_A_MINUTE if _unit(figure.kpi) is Unit.MINUTES else scale
    return (
        None if figure.hits is None else Fraction(figure.hits, parts),
        None if figure.of is None else Fraction(figure.of, scale),
    )


def share(part: Fraction | None, language: str) -> str:
    """A share as such: coverage, for instance."""
    return percent(part, language)


def counts(figure: Figure, language: str) -> str:
    """`412 of 430`, where the value is a share of things counted one by one."""
    counted = figure.kpi in CATALOGUE and CATALOGUE[figure.kpi].has_interval  # not for amounts
    if figure.hits is None or not figure.of or not counted or _unit(figure.kpi) is not Unit.SHARE:
        return ""
    hits, of = number_text(figure.hits, language), number_text(figure.of, language)
    return f"{hits} sur {of}" if language.startswith("fr") else f"{hits} of {of}"


def _unit(kpi: str) -> Unit:
    return CATALOGUE[kpi].unit if kpi in CATALOGUE else Unit.SCORE


@lru_cache(maxsize=20_000)  # partners share values, and every figure of a KPI its target
def _told(number: Fraction, unit: Unit, language: str, decimals: int) -> str:
    if unit is Unit.SHARE:
        return percent(number, language, decimals)
    sign = f"{NARROW_SPACE}{_SIGNS[unit]}" if unit in _SIGNS else ""
    return number_text(number, language, decimals) + sign


def _decimals(figure: Figure, unit: Unit) -> int:
    usual = _DECIMALS[unit]
    if figure.value is None or figure.target is None or figure.value == figure.target.value:
        return usual
    for decimals in range(usual, _DECIMALS_MOST):
        both = (figure.value, figure.target.value)
        if len({_told(number, unit, "en", decimals) for number in both}) == 2:
            return decimals
    return _DECIMALS_MOST


@lru_cache(maxsize=1_000)
def _is_exact(number: Fraction, unit: Unit, decimals: int) -> bool:
    return (number * (100 if unit is Unit.SHARE else 1) * 10**decimals).denominator == 1
