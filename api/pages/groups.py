"""Groups: regions, tiers, distributors and the team's own groups beside each other on one KPI."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api import exports
from api.addresses import address
from api.catalogues import text
from api.exports import Cell, FormatAsked
from api.figures import network_figures_of
from api.pages.network.choosing import (
    FIRST_LOOK,
    Chosen,
    asked_kpi,
    choose,
    kpi_options,
    period_links,
    place,
)
from api.pages.network.closer import (
    BY_NAMES,
    change_told,
    group_label,
    groups_chart,
    members_place,
)
from api.pages.told import STATE_WORDS, told
from api.render import page, translator
from api.request_scope import Language, Reading
from api.sign_in import SeesNetwork
from partner_cx.errors import Invalid
from partner_cx.insights.comparisons import Compared, compare
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Kpi
from partner_cx.network import groups as network_groups
from partner_cx.periods import Period

router = APIRouter()

ROWS_SHOWN = 50
ORDERS = {"worst": text("Worst first"), "best": text("Best first")}


@router.get("/groups")
def groups(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: SeesNetwork,
    period: str | None = None,
    kpi: str = "",
    by: str = "region",
    sort: str = "worst",
    file_format: FormatAsked = None,
) -> Response:
    """The groups of a kind on a KPI. by: region, tier, kind, country, distributor or group."""
    chosen = choose(session, period)
    if chosen is None:
        return page(request, "programme/nothing_yet.html")
    looked_at = asked_kpi(kpi or FIRST_LOOK)
    _known("by", by, BY_NAMES)
    _known("sort", sort, ORDERS)
    found = compare(session, chosen.measured.sheet, looked_at, by, best=sort == "best")
    labels = network_groups.labels(session)
    if file_format:
        return _taken_along(request, chosen, looked_at, by, found, labels, language, file_format)
    network = network_figures_of(session, chosen.measured).get(looked_at.code)
    whole = network or Figure(looked_at.code, None)
    say = translator(language)
    return page(
        request,
        "programme/groups.html",
        period=chosen.period.label(language),
        period_code=str(chosen.period),
        periods=period_links(
            chosen,
            address(request, place("/groups", kpi=looked_at.code, by=by, sort=sort))
            + "&period={period}",
            language,
        ),
        label=looked_at.label.in_(language),
        formula=looked_at.formula.in_(language),
        kpi=looked_at.code,
        kpis=kpi_options(list(CATALOGUE), language),
        by=by,
        by_told=say(BY_NAMES[by]),
        kinds=[(code, say(name)) for code, name in BY_NAMES.items()],
        sort=sort,
        orders=[(code, say(name)) for code, name in ORDERS.items()],
        network=told(whole, language),
        chart=_chart(request, looked_at, by, found, labels, whole, chosen, language),
        lines=[_line(each, labels, whole, chosen.period, language) for each in found[:ROWS_SHOWN]],
        left_out=max(len(found) - ROWS_SHOWN, 0),
        exports=exports.links(request),
        network_href=place(f"/network/{chosen.period}", kpi=looked_at.code),
        partners_href=place("/partners", kpi=looked_at.code, period=chosen.period),
        as_of=whole.as_of,
        closed_at=chosen.measured.closed_at,
    )


def _known(name: str, value: str, among: dict[str, str]) -> None:
    if value not in among:
        raise Invalid(
            f"{name}: “{value}” isn't one of {', '.join(among)}.",
            remedy="Choose it on the page.",
            french=f"{name}\u202f: «\u202f{value}\u202f» n’est pas parmi {', '.join(among)}. "
            "Choisissez sur la page.",
        )


def _chart(
    request: Request,
    kpi: Kpi,
    by: str,
    found: list[Compared],
    labels: dict[str, str],
    whole: Figure,
    chosen: Chosen,
    language: str,
) -> Any:
    return groups_chart(
        kpi.code,
        by,
        found[:ROWS_SHOWN],
        labels,
        target=whole,
        hrefs={
            each.code: address(request, members_place(each.code, kpi.code, chosen.period))
            for each in found[:ROWS_SHOWN]
        },
        language=language,
    )


def _line(
    group: Compared, labels: dict[str, str], whole: Figure, period: Period, language: str
) -> dict[str, Any]:
    value, all_ = group.figure.value, whole.value
    apart = None if value is None or all_ is None else value - all_
    return {
        "name": group_label(group, labels, language),
        "href": members_place(group.code, group.figure.kpi, period),
        "figure": told(group.figure, language),
        "apart": change_told(group.figure.kpi, apart, language),
    }


# --- Taken along ----------------------------------------------------------------------------------

COLUMNS = (
    text("Group"), text("Name"), text("Value"), text("Target"), text("State"), text("Sample"),
    text("Hits"), text("Out of"),
)  # fmt: skip


def _taken_along(
    request: Request,
    chosen: Chosen,
    kpi: Kpi,
    by: str,
    found: list[Compared],
    labels: dict[str, str],
    language: str,
    file_format: exports.FileFormat,
) -> Response:
    return exports.table(
        request,
        list(map(translator(language), COLUMNS)),
        [_exported(each, labels, language) for each in found],
        f"groups-{chosen.period}-{kpi.code}-{by}",
        file_format,
    )


def _exported(group: Compared, labels: dict[str, str], language: str) -> list[Cell]:
    figure = group.figure
    return [
        group.code,
        group_label(group, labels, language),
        figure.value,
        figure.target.value if figure.target else None,
        translator(language)(STATE_WORDS[figure.state]) if figure.state else None,
        figure.n,
        figure.hits,
        figure.of,
    ]
