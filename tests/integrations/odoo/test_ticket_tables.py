"""What is a reply, which projects are for support, how often a task was reopened: as tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.odoo.streams.learning import is_enrolment
from integrations.odoo.streams.reopenings import reopenings
from integrations.odoo.streams.replies import first_reply
from integrations.odoo.streams.surveys import answer_of
from integrations.odoo.streams.tickets import TicketsMapping, counts, projects_for_tickets
from integrations.odoo.values import id_of

OPENED = datetime(2026, 4, 7, 8, tzinfo=UTC)
SEEN, INTERNAL = 1, 2  # subtypes
STAFF, CUSTOMER = 30, 20


def message(date: str, arrived: str | None = None, **otherwise: Any) -> dict[str, Any]:
    """A comment of staff that customers see, but for what is said otherwise; `07 09:00`."""
    return {
        "date": f"2026-04-{date}:00",
        "create_date": f"2026-04-{arrived or date}:00",
        "subtype_id": [SEEN, "Discussions"],
        "author_id": [STAFF, "Sigrid"],
        **otherwise,
    }


@pytest.mark.parametrize(
    ("messages", "replied"),
    [
        ([], None),
        ([message("07 10:00")], "07 10:00"),
        ([message("07 12:00"), message("07 10:00")], "07 10:00"),
        ([message("07 10:00", subtype_id=[INTERNAL, "Note"])], None),
        ([message("07 10:00", subtype_id=False)], None),
        ([message("07 10:00", author_id=[CUSTOMER, "Ida"])], None),
        ([message("07 10:00", author_id=False)], None),
        ([message("07 10:00", author_id=[CUSTOMER, "Ida"]), message("08 09:00")], "08 09:00"),
        # An e-mail's own date counts, unless it can't be true.
        ([message("07 10:00", arrived="07 10:20")], "07 10:00"),
        ([message("09 10:00", arrived="07 10:20")], "07 10:20"),
        ([message("06 10:00", arrived="07 10:20")], "07 10:20"),
        # What is older than the ticket answers something else.
        ([message("06 10:00"), message("07 11:00")], "07 11:00"),
        ([message("07 08:00")], "07 08:00"),
    ],
)
def test_the_first_reply(messages: list[dict[str, Any]], replied: str | None) -> None:
    found = first_reply(messages, OPENED, {SEEN}, lambda author: author == STAFF)
    assert (found and f"{found:%d %H:%M}") == replied


@pytest.mark.parametrize(
    ("projects", "named", "chosen"),
    [
        ({"Partner support": "portal", "Internal": "employees"}, [], ["Partner support"]),
        ({"Partner support": "portal", "New building": "portal"}, [], ["Partner support"]),
        ({"Resellers": "portal", "Internal": "employees"}, [], ["Resellers"]),
        ({"Resellers": "portal", "IT support": "employees"}, [], ["Resellers"]),
        ({"SAV": "followers", "Internal": "employees"}, [], ["SAV"]),
        ({"Savings": "employees"}, [], []),
        ({"A": "portal", "B": "employees", "Support": "portal"}, ["b", "A"], ["A", "B"]),
        ({"Support": "portal"}, ["Another"], []),
        ({}, [], []),
    ],
)
def test_which_projects_are_for_tickets(
    projects: dict[str, str], named: list[str], chosen: list[str]
) -> None:
    rows = [{"name": name, "privacy_visibility": seen} for name, seen in projects.items()]
    assert [row["name"] for row in projects_for_tickets(rows, named)] == chosen


@pytest.mark.parametrize(
    ("archived", "open_one", "closed_one"),
    [("count when closed", False, True), ("count", True, True), ("left out", False, False)],
)
def test_what_becomes_of_archived_tickets(archived: Any, open_one: bool, closed_one: bool) -> None:
    mapping = TicketsMapping(archived=archived)
    assert counts({"active": False}, mapping, is_closed=False) is open_one
    assert counts({"active": False}, mapping, is_closed=True) is closed_one
    assert counts({"active": True}, mapping, is_closed=False)


def test_reopening_is_going_from_closed_to_open() -> None:
    changes = {
        1: [("In Progress", "Done")],
        2: [("In Progress", "Done"), ("Done", "In Progress")],
        3: [("En cours", "Terminé"), ("Terminé", "En cours"), ("En cours", "Terminé")],
        4: [("Done", "Cancelled"), ("Cancelled", "Approved"), ("Approved", "In Progress")],
    }
    closed = {"Done", "Cancelled", "Terminé"}
    assert dict(reopenings(changes, closed)) == {1: 0, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize(
    ("status", "active", "enrolled"),
    [
        ("invited", True, False),
        ("joined", True, True),
        ("ongoing", True, True),
        ("completed", True, True),
        ("joined", False, False),
        ("ongoing", False, False),
        ("completed", False, True),
    ],
)
def test_who_is_enrolled(status: str, active: bool, enrolled: bool) -> None:
    assert is_enrolment({"member_status": status, "active": active}) is enrolled


@pytest.mark.parametrize(
    ("line", "choice", "value", "text", "dismissed"),
    [
        ({"answer_type": "scale", "value_scale": 0}, None, "0", None, "no"),
        ({"answer_type": "scale", "value_scale": 10}, None, "10", None, "no"),
        ({"answer_type": False, "skipped": True}, None, None, None, "yes"),
        ({"answer_type": "numerical_box", "value_numerical_box": 2.5}, None, "2.5", None, "no"),
        ({"answer_type": "numerical_box", "value_numerical_box": 0.0}, None, "0", None, "no"),
        ({"answer_type": "char_box", "value_char_box": " Late "}, None, None, "Late", "no"),
        ({"answer_type": "text_box", "value_text_box": "A\nB"}, None, None, "A\nB", "no"),
        ({"answer_type": "date", "value_date": "2026-04-07"}, None, None, "2026-04-07", "no"),
        ({"answer_type": "suggestion"}, "Very happy", None, "Very happy", "no"),
        ({"answer_type": "suggestion"}, "9", "9", None, "no"),
        ({"answer_type": "suggestion"}, None, None, None, "no"),
    ],
)
def test_what_a_line_answers(
    line: dict[str, Any], choice: str | None, value: str | None, text: str | None, dismissed: str
) -> None:
    row = {"skipped": False, "value_scale": 0, "value_numerical_box": 0.0, **line}
    assert answer_of(row, choice) == {"value": value, "text": text, "dismissed": dismissed}


def test_a_record_is_named_by_a_pair_or_by_its_number() -> None:
    assert [id_of(value) for value in ([7, "Seven"], 7, False, None, 0)] == [7, 7, None, None, None]
