"""A partner's figures: each KPI against its target, its trend, and where it lies in its group.

A figure opens to its page: the line of its periods, what it counts in words, and the rows behind
it, those that missed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api import exports, telling
from api.access import visible_partner
from api.addresses import see_other
from api.catalogues import text
from api.charts import Point, line_chart, sparkline
from api.exports import Cell, FileFormat, FormatAsked
from api.figures import Measured, measured_periods
from api.pages.definitions import FAMILY_NAMES
from api.pages.partner.explained import rows_behind
from api.pages.partner.rows import elsewhere, head, own_partner
from api.pages.told import told
from api.pages.viewing import Looking, View
from api.paging import ROWS, same_page, ways
from api.render import page, translator
from api.request_scope import wiring
from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.discretion import discreet
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Family
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.measures.standings import Band, Place, places
from partner_cx.network.partners import Partner
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text
from partner_cx.words import COLON
from rewards.frozen import FrozenFigure
from rewards.misses import Misses
from rewards.progress.trends import Behind, figures_over, periods_up_to, rows_of

router = APIRouter()

ROWS_EXPORTED = 100_000
PERIODS_OFFERED = 12
BANDS = {
    Band.TOP: text("in the best quarter"),
    Band.ABOVE: text("above the median"),
    Band.MIDDLE: text("at the median"),
    Band.BELOW: text("below the median"),
    Band.BOTTOM: text("in the last quarter"),
}
AMONG = {
    "distributor": text("of {count} distributors"),
    "reseller": text("of {count} resellers"),
    "installer": text("of {count} installers"),
    "agency": text("of {count} agencies"),
}


class Asked(BaseModel):
    """Which figures, as the address has it. kpi: one of them, opened. page: of its rows."""

    period: str = ""
    kpi: str = ""
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1


AskedFor = Annotated[Asked, Query()]


@router.get("/figures")
def own_figures(
    view: Looking,
    asked: AskedFor,
    format: FormatAsked = None,  # noqa: A002 - the word in the address
) -> Response:
    partner = own_partner(view.session, view.viewer)
    if partner is None:
        return see_other(view.request, elsewhere(view.viewer))
    return _figures(view, partner, asked, format)


@router.get("/figures/{code:path}")  # a code may hold a slash
def figures(
    view: Looking,
    code: str,
    asked: AskedFor,
    format: FormatAsked = None,  # noqa: A002 - the word in the address
) -> Response:
    """A partner's figures of a period; one of them, opened; or its rows as a file."""
    return _figures(view, visible_partner(view.session, view.viewer, code), asked, format)


def _figures(
    view: View,
    partner: Partner,
    asked: Asked,
    format: FileFormat | None,  # noqa: A002
) -> Response:
    measured = measured_periods(view.session)
    chosen = Period.parse(asked.period) if asked.period else None
    if chosen is None and measured:
        chosen = _begin_with(measured)
    top = head(view.request, view.viewer, partner, "figures")
    if chosen is None:
        return page(view.request, "partner/figures.html", **top, families=[], measured=False)
    closed = {each.period for each in measured if each.closed}
    past = periods_up_to(chosen)
    known = {
        each: {kpi: discreet(figure) for kpi, figure in of.items()}
        for each, of in figures_over(view.session, partner.code, past, closed).items()
    }
    if asked.kpi:
        return _opened(view, partner, asked, chosen, known, closed, format)
    found = known[chosen]
    table = FrozenFigure if chosen in closed else ScorecardRow
    standing = places(view.session, partner, chosen, table=table) if found else {}
    return page(
        view.request,
        "partner/figures.html",
        **top,
        measured=True,
        period=chosen.label(view.language),
        periods=_periods(measured, chosen, view.language),
        is_closed=chosen in closed,
        as_of=max((each.as_of for each in found.values() if each.as_of), default=None),
        past=[each.label(view.language) for each in past],
        families=_families(view, partner, chosen, past, known, standing),
    )


def _begin_with(measured: Sequence[Measured]) -> Period:
    """The quarter that runs, if it was measured: what can still be changed comes first."""
    quarters = [each for each in measured if each.period.kind is PeriodKind.QUARTER]
    running = [each for each in quarters if not each.closed]
    return (running or quarters or list(measured))[0].period


def _periods(measured: Sequence[Measured], chosen: Period, language: str) -> list[dict[str, Any]]:
    """Links to the same page for other periods, the latest of each kind first."""
    kinds = dict.fromkeys((chosen.kind, PeriodKind.QUARTER, PeriodKind.YEAR))
    return [
        {
            "label": each.period.label(language),
            "href": f"?period={each.period}",
            "current": each.period == chosen,
            "open": not each.closed,
        }
        for kind in kinds
        for each in [each for each in measured if each.period.kind is kind][:PERIODS_OFFERED]
    ]


# --- All of them ----------------------------------------------------------------------------------


def _families(
    view: View,
    partner: Partner,
    chosen: Period,
    past: Sequence[Period],
    known: Mapping[Period, Mapping[str, Figure]],
    standing: Mapping[str, Place],
) -> list[dict[str, Any]]:
    """The figures by family, in the catalogue's order; what was never measured is left out."""
    say = translator(view.language)
    families = []
    for family in Family:
        lines = [
            _line(view, partner, chosen, past, kpi.code, known, standing.get(kpi.code))
            for kpi in CATALOGUE.values()
            if kpi.family is family and _ever(kpi.code, known)
        ]
        if lines:
            families.append({"name": say(FAMILY_NAMES[family]), "lines": lines})
    return families


def _ever(kpi: str, known: Mapping[Period, Mapping[str, Figure]]) -> bool:
    return any(kpi in of and of[kpi].value is not None for of in known.values())


def _line(
    view: View,
    partner: Partner,
    chosen: Period,
    past: Sequence[Period],
    kpi: str,
    known: Mapping[Period, Mapping[str, Figure]],
    place: Place | None,
) -> dict[str, Any]:
    figures = [known[each].get(kpi, Figure(kpi, None)) for each in past]
    values = [told(each, view.language).value for each in figures]
    target = figures[-1].target
    return {
        "figure": told(figures[-1], view.language),
        "href": same_page(view.request, kpi=kpi, period=chosen, page=None),
        "place": _place(place if figures[-1].value is not None else None, partner, view.language),
        "trend": sparkline([each.value for each in figures], target.value if target else None),
        "trend_words": ", ".join(
            f"{period.label(view.language)}{COLON.in_(view.language)}{value}"
            for period, value in zip(past, values, strict=True)
        ),
        "past": values,
    }


def _place(place: Place | None, partner: Partner, language: str) -> str:
    """`above the median, of 38 resellers`; nothing where the group is too small to tell."""
    if place is None:
        return ""
    say = translator(language)
    among = say(AMONG[partner.kind]).format(count=place.members)
    return f"{say(BANDS[place.band])} {among}"


# --- One of them ----------------------------------------------------------------------------------


def _opened(
    view: View,
    partner: Partner,
    asked: Asked,
    chosen: Period,
    known: Mapping[Period, Mapping[str, Figure]],
    closed: set[Period],
    format: FileFormat | None,  # noqa: A002
) -> Response:
    kpi = CATALOGUE.get(asked.kpi)
    if kpi is None:
        raise NotFound("There is no such KPI.", remedy="Choose one from the figures.")
    figure = known[chosen].get(kpi.code, Figure(kpi.code, None))
    behind = _behind(view, partner, chosen, figure, asked.page, everything=format is not None)
    if format:
        return _file(view, partner, chosen, kpi.code, behind, format)
    table = FrozenFigure if chosen in closed else ScorecardRow
    place = places(view.session, partner, chosen, table=table).get(kpi.code)
    label = kpi.label.in_(view.language)
    return page(
        view.request,
        "partner/kpi.html",
        **head(view.request, view.viewer, partner, "figures"),
        back_href=same_page(view.request, kpi=None, page=None),
        label=label,
        period=chosen.label(view.language),
        figure=told(figure, view.language),
        as_of=figure.as_of,
        is_closed=chosen in closed,
        formula=kpi.formula.in_(view.language),
        version=figure.definition_version,
        source=kpi.source,
        kpi=kpi.code,
        place=_place(place if figure.value is not None else None, partner, view.language),
        chart=_chart(label, kpi.code, known, view.language),
        rows=_rows(view, behind, asked.page),
        rows_pager=ways(view.request, asked.page, behind.total, view.language, anchor="rows"),
        exports=exports.links(view.request) if behind.total else [],
    )


def _chart(
    label: str, kpi: str, known: Mapping[Period, Mapping[str, Figure]], language: str
) -> Any:
    """The line of the periods; its target is that of the last period that has one."""
    periods = sorted(known)
    figures = [known[each].get(kpi, Figure(kpi, None)) for each in periods]
    aims = [each for each in figures if each.target]
    return line_chart(
        label,
        [
            Point(period.label(language), figure.value, telling.value(figure, language))
            for period, figure in zip(periods, figures, strict=True)
        ],
        target=aims[-1].target.value if aims and aims[-1].target else None,
        target_told=telling.target(aims[-1], language) if aims else "",
        language=language,
    )


def _behind(
    view: View, partner: Partner, chosen: Period, figure: Figure, number: int, *, everything: bool
) -> Behind:
    if figure.as_of is None:
        return Behind(Misses(), Misses())
    return rows_of(
        view.session,
        partner,
        chosen,
        figure.kpi,
        settings=wiring(view.request).settings,
        as_of=figure.as_of,
        limit=ROWS_EXPORTED if everything else min(number * ROWS, ROWS_EXPORTED),
    )


def _rows(view: View, behind: Behind, number: int) -> list[dict[str, Any]]:
    """A page of the rows: those that missed, then those that were kept."""
    start, end = (number - 1) * ROWS, number * ROWS
    first = behind.missed.rows[start:end]
    before = behind.missed.total
    second = behind.kept.rows[max(start - before, 0) : max(end - before, 0)]
    say = translator(view.language)
    return [
        rows_behind(
            Misses(misses.total, tuple(rows), misses.called),
            f"{say(heading)}, {_counted(misses, view.language)}",
            view.language,
        )
        for misses, rows, heading in (
            (behind.missed, first, MISSED),
            (behind.kept, second, KEPT),
        )
        if rows
    ]


MISSED = text("Counted and missed")
KEPT = text("Counted and kept")


def _counted(misses: Misses, language: str) -> str:
    """`3 lines`, however many of them are on the page."""
    one, many = misses.called
    things = one if misses.total == 1 else many
    return f"{number_text(misses.total, language)} {things.in_(language)}"


def _file(
    view: View,
    partner: Partner,
    chosen: Period,
    kpi: str,
    behind: Behind,
    format: FileFormat,  # noqa: A002
) -> Response:
    say = translator(view.language)
    columns = [say("Number"), say("Day"), say("What"), say("Kept"), say("What became of it")]
    rows: list[list[Cell]] = [
        [
            row.source_id,
            row.day,
            row.what.in_(view.language),
            say("yes") if kept else say("no"),
            row.verdict.in_(view.language),
        ]
        for rows, kept in ((behind.missed.rows, False), (behind.kept.rows, True))
        for row in rows
    ]
    return exports.table(view.request, columns, rows, f"{kpi}-{chosen}-{partner.code}", format)
