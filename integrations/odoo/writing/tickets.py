"""Tickets: what another part of Partner CX wants Odoo's support to see to."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands
from integrations.odoo.connection.kept import connected
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams.tickets import HELPDESK, projects_for_tickets, reads_tasks
from integrations.odoo.writing.companies import NOT_IN_ODOO, company_of, switched_off
from integrations.odoo.writing.marks import mark, marked
from partner_cx.effects import Owed, owe
from partner_cx.errors import Invalid, Refused
from partner_cx.settings import Settings

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KIND = "odoo.ticket"
TASK = "project.task"
TITLE_MAX = 200


def raise_ticket(
    session: Session,
    *,
    key: str,
    partner_code: str,
    title: str,
    text: str,
    now: datetime,
    settings: Settings,
) -> bool:
    """Owe a ticket of a partner in Odoo, in the caller's transaction. The same key raises one.

    key: names what it is about, such as `report 42`; it stands in the ticket. text: plain, with
    an empty line between paragraphs. Returns False, and nothing is owed, where tickets aren't
    switched on. Raises Conflict for a key that was used with other contents.
    """
    if switched_off(settings, "tickets"):
        return False
    if not title.strip():
        raise Invalid("A ticket needs a title.", remedy="Say in a few words what it is about.")
    title = " ".join(title.split())[:TITLE_MAX]
    payload = {"partner": partner_code, "mark": f"ticket {key}", "title": title, "text": text}
    owe(session, Owed(KIND, f"{KIND}:{key}", payload), now=now, exactly=True)
    return True


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Raise a ticket: of Helpdesk where tickets are read from there, else a project's task.

    payload: partner, a code; mark, our key in it; title; text.
    """
    if off := switched_off(hands.settings, "tickets"):
        return off
    mapping = OdooMapping.read(hands.settings.odoo_mapping)
    with connected(hands.settings, clock=hands.clock) as odoo:
        company = company_of(odoo, hands.engine, str(due.payload["partner"]))
        if company is None:
            return NOT_IN_ODOO
        model = TASK if reads_tasks(odoo, mapping.tickets) else HELPDESK
        ours = [["description", "ilike", mark(str(due.payload["mark"]))]]
        for number in odoo.search(model, ours, limit=1, archived=True):
            return {"ticket": number, "model": model}
        place = _project(odoo, mapping) if model == TASK else _team(odoo, mapping)
        (made,) = odoo.create(model, [_values(due.payload, company.id) | place])
        return {"ticket": made, "model": model}


def _values(payload: Mapping[str, Any], company_id: int) -> dict[str, Any]:
    paragraphs = (each.strip() for each in str(payload["text"]).split("\n\n"))
    shown = [html.escape(each, quote=False).replace("\n", "<br/>") for each in paragraphs if each]
    return {
        "name": payload["title"],
        "partner_id": company_id,
        "description": marked(shown, str(payload["mark"])),
    }


def _project(odoo: Odoo, mapping: OdooMapping) -> dict[str, Any]:
    fields = ["name", "privacy_visibility"]
    projects = odoo.search_read("project.project", [], fields)
    wanted = mapping.writing.project
    named = (wanted,) if wanted else mapping.tickets.projects
    for name in named or (None,):
        for project in projects_for_tickets(projects, (name,) if name else ()):
            return {"project_id": project["id"]}
    raise Refused(
        f"Odoo has no project {wanted} to raise tickets in."
        if wanted
        else "Odoo has no project that looks like support.",
        remedy="Name the project in the mapping: [writing] project. Then retry.",
    )


def _team(odoo: Odoo, mapping: OdooMapping) -> dict[str, Any]:
    wanted = mapping.writing.team
    named = (wanted,) if wanted else mapping.tickets.teams
    for name in named:
        for number in odoo.search("helpdesk.team", [["name", "=ilike", name]], limit=1):
            return {"team_id": number}
    if named:
        raise Refused(
            f"Odoo has no helpdesk team {named[0]}.",
            remedy="Name the team in the mapping: [writing] team. Then retry.",
        )
    first = odoo.search("helpdesk.team", [], limit=1)
    return {"team_id": first[0]} if first else {}
