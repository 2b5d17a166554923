"""The directory: who Odoo's partners, users and units of measure are, asked once per run.

Everything is looked up when it is needed and kept for the run, within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from integrations.odoo.state import OdooLink
from integrations.odoo.streams import Row
from integrations.odoo.values import id_of, text_of
from partner_cx.database import reading
from partner_cx.network.addresses import is_email
from partner_cx.network.partners import Partner

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KNOWN_MAX = 200_000  # contacts kept; beyond, they are asked for again
DENOMINATOR_MAX = 1_000_000  # a factor of 0.08333… is one of twelve
_NAMED = re.compile(r"[^<>]*<\s*(?P<address>[^<>]*?)\s*>")
FACTORS_TURNED = 19  # from this version on a dozen's factor is 12, before it was a twelfth
# By which all weights and lengths are told since then; before, it was by kilograms and metres.
SMALLEST: Mapping[str, int] = {"g": 1000, "mm": 1000}


class Directory:
    """Who is who in one Odoo, for one run."""

    def __init__(self, odoo: Odoo, engine: sa.Engine, *, page_rows: int = 200) -> None:
        self._odoo = odoo
        self._engine = engine
        self._page_rows = page_rows
        self._contacts: dict[int, tuple[int | None, str | None]] = {}
        self._codes: dict[int, str] | None = None
        self._factors: dict[int, Fraction] = {}

    def learn(self, ids: Iterable[int | None]) -> None:
        """Ask once for all partners of Odoo that aren't known yet."""
        unknown = sorted({number for number in ids if number} - self._contacts.keys())
        if not unknown:
            return
        if len(self._contacts) > KNOWN_MAX:
            self._contacts.clear()
        fields = ["commercial_partner_id", "email"]
        for start in range(0, len(unknown), self._page_rows):
            some = unknown[start : start + self._page_rows]
            self._contacts.update(dict.fromkeys(some, (None, None)))
            for row in self._odoo.read("res.partner", some, fields):
                self._contacts[row["id"]] = (
                    id_of(row["commercial_partner_id"]),
                    address_of(row["email"]),
                )

    def partner_code(self, partner_id: int | None) -> str | None:
        """Our partner that a company or person of Odoo belongs to; None: none of the network."""
        company = self.company(partner_id)
        return self._code_of().get(company) if company else None

    def company(self, partner_id: int | None) -> int | None:
        """The commercial partner; None when there is none any more."""
        return self._contact(partner_id)[0]

    def email(self, partner_id: int | None) -> str | None:
        """The address of a company or person, in small letters; None where none can be one."""
        return self._contact(partner_id)[1]

    def is_staff(self, partner_id: int | None) -> bool:
        """Whether it is one of the brand's own people, present or former."""
        return partner_id in self._staff

    def portal_users(self) -> Mapping[int, int]:
        """The persons who may use the portal: res.partner id → res.users id, archived ones too."""
        return self._portal_users

    def login(self, partner_id: int) -> str | None:
        """The address that a person signs in to the portal with, where it is one."""
        return self._logins.get(partner_id)

    def country(self, country_id: int | None) -> str | None:
        """A country's code of two letters."""
        return self._countries.get(country_id) if country_id else None

    def factor(self, uom_id: int | None) -> Fraction:
        """How many pieces one unit of measure is; 1 when none is named."""
        if uom_id is None:
            return Fraction(1)
        if not self._factors:
            self._factors = self._read_factors()
        return self._factors.get(uom_id, Fraction(1))

    def assume(self, codes: Mapping[int, str]) -> None:
        """Take companies for partners that haven't been taken in, for a look ahead."""
        self._codes = {**self._code_of(), **codes}

    def forget(self) -> None:
        """Look partners up again: the network was read anew."""
        self._contacts.clear()
        self._codes = None

    def _contact(self, partner_id: int | None) -> tuple[int | None, str | None]:
        if not partner_id:
            return None, None
        if partner_id not in self._contacts:
            self.learn([partner_id])
        return self._contacts[partner_id]

    def _code_of(self) -> dict[int, str]:
        if self._codes is None:
            links = (
                sa.select(OdooLink.odoo_id, OdooLink.ours)
                .join(Partner, Partner.code == OdooLink.ours)
                .where(OdooLink.model == "res.partner", OdooLink.gone_at.is_(None))
            )
            with reading(self._engine) as session:
                self._codes = {row.odoo_id: row.ours for row in session.execute(links)}
        return self._codes

    def _read_factors(self) -> dict[int, Fraction]:
        turned = self._odoo.major >= FACTORS_TURNED
        fields = ["name", "factor", *(["relative_uom_id"] if turned else [])]
        pages = self._odoo.pages("uom.uom", [], fields, size=self._page_rows)
        units = {row["id"]: row for page in pages for row in page}
        factors = {}
        for number, unit in units.items():
            exact = Fraction(unit["factor"]).limit_denominator(DENOMINATOR_MAX) or Fraction(1)
            factors[number] = exact / _smaller(unit, units) if turned else 1 / exact
        return factors

    @cached_property
    def _staff(self) -> frozenset[int]:
        rows = self._users(share=False)
        return frozenset(number for row in rows if (number := id_of(row["partner_id"])))

    @cached_property
    def _portal_users(self) -> dict[int, int]:
        named = ((id_of(row["partner_id"]), row["id"]) for row in self._portal_rows)
        return {partner: user for partner, user in named if partner}

    @cached_property
    def _logins(self) -> dict[int, str | None]:
        named = ((id_of(row["partner_id"]), row["login"]) for row in self._portal_rows)
        return {partner: address_of(login) for partner, login in named if partner}

    @cached_property
    def _portal_rows(self) -> list[Row]:
        return list(self._users(share=True))

    @cached_property
    def _countries(self) -> dict[int, str]:
        if not self._odoo.has("res.country"):
            return {}
        pages = self._odoo.pages("res.country", [], ["code"], size=self._page_rows)
        return {row["id"]: row["code"] for page in pages for row in page if row["code"]}

    def _users(self, *, share: bool) -> Iterator[Row]:
        domain = [("share", "=", share)]
        for page in self._odoo.pages(
            "res.users", domain, ["partner_id", "login"], size=self._page_rows
        ):
            yield from page


def _smaller(unit: Row, units: Mapping[int, Row]) -> int:
    """How many of the unit that others are told by, from 19 on, make one of what we count in."""
    while (above := units.get(id_of(unit["relative_uom_id"]) or 0)) is not None:
        unit = above
    return SMALLEST.get(unit["name"], 1)


def address_of(value: Any) -> str | None:
    """An e-mail address in small letters, without the name before it, as in `"Anna" <a@b.example>`.

    None where it is none, as several in one field.
    """
    written = text_of(value) or ""
    named = _NAMED.fullmatch(written)
    found = (named["address"] if named else written).lower()
    return found if is_email(found) else None


def language_of(lang: Any) -> str | None:
    """The language of ours that one of Odoo's is, such as `fr_BE`; None for others."""
    spoken = (text_of(lang) or "")[:2]
    return spoken if spoken in ("fr", "en") else None
