"""Partners: the list, with its quality KPIs and points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api.access import network_only
from api.addresses import address
from api.figures import closed_at, figures_of, measured_periods
from api.pages.network import NOT_MEASURED, latest_quarter, period_links
from api.pages.partner.naming import about, address_of
from api.pages.told import Told, told
from api.render import page, translator
from api.request_scope import Language, Reading
from api.sign_in import SignedIn
from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.quantities import NOTHING, number_text, points_text
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind

router = APIRouter()

QUALITY = ("otif", "sla_response", "portal_adoption")  # what the network quality bonus looks at


@dataclass(frozen=True)
class PartnerLine:
    """A partner in the list. `earned` leads to the place on the statement that says why."""

    name: str
    about: str
    href: str
    figures: tuple[Told, ...]
    earned: str
    earned_href: str | None
    balance: str


@router.get("/partners")
def partners(
    request: Request,
    session: Reading,
    language: Language,
    viewer: SignedIn,
    period: str | None = None,
) -> Response:
    """Every partner with figures in the period, by name."""
    network_only(viewer)
    periods = measured_periods(session)
    if not periods:
        return page(request, "programme/nothing_yet.html")
    chosen = Period.parse(period) if period else latest_quarter(periods)
    figures = figures_of(session, chosen, "partner")
    if not figures:
        raise NotFound(NOT_MEASURED)
    earned = _earned(session, chosen)
    balances = _balances(session)
    shown = session.scalars(sa.select(Partner).where(Partner.code.in_(figures)))
    lines = [
        _line(partner, figures[partner.code], earned.get(partner.id), balances, chosen, language)
        for partner in sorted(shown, key=lambda each: each.name.casefold())
    ]
    return page(
        request,
        "programme/partners.html",
        period=chosen.label(language),
        periods=period_links(
            periods, chosen, address(request, "/partners?period={period}"), language
        ),
        headings=[{"kpi": code, "label": CATALOGUE[code].label.in_(language)} for code in QUALITY],
        partners=lines,
        summary=_summary(earned.values(), len(lines), language),
        network_href=f"/network/{chosen}",
        as_of=_as_of(figures),
        closed_at=closed_at(session, chosen),
    )


def _line(
    partner: Partner,
    figures: Mapping[str, Figure],
    earned: int | None,
    balances: Mapping[int, int],
    period: Period,
    language: str,
) -> PartnerLine:
    href = address_of(partner)
    return PartnerLine(
        name=partner.name,
        about=about(partner, language),
        href=href,
        figures=tuple(
            told(figures.get(code, Figure(code, None, state=State.NO_DATA)), language)
            for code in QUALITY
        ),
        earned=NOTHING if earned is None else number_text(earned, language),
        earned_href=None if earned is None else f"{href}#{period}",
        balance=number_text(balances.get(partner.id, 0), language),
    )


def _as_of(figures: Mapping[str, Mapping[str, Figure]]) -> datetime | None:
    """When the figures were measured: all partners' at once."""
    return next(iter(next(iter(figures.values())).values())).as_of


def _earned(session: Session, period: Period) -> Mapping[int, int]:
    """What each partner's decisions at a close earned, by the partner's id."""
    decided = session.execute(
        sa.select(DecisionRow.partner_id, sa.func.sum(DecisionRow.points))
        .join(Closing, Closing.id == DecisionRow.closing_id)
        .where(Closing.period == str(period))
        .group_by(DecisionRow.partner_id)
    )
    return {partner_id: int(points) for partner_id, points in decided}


def _balances(session: Session) -> Mapping[int, int]:
    wallets = session.execute(
        sa.select(Account.partner_id, Account.balance_points).where(
            Account.kind == AccountKind.WALLET, Account.partner_id.is_not(None)
        )
    )
    return {partner_id: points for partner_id, points in wallets if partner_id is not None}


def _summary(earned: Iterable[int], partners: int, language: str) -> str:
    say = translator(language)
    points = list(earned)
    if not points:
        return say("{partners} partners.").format(partners=number_text(partners, language))
    return say("{won} of {judged} partners a rule is for earned {points}.").format(
        won=number_text(sum(1 for each in points if each), language),
        judged=number_text(len(points), language),
        points=points_text(sum(points), language),
    )
