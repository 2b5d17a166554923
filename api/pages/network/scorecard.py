"""The scorecard's lines: every KPI by family, against its target, with what led there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from api import telling
from api.catalogues import text
from api.charts import Sparkline, sparkline
from api.charts.splits import Part, split
from api.exports import Cell
from api.pages.definitions import FAMILY_NAMES
from api.pages.network.choosing import place
from api.pages.told import STATE_WORDS, Told, ToldState, told, told_standing, told_state
from api.render import translator
from partner_cx.insights.standings import Standing
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Family
from partner_cx.periods import Period
from partner_cx.quantities import number_text
from partner_cx.words import COLON

COURSE_LENGTH = 8
ORDER = (State.GREEN, State.RED, State.STALE, State.NO_DATA)  # of a bar's parts, and in words

Course = Mapping[Period, Mapping[str, Fraction | None]]


@dataclass(frozen=True)
class Line:
    """One KPI of the scorecard: its figure, and the periods that led to it.

    trend_words: the trend in words, for those who don't see it; past: its values, in order.
    href: the partners behind it.
    """

    figure: Told
    href: str
    trend: Sparkline | None
    trend_words: str
    past: tuple[str, ...]


@dataclass(frozen=True)
class FamilyOfLines:
    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Count:
    """How many partners stand in a state, and where they are listed."""

    state: ToldState
    told: str
    href: str


@dataclass(frozen=True)
class Reached:
    """How many partners reach a KPI's target: as a bar, and each part in words."""

    kpi: str
    label: str
    href: str
    counts: tuple[Count, ...]
    parts: tuple[Part, ...]


def periods_before(period: Period) -> list[Period]:
    """The periods that led to one, itself the last."""
    periods = [period]
    while len(periods) < COURSE_LENGTH and periods[-1].first_day.year > 1900:
        periods.append(periods[-1].previous())
    return periods[::-1]


def families(
    figures: Mapping[str, Figure], course: Course, period: Period, language: str
) -> list[FamilyOfLines]:
    """The lines by family, in the catalogue's order; what was never measured is left out."""
    periods = periods_before(period)
    by_family: dict[Family, list[Line]] = {family: [] for family in Family}
    for figure in known(figures, course):
        values = [course.get(each, {}).get(figure.kpi) for each in periods]
        line = _line(figure, values, periods, language)
        by_family[CATALOGUE[figure.kpi].family].append(line)
    say = translator(language)
    return [
        FamilyOfLines(say(FAMILY_NAMES[family]), tuple(lines))
        for family, lines in by_family.items()
        if lines
    ]


def known(figures: Mapping[str, Figure], course: Course) -> Iterator[Figure]:
    """The figures of KPIs that had a value in some period, in the catalogue's order."""
    ever = {kpi for values in course.values() for kpi, value in values.items() if value is not None}
    return (figures[code] for code in CATALOGUE if code in figures and code in ever)


def _line(
    figure: Figure, values: Sequence[Fraction | None], periods: Sequence[Period], language: str
) -> Line:
    past = tuple(value_told(figure, value, language) for value in values)
    words = ", ".join(
        f"{period.label(language)}{COLON.in_(language)}{value}"
        for period, value in zip(periods, past, strict=True)
    )
    return Line(
        figure=told(figure, language),
        href=place("/partners", kpi=figure.kpi, period=periods[-1]),
        trend=sparkline(values, figure.target.value if figure.target else None),
        trend_words=words,
        past=past,
    )


def value_told(figure: Figure, value: Fraction | None, language: str) -> str:
    """Another value of a figure's KPI, told as the figure's own is."""
    return telling.value(Figure(figure.kpi, value), language)


def summary(figures: Sequence[Figure], language: str) -> str:
    """How many targets the network reaches: the sentence a meeting begins with."""
    states = [figure.state for figure in figures if figure.target]
    say = translator(language)
    if not states:
        return say("No KPI has a target yet.")
    said = say("{reached} of {all} targets reached").format(
        reached=number_text(states.count(State.GREEN), language),
        all=number_text(len(states), language),
    )
    rest = [
        say.many("{count} missed", "{count} missed", states.count(State.RED)),
        say.many("{count} without enough data", "{count} without enough data",
                 states.count(State.NO_DATA)),
        say.many("{count} out of date", "{count} out of date", states.count(State.STALE)),
    ]  # fmt: skip
    counts = (states.count(each) for each in (State.RED, State.NO_DATA, State.STALE))
    return ", ".join([said, *(words for words, count in zip(rest, counts, strict=True) if count)])


def reached(
    figures: Sequence[Figure], standings: Mapping[str, Standing], period: Period, language: str
) -> list[Reached]:
    """Partner by partner: how many reach each target, in the scorecard's order."""
    return [
        _reached(figure.kpi, standings[figure.kpi], period, language)
        for figure in figures
        if figure.target and figure.kpi in standings
    ]


def _reached(kpi: str, standing: Standing, period: Period, language: str) -> Reached:
    states = [state for state in ORDER if standing.of(state)]
    return Reached(
        kpi=kpi,
        label=CATALOGUE[kpi].label.in_(language),
        href=place("/partners", kpi=kpi, period=period),
        counts=tuple(_count(kpi, state, standing, period, language) for state in states),
        parts=split([(state.value, standing.of(state)) for state in ORDER]),
    )


def _count(kpi: str, state: State, standing: Standing, period: Period, language: str) -> Count:
    shown = told_state(state, language)
    assert shown is not None
    return Count(
        state=shown,
        told=told_standing(state, standing.of(state), language),
        href=place("/partners", kpi=kpi, state=state.value, period=period),
    )


# --- Taken along ----------------------------------------------------------------------------------

EXPORTED = (
    text("KPI"), text("Code"), text("Family"), text("Value"), text("Unit"), text("Target"),
    text("State"), text("Sample"), text("Hits"), text("Out of"),
)  # fmt: skip


def exported(
    figures: Sequence[Figure], course: Course, period: Period, language: str
) -> tuple[list[str], list[list[Cell]]]:
    """The scorecard as columns and rows: exact numbers, and the values that led there."""
    say = translator(language)
    past = periods_before(period)[:-1]
    columns = [*map(say, EXPORTED), *(each.label(language) for each in past)]
    return columns, [
        [*_row(figure, language), *(course.get(each, {}).get(figure.kpi) for each in past)]
        for figure in figures
    ]


def _row(figure: Figure, language: str) -> list[Cell]:
    kpi = CATALOGUE[figure.kpi]
    say = translator(language)
    return [
        kpi.label.in_(language),
        kpi.code,
        say(FAMILY_NAMES[kpi.family]),
        figure.value,
        kpi.unit.value,
        figure.target.value if figure.target else None,
        say(STATE_WORDS[figure.state]) if figure.state else None,
        figure.n,
        figure.hits,
        figure.of,
    ]
