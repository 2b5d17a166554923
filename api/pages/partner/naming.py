"""What a partner is called on pages, and where its own pages stand."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from api.catalogues import text
from api.render import translator
from partner_cx.periods import Period

KIND_NAMES = {
    "distributor": text("distributor"),
    "reseller": text("reseller"),
    "installer": text("installer"),
    "agency": text("agency"),
}


class Called(Protocol):
    """What a partner's name and addresses are made of."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tier(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


def about(partner: Called, language: str) -> str:
    """What a partner is, in a few words: `installer · silver · Bretagne, FR`."""
    kind = translator(language)(KIND_NAMES[partner.kind])
    place = ", ".join(filter(None, (partner.region, partner.country)))
    return " · ".join(filter(None, (kind, partner.tier, place)))


def address_of(partner: Called) -> str:
    """Where a partner's home stands, whatever its code holds."""
    return f"/partners/{_quoted(partner.code)}"


def statement_of(partner: Called, period: Period | None = None) -> str:
    """Where a partner's statement stands; of one period alone, if one is named."""
    asked = f"?period={period}" if period else ""
    return f"/statements/{_quoted(partner.code)}{asked}"


def figures_of(partner: Called) -> str:
    """Where a partner's figures stand."""
    return f"/figures/{_quoted(partner.code)}"


def _quoted(code: str) -> str:
    return quote(code, safe="")
