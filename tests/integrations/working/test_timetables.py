"""Timetables as tables: what is written, and when that comes, in the programme's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.timetables import next_after, parse
from partner_cx.errors import Invalid

PARIS = ZoneInfo("Europe/Paris")


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    """An instant by the clocks of Paris, or with an offset of its own."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC)


def moments(written: str, after: str, until: str, zone: ZoneInfo = PARIS) -> list[str]:
    """In UTC, to the minute, as `29 00:30`: the day and the time."""
    found = parse(written).moments(at(after, zone), at(until, zone), zone)
    return [f"{moment:%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("written", "after", "until", "expected"),
    [
        # an ordinary winter day in Paris, an hour before UTC
        ("daily 02:30", "2026-01-10T00:00", "2026-01-11T00:00", ["01-10 01:30"]),
        ("daily 00:00", "2026-01-10T00:00", "2026-01-11T00:00", ["01-10 23:00"]),
        ("every 15 minutes", "2026-01-10T09:59", "2026-01-10T10:30",
         ["01-10 09:00", "01-10 09:15", "01-10 09:30"]),
        ("every hour", "2026-01-10T10:00", "2026-01-10T12:00", ["01-10 10:00", "01-10 11:00"]),
        ("every 2 hours", "2026-01-10T10:00", "2026-01-10T13:00", ["01-10 10:00", "01-10 12:00"]),
        ("weekly monday 07:00", "2026-01-05T07:00", "2026-01-19T07:00",
         ["01-12 06:00", "01-19 06:00"]),
        ("monthly 1 06:00", "2026-01-01T06:00", "2026-03-01T06:00", ["02-01 05:00", "03-01 05:00"]),
        ("quarterly 5 06:00", "2026-01-01T00:00", "2026-07-05T05:59",
         ["01-05 05:00", "04-05 04:00"]),
        ("off", "2026-01-01T00:00", "2027-01-01T00:00", []),
        # 29 March 2026: at two clocks jump to three
        ("daily 02:30", "2026-03-28T00:00", "2026-03-31T00:00",
         ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        ("daily 02:00", "2026-03-29T00:00", "2026-03-30T00:00", ["03-29 01:00"]),
        ("daily 03:00", "2026-03-29T00:00", "2026-03-30T00:00", ["03-29 01:00"]),
        ("weekly sunday 02:59", "2026-03-29T00:00", "2026-03-30T00:00", ["03-29 01:00"]),
        ("every 15 minutes", "2026-03-29T01:45", "2026-03-29T03:30",
         ["03-29 01:00", "03-29 01:15", "03-29 01:30"]),
        # 25 October 2026: at three clocks go back to two
        ("daily 02:30", "2026-10-24T12:00", "2026-10-26T12:00", ["10-25 00:30", "10-26 01:30"]),
        ("daily 02:00", "2026-10-25T00:00", "2026-10-26T00:00", ["10-25 00:00"]),
        ("daily 03:00", "2026-10-25T00:00", "2026-10-26T00:00", ["10-25 02:00"]),
        ("every 30 minutes", "2026-10-25T01:30", "2026-10-25T03:00",
         ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"]),
        # 2028 has a 29 February
        ("daily 06:00", "2028-02-28T12:00", "2028-03-01T12:00", ["02-29 05:00", "03-01 05:00"]),
        ("monthly 29 06:00", "2028-02-01T00:00", "2028-04-01T00:00",
         ["02-29 05:00", "03-29 04:00"]),
        ("monthly 29 06:00", "2027-02-01T00:00", "2027-03-01T00:00", ["02-28 05:00"]),
        ("monthly 31 06:00", "2028-02-01T00:00", "2028-05-01T00:00",
         ["02-29 05:00", "03-31 04:00", "04-30 04:00"]),
        ("quarterly 60 06:00", "2028-01-01T00:00", "2028-03-31T00:00", ["02-29 05:00"]),
        ("quarterly 60 06:00", "2027-01-01T00:00", "2027-03-31T00:00", ["03-01 05:00"]),
    ],
)  # fmt: skip
def test_a_timetable_comes_at_these_moments(
    written: str, after: str, until: str, expected: list[str]
):
    assert moments(written, after, until) == expected


def test_a_day_that_a_zone_skipped_is_made_up_for_at_its_end():
    apia = ZoneInfo("Pacific/Apia")  # went from 29 to 31 December 2011
    assert moments("daily 10:00", "2011-12-29T00:00", "2012-01-01T00:00", apia) == [
        "12-29 20:00",
        "12-30 10:00",
        "12-30 20:00",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("dayly 02:30", "Did you mean daily?"),
        ("weekly mondy 07:00", "Did you mean monday?"),
        ("daily", "daily 02:30"),
        ("daily 25:00", "isn't a timetable"),
        ("daily 2.30", "isn't a timetable"),
        ("monthly 0 06:00", "isn't a day from 1 to 31"),
        ("quarterly 91 06:00", "isn't a day from 1 to 90"),
        ("monthly ² 06:00", "isn't a day from 1 to 31"),
        ("every 0 minutes", "isn't a timetable"),
        ("every 25 hours", "longer than a day"),
        ("every monday", "isn't a timetable"),
        ("", "isn't a timetable"),
        ("*/15 * * * *", "Write every 15 minutes"),
    ],
)
def test_what_isnt_a_timetable_is_refused_with_what_is(written: str, told: str):
    with pytest.raises(Invalid) as refusal:
        parse(written)
    assert told in str(refusal.value)


def test_capitals_and_spaces_dont_matter():
    assert parse("  Weekly  Monday 7:00 ") == parse("weekly monday 07:00")


def test_off_never_comes():
    assert next_after(parse("off"), at("2026-01-01"), PARIS) is None


WRITTEN = st.sampled_from(
    ["every 7 minutes", "every 3 hours", "daily 02:30", "daily 00:00", "weekly sunday 02:15",
     "monthly 31 23:59", "quarterly 1 00:00", "quarterly 90 12:00"]
)  # fmt: skip
ZONES = st.sampled_from(
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
)
HOURS = st.integers(0, 18 * 366 * 24)  # from 2011 on


@given(WRITTEN, ZONES, HOURS, st.integers(0, 500 * 24), st.floats(0, 1))
def test_planned_in_two_goes_comes_to_the_same_as_in_one(written, zone, start, length, share):
    """Nothing is lost or doubled at the moment up to which was planned."""
    after = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(hours=start)
    until = after + timedelta(hours=length)
    between = after + (until - after) * share
    timetable, local = parse(written), ZoneInfo(zone)
    whole = list(timetable.moments(after, until, local))
    first = list(timetable.moments(after, between, local))
    second = list(timetable.moments(between, until, local))
    assert whole == first + second == sorted(set(whole))
    if whole:
        assert next_after(timetable, after, local) == whole[0]
