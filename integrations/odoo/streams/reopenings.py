"""Reopenings: how often tasks were closed and opened again, where Odoo lets us see its tracking.

A task that is open again looks as if it had never been closed; only the tracked changes of its
state tell. They are for administrators alone, and keep the states' names in the language of
whoever changed them: what names a closed state is told by Odoo in English, and by the tasks that
are closed now in whatever language it was.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from integrations.odoo.connection.errors import NotAllowed, NotInstalled
from integrations.odoo.streams import Reading, Row
from integrations.odoo.streams.whole import read_whole
from integrations.odoo.values import id_of

CLOSED = ("1_done", "1_canceled")  # states of a task

Changes = Mapping[int, Sequence[tuple[str, str]]]  # by task: from which state to which, in order


def times_reopened(reading: Reading, tasks: Mapping[int, Row]) -> Counter[int] | None:
    """How often tasks were reopened, by their id; None where that can't be seen."""
    if not tasks:
        return Counter()
    try:
        changes = _changes(reading, list(tasks))
    except (NotAllowed, NotInstalled):
        return None
    names = reading.odoo.fields("project.task")["state"].get("selection") or ()
    closed = {str(name) for state, name in names if state in CLOSED}
    closed |= {told[-1][1] for number, told in changes.items() if tasks[number]["state"] in CLOSED}
    return reopenings(changes, closed)


def reopenings(changes: Changes, closed: Collection[str]) -> Counter[int]:
    """How often each task went from a closed state to one that isn't. closed: their names."""
    return Counter(
        {
            number: sum(old in closed and new not in closed for old, new in told)
            for number, told in changes.items()
        }
    )


def _changes(reading: Reading, tasks: Sequence[int]) -> Changes:
    odoo = reading.odoo
    state = odoo.search(
        "ir.model.fields", [("model", "=", "project.task"), ("name", "=", "state")], limit=1
    )
    # By the messages' ids: asked through them, Odoo would look at every message there is.
    of_tasks = [("model", "=", "project.task"), ("res_id", "in", list(tasks))]
    messages = read_whole(odoo, "mail.message", of_tasks, ["res_id"])
    task_of = {row["id"]: row["res_id"] for row in messages}
    tracked = read_whole(
        odoo,
        "mail.tracking.value",
        [("mail_message_id", "in", sorted(task_of)), ("field_id", "in", state)],
        ["mail_message_id", "old_value_char", "new_value_char"],
    )
    changes: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in tracked:
        task = task_of.get(id_of(row["mail_message_id"]) or 0)
        if task is not None:
            changes[task].append((str(row["old_value_char"]), str(row["new_value_char"])))
    return changes
