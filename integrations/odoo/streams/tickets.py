"""Tickets: requests for help that partners made, as Odoo's tasks or its helpdesk tell them.

The helpdesk where it is installed, else the tasks of the projects that are for support. A ticket
belongs to the company of its customer; of a customer outside the network, or of none, there is
nothing to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

import sqlalchemy as sa

from integrations.odoo.section import Section, said
from integrations.odoo.streams import SOURCE, Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.reopenings import CLOSED, times_reopened
from integrations.odoo.streams.replies import first_replies, watched_messages
from integrations.odoo.values import id_of, instant_of, instant_text
from partner_cx.operations.facts import Ticket
from partner_cx.operations.imports import Source

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

HELPDESK = "helpdesk.ticket"
FOR_SUPPORT = re.compile(
    r"support|help.?desk|service.?desk|ticket|assistance|hotline|after.?sales"
    r"|customer (care|service)|service client|\bsav\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TicketsMapping(Section):
    """What an installation decides of tickets."""

    NAME: ClassVar[str] = "tickets"
    ABOUT: ClassVar[str] = "Requests for help, for the response and resolution times."

    source: Literal["auto", "tasks", "helpdesk"] = said(
        "auto", "Where tickets are kept: the helpdesk where it is installed, else tasks."
    )
    projects: tuple[str, ...] = said(
        (),
        "Projects whose tasks are tickets, by name. None named: those that portal users may see, "
        "and if the names of some speak of support, only these.",
    )
    teams: tuple[str, ...] = said((), "Helpdesk teams whose tickets count, by name. None: all.")
    response_target_minutes: int = said(480, "Within how many minutes a first reply is promised.")
    resolution_target_minutes: int | None = said(
        None, "Within how many minutes a solution is promised; without it none is."
    )
    calendar: str | None = said(
        None, "The calendar in which those minutes run, by its code; without it around the clock."
    )
    archived: Literal["count when closed", "count", "left out"] = said(
        "count when closed",
        "What becomes of an archived ticket. One that was archived open was thrown away.",
    )
    categories: Mapping[str, str] = said(
        {}, "Our category for a tag; without one it is the ticket's first tag."
    )


@dataclass(frozen=True)
class Known:
    """What we know of a ticket from before."""

    resolved_at: datetime | None
    reopened_count: int | None


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read tasks with their messages, and tell those that are tickets of partners."""
    told, mapping = Told(), reading.mapping.tickets
    projects = _projects(reading, told)
    tasks = {
        task["id"]: task
        for task in reading.odoo.read("project.task", list(ids), _TASK)
        if id_of(task["project_id"]) in projects
        and counts(task, mapping, is_closed=task["state"] in CLOSED)
    }
    codes = partner_codes(reading, tasks.values())
    tasks = {number: task for number, task in tasks.items() if number in codes}
    known = known_tickets(reading, [str(number) for number in ids])
    replied = first_replies(reading, "project.task", opened_at(tasks.values()))
    reopened = times_reopened(reading, tasks)
    categories = categories_of(reading, tasks.values(), "project.tags")
    for number, task in tasks.items():
        closed_at = closing_moment(task)
        row = ticket_row(task, codes[number], mapping, replied.get(number), closed_at)
        row["category"] = categories.get(number)
        again = seen_again(known.get(str(number)), closed_at)
        if reopened is not None:
            again = max(again or 0, reopened[number])
        if again is not None:
            row["reopened_count"] = str(again)
        told.add("tickets", row)
    withdraw_the_rest(known, told)
    return told


def ticket_row(
    ticket: Row,
    partner_code: str,
    mapping: TicketsMapping,
    replied_at: datetime | None,
    closed_at: str | None,
) -> dict[str, str | None]:
    """The row of a ticket. What isn't promised is empty, as is what didn't happen yet."""
    resolution = mapping.resolution_target_minutes
    return {
        "source_id": str(ticket["id"]),
        "partner_code": partner_code,
        "opened_at": instant_text(ticket["create_date"]),
        "first_reply_at": replied_at.isoformat() if replied_at else None,
        "resolved_at": closed_at,
        "response_target_minutes": str(mapping.response_target_minutes),
        "resolution_target_minutes": None if resolution is None else str(resolution),
        "calendar": mapping.calendar,
    }


def counts(ticket: Row, mapping: TicketsMapping, *, is_closed: bool) -> bool:
    """Whether a ticket counts that may be archived."""
    if ticket["active"] or mapping.archived == "count":
        return True
    return is_closed and mapping.archived == "count when closed"


def closing_moment(task: Row) -> str | None:
    """When a task was closed, done or cancelled; one that was reopened is open."""
    if task["state"] not in CLOSED:
        return None
    return instant_text(task["date_end"] or task["date_last_stage_update"])


def seen_again(before: Known | None, closed_at: str | None) -> int | None:
    """How often a ticket was reopened, as far as we saw it ourselves; None where we can't say."""
    if before is None:
        return None
    if before.resolved_at is not None and closed_at is None:
        return (before.reopened_count or 0) + 1
    return before.reopened_count


def opened_at(tickets: Iterable[Row]) -> dict[int, datetime]:
    opened = {ticket["id"]: instant_of(ticket["create_date"]) for ticket in tickets}
    return {number: moment for number, moment in opened.items() if moment is not None}


def partner_codes(reading: Reading, tickets: Iterable[Row]) -> dict[int, str]:
    """Our partners by their tickets' ids, for those of the network."""
    customers = {ticket["id"]: id_of(ticket["partner_id"]) for ticket in tickets}
    reading.directory.learn(customers.values())
    found = {number: reading.directory.partner_code(who) for number, who in customers.items()}
    return {number: code for number, code in found.items() if code is not None}


def categories_of(reading: Reading, tickets: Iterable[Row], model: str) -> dict[int, str]:
    """The tickets' categories, from their tags."""
    tags = {ticket["id"]: sorted(ticket.get("tag_ids") or ()) for ticket in tickets}
    wanted = sorted({tag for several in tags.values() for tag in several})
    rows = reading.odoo.read(model, wanted, ["name"]) if wanted else []
    names = {row["id"]: str(row["name"]) for row in rows}
    ours = reading.mapping.tickets.categories
    found = {}
    for number, several in tags.items():
        named = [names[tag] for tag in several if tag in names]
        mapped = [ours[name] for name in named if name in ours]
        if mapped or named:
            found[number] = (mapped or named)[0]
    return found


# --- What is known already ------------------------------------------------------------------------


def known_tickets(reading: Reading, source_ids: Sequence[str]) -> dict[str, Known]:
    table = Ticket.__table__.c
    wanted = (
        sa.select(table.source_id, table.resolved_at, table.reopened_count)
        .join_from(Ticket.__table__, Source.__table__, Source.id == table.source)
        .where(Source.code == SOURCE, table.source_id.in_(source_ids))
        .order_by(table.id)
    )
    return {
        row.source_id: Known(row.resolved_at, row.reopened_count)
        for row in reading.session.execute(wanted)
    }


def withdraw_the_rest(known: Iterable[str], told: Told) -> None:
    """Withdraw the known tickets that are none any more: moved, thrown away, another's."""
    still = {row["source_id"] for row in told.rows.get("tickets", ())}
    for source_id in known:
        if source_id not in still:
            told.withdraw("tickets", source_id)


# --- Which projects -------------------------------------------------------------------------------


def _projects(reading: Reading, told: Told) -> set[int]:
    """The projects whose tasks are tickets; says which where the mapping doesn't."""
    pages = reading.odoo.pages(
        "project.project", [], ["name", "privacy_visibility"], size=reading.settings.odoo_page_rows
    )
    projects = [row for page in pages for row in page]
    named = reading.mapping.tickets.projects
    chosen = projects_for_tickets(projects, named)
    there = {str(row["name"]).casefold() for row in projects}
    missing = [name for name in named if name.casefold() not in there]
    told.notes += [f"No project is called {name}." for name in missing]
    if not named and chosen:
        names = ", ".join(sorted(str(row["name"]) for row in chosen))
        told.notes.append(f"Tickets are the tasks of: {names}. The mapping's [tickets] may differ.")
    return {row["id"] for row in chosen}


def projects_for_tickets(projects: Sequence[Row], named: Sequence[str]) -> list[Row]:
    """The named projects; without names those that portal users see, best those for support."""
    if named:
        wanted = {name.casefold() for name in named}
        return [row for row in projects if str(row["name"]).casefold() in wanted]
    for_support = [row for row in projects if FOR_SUPPORT.search(str(row["name"]))]
    seen = [row for row in projects if row["privacy_visibility"] == "portal"]
    return [row for row in for_support if row in seen] or seen or for_support


def _watching(odoo: Odoo, mapping: OdooMapping) -> tuple[Watched, ...]:
    """All tasks, since one that leaves a project isn't among that project's any more."""
    if not reads_tasks(odoo, mapping.tickets):
        return ()
    return (Watched("project.task"), watched_messages("project.task"))


def reads_tasks(odoo: Odoo, mapping: TicketsMapping) -> bool:
    return mapping.source == "tasks" or (mapping.source == "auto" and not odoo.has(HELPDESK))


_TASK = [
    "active",
    "project_id",
    "partner_id",
    "state",
    "date_end",
    "date_last_stage_update",
    "tag_ids",
    "create_date",
]

TICKETS = Stream(
    name="tickets",
    watched=_watching,
    tell=tell,
    identified={"tickets": "project.task"},
    kpis=("sla_response", "sla_resolution", "first_response", "resolution", "backlog"),
    modules=("project",),
)
