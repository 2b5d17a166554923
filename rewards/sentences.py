"""How a figure is told to the person it decides about, in English and in French.

Before it stand figures; after it the findings of a decision, and with them every statement,
letter and page that says why. Numbers are rounded here and only here, and never so far that a
miss reads like its target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Direction, Unit
from partner_cx.quantities import NOTHING, number_text, percent, points_text
from partner_cx.words import Words

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


@dataclass(frozen=True)
class Bound:
    """What a figure is held against, and how it is called.

    called: what stands before the value: target, at least, at most.
    """

    value: Fraction
    called: Words
    lower_is_better: bool = False

    def is_kept_by(self, value: Fraction) -> bool:
        return value <= self.value if self.lower_is_better else value >= self.value


@dataclass(frozen=True)
class Counted:
    """What a KPI counts, so that a miss can be told in things rather than in percent.

    hit: what makes one of them count, where saying so helps; in English only, since in French
        “3 lignes de plus” says it.
    """

    one: Words
    many: Words
    hit: str = ""

    def times(self, count: int, *, hit: bool = False) -> Words:
        """`1 line`, `412 lines`; French says the singular up to one: `0 ligne`."""
        en = self.one.en if count == 1 else self.many.en
        fr = self.one.fr if count < 2 else self.many.fr
        return Words(
            en=f"{number_text(count, 'en')} {en}{f' {self.hit}' if hit and self.hit else ''}",
            fr=f"{number_text(count, 'fr')} {fr}",
        )


def _things(en: str, fr: str, hit: str = "") -> Counted:
    """Most plurals take an s in both languages; `|` parts singular from plural where not."""
    (en_one, en_many), (fr_one, fr_many) = (
        text.split("|") if "|" in text else (text, f"{text}s") for text in (en, fr)
    )
    return Counted(Words(en_one, fr_one), Words(en_many, fr_many), hit)


_ANSWERS = _things("answer", "réponse")
_COUNTED = {
    "otif": _things("line", "ligne", "on time"),
    "otif_order": _things("order", "commande", "on time"),
    "otif_case": _things("line", "ligne"),
    "on_time": _things("line", "ligne", "on time"),
    "in_full": _things("line", "ligne", "in full"),
    "sla_response": _things("ticket", "ticket", "answered in time"),
    "sla_resolution": _things("ticket", "ticket", "resolved in time"),
    "first_response": _things("ticket", "ticket"),
    "resolution": _things("ticket", "ticket"),
    "backlog": _things("ticket", "ticket"),
    "ftfr": _things("first visit", "première visite|premières visites", "that fixed it"),
    "fcr": _things("ticket", "ticket", "settled at first contact"),
    "dispute_rate": _things("invoice line", "ligne de facture|lignes de facture"),
    "credit_rate": _things("invoice", "facture"),
    "portal_adoption": _things("account", "compte", "active"),
    "portal_depth": _things("user", "utilisateur", "active"),
    "catalogue_completion": _things("field", "champ", "filled"),
    "learning_completion": _things("enrolment", "inscription", "completed"),
    "time_to_quote": _things("request", "demande"),
    "retention": _things("partner", "partenaire", "kept"),
    "churn": _things("partner", "partenaire"),
    "referral_rate": _things("partner", "partenaire", "with a referral"),
    **dict.fromkeys(
        ("nps", "pnps", "pnps_by_partner", "csat", "csat10", "ces", "ces5", "dsi", "cxi"), _ANSWERS
    ),
}
_MEASUREMENTS = _things("measurement", "mesure")
_UNITS = {Unit.MINUTES: "min", Unit.HOURS: "h"}
_GAPS = {**_UNITS, Unit.SHARE: "pt", Unit.NPS: "pt", Unit.INDEX: "pt"}


def label(kpi: str) -> Words:
    """What the catalogue calls a KPI; its code where the catalogue has none."""
    return CATALOGUE[kpi].label if kpi in CATALOGUE else Words(kpi, kpi)


def is_share(kpi: str) -> bool:
    """Whether a KPI is a share of one, told in percent."""
    return kpi in CATALOGUE and CATALOGUE[kpi].unit is Unit.SHARE


def lower_is_better(kpi: str) -> bool:
    return kpi in CATALOGUE and CATALOGUE[kpi].direction is Direction.LOWER


def reached(figure: Figure, bound: Bound) -> Words:
    """`OTIF 96.40% (target 95%, 412 lines): reached.`"""
    return _told(figure, bound, Words(en="reached.", fr="c’est atteint."))


def missed(figure: Figure, bound: Bound) -> Words:
    """`OTIF 94.40% (target 95%, 412 lines): 0.6 pt short, 3 more lines …`."""
    if bound.lower_is_better:
        rest = Words(en="{gap} over{things}.", fr="{gap} de trop{things}.")
    else:
        rest = Words(en="{gap} short{things}.", fr="il manque {gap}{things}.")
    things = _things_missing(figure, bound)
    return _told(figure, bound, rest.format(gap=_gap(figure, bound), things=things))


def measured(figure: Figure) -> Words:
    """A figure by itself: `OTIF 96.40%`, or `OTIF –` where there was nothing to measure."""
    number, kpi = figure.value, figure.kpi
    value = NOTHING if number is None else _both(lambda lang: _value(kpi, number, lang))
    return Words("{label} {value}", "{label} {value}").format(label=label(kpi), value=value)


def undecided(kpi: str, reason: Words) -> Words:
    """`Portal adoption can't be judged: too small a sample, 3 of at least 5.`"""
    return Words(
        en="{label} can't be judged: {reason}.", fr="{label} sans verdict\u202f: {reason}."
    ).format(label=label(kpi), reason=reason)


NO_DATA = Words(en="no data", fr="aucune donnée")
NO_TARGET = Words(en="no target holds for it", fr="aucun objectif n’est fixé")


def too_small_a_sample(n: int, n_min: int) -> Words:
    return Words(
        en="too small a sample, {n} of at least {n_min}",
        fr="échantillon trop petit, {n} sur au moins {n_min}",
    ).format(n=_both(lambda lang: number_text(n, lang)), n_min=n_min)


def too_little_coverage(coverage: Fraction, coverage_min: Fraction) -> Words:
    decimals = _decimals_apart(coverage * 100, coverage_min * 100)

    def brief(share: Fraction) -> Words:
        needed = _decimals_needed(share * 100, decimals)
        return _both(lambda lang: percent(share, lang, needed))

    text = Words("coverage {coverage} below {least}", "couverture {coverage} inférieure à {least}")
    return text.format(coverage=brief(coverage), least=brief(coverage_min))


def stale(as_of: date | None, days: int | None) -> Words:
    """`stale as of 3 July 2026, its source wasn't refreshed for more than 7 days`."""
    when = length = Words("", "")
    if as_of:
        when = Words(f" as of {_day(as_of, 'en')}", f" au {_day(as_of, 'fr')}")
    if days:
        length = Words(
            f" for more than {days} day{'' if days == 1 else 's'}",
            f" depuis plus de {days} jour{'' if days == 1 else 's'}",
        )
    return Words(
        en="stale{when}, its source wasn't refreshed{length}",
        fr="donnée périmée{when}, source non rafraîchie{length}",
    ).format(when=when, length=length)


def points(count: int) -> Words:
    """`500 points`, `1 point`."""
    return _both(lambda lang: points_text(count, lang))


def joined(sentences: list[Words]) -> Words:
    """Sentences one after the other."""
    return _both(lambda lang: " ".join(sentence.in_(lang) for sentence in sentences))


def _told(figure: Figure, bound: Bound, rest: Words) -> Words:
    """The figure with its bound and its sample, then what follows from them."""
    number, decimals = _number(figure), _decimals(figure, bound)
    limit = _both(lambda lang: _value(figure.kpi, bound.value, lang, decimals, short=True))
    told = Words(
        en="{label} {value} ({called} {limit}, {sample}): {rest}",
        fr="{label} {value} ({called} {limit}, {sample})\u202f: {rest}",
    )
    return told.format(
        label=label(figure.kpi),
        value=_both(lambda lang: _value(figure.kpi, number, lang, decimals)),
        called=bound.called,
        limit=limit,
        sample=_counted(figure.kpi).times(figure.n),
        rest=rest,
    )


def _things_missing(figure: Figure, bound: Bound) -> Words:
    """`, 3 more lines on time would have reached it`; nothing where hits aren't things.

    Hits are things only in a share where each of the sample is one of `of`: neither in a sum of
    quantities nor in promoters less detractors.
    """
    if not is_share(figure.kpi) or figure.hits is None or not figure.of or figure.of != figure.n:
        return Words("", "")
    counted, wanted = _counted(figure.kpi), bound.value * figure.of
    if bound.lower_is_better:
        spare = counted.times(figure.hits - floor(wanted))
        few, things = spare.en.split(" ", 1)
        return Words(f", {few} fewer {things} would have kept to it", f", soit {spare.fr}")
    missing = ceil(wanted) - figure.hits
    more = counted.times(missing, hit=True)
    few, things = more.en.split(" ", 1)
    return Words(f", {few} more {things} would have reached it", f", soit {more.fr} de plus")


def _gap(figure: Figure, bound: Bound) -> Words:
    """How far the figure lies from its bound: `0.6 pt`, `12 min`; never printed as nothing."""
    gap = abs(bound.value - _number(figure)) * _scale(figure.kpi)
    decimals = max(_decimals(figure, bound), _decimals_apart(gap, Fraction(0)))
    unit = _unit(figure.kpi, _GAPS)
    return _both(lambda lang: f"{_shortly(gap, lang, decimals)} {unit}".strip())


def _decimals(figure: Figure, bound: Bound) -> int:
    scale = _scale(figure.kpi)
    return _decimals_apart(_number(figure) * scale, bound.value * scale)


def _decimals_apart(one: Fraction, other: Fraction) -> int:
    """The fewest decimals, at least two, with which different numbers read differently."""
    decimals = 2
    while one != other and round(one, decimals) == round(other, decimals):
        decimals += 1
    return decimals


def _value(
    kpi: str, number: Fraction, language: str, decimals: int = 2, *, short: bool = False
) -> str:
    """A KPI's value with its unit. short: without the zeros at the end."""
    if short:
        decimals = _decimals_needed(number * _scale(kpi), decimals)
    if is_share(kpi):
        return percent(number, language, decimals)
    return f"{number_text(number, language, decimals)} {_unit(kpi)}".strip()


def _shortly(number: Fraction, language: str, decimals: int) -> str:
    return number_text(number, language, _decimals_needed(number, decimals))


def _decimals_needed(number: Fraction, decimals: int) -> int:
    """How many of the decimals are left once the zeros at the end are gone."""
    rounded = round(number, decimals)
    return next(fewer for fewer in range(decimals + 1) if round(number, fewer) == rounded)


def _number(figure: Figure) -> Fraction:
    assert figure.value is not None, "only what was measured is compared"
    return figure.value


def _scale(kpi: str) -> int:
    return 100 if is_share(kpi) else 1


def _unit(kpi: str, units: dict[Unit, str] = _UNITS) -> str:
    return units.get(CATALOGUE[kpi].unit, "") if kpi in CATALOGUE else ""


def _counted(kpi: str) -> Counted:
    return _COUNTED.get(kpi, _MEASUREMENTS)


def day_text(day: date) -> Words:
    """`9 April 2026`, `9 avril 2026`; in French a month begins with its `1er`."""
    return _both(lambda lang: _day(day, lang))


def _day(day: date, language: str) -> str:
    number = "1er" if day.day == 1 and language == "fr" else day.day
    return f"{number} {_MONTHS[language].split()[day.month - 1]} {day.year}"


def _both(say: Callable[[str], str]) -> Words:
    return Words(en=say("en"), fr=say("fr"))
