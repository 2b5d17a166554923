"""Partners: the list, on one KPI or on the quality KPIs, filtered, sorted, and taken along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from api import exports
from api.addresses import address, asked_besides
from api.catalogues import text
from api.exports import Cell, FormatAsked
from api.pages.network import filters
from api.pages.network.choosing import (
    Chosen,
    asked_kpi,
    choose,
    kpi_options,
    period_links,
    place,
)
from api.pages.network.closer import change_told, figures_place
from api.pages.network.filters import ORDER_NAMES, Asked, Choices
from api.pages.partner.naming import KIND_NAMES, about, address_of, statement_of
from api.pages.told import STATE_WORDS, Told, told
from api.paging import ROWS, offset, ways
from api.render import page, translator
from api.request_scope import Language, Reading
from api.sign_in import SeesNetwork
from partner_cx.insights.ranking import Order, Ranked, figures_of, ranking
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Direction, Kpi
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.quantities import NOTHING, number_text, points_text
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind

router = APIRouter()

QUALITY = ("otif", "sla_response", "portal_adoption")  # what the network quality bonus looks at
AT_ONCE = 500  # values in one statement; of more partners all are asked for


@dataclass(frozen=True)
class Linked:
    """A figure in the list, and where its rows stand."""

    told: Told
    href: str


@dataclass(frozen=True)
class PartnerLine:
    """A partner in the list. `earned` leads to the place on the statement that says why.

    before, change: where one KPI is looked at, the period before; change_is: better or worse.
    """

    name: str
    about: str
    href: str
    figures: tuple[Linked, ...]
    before: str
    change: str
    change_is: str
    earned: str
    earned_href: str
    balance: str
    balance_href: str


@dataclass(frozen=True)
class Points:
    """What partners earned at the period's close, and what they have, by the partner's id."""

    earned: Mapping[int, int]
    balances: Mapping[int, int]


@router.get("/partners")
def partners(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: SeesNetwork,
    period: str | None = None,
    kpi: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
    file_format: FormatAsked = None,
) -> Response:
    """Every partner with figures in the period. kpi: the one to look at, the worst first."""
    chosen = choose(session, period)
    if chosen is None:
        return page(request, "programme/nothing_yet.html")
    looked_at = asked_kpi(kpi) if kpi else None
    asked = filters.asked(request, order=Order.WORST if looked_at else Order.NAME)
    if file_format:
        return _taken_along(request, session, chosen, looked_at, asked, language, file_format)
    found = ranking(
        session,
        chosen.measured.sheet,
        looked_at.code if looked_at else QUALITY[0],
        asked.filter,
        order=asked.order,
        limit=ROWS,
        offset=offset(number),
        before=chosen.before.sheet if chosen.before and looked_at else None,
    )
    shown = _figures(session, chosen, looked_at, found.rows)
    points = _points(session, chosen.period, found.rows)
    options = filters.choices(session, language)
    return page(
        request,
        "programme/partners.html",
        period=chosen.period.label(language),
        period_code=str(chosen.period),
        before=chosen.period.previous().label(language),
        periods=period_links(chosen, _pattern(request), language),
        looked_at=_looked_at(looked_at, language),
        headings=[
            {
                "kpi": code,
                "label": CATALOGUE[code].label.in_(language),
                "href": _ranked(code, chosen),
            }
            for code in QUALITY
        ],
        partners=[
            _line(each, shown, points, looked_at, chosen.period, language) for each in found.rows
        ],
        summary=_summary(session, chosen, looked_at, asked, options, found.total, language),
        is_filtered=bool(asked.chosen),
        everybody_href=place("/partners", kpi=kpi, period=chosen.period),
        kpis=[
            ("", translator(language)(text("Quality KPIs"))),
            *kpi_options(list(CATALOGUE), language),
        ],
        **_fields(asked, options, language),
        orders=[(each.value, translator(language)(name)) for each, name in ORDER_NAMES.items()],
        order=asked.order.value,
        search=asked.chosen.get("q", ""),
        pager=ways(request, number, found.total, language),
        exports=exports.links(request),
        network_href=place(f"/network/{chosen.period}", kpi=kpi),
        groups_href=place("/groups", kpi=kpi or QUALITY[0], period=chosen.period),
        as_of=next((each.figure.as_of for each in found.rows), None),
        closed_at=chosen.measured.closed_at,
    )


def _fields(asked: Asked, options: Choices, language: str) -> dict[str, Any]:
    """The filters to choose in; those seldom used are folded away until one is."""
    selects = filters.selects(asked, options, language)
    seldom = [each for each in selects if not each["often"]]
    return {
        "selects": selects,
        "has_seldom": bool(seldom),
        "seldom_used": any(each["value"] for each in seldom),
    }


def _pattern(request: Request) -> str:
    """The list's own address with a place for another period, its filters kept."""
    path = place("/partners", **dict(asked_besides(request, "period", "page", "lang", "format")))
    return address(request, f"{path}{'&' if '?' in path else '?'}period={{period}}")


def _ranked(code: str, chosen: Chosen) -> str:
    return place("/partners", kpi=code, period=chosen.period)


def _looked_at(kpi: Kpi | None, language: str) -> dict[str, str] | None:
    if kpi is None:
        return None
    return {
        "code": kpi.code,
        "label": kpi.label.in_(language),
        "formula": kpi.formula.in_(language),
    }


Shown = Mapping[str, Mapping[str, Figure]]


def _figures(session: Session, chosen: Chosen, kpi: Kpi | None, rows: Sequence[Ranked]) -> Shown:
    """The figures that each line shows: of the KPI that is looked at, or the quality KPIs."""
    if kpi is not None:
        return {each.partner.code: {kpi.code: each.figure} for each in rows}
    codes = [each.partner.code for each in rows]
    return figures_of(session, chosen.measured.sheet, QUALITY, codes)


def _line(
    ranked: Ranked, shown: Shown, points: Points, kpi: Kpi | None, period: Period, language: str
) -> PartnerLine:
    partner, figures = ranked.partner, shown.get(ranked.partner.code, {})
    earned = points.earned.get(partner.id)
    change = _change(ranked)
    return PartnerLine(
        name=partner.name,
        about=about(partner, language),
        href=address_of(partner),
        figures=tuple(
            Linked(
                told(figures.get(code, Figure(code, None, state=State.NO_DATA)), language),
                figures_place(partner.code, code, period),
            )
            for code in ([kpi.code] if kpi else QUALITY)
        ),
        before=told(ranked.before, language).value if ranked.before else NOTHING,
        change=change_told(kpi.code, change, language) if kpi else "",
        change_is=_is_better(kpi, change),
        earned=NOTHING if earned is None else number_text(earned, language),
        earned_href="" if earned is None else statement_of(partner, period),
        balance=number_text(points.balances.get(partner.id, 0), language),
        balance_href=statement_of(partner),
    )


def _change(ranked: Ranked) -> Fraction | None:
    before = ranked.before.value if ranked.before else None
    now = ranked.figure.value
    return None if before is None or now is None else now - before


def _is_better(kpi: Kpi | None, change: Fraction | None) -> str:
    """The colour of a change: green for the better, red for the worse; none for neither."""
    if kpi is None or not change:
        return ""
    return "green" if (change > 0) is (kpi.direction is Direction.HIGHER) else "red"


def _points(session: Session, period: Period, rows: Sequence[Ranked]) -> Points:
    ids = [each.partner.id for each in rows]
    earned = _earned(period)
    wallets = sa.select(Account.partner_id, Account.balance_points).where(
        Account.kind == AccountKind.WALLET, Account.partner_id.is_not(None)
    )
    if len(ids) <= AT_ONCE:
        earned = earned.where(DecisionRow.partner_id.in_(ids))
        wallets = wallets.where(Account.partner_id.in_(ids))
    return Points(
        {partner_id: int(points) for partner_id, points in session.execute(earned)},
        {number: points for number, points in session.execute(wallets) if number is not None},
    )


def _earned(period: Period) -> sa.Select[int, int]:
    """What each partner's decisions at a close earned."""
    return (
        sa.select(DecisionRow.partner_id, sa.func.sum(DecisionRow.points).label("points"))
        .join(Closing, Closing.id == DecisionRow.closing_id)
        .where(Closing.period == str(period))
        .group_by(DecisionRow.partner_id)
    )


def _summary(
    session: Session,
    chosen: Chosen,
    kpi: Kpi | None,
    asked: Asked,
    options: Choices,
    total: int,
    language: str,
) -> str:
    """How many partners these are; of all of them, what they earned."""
    say = translator(language)
    count = say.many("{count} partner", "{count} partners", total)
    narrowed = filters.in_words(asked, options, language)
    if narrowed:
        return say("{partners}: {filters}.").format(partners=count, filters=narrowed)
    if kpi is not None:
        return say("{partners}.").format(partners=count)
    earned = _earned(chosen.period).subquery()
    won = sa.func.sum(sa.case((earned.c.points > 0, 1), else_=0))
    judged, winners, points = session.execute(
        sa.select(sa.func.count(), won, sa.func.sum(earned.c.points)).select_from(earned)
    ).one()
    if not judged:
        return say("{partners}.").format(partners=count)
    return say("{won} of {judged} partners a rule is for earned {points}.").format(
        won=number_text(int(winners), language),
        judged=number_text(judged, language),
        points=points_text(int(points), language),
    )


# --- Taken along ----------------------------------------------------------------------------------

WHO = (text("Code"), text("Name"), text("Kind"), text("Tier"), text("Region"), text("Country"))
OF_ONE_KPI = (
    text("Value"), text("Target"), text("State"), text("Sample"), text("Hits"), text("Out of"),
    text("Period before"), text("Difference"),
)  # fmt: skip
POINTS = (text("Earned"), text("Balance"))


def _taken_along(
    request: Request,
    session: Session,
    chosen: Chosen,
    kpi: Kpi | None,
    asked: Asked,
    language: str,
    file_format: exports.FileFormat,
) -> Response:
    """The whole list as the filters leave it, as a file."""
    say = translator(language)
    found = ranking(
        session,
        chosen.measured.sheet,
        kpi.code if kpi else QUALITY[0],
        asked.filter,
        order=asked.order,
        before=chosen.before.sheet if chosen.before and kpi else None,
    )
    shown = _figures(session, chosen, kpi, found.rows)
    points = _points(session, chosen.period, found.rows)
    headings = map(say, OF_ONE_KPI) if kpi else _quality_headings(language)
    return exports.table(
        request,
        [*map(say, WHO), *headings, *map(say, POINTS)],
        [
            [
                *_who(each.partner, language),
                *(
                    _one_kpi(each, language)
                    if kpi
                    else _quality(shown[each.partner.code], language)
                ),
                points.earned.get(each.partner.id),
                points.balances.get(each.partner.id, 0),
            ]
            for each in found.rows
        ],
        f"partners-{chosen.period}{f'-{kpi.code}' if kpi else ''}",
        file_format,
    )


def _who(partner: Partner, language: str) -> list[Cell]:
    kind = translator(language)(KIND_NAMES[partner.kind])
    return [partner.code, partner.name, kind, partner.tier, partner.region, partner.country]


def _one_kpi(ranked: Ranked, language: str) -> Iterator[Cell]:
    figure = ranked.figure
    yield figure.value
    yield figure.target.value if figure.target else None
    yield _state(figure, language)
    yield from (figure.n, figure.hits, figure.of)
    yield ranked.before.value if ranked.before else None
    yield _change(ranked)


def _quality_headings(language: str) -> Iterator[str]:
    for code in QUALITY:
        label = CATALOGUE[code].label.in_(language)
        yield label
        yield translator(language)(text("{kpi}, state")).format(kpi=label)


def _quality(figures: Mapping[str, Figure], language: str) -> Iterator[Cell]:
    for code in QUALITY:
        figure = figures.get(code, Figure(code, None, state=State.NO_DATA))
        yield figure.value
        yield _state(figure, language)


def _state(figure: Figure, language: str) -> str | None:
    return translator(language)(STATE_WORDS[figure.state]) if figure.state else None
