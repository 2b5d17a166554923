"""Activities: what a partner's salesperson should see to within a day.

Who gave an answer isn't named, nor is what was written with it: those who look after a partner
may be rewarded by its scores.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from integrations.carrying import Due, Hands
from integrations.odoo.connection.kept import connected
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.writing.companies import (
    COMPANY,
    NOT_IN_ODOO,
    Company,
    company_of,
    switched_off,
)
from integrations.odoo.writing.marks import mark, marked
from integrations.odoo.writing.notes import message_with
from partner_cx.errors import Invalid, Refused
from partner_cx.periods import zone_named
from partner_cx.words import Words

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KIND = "odoo.activity"
MODEL = "mail.activity"
TO_DO = ("To-Do", "To Do")
WITHIN = timedelta(hours=24)


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Plan an activity on a partner's company.

    payload: partner, a code; mark, our key in it; at, when it came up; summary and note in both
    languages. Raises Refused when nobody looks after the company.
    """
    if off := switched_off(hands.settings, "activities"):
        return off
    with connected(hands.settings, clock=hands.clock) as odoo:
        company = company_of(odoo, hands.engine, str(due.payload["partner"]))
        if company is None:
            return NOT_IN_ODOO
        key = str(due.payload["mark"])
        planned = _planned(odoo, company.id, key)
        if planned is None:
            who = _salesperson(odoo, company, OdooMapping.read(hands.settings.odoo_mapping))
            planned = _plan(odoo, company, due.payload, who, hands)
        return planned


def _planned(odoo: Odoo, company_id: int, key: str) -> dict[str, Any] | None:
    """The activity that was planned before, or the message that is left of it once it is done."""
    on_company = [["res_model", "=", COMPANY], ["res_id", "=", company_id]]
    ours = [*on_company, ["note", "ilike", mark(key)]]
    for number in odoo.search(MODEL, ours, limit=1, archived=True):
        return {"activity": number}
    message = message_with(odoo, company_id, key)
    return None if message is None else {"done_as_message": message}


def _plan(
    odoo: Odoo, company: Company, payload: Mapping[str, Any], who: Mapping[str, Any], hands: Hands
) -> dict[str, Any]:
    language = hands.settings.language
    note = html.escape(Words(**payload["note"]).in_(language), quote=False)
    zone = _zone_of(who, hands.settings.zone)
    values = {
        "res_id": company.id,
        "user_id": who["id"],
        "summary": Words(**payload["summary"]).in_(language),
        "note": marked([note], str(payload["mark"])),
        "date_deadline": due_on(datetime.fromisoformat(payload["at"]), zone).isoformat(),
    }
    kinds = odoo.search("mail.activity.type", [["name", "in", list(TO_DO)]], limit=1)
    values |= {"activity_type_id": kinds[0]} if kinds else {}
    (made,) = odoo.create(MODEL, [values], context={"default_res_model": COMPANY})
    return {"activity": made}


def due_on(at: datetime, zone: tzinfo) -> date:
    """The day by which it is to be done: 24 hours on, as the salesperson's calendar has it."""
    return (at + WITHIN).astimezone(zone).date()


def _zone_of(user: Mapping[str, Any], otherwise: tzinfo) -> tzinfo:
    try:
        return zone_named(user["tz"]) if user["tz"] else otherwise
    except Invalid:  # a name that only Odoo's machine knows
        return otherwise


def _salesperson(odoo: Odoo, company: Company, mapping: OdooMapping) -> Mapping[str, Any]:
    """The user who looks after a company: its salesperson, or whom the mapping names instead."""
    fields = ["tz", "active", "share"]
    users = odoo.read("res.users", [company.user_id], fields) if company.user_id else []
    if named := mapping.writing.salesperson:
        users += odoo.search_read("res.users", [["login", "=", named]], fields, limit=1)
    for user in users:
        if user["active"] and not user["share"]:
            return user
    raise Refused(
        f"Nobody in Odoo looks after {company.name} (res.partner {company.id}).",
        remedy="Name a salesperson there, or one for all such companies in the mapping: "
        "[writing] salesperson. Then retry.",
    )
