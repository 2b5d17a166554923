"""The network's overview: targets, who reaches them, alerts, and a closer look at one KPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import exports
from api.addresses import address, see_other
from api.exports import FileFormat, FormatAsked
from api.figures import network_course, network_figures_of
from api.pages.network import alerts, closer, scorecard
from api.pages.network.choosing import (
    FIRST_LOOK,
    Chosen,
    asked_kpi,
    choose,
    kpi_options,
    period_links,
    place,
)
from api.pages.network.kept import Part, kept
from api.pages.network.scorecard import Course, periods_before
from api.render import fragment, page
from api.request_scope import Clock, Language, Reading
from api.sign_in import SeesNetwork
from partner_cx.errors import NotFound
from partner_cx.insights.comparisons import compare
from partner_cx.insights.movers import Movers, movers, sample_needed
from partner_cx.insights.standings import standings
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Kpi

router = APIRouter()

MOVERS_SHOWN = 5
GROUPS_SHOWN = 12


@router.get("/network")
def latest(request: Request, session: Reading, _viewer: SeesNetwork) -> Response:
    """To the latest closed quarter; failing that, to whatever was measured last."""
    chosen = choose(session, None)
    if chosen is None:
        return page(request, "programme/nothing_yet.html")
    return see_other(request, f"/network/{chosen.period}")


@router.get("/network/{period}")
def overview(
    request: Request,
    period: str,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: SeesNetwork,
    kpi: str = "",
    file_format: FormatAsked = None,
) -> Response:
    """The scorecard of a period. kpi: which one to look at more closely."""
    chosen = _chosen(session, period)
    looked_at = asked_kpi(kpi) if kpi else None
    if file_format:
        return _exported(request, session, chosen, language, file_format)
    part = kept(
        request, session, chosen, language,
        lambda: _part(request, session, chosen, looked_at, language),
    )  # fmt: skip
    return page(
        request,
        "programme/network.html",
        period=chosen.period.label(language),
        periods=period_links(
            chosen, address(request, place("/network/{period}", kpi=kpi)), language
        ),
        summary=part.summary,
        figures=part.figures,
        heard=alerts.heard(session, language, now=now),
        as_of=part.as_of,
        closed_at=chosen.measured.closed_at,
    )


def _part(
    request: Request, session: Session, chosen: Chosen, looked_at: Kpi | None, language: str
) -> Part:
    """What rests on figures."""
    figures = network_figures_of(session, chosen.measured)
    course = _course(session, chosen)
    known = [*scorecard.known(figures, course)]
    close = figures.get(looked_at.code) if looked_at else _first_look(known)
    judged = [figure.kpi for figure in known if figure.target]
    printed = fragment(
        request,
        "programme/network_figures.html",
        alerts=alerts.alerts(known, chosen.period, language),
        families=scorecard.families(figures, course, chosen.period, language),
        past=[each.label(language) for each in periods_before(chosen.period)],
        reached=scorecard.reached(
            known, standings(session, chosen.measured.sheet, judged), chosen.period, language
        ),
        closer=_closer(request, session, chosen, close, course, language) if close else None,
        kpis=kpi_options([figure.kpi for figure in known], language),
        partners_href=place("/partners", period=chosen.period),
        groups_href=place("/groups", period=chosen.period, kpi=close.kpi if close else ""),
        exports=exports.links(request),
    )
    as_of = next((figure.as_of for figure in figures.values()), None)
    return Part(scorecard.summary(known, language), as_of, printed)


def _exported(
    request: Request, session: Session, chosen: Chosen, language: str, file_format: FileFormat
) -> Response:
    figures = network_figures_of(session, chosen.measured)
    course = _course(session, chosen)
    columns, rows = scorecard.exported(
        [*scorecard.known(figures, course)], course, chosen.period, language
    )
    return exports.table(request, columns, rows, f"network-{chosen.period}", file_format)


def _chosen(session: Session, period: str) -> Chosen:
    chosen = choose(session, period)
    if chosen is None:
        raise NotFound("Nothing is measured yet.")
    return chosen


def _course(session: Session, chosen: Chosen) -> Course:
    periods = map(chosen.back, periods_before(chosen.period))
    return network_course(session, [each for each in periods if each])


def _first_look(known: list[Figure]) -> Figure | None:
    """The KPI that is looked at unless another is asked for."""
    by_code = {figure.kpi: figure for figure in known}
    return by_code.get(FIRST_LOOK) or next((f for f in known if f.target), None)


def _closer(
    request: Request,
    session: Session,
    chosen: Chosen,
    figure: Figure,
    course: Course,
    language: str,
) -> Mapping[str, Any]:
    """What is shown of one KPI besides its line."""
    period, kpi = chosen.period, CATALOGUE[figure.kpi]
    groups = compare(session, chosen.measured.sheet, kpi, "region")
    hrefs = {
        each.code: address(request, closer.members_place(each.code, kpi.code, period))
        for each in groups
    }
    return {
        "kpi": kpi.code,
        "label": kpi.label.in_(language),
        "formula": kpi.formula.in_(language),
        "course": closer.course_chart(figure, course, period, language),
        "before": chosen.before is not None,
        "moved": closer.moved_most(
            kpi.code, _movers(session, chosen, figure), period, language
        ),
        "groups": closer.groups_chart(
            kpi.code, "region", groups[:GROUPS_SHOWN], {}, target=figure, hrefs=hrefs,
            language=language,
        ),
        "has_groups": bool(groups),
        "more_groups": max(len(groups) - GROUPS_SHOWN, 0),
    }  # fmt: skip


def _movers(session: Session, chosen: Chosen, figure: Figure) -> Movers:
    n_min = sample_needed(figure.kpi, figure.target)
    if chosen.before is None:
        return Movers(n_min=n_min)
    return movers(
        session,
        chosen.measured.sheet,
        chosen.before.sheet,
        figure.kpi,
        n_min=n_min,
        most=MOVERS_SHOWN,
    )
