"""Reopenings: how often tasks were closed and opened again, where Odoo lets us see its tracking.

A task that is open again looks as if it had never been closed; only the tracked changes of its
state tell. They are for administrators alone, and keep the states' names in the language of
whoever changed them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from integrations.odoo.errors import NotAllowed, NotInstalled
from integrations.odoo.streams import Reading
from integrations.odoo.values import id_of
from integrations.odoo.whole import read_whole

CLOSED = ("1_done", "1_canceled")


def times_reopened(reading: Reading, tasks: Sequence[int]) -> Counter[int] | None:
    """How often tasks were reopened, by their id; None where that can't be seen."""
    if not tasks:
        return Counter()
    try:
        return _times_reopened(reading, tasks)
    except (NotAllowed, NotInstalled):
        return None


def _times_reopened(reading: Reading, tasks: Sequence[int]) -> Counter[int]:
    odoo = reading.odoo
    names = odoo.fields("project.task")["state"].get("selection") or ()
    closed = [name for state, name in names if state in CLOSED]
    state = odoo.search(
        "ir.model.fields", [("model", "=", "project.task"), ("name", "=", "state")], limit=1
    )
    changes = read_whole(
        odoo,
        "mail.tracking.value",
        [
            ("mail_message_id.model", "=", "project.task"),
            ("mail_message_id.res_id", "in", list(tasks)),
            ("field_id", "in", state),
            ("old_value_char", "in", closed),
            ("new_value_char", "not in", closed),
        ],
        ["mail_message_id"],
    )
    messages = [number for row in changes if (number := id_of(row["mail_message_id"]))]
    rows = odoo.read("mail.message", sorted(set(messages)), ["res_id"]) if messages else []
    tasks_of = {row["id"]: row["res_id"] for row in rows}
    return Counter(tasks_of[number] for number in messages if number in tasks_of)
