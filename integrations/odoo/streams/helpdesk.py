"""Helpdesk: tickets of Odoo's own helpdesk, which only the paid edition has.

Built by what is known of its fields, and tried without one. Its tickets are told apart from tasks
by their `source_id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from integrations.odoo.streams import Reading, Stream, Told, Watched
from integrations.odoo.streams.replies import first_replies, watched_messages
from integrations.odoo.streams.tickets import (
    HELPDESK,
    categories_of,
    counts,
    known_tickets,
    opened_at,
    partner_codes,
    reads_tasks,
    seen_again,
    ticket_row,
    withdraw_the_rest,
)
from integrations.odoo.values import id_of, instant_text

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping


PREFIX = "helpdesk-"  # of source_ids, where tasks have their bare ids


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read tickets with their messages, and tell those of partners.

    A ticket is closed while it has a `close_date`: what its stages say differs by version.
    """
    told, mapping = Told(), reading.mapping.tickets
    teams = _teams(reading)
    tags = ["tag_ids"] if reading.odoo.has_field(HELPDESK, "tag_ids") else []
    tickets = {
        ticket["id"]: ticket
        for ticket in reading.odoo.read(HELPDESK, list(ids), _TICKET + tags)
        if (teams is None or id_of(ticket["team_id"]) in teams)
        and counts(ticket, mapping, is_closed=bool(ticket["close_date"]))
    }
    codes = partner_codes(reading, tickets.values())
    tickets = {number: ticket for number, ticket in tickets.items() if number in codes}
    known = known_tickets(reading, [_source_id(number) for number in ids])
    replied = first_replies(reading, HELPDESK, opened_at(tickets.values()))
    categories = categories_of(reading, tickets.values(), "helpdesk.tag")
    for number, ticket in tickets.items():
        closed_at = instant_text(ticket["close_date"])
        row = ticket_row(ticket, codes[number], mapping, replied.get(number), closed_at)
        row |= {"source_id": _source_id(number), "category": categories.get(number)}
        again = seen_again(known.get(_source_id(number)), closed_at)
        if again is not None:
            row["reopened_count"] = str(again)
        told.add("tickets", row)
    withdraw_the_rest(known, told)
    return told


def _source_id(number: int) -> str:
    return f"{PREFIX}{number}"


def _teams(reading: Reading) -> set[int] | None:
    """The teams that the mapping names; None: all."""
    named = {name.casefold() for name in reading.mapping.tickets.teams}
    if not named:
        return None
    pages = reading.odoo.pages("helpdesk.team", [], ["name"], size=reading.settings.odoo_page_rows)
    rows = [row for page in pages for row in page]
    return {row["id"] for row in rows if str(row["name"]).casefold() in named}


def _watching(odoo: Odoo, mapping: OdooMapping) -> tuple[Watched, ...]:
    if reads_tasks(odoo, mapping.tickets):
        return ()
    return (Watched(HELPDESK), watched_messages(HELPDESK))


_TICKET = ["active", "team_id", "partner_id", "close_date", "create_date"]

HELPDESK_TICKETS = Stream(
    name="helpdesk",
    watched=_watching,
    tell=tell,
    identified={"tickets": HELPDESK},
    prefix=PREFIX,
    kpis=("sla_response", "sla_resolution", "first_response", "resolution", "backlog"),
    modules=("helpdesk",),
)
