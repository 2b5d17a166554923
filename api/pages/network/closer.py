"""A closer look at one KPI: its course, who moved most, and the groups beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from api import telling
from api.catalogues import text
from api.charts import Bar, BarChart, LineChart, Point, bar_chart, line_chart
from api.pages.network.choosing import place
from api.pages.network.scorecard import Course, periods_before, value_told
from api.render import translator
from partner_cx.insights.comparisons import Compared
from partner_cx.insights.movers import Mover, Movers
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Direction, Unit
from partner_cx.network.names import NARROWER, PartnerKind
from partner_cx.periods import Period
from partner_cx.quantities import NARROW_SPACE, NOTHING, number_text

BY_NAMES = {
    "region": text("Region"),
    "tier": text("Tier"),
    "kind": text("Kind of partner"),
    "country": text("Country"),
    "distributor": text("Distributor"),
    "group": text("Own groups"),
}
assert set(BY_NAMES) == set(NARROWER)
KINDS_OF_PARTNERS = {
    PartnerKind.DISTRIBUTOR.value: text("Distributors"),
    PartnerKind.RESELLER.value: text("Resellers"),
    PartnerKind.INSTALLER.value: text("Installers"),
    PartnerKind.AGENCY.value: text("Agencies"),
}


@dataclass(frozen=True)
class Moved:
    """A partner that moved: from, to, by how much, and whether that is good."""

    name: str
    href: str
    before: str
    now: str
    change: str
    better: bool
    n: str


@dataclass(frozen=True)
class MovedMost:
    """Who moved most, the good first. said: how they were chosen."""

    better: tuple[Moved, ...]
    worse: tuple[Moved, ...]
    said: str


def course_chart(figure: Figure, course: Course, period: Period, language: str) -> LineChart:
    """The KPI over the last eight periods, with its target."""
    points = []
    for each in periods_before(period):
        value = course.get(each, {}).get(figure.kpi)
        points.append(Point(each.label(language), value, value_told(figure, value, language)))
    say = translator(language)
    return line_chart(
        say("{kpi}, the whole network").format(kpi=CATALOGUE[figure.kpi].label.in_(language)),
        points,
        target=figure.target.value if figure.target else None,
        target_told=telling.target(figure, language),
        language=language,
    )


def moved_most(kpi: str, found: Movers, period: Period, language: str) -> MovedMost:
    say = translator(language)
    lower = CATALOGUE[kpi].direction is Direction.LOWER
    better, worse = (found.down, found.up) if lower else (found.up, found.down)
    said = say(
        "From {before} to {now}, among partners with a sample of at least {count} in both."
    ).format(
        before=period.previous().label(language),
        now=period.label(language),
        count=number_text(found.n_min, language),
    )
    return MovedMost(
        better=tuple(_moved(kpi, each, period, language, better=True) for each in better),
        worse=tuple(_moved(kpi, each, period, language, better=False) for each in worse),
        said=said,
    )


def _moved(kpi: str, mover: Mover, period: Period, language: str, *, better: bool) -> Moved:
    return Moved(
        name=mover.name,
        href=figures_place(mover.code, kpi, period),
        before=telling.value(Figure(kpi, mover.before), language),
        now=telling.value(Figure(kpi, mover.now), language),
        change=change_told(kpi, mover.change, language),
        better=better,
        n=number_text(mover.n_now, language),
    )


def change_told(kpi: str, change: Fraction | None, language: str) -> str:
    """`+3.2 pt`, `−12 min`: by how much a figure moved; a dash for nothing to compare."""
    if change is None:
        return NOTHING
    unit = CATALOGUE[kpi].unit if kpi in CATALOGUE else Unit.SCORE
    shown = abs(change) * 100 if unit is Unit.SHARE else abs(change)
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    name = {Unit.SHARE: "pt", Unit.MINUTES: "min", Unit.HOURS: "h"}.get(unit, "")
    decimals = 0 if unit is Unit.COUNT else 1
    number = number_text(shown, language, decimals)
    return f"{sign}{number}{NARROW_SPACE}{name}" if name else f"{sign}{number}"


def figures_place(code: str, kpi: str, period: Period) -> str:
    """Where a partner's rows behind a figure stand."""
    return place(f"/figures/{quote(code, safe='')}", kpi=kpi, period=period)


def groups_chart(
    kpi: str,
    by: str,
    groups: Sequence[Compared],
    labels: dict[str, str],
    *,
    target: Figure,
    hrefs: dict[str, str],
    language: str,
) -> BarChart:
    """The groups of one kind beside each other. target: the network's figure, for its target."""
    bars = [
        Bar(
            label=group_label(each, labels, language),
            value=each.figure.value,
            told=telling.value(each.figure, language),
            href=hrefs.get(each.code, ""),
            state=each.figure.state.value if each.figure.state else "",
        )
        for each in groups
    ]
    say = translator(language)
    return bar_chart(
        say("{kpi} by group: {by}").format(
            kpi=CATALOGUE[kpi].label.in_(language), by=say(BY_NAMES[by]).lower()
        ),
        bars,
        target=target.target.value if target.target else None,
        target_told=telling.target(target, language),
        language=language,
    )


def group_label(group: Compared, labels: dict[str, str], language: str) -> str:
    """What people call a group: a distributor's name, a kind in words, else the code's end."""
    if group.code in labels:
        return labels[group.code]
    kind, _, name = group.code.partition(":")
    if kind == "kind" and name in KINDS_OF_PARTNERS:
        return translator(language)(KINDS_OF_PARTNERS[name])
    return name


def members_place(code: str, kpi: str, period: Period) -> str:
    """Where a group's partners are listed on a KPI."""
    by, _, name = code.partition(":")
    return place("/partners", kpi=kpi, period=period, **{by: name})
