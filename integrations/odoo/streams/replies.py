"""Replies: when the brand's own people first answered a ticket, as its messages tell it.

A reply is a comment or an e-mail of somebody who works for the brand, or did, that the customer
can see. Notes, automatic answers, notifications and what the customer's side writes are none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from integrations.odoo.streams import Reading, Row, Watched
from integrations.odoo.streams.whole import read_whole
from integrations.odoo.values import id_of, instant_of

SPOKEN = ("comment", "email")  # not: auto_comment, notification, user_notification


def watched_messages(model: str) -> Watched:
    """What people write to a model's records; a message doesn't touch its record's write_date."""
    domain = (("model", "=", model), ("message_type", "in", [*SPOKEN]))
    return Watched("mail.message", field="res_id", domain=domain)


def first_replies(
    reading: Reading, model: str, opened: Mapping[int, datetime]
) -> dict[int, datetime]:
    """When tickets were first answered; without those that nobody answered. opened: by their id."""
    domain = [
        ("model", "=", model),
        ("res_id", "in", sorted(opened)),
        ("message_type", "in", [*SPOKEN]),
    ]
    messages = read_whole(reading.odoo, "mail.message", domain, _MESSAGE) if opened else []
    seen = _seen_by_customers(reading, messages)
    by_ticket: dict[int, list[Row]] = defaultdict(list)
    for message in messages:
        by_ticket[message["res_id"]].append(message)
    found = {
        ticket: first_reply(of_ticket, opened[ticket], seen, reading.directory.is_staff)
        for ticket, of_ticket in by_ticket.items()
    }
    return {ticket: moment for ticket, moment in found.items() if moment is not None}


def first_reply(
    messages: Iterable[Row],
    opened_at: datetime,
    seen: Collection[int],
    is_staff: Callable[[int | None], bool],
) -> datetime | None:
    """When the first message of a ticket was written that is a reply; None where there is none.

    seen: the subtypes that customers see.
    """
    moments = [
        moment
        for message in messages
        if id_of(message["subtype_id"]) in seen
        and is_staff(id_of(message["author_id"]))
        and (moment := _written_at(message, opened_at)) is not None
    ]
    return min(moments, default=None)


def _written_at(message: Row, opened_at: datetime) -> datetime | None:
    """The message's date, which for an e-mail is as its sender's clock had it.

    One from the future is taken to have been written when it came in, and so is one that seems
    older than its ticket.
    """
    arrived_at, written_at = instant_of(message["create_date"]), instant_of(message["date"])
    moments = sorted(moment for moment in (written_at, arrived_at) if moment is not None)
    return next((moment for moment in moments if moment >= opened_at), None)


def _seen_by_customers(reading: Reading, messages: Iterable[Row]) -> set[int]:
    subtypes = {id_of(message["subtype_id"]) for message in messages} - {None}
    wanted = sorted(number for number in subtypes if number is not None)
    rows = reading.odoo.read("mail.message.subtype", wanted, ["internal"]) if wanted else []
    return {row["id"] for row in rows if not row["internal"]}


_MESSAGE = ["res_id", "date", "create_date", "subtype_id", "author_id"]
