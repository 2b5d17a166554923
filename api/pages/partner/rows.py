"""What a partner's pages share: who is looking, whose they are, and their head."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from fastapi import Request
from sqlalchemy.orm import Session

from api.access import Viewer
from api.pages.partner.naming import about, address_of, figures_of, statement_of
from api.render import translator
from api.request_scope import language_of, wiring
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.quantities import number_text
from rewards.ledger import wallet_of
from rewards.ledger.owners import Owner


def own_partner(session: Session, viewer: Viewer) -> Partner | None:
    """The partner that somebody works for; None for everyone else."""
    if viewer.role is not Role.PARTNER or viewer.person.partner_id is None:
        return None
    return session.get(Partner, viewer.person.partner_id)


def elsewhere(viewer: Viewer) -> str:
    """Where somebody is sent who has no partner's pages of their own."""
    return "/me" if viewer.role is Role.PARTNER else "/"


def owner(partner: Partner) -> Owner:
    return Owner(partner.code, partner.name, wallet_of(partner.code), partner.id)


def today(request: Request, now: datetime) -> date:
    """The programme's day."""
    return now.astimezone(wiring(request).settings.zone).date()


def head(request: Request, viewer: Viewer, partner: Partner, here: str) -> dict[str, Any]:
    """What stands above each of a partner's pages. here: home, statement or figures."""
    language = language_of(request)
    say = translator(language)
    tabs = [
        {"code": "home", "label": say("Home"), "href": address_of(partner)},
        {"code": "statement", "label": say("Statement"), "href": statement_of(partner)},
        {"code": "figures", "label": say("Figures"), "href": figures_of(partner)},
    ]
    is_own = viewer.person.partner_id == partner.id and viewer.role is Role.PARTNER
    return {
        "partner": partner,
        "about": about(partner, language),
        "tabs": [] if is_own else [{**each, "current": each["code"] == here} for each in tabs],
        "back": None if is_own else _back(viewer, language),
        "home_href": address_of(partner),
        "statement_href": statement_of(partner),
        "figures_href": figures_of(partner),
    }


def _back(viewer: Viewer, language: str) -> dict[str, str]:
    """The way back to where the viewer came from."""
    say = translator(language)
    if viewer.sees_network:
        return {"label": say("All partners"), "href": "/partners"}
    return {"label": say("Your own page"), "href": "/"}


@lru_cache(maxsize=4_000)
def day_told(on: date, language: str) -> str:
    """A day as tables tell it: `30 Sep 2026`, `30 sept. 2026`."""
    return format_date(on, "d MMM y", locale=language)


def signed(points: int, language: str) -> str:
    return f"{'+' if points > 0 else ''}{number_text(points, language)}"
