"""Numbers, days and lists as a reader reads them, in both languages; rounded here and only here.

Never so far that a miss reads like its target: two different numbers side by side get as many
decimals as it takes to tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Direction, Unit
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text, percent, points_text
from partner_cx.words import Words

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
UNITS = {Unit.MINUTES: "min", Unit.HOURS: "h"}
GAPS = {**UNITS, Unit.SHARE: "pt", Unit.NPS: "pt", Unit.INDEX: "pt"}
_KEPT = 10_000  # the same numbers come again and again: thresholds, points, round shares


def label(kpi: str) -> Words:
    """What the catalogue calls a KPI; its code where the catalogue has none."""
    return CATALOGUE[kpi].label if kpi in CATALOGUE else Words(kpi, kpi)


def is_share(kpi: str) -> bool:
    """Whether a KPI is a share of one, told in percent."""
    return kpi in CATALOGUE and CATALOGUE[kpi].unit is Unit.SHARE


def lower_is_better(kpi: str) -> bool:
    return kpi in CATALOGUE and CATALOGUE[kpi].direction is Direction.LOWER


def has_interval(kpi: str) -> bool:
    """Whether figures of a KPI come with their 95 % interval."""
    return kpi in CATALOGUE and CATALOGUE[kpi].has_interval


@lru_cache(maxsize=_KEPT)
def points(count: int) -> Words:
    """`500 points`, `1 point`."""
    return both(lambda lang: points_text(count, lang))


def joined(sentences: Sequence[Words]) -> Words:
    """Sentences one after the other."""
    return both(lambda lang: " ".join(sentence.in_(lang) for sentence in sentences))


def listed(words: Sequence[Words], *, last: Words) -> Words:
    """`A, B or C`. last: what stands before the last one."""
    if len(words) == 1:
        return words[0]
    first = both(lambda lang: ", ".join(word.in_(lang) for word in words[:-1]))
    return Words("{first} {last} {end}", "{first} {last} {end}").format(
        first=first, last=last, end=words[-1]
    )


def day_text(day: date) -> Words:
    """`9 April 2026`, `9 avril 2026`; in French a month begins with its `1er`."""
    return both(lambda lang: _day(day, lang))


def in_period(period: Period) -> Words:
    """`in Q2 2026`, `au T2 2026`; `in May 2026`, `en mai 2026`."""
    preposition = "au" if period.kind is PeriodKind.QUARTER else "en"
    return Words(f"in {period.label('en')}", f"{preposition} {period.label('fr')}")


@lru_cache(maxsize=_KEPT)
def how_many(count: int) -> Words:
    """A number, thousands apart."""
    return both(lambda lang: number_text(count, lang))


@lru_cache(maxsize=_KEPT)
def value(kpi: str, number: Fraction, decimals: int = 2, *, short: bool = False) -> Words:
    """A KPI's value with its unit. short: without the zeros at the end."""
    if short:
        decimals = decimals_needed(number * scale(kpi), decimals)
    if is_share(kpi):
        return both(lambda lang: percent(number, lang, decimals))
    unit = unit_text(kpi)
    return both(lambda lang: f"{number_text(number, lang, decimals)} {unit}".strip())


@lru_cache(maxsize=_KEPT)
def gap(kpi: str, distance: Fraction, decimals: int = 2) -> Words:
    """A distance between two of a KPI's values: `0.6 pt`, `12 min`; never printed as nothing."""
    number = abs(distance) * scale(kpi)
    decimals = decimals_needed(number, max(decimals, decimals_apart(number, Fraction(0))))
    unit = unit_text(kpi, GAPS)
    return both(lambda lang: f"{number_text(number, lang, decimals)} {unit}".strip())


def decimals_between(kpi: str, one: Fraction, other: Fraction) -> int:
    """With how many decimals two of a KPI's values are told apart."""
    return decimals_apart(one * scale(kpi), other * scale(kpi))


@lru_cache(maxsize=_KEPT)
def decimals_apart(one: Fraction, other: Fraction) -> int:
    """The fewest decimals, at least two, with which different numbers read differently."""
    decimals = 2
    while one != other and round(one, decimals) == round(other, decimals):
        decimals += 1
    return decimals


@lru_cache(maxsize=_KEPT)
def decimals_needed(number: Fraction, decimals: int) -> int:
    """How many of the decimals are left once the zeros at the end are gone."""
    rounded = round(number, decimals)
    return next(fewer for fewer in range(decimals + 1) if round(number, fewer) == rounded)


def scale(kpi: str) -> int:
    return 100 if is_share(kpi) else 1


def unit_text(kpi: str, units: dict[Unit, str] = UNITS) -> str:
    return units.get(CATALOGUE[kpi].unit, "") if kpi in CATALOGUE else ""


def both(say: Callable[[str], str]) -> Words:
    return Words(en=say("en"), fr=say("fr"))


def _day(day: date, language: str) -> str:
    number = "1er" if day.day == 1 and language == "fr" else day.day
    return f"{number} {_MONTHS[language].split()[day.month - 1]} {day.year}"
