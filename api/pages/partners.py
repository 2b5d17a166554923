"""Partners: the list with its quality KPIs and points, and the statement behind each name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api.access import network_only, partners_below, visible_partner
from api.addresses import address
from api.catalogues import text
from api.figures import closed_at, figures_of, measured_periods
from api.pages.network import NOT_MEASURED, latest_quarter, period_links
from api.pages.told import Told, ToldState, told, told_state
from api.render import page, translator
from api.request_scope import Language, Reading, wiring
from api.sign_in import SignedIn
from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.quantities import NOTHING, number_text, points_text
from rewards import statements
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind
from rewards.statements import Held, Line, Shortfall, Unearned

router = APIRouter()

QUALITY = ("otif", "sla_response", "portal_adoption")  # what the network quality bonus looks at
KIND_NAMES = {
    "distributor": text("distributor"),
    "reseller": text("reseller"),
    "installer": text("installer"),
    "agency": text("agency"),
}


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


@router.get("/partners/{code:path}")  # a code may hold a slash
def statement(
    request: Request, code: str, session: Reading, language: Language, viewer: SignedIn
) -> Response:
    """A partner's statement: the balance, every entry with its reason, and what was missed."""
    partner = visible_partner(session, viewer, code)
    settings = wiring(request).settings
    story = statements.statement(session, partner.code, settings=settings)
    entries = [_entry(line, language) for line in reversed(story.lines)]
    held = [_held(each, language) for each in reversed((*story.refused, *story.waiting))]
    missed = [_missed(each, language) for each in reversed(story.unearned)]
    _tell_apart([*entries, *missed, *held])
    return page(
        request,
        "partner/statement.html",
        partner=partner,
        about=_about(partner, language),
        balance=number_text(story.balance, language),
        balance_words=points_text(story.balance, language),
        pending=number_text(story.pending, language) if story.pending else "",
        carried=number_text(story.carried, language) if story.carried else "",
        held=held,
        entries=entries,
        missed=missed,
        below=links_to(partners_below(session, partner)),
    )


def address_of(partner: Partner) -> str:
    """Where a partner's statement stands, whatever its code holds."""
    return f"/partners/{quote(partner.code, safe='')}"


def links_to(partners: Iterable[Partner]) -> list[dict[str, str]]:
    """The partners' names, each with where its statement stands."""
    return [{"name": each.name, "href": address_of(each)} for each in partners]


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
        about=_about(partner, language),
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


def _about(partner: Partner, language: str) -> str:
    """What a partner is, in a few words: `installer · silver · Bretagne, FR`."""
    kind = translator(language)(KIND_NAMES[partner.kind])
    place = ", ".join(filter(None, (partner.region, partner.country)))
    return " · ".join(filter(None, (kind, partner.tier, place)))


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


def _tell_apart(cards: Iterable[dict[str, Any]]) -> None:
    """Let a period's anchor lead to its first card, and no two cards share one."""
    seen: dict[str, int] = {}
    for card in cards:
        anchor = card["anchor"]
        seen[anchor] = seen.get(anchor, 0) + 1
        if seen[anchor] > 1:
            card["anchor"] = f"{anchor}-{seen[anchor]}"


def _entry(line: Line, language: str) -> dict[str, Any]:
    return {
        "anchor": str(line.period) if line.period else f"entry-{line.key}",
        "on": line.on,
        "title": line.rule.label.in_(language) if line.rule else "",
        "period": line.period.label(language) if line.period else "",
        "points": f"{'+' if line.points > 0 else ''}{number_text(line.points, language)}",
        "balance": points_text(line.balance, language),
        "why": line.why.in_(language),
        "version": line.rule.version if line.rule else None,
        "figures": [told(figure, language) for figure in line.figures],
        "corrects": line.corrects.sentence.in_(language) if line.corrects else "",
    }


def _held(each: Held, language: str) -> dict[str, Any]:
    return {
        "anchor": f"held-{each.key}",
        "on": each.on,
        "title": each.rule.label.in_(language) if each.rule else "",
        "period": each.period.label(language) if each.period else "",
        "points": number_text(each.points, language),
        "waits": each.waits,
        "sentence": each.sentence.in_(language),
        "version": each.rule.version if each.rule else None,
        "figures": [told(figure, language) for figure in each.figures],
    }


def _missed(each: Unearned, language: str) -> dict[str, Any]:
    return {
        "anchor": str(each.period) if each.period else f"{each.rule.code}-{each.on}",
        "title": each.rule.label.in_(language),
        "period": each.period.label(language) if each.period else "",
        "worth": each.worth.in_(language),
        "state": _verdict(each.verdict, language),
        "sentence": each.sentence.in_(language),
        "version": each.rule.version,
        "shortfalls": [_shortfall(shortfall, language) for shortfall in each.shortfalls],
        "figures": [told(figure, language) for figure in each.figures],
    }


def _verdict(verdict: Verdict, language: str) -> ToldState | None:
    states = {Verdict.NOT_MET: State.RED, Verdict.UNKNOWN: State.NO_DATA}
    return told_state(states.get(verdict), language)


def _shortfall(shortfall: Shortfall, language: str) -> dict[str, Any]:
    rows = shortfall.misses.rows
    more = shortfall.misses.total - len(rows)
    return {
        "sentence": shortfall.sentence.in_(language),
        "kpi": shortfall.figure.kpi,
        "total": number_text(shortfall.misses.total, language),
        "more": number_text(more, language) if more else "",
        "rows": [
            {
                "source_id": row.source_id,
                "day": row.day,
                "what": row.what.in_(language),
                "verdict": row.verdict.in_(language),
                "corrected": row.corrected_since,
                "withdrawn": row.withdrawn_since,
            }
            for row in rows
        ],
    }
