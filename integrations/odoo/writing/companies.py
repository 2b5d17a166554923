"""The company of Odoo that a partner of ours is: on its thread things are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.state import OdooLink
from integrations.odoo.values import id_of
from partner_cx.database import reading
from partner_cx.settings import Settings

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

COMPANY, CARD = "res.partner", "loyalty.card"

# What is noted of effects that led to nothing.
NOT_IN_ODOO: Mapping[str, Any] = {"not_written": "Odoo has no company that is this partner."}


def switched_off(settings: Settings, what: str) -> Mapping[str, Any] | None:
    """What is noted of something that was owed, and isn't wanted any more; None: it is."""
    if settings.odoo_url and what in settings.odoo_write_back:
        return None
    return {"not_written": f"Writing {what} into Odoo is switched off."}


@dataclass(frozen=True)
class Company:
    """A company, as far as it matters for writing. user_id: its salesperson."""

    id: int
    name: str
    user_id: int | None


def company_of(odoo: Odoo, engine: sa.Engine, partner_code: str) -> Company | None:
    """The company that a partner is, archived ones too; None: it came from somewhere else.

    A company that was merged into another is gone; its card went over to that one, and so do we.
    """
    with reading(engine) as session:
        linked = _linked(session, partner_code)
    there = {row["id"]: row for row in odoo.read(COMPANY, linked, ["name", "user_id"])}
    for number in linked:
        if number in there:
            return _company(there[number])
    return _merged_into(odoo, partner_code) if linked else None


def card_code(partner_code: str) -> str:
    """The code of a partner's card: our key in Odoo, unique there."""
    return f"PCX-{partner_code}"


def _merged_into(odoo: Odoo, partner_code: str) -> Company | None:
    if not odoo.has(CARD):
        return None
    ours = [["code", "=", card_code(partner_code)]]
    for card in odoo.search_read(CARD, ours, ["partner_id"], limit=1, archived=True):
        holder = id_of(card["partner_id"])
        for row in odoo.read(COMPANY, [holder] if holder else [], ["name", "user_id"]):
            return _company(row)
    return None


def _company(row: Mapping[str, Any]) -> Company:
    return Company(row["id"], str(row["name"]), id_of(row["user_id"]))


def _linked(session: Session, partner_code: str) -> list[int]:
    """The companies that are or were a partner, those that are there for all we know first."""
    links = session.scalars(
        sa.select(OdooLink)
        .where(OdooLink.model == COMPANY, OdooLink.ours == partner_code)
        .order_by(OdooLink.gone_at.is_not(None), OdooLink.odoo_id)
    )
    return [link.odoo_id for link in links if (link.seen or {}).get("is") == "partner"]
