"""The network's scorecard: every KPI of a period, against its target, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import network_only
from api.addresses import address, see_other
from api.charts import Sparkline, sparkline
from api.figures import Measured, closed_at, measured_periods, network_figures
from api.pages.definitions import FAMILY_NAMES
from api.pages.told import Told, told
from api.render import page, translator
from api.request_scope import Language, Reading
from api.sign_in import SignedIn
from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Family
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import COLON

router = APIRouter()

TREND_LENGTH = 8
PERIODS_SHOWN = 12
NOT_MEASURED = "There are no figures for this period."


@dataclass(frozen=True)
class Line:
    """One KPI of the scorecard: its figure, and the periods that led to it.

    trend_words: the trend in words, for those who don't see it; past: its values, in order.
    """

    figure: Told
    trend: Sparkline | None
    trend_words: str
    past: tuple[str, ...]


@router.get("/network")
def latest(request: Request, session: Reading, viewer: SignedIn) -> Response:
    """To the latest closed quarter; failing that, to whatever was measured last."""
    network_only(viewer)
    periods = measured_periods(session)
    if not periods:
        return page(request, "programme/nothing_yet.html")
    return see_other(request, f"/network/{latest_quarter(periods)}")


@router.get("/network/{period}")
def scorecard(
    request: Request, period: str, session: Reading, language: Language, viewer: SignedIn
) -> Response:
    network_only(viewer)
    chosen = Period.parse(period)
    figures = network_figures(session, chosen)
    if not figures:
        raise NotFound(NOT_MEASURED)
    past = _past(chosen)
    led_here = [network_figures(session, each) for each in past]
    return page(
        request,
        "programme/network.html",
        period=chosen.label(language),
        periods=period_links(
            measured_periods(session), chosen, address(request, "/network/{period}"), language
        ),
        families=_families(figures, led_here, past, language),
        past=[each.label(language) for each in past],
        partners_href=f"/partners?period={chosen}",
        as_of=next(iter(figures.values())).as_of,
        closed_at=closed_at(session, chosen),
    )


def latest_quarter(periods: Sequence[Measured]) -> Period:
    """The period a reader most likely came for."""
    quarters = [each for each in periods if each.period.kind is PeriodKind.QUARTER]
    closed = [each for each in quarters if each.closed]
    return (closed or quarters or list(periods))[0].period


def period_links(
    periods: Sequence[Measured], chosen: Period, pattern: str, language: str
) -> list[dict[str, Any]]:
    """Links to the same page for other periods, the latest first."""
    shown = [
        each
        for kind in dict.fromkeys((chosen.kind, PeriodKind.QUARTER, PeriodKind.YEAR))
        for each in [each for each in periods if each.period.kind is kind][:PERIODS_SHOWN]
    ]
    return [
        {
            "label": each.period.label(language),
            "href": pattern.format(period=each.period),
            "current": each.period == chosen,
            "open": not each.closed,
        }
        for each in shown
    ]


def _past(chosen: Period) -> list[Period]:
    periods = [chosen]
    while len(periods) < TREND_LENGTH and periods[-1].first_day.year > 1900:
        periods.append(periods[-1].previous())
    return periods[::-1]


def _families(
    figures: Mapping[str, Figure],
    past: Sequence[Mapping[str, Figure]],
    periods: Sequence[Period],
    language: str,
) -> list[dict[str, Any]]:
    """The lines by family, in the catalogue's order; what was never measured is left out."""
    families = []
    for family in Family:
        codes = [kpi.code for kpi in CATALOGUE.values() if kpi.family is family]
        lines = [
            _line(figures[code], [each.get(code) for each in past], periods, language)
            for code in codes
            if code in figures and _ever_measured(code, past)
        ]
        if lines:
            families.append({"name": translator(language)(FAMILY_NAMES[family]), "lines": lines})
    return families


def _ever_measured(code: str, past: Sequence[Mapping[str, Figure]]) -> bool:
    found = (each.get(code) for each in past)
    return any(figure is not None and figure.value is not None for figure in found)


def _line(
    figure: Figure, past: Sequence[Figure | None], periods: Sequence[Period], language: str
) -> Line:
    known = [Figure(figure.kpi, None) if each is None else each for each in past]
    values = [told(each, language).value for each in known]
    words = ", ".join(
        f"{period.label(language)}{COLON.in_(language)}{value}"
        for period, value in zip(periods, values, strict=True)
    )
    return Line(
        figure=told(figure, language),
        trend=sparkline(
            [each.value for each in known], figure.target.value if figure.target else None
        ),
        trend_words=words,
        past=tuple(values),
    )
