from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from partner_cx.calendars import (
    ALWAYS,
    NEVER,
    BusinessCalendar,
    Pause,
    calendar_from_row,
    holidays_for,
    parse_clock,
    parse_days,
    parse_pauses,
)
from partner_cx.errors import Invalid

DESK = calendar_from_row("desk", "Europe/Paris", "mon-fri", "09:00", "18:00", "FR")
MINUTE, HOUR, DAY = 60, 3600, 86400

ZONES = [
    "Europe/Paris",
    "America/New_York",
    "America/Havana",  # clocks change at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kolkata",  # half an hour off, and never changed
    "Pacific/Apia",  # skipped the whole of 30 December 2011
]
CHANGES = [  # of clocks, both ways, in those zones
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2006, 3, 26, 1, tzinfo=UTC),
    datetime(2040, 10, 28, 1, tzinfo=UTC),
]


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    opens, closes = sorted(draw(st.sets(st.integers(0, 24), min_size=2, max_size=2)))
    return BusinessCalendar(
        code="drawn",
        time_zone=draw(st.sampled_from(ZONES)),
        days=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        opens=timedelta(hours=opens),
        closes=timedelta(hours=closes),
        closed=draw(st.frozensets(st.sampled_from([c.date() for c in CHANGES]), max_size=2)),
    )


@st.composite
def instants(draw: st.DrawFn, within: int = 3 * DAY) -> int:
    """A whole minute close to a change of clocks."""
    change = int(draw(st.sampled_from(CHANGES)).timestamp())
    return change + MINUTE * draw(st.integers(-within // MINUTE, within // MINUTE))


@st.composite
def pauses_near(draw: st.DrawFn, start: int) -> list[Pause]:
    minutes = st.integers(-DAY // MINUTE, 3 * DAY // MINUTE)
    lengths = st.none() | st.integers(0, DAY // MINUTE)
    drawn = draw(st.lists(st.tuples(minutes, lengths), max_size=4))
    return [
        (start + MINUTE * m, None if length is None else start + MINUTE * (m + length))
        for m, length in drawn
    ]


def counted_by_the_minute(
    calendar: BusinessCalendar,
    start: int,
    end: int,
    pauses: list[Pause] = [],  # noqa: B006
) -> int:
    """Walk from start to end, looking at the clock on the wall every minute."""
    return sum(
        is_open(calendar, minute)
        and not any(s <= minute and (e is None or minute < e) for s, e in pauses)
        for minute in range(start, end, MINUTE)
    )


def is_open(calendar: BusinessCalendar, instant: int) -> bool:
    local = datetime.fromtimestamp(instant, ZoneInfo(calendar.time_zone))
    clock = timedelta(hours=local.hour, minutes=local.minute)
    return (
        local.weekday() in calendar.days
        and local.date() not in calendar.closed
        and calendar.opens <= clock < calendar.closes
    )


@given(calendars(), st.data())
@settings(max_examples=120, deadline=None)
def test_elapsed_time_is_what_one_counts_minute_by_minute(
    calendar: BusinessCalendar, data: st.DataObject
) -> None:
    start = data.draw(instants())
    end = start + MINUTE * data.draw(st.integers(0, 4 * DAY // MINUTE))
    pauses = data.draw(pauses_near(start))
    found = calendar.elapsed(column(start), column(end), [pauses])
    assert found.tolist() == [MINUTE * counted_by_the_minute(calendar, start, end, pauses)]


@given(calendars(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_target_has_exactly_elapsed_when_it_is_due(
    calendar: BusinessCalendar, data: st.DataObject
) -> None:
    start = data.draw(instants())
    target = data.draw(st.integers(1, 20 * DAY))
    pauses = data.draw(pauses_near(start))
    due = calendar.due(column(start), column(target), [pauses])
    if due[0] == NEVER:
        long_after = column(start + 10 * 366 * DAY)
        assert any(end is None for _, end in pauses)
        assert calendar.elapsed(column(start), long_after, [pauses])[0] < target
    else:
        assert calendar.elapsed(column(start), due, [pauses]).tolist() == [target]
        assert calendar.elapsed(column(start), due - 1, [pauses]).tolist() == [target - 1]


@given(st.lists(st.tuples(instants(), st.integers(0, 3 * DAY)), min_size=1, max_size=20), st.data())
@settings(max_examples=30, deadline=None)
def test_many_clocks_together_run_like_each_one_alone(
    clocks: list[tuple[int, int]], data: st.DataObject
) -> None:
    pauses = [data.draw(pauses_near(start)) for start, _ in clocks]
    starts, lengths = (np.array(c) for c in zip(*clocks, strict=True))
    ends = starts + lengths
    alone = [
        DESK.elapsed(column(s), column(e), [p])[0]
        for s, e, p in zip(starts, ends, pauses, strict=True)
    ]
    assert DESK.elapsed(starts, ends, pauses).tolist() == alone
    due_alone = [
        DESK.due(column(s), column(n), [p])[0]
        for s, n, p in zip(starts, lengths, pauses, strict=True)
    ]
    assert DESK.due(starts, lengths, pauses).tolist() == due_alone


@given(instants(), st.integers(0, 10 * DAY))
@example(int(datetime(2026, 3, 29, tzinfo=UTC).timestamp()), 2 * DAY)
def test_without_a_calendar_clocks_never_stop(start: int, length: int) -> None:
    assert ALWAYS.business_seconds(column(start), column(start + length)).tolist() == [length]
    assert ALWAYS.due(column(start), column(length)).tolist() == [start + length]


@pytest.mark.parametrize(
    ("day", "opens", "closes", "minutes"),
    [
        ("2026-03-29", "02:30", "05:00", 120),  # opens as the clocks jump from 02:00 to 03:00
        ("2026-03-29", "01:00", "02:30", 60),  # closes as they jump
        ("2026-03-29", "02:15", "02:45", 0),  # its whole opening is skipped
        ("2026-10-25", "02:30", "04:00", 150),  # 02:30 comes twice: opens the first time
        ("2026-10-25", "01:00", "02:30", 90),  # and closes the first time
    ],
)
def test_a_door_that_opens_in_the_hour_of_change(
    day: str, opens: str, closes: str, minutes: int
) -> None:
    calendar = calendar_from_row("early", "Europe/Paris", "sun", opens, closes)
    midday = int(datetime.fromisoformat(f"{day}T12:00+00:00").timestamp())
    found = calendar.business_seconds(column(midday - DAY), column(midday))
    assert found.tolist() == [minutes * MINUTE]


def test_a_day_that_a_country_skipped_was_never_open() -> None:
    samoa = calendar_from_row("apia", "Pacific/Apia", "fri", "00:00", "24:00")
    week = stamp("2011-12-27T00:00+00:00")
    assert samoa.business_seconds(column(week), column(week + 6 * DAY)).tolist() == [0]


@pytest.mark.parametrize("year", [2006, 2026, 2040])
def test_holidays_are_known_in_years_far_apart(year: int) -> None:
    eve = int(datetime(year, 7, 13, 22, tzinfo=UTC).timestamp())
    assert DESK.business_seconds(column(eve), column(eve + DAY)).tolist() == [0]


def test_a_range_of_more_than_a_hundred_years_is_refused() -> None:
    with pytest.raises(Invalid, match="100 years at once are the most"):
        DESK.business_seconds(column(0), column(110 * 366 * DAY))
    with pytest.raises(Invalid, match="mistyped year"):
        DESK.business_seconds(column(0), column(10**12))
    with pytest.raises(Invalid, match="between nothing and 100 years"):
        DESK.due(column(0), column(10**12))
    with pytest.raises(Invalid, match="between nothing and 100 years"):
        DESK.due(column(0), column(-1))


def test_an_end_before_its_start_takes_no_time() -> None:
    assert DESK.elapsed(column(10 * DAY), column(0), [[(0, 5 * DAY)]]).tolist() == [0]


def test_no_clocks_give_no_answers() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert DESK.elapsed(nothing, nothing, []).tolist() == []
    assert DESK.due(nothing, nothing, []).tolist() == []


def test_columns_keep_their_index_and_what_is_unknown() -> None:
    opened = pd.to_datetime(
        pd.Series(["2026-06-12T15:30Z", None, "2026-06-08T08:00Z"], index=[7, 8, 9])
    )
    closed = pd.to_datetime(pd.Series(["2026-06-15T07:45Z", "2026-06-15T07:45Z", None], [7, 8, 9]))
    seconds = DESK.elapsed_between(opened, closed)
    assert seconds.dtype == "Int64"
    assert seconds.index.tolist() == [7, 8, 9]
    assert seconds[7] == 75 * MINUTE
    assert seconds.isna().tolist() == [False, True, True]

    target = pd.Series([75 * MINUTE, 60, 60], index=[7, 8, 9], dtype="Int64")
    paused = pd.Series([None, None, parse_pauses("2026-06-01T00:00Z/", UTC)], index=[7, 8, 9])
    due = DESK.due_at(opened, target, paused)
    assert due[7] == pd.Timestamp("2026-06-15T07:45Z")
    assert due.isna().tolist() == [False, True, True]
    assert str(due.dt.tz) == "UTC"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon,wed-fri", {0, 2, 3, 4}),
        ("Sat-Mon", {5, 6, 0}),
        ("sun", {6}),
        ("mon; tue", {0, 1}),
    ],
)
def test_weekdays_are_read_as_people_list_them(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


def test_times_of_day_are_read_up_to_midnight() -> None:
    assert parse_clock("9:30") == timedelta(hours=9, minutes=30)
    assert parse_clock("09:30:00") == timedelta(hours=9, minutes=30)
    assert parse_clock("24:00") == timedelta(days=1)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"time_zone": "Europe/Lutetia"}, "isn't a time zone"),
        ({"holidays": "XX"}, "holidays of “XX” aren't known"),
        ({"holidays": "DE-XX"}, "DE has no region “XX”.*DE or one of its regions: BB"),
        ({"days": "mo-fr"}, "mon-fri or mon,wed-fri"),
        ({"days": ""}, "doesn't name weekdays"),
        ({"opens": "9h"}, "“9h” isn't a time of day"),
        ({"closes": "24:01"}, "up to 24:00"),
        ({"closes": "08:00"}, "closes at 08:00, before it opens at 09:00"),
        ({"opens": "22:00", "closes": "06:00"}, "over midnight aren't kept"),
        ({"closed_on": "2026-12-24;Christmas"}, "“Christmas” isn't a day"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(changed: dict[str, str], reason: str) -> None:
    row = {
        "code": "desk",
        "time_zone": "Europe/Paris",
        "days": "mon-fri",
        "opens": "09:00",
        "closes": "18:00",
    }
    with pytest.raises(Invalid, match=reason):
        calendar_from_row(**(row | changed))


def test_regions_have_their_own_holidays() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in holidays_for("DE-BY", [2026])
    assert epiphany not in holidays_for("DE", [2026])
    assert holidays_for(None, [2026]) == frozenset()


def test_closed_days_are_added_to_the_holidays() -> None:
    row = ("desk", "Europe/Paris", "mon-fri", "09:00", "18:00", "FR", "2026-12-24; 2026-12-31")
    eve = int(datetime(2026, 12, 23, 23, tzinfo=UTC).timestamp())
    assert calendar_from_row(*row).business_seconds(column(eve), column(eve + DAY)).tolist() == [0]


def test_pauses_are_read_with_and_without_an_offset() -> None:
    read = parse_pauses(
        "2026-06-08T14:00/2026-06-09T11:00; 2026-06-10T08:00Z/", ZoneInfo("Europe/Paris")
    )
    assert read == (
        (stamp("2026-06-08T12:00+00:00"), stamp("2026-06-09T09:00+00:00")),
        (stamp("2026-06-10T08:00+00:00"), None),
    )
    assert parse_pauses("", UTC) == parse_pauses(None, UTC) == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-06-08T14:00", "isn't a pause"),
        ("2026-06-08T14:00/noon", "“noon” isn't an instant"),
        ("/2026-06-08T14:00", "isn't an instant"),
        ("2026-06-08T14:00/2026-06-08T13:00", "ends before it starts"),
    ],
)
def test_a_pause_that_cannot_be_meant_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_pauses(text, UTC)


def column(value: int) -> np.ndarray:
    return np.array([value], dtype=np.int64)


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
