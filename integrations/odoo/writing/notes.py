"""Notes: what a partner was granted, on its thread in Odoo, for staff alone to see."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from integrations.carrying import Due, Hands
from integrations.odoo.connection.kept import connected
from integrations.odoo.writing.companies import COMPANY, NOT_IN_ODOO, company_of, switched_off
from integrations.odoo.writing.marks import mark, marked
from partner_cx.quantities import points_text
from partner_cx.words import COLON, Words

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KIND = "odoo.note"
MESSAGE = "mail.message"

GRANTED = Words("Granted", "Accordé")


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Tell of what was granted by one act.

    payload: partner, a code; mark, our key in the note; grants, each with points and why in both
    languages.
    """
    if off := switched_off(hands.settings, "notes"):
        return off
    with connected(hands.settings, clock=hands.clock) as odoo:
        company = company_of(odoo, hands.engine, str(due.payload["partner"]))
        if company is None:
            return NOT_IN_ODOO
        paragraphs = _granted(due.payload["grants"], hands.settings.language)
        return {"message": _post(odoo, company.id, paragraphs, str(due.payload["mark"]))}


def tell(odoo: Odoo, hands: Hands, company_id: int, told: Words, *, key: str) -> int:
    """A note on a company's thread, once for its key, in the programme's language; its id."""
    said = html.escape(told.in_(hands.settings.language), quote=False)
    return _post(odoo, company_id, [said], key)


def message_with(odoo: Odoo, company_id: int, key: str) -> int | None:
    """The message on a company's thread that has a key's mark."""
    on_thread = [["model", "=", COMPANY], ["res_id", "=", company_id]]
    found = odoo.search(MESSAGE, [*on_thread, ["body", "ilike", mark(key)]], limit=1)
    return found[0] if found else None


def _post(odoo: Odoo, company_id: int, paragraphs: Sequence[str], key: str) -> int:
    posted = message_with(odoo, company_id, key)
    return posted or odoo.post_note(COMPANY, company_id, marked(paragraphs, key))


def _granted(grants: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    points = points_text(sum(each["points"] for each in grants), language)
    head = f"<b>{GRANTED.in_(language)}{COLON.in_(language)}{html.escape(points, quote=False)}</b>"
    why = (Words(**each["why"]).in_(language) for each in grants)
    return [head, *(html.escape(each, quote=False) for each in why)]
