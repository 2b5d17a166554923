"""How long a ticket waited, as a channel manager would count it on a wall calendar.

The help desk is open Monday to Friday, 09:00 to 18:00 in Paris, and closed on French holidays.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from partner_cx.calendars import ALWAYS, BusinessCalendar, calendar_from_row, parse_pauses

PARIS = ZoneInfo("Europe/Paris")
HELP_DESK = calendar_from_row(
    "help-desk", "Europe/Paris", "mon-fri", "09:00", "18:00", holidays="FR"
)
NIGHT_AND_DAY = calendar_from_row("hotline", "Europe/Paris", "mon-sun", "00:00", "24:00")

WAITED = [
    # from                to                  paused                            minutes
    ("2026-06-12 17:30", "2026-06-15 09:45", "", 75, "over a weekend"),
    ("2026-07-13 16:00", "2026-07-15 10:30", "", 210, "over Bastille Day"),
    (
        "2026-06-08 10:00",
        "2026-06-10 12:00",
        "2026-06-08T14:00/2026-06-09T11:00",
        840,
        "waiting for the customer overnight",
    ),
    ("2026-06-08 10:00", "2026-06-10 12:00", "", 1200, "the same without the pause"),
    (
        "2026-06-08 10:00",
        "2026-06-10 12:00",
        "2026-06-08T14:00/2026-06-09T10:00;2026-06-08T16:00/2026-06-09T11:00",
        840,
        "two pauses that overlap count once",
    ),
    ("2026-06-08 10:00", "2026-06-08 12:00", "2026-06-08T11:00/", 60, "still waiting for them"),
    ("2026-06-08 10:00", "2026-06-08 12:00", "2026-06-01T00:00/2026-06-08T10:30", 90, "old pause"),
    ("2026-06-13 10:00", "2026-06-14 22:00", "", 0, "all of it on a weekend"),
    ("2026-06-08 08:00", "2026-06-08 19:00", "", 540, "a whole day, early till late"),
    ("2026-06-08 18:00", "2026-06-09 09:00", "", 0, "a night"),
    ("2026-03-27 17:00", "2026-03-30 10:00", "", 120, "the weekend clocks go forward"),
    ("2026-10-23 17:00", "2026-10-26 10:00", "", 120, "the weekend clocks go back"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("opened", "closed", "paused", "minutes"),
    [row[:4] for row in WAITED],
    ids=[r[4] for r in WAITED],
)
def test_a_ticket_waits_only_while_the_help_desk_is_open(
    opened: str, closed: str, paused: str, minutes: int
) -> None:
    pauses = [parse_pauses(paused, PARIS)]
    assert HELP_DESK.elapsed(at(opened), at(closed), pauses).tolist() == [minutes * 60]


DUE = [
    # opened              target   paused                               due
    ("2026-06-12 17:30", 75, "", "2026-06-15 09:45", "over a weekend"),
    ("2026-07-13 16:00", 210, "", "2026-07-15 10:30", "over Bastille Day"),
    ("2026-06-08 10:00", 840, "2026-06-08T14:00/2026-06-09T11:00", "2026-06-10 12:00", "paused"),
    ("2026-06-08 17:00", 60, "", "2026-06-08 18:00", "due as the desk closes, not as it opens"),
    (
        "2026-06-08 10:00",
        60,
        "2026-06-08T11:00/2026-06-08T12:00",
        "2026-06-08 11:00",
        "just before",
    ),
    ("2026-06-08 10:00", 61, "2026-06-08T11:00/2026-06-08T12:00", "2026-06-08 12:01", "just after"),
    ("2026-06-13 12:00", 60, "", "2026-06-15 10:00", "opened on a Saturday"),
    ("2026-06-13 12:00", 0, "", "2026-06-13 12:00", "without any time, at once"),
]


@pytest.mark.parametrize(
    ("opened", "target", "paused", "due"), [row[:4] for row in DUE], ids=[row[4] for row in DUE]
)
def test_a_target_is_due_when_its_business_minutes_have_passed(
    opened: str, target: int, paused: str, due: str
) -> None:
    pauses = [parse_pauses(paused, PARIS)]
    assert HELP_DESK.due(at(opened), np.array([target * 60]), pauses).tolist() == at(due).tolist()


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)],
)
@pytest.mark.parametrize("calendar", [NIGHT_AND_DAY, ALWAYS], ids=["hotline", "no calendar"])
def test_a_day_is_as_long_as_its_clocks_make_it(
    day: str, hours: int, calendar: BusinessCalendar
) -> None:
    next_day = f"{np.datetime64(day) + 1} 00:00"
    assert calendar.business_seconds(at(f"{day} 00:00"), at(next_day)).tolist() == [hours * 3600]


def at(paris_time: str) -> np.ndarray:
    """A Paris wall-clock time as a column of one instant."""
    instant = datetime.fromisoformat(paris_time).replace(tzinfo=PARIS)
    return np.array([int(instant.timestamp())])
