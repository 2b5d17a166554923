"""Budgets as pages print them: the list, one budget, and rows for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import Response
from sqlalchemy.orm import Session, aliased

from api import exports
from api.addresses import address
from api.catalogues import text
from api.pages.budgets.giving import Filled
from api.pages.rules.listing import meter
from api.pages.viewing import View
from api.paging import ROWS, of_page, offset, one_more
from api.render import page, translator
from api.request_scope import wiring
from partner_cx.network.partners import Partner
from partner_cx.quantities import number_text, percent, points_text
from partner_cx.words import Words
from rewards.budgets import BudgetReport, alerts, report, reports
from rewards.budgets.outlook import Outlook, drawn_by_rules, outlook
from rewards.budgets.reservations import reservations
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook.standings import Status, standings

ALERTS_SHOWN = 20
KNOWN_MOST = 1_000  # offered while a budget is typed
COLUMNS = (
    text("Budget"),
    text("Given"),
    text("Spent"),
    text("Committed"),
    text("Reserved"),
    text("Left"),
)
ENTRY_COLUMNS = (text("Day"), text("Partner"), text("Points"), text("What for"))


def row(told_: BudgetReport) -> tuple[str | int, ...]:
    return (told_.code, told_.funded, told_.spent, told_.committed, told_.reserved, told_.left)


def list_page(view: View, filled: Filled, number: int = 1) -> Response:
    request, session, language = view.request, view.session, view.language
    funded = [each for each in reports(session) if each.funded]
    unfunded = sorted(named_by_rules(session, view.now) - {each.code for each in funded})
    shown = funded[offset(number) :][:ROWS]
    return page(
        request,
        "programme/budgets.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if filled.errors else HTTPStatus.OK,
        lines=of_page(
            request, [_line(each, language) for each in shown], len(funded), number, language
        ),
        unfunded=unfunded,
        known=[*(each.code for each in funded), *unfunded][:KNOWN_MOST],
        alerts=[_alert(each, language) for each in alerts(session)[:ALERTS_SHOWN]],
        filled=filled,
        manages=view.viewer.manages,
        exports=exports.links(request),
    )


def _line(told_: BudgetReport, language: str) -> dict[str, Any]:
    amounts = ("funded", "spent", "committed", "reserved", "left")
    return {
        "code": told_.code,
        "meter": meter(told_, language),
        **{name: number_text(getattr(told_, name), language) for name in amounts},
    }


def one_page(view: View, code: str, filled: Filled, number: int = 1, *, said: str = "") -> Response:
    request, session, language = view.request, view.session, view.language
    today = view.now.astimezone(wiring(request).settings.zone).date()
    told_ = report(session, code)
    entries = session.execute(entries_of(code).offset(offset(number)).limit(ROWS + 1))
    say = translator(language)
    return page(
        request,
        "programme/budget.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if filled.errors else HTTPStatus.OK,
        code=code,
        line=_line(told_, language),
        funded=bool(told_.funded),
        outlook=_outlook(outlook(session, code, today), language),
        rules=_rules(session, code, language),
        reservations=[
            {
                "key": each.key,
                "points": number_text(each.points, language),
                "why": each.why.in_(language),
                "at": each.reserved_at,
                "error": filled.at.get(f"release-{each.key}", ""),
            }
            for each in reservations(session, code)
        ],
        alerts=[_alert(each, language) for each in alerts(session, code)[:ALERTS_SHOWN]],
        entries=one_more(request, [_entry(*each, language) for each in entries], number, "entries"),
        filled=filled,
        manages=view.viewer.manages,
        exports=exports.links(request),
        said=said,
        crumbs=[
            {"label": say("Budgets"), "href": address(request, "/budgets")},
            {"label": code, "href": ""},
        ],
    )


def _outlook(found: Outlook, language: str) -> dict[str, Any] | None:
    """What may still come; None where no rule is open."""
    if not found.open_awards:
        return None
    chance = found.chance_short
    return {
        "open": number_text(found.open_awards, language),
        "expected": points_text(round(found.expected), language),
        "likely_most": points_text(found.likely_most, language),
        "surely": not chance,
        "chance": percent(chance, language, 0 if chance > 1 / 100 or not chance else 2),
        "state": "problem" if chance > 1 / 2 else "warning" if chance > 1 / 20 else "done",
    }


def _rules(session: Session, code: str, language: str) -> list[dict[str, str]]:
    return [
        {
            "code": rule,
            "awards": number_text(awards, language),
            "points": points_text(points, language),
        }
        for rule, awards, points in drawn_by_rules(session, code)
    ]


def _alert(alert: Any, language: str) -> dict[str, Any]:
    return {"at": alert.raised_at, "code": alert.budget_code, "told": alert.sentence.in_(language)}


def _entry(transfer: Transfer, points: int, partner: str | None, language: str) -> dict[str, Any]:
    return {
        "partner": partner or "",
        "href": f"/partners/{quote(partner, safe='')}" if partner else "",
        "on": transfer.effective_on,
        "why": why_of(transfer).in_(language),
        "points": f"{'+' if points > 0 else ''}{number_text(points, language)}",
    }


def why_of(transfer: Transfer) -> Words:
    return Words(transfer.why_en, transfer.why_fr)


def entries_of(code: str) -> sa.Select[Transfer, int, str | None]:
    """What moved in the budget and for which partner, the latest first."""
    other, wallet = aliased(Entry), aliased(Account)
    partner = (
        sa.select(sa.func.min(Partner.code))
        .join(wallet, wallet.partner_id == Partner.id)
        .join(other, other.account_id == wallet.id)
        .where(other.transfer_id == Transfer.id)
        .correlate(Transfer)
        .scalar_subquery()
    )
    return (
        sa.select(Transfer, Entry.points, partner)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.BUDGET, Account.owner == code)
        .order_by(Entry.id.desc())
    )


def named_by_rules(session: Session, now: datetime) -> set[str]:
    """The budgets of the rules and drafts that are not over."""
    open_ = (Status.IN_FORCE, Status.COMING, Status.DRAFT, Status.AWAITING_APPROVAL)
    found = standings(session, now.date())
    return {each.rule.budget for each in found if each.status in open_}
