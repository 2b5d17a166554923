"""Timetables: when something happens again and again, as people write it down.

    every 15 minutes      on the quarters of an hour; every 2 hours, on even hours of UTC
    daily 02:30           each day, by the clocks of the programme's time zone
    weekly monday 07:00
    monthly 1 06:00       31: the last day of shorter months
    quarterly 5 06:00     on the fifth day after a quarter's end
    off                   never

A local time that clocks skip is the first instant after the gap; one that comes twice is its first.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import TypeAlias

from partner_cx.errors import Invalid
from partner_cx.periods import Period, PeriodKind

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOW_OFTEN = ("every", "daily", "weekly", "monthly", "quarterly", "off")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = timedelta(days=366)
EVERY = re.compile(r"every (?:(?P<number>\d{1,4}) )?(?P<unit>minute|hour)s?")
TIME = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
QUARTER_DAYS = 90  # that every quarter has


@dataclass(frozen=True)
class Off:
    """Never."""

    def moments(self, _after: datetime, _until: datetime, _zone: tzinfo) -> Iterator[datetime]:
        return iter(())


@dataclass(frozen=True)
class Every:
    """At equal distances, counted from one moment for all, so that all processes mean the same."""

    distance: timedelta

    def moments(self, after: datetime, until: datetime, _zone: tzinfo) -> Iterator[datetime]:
        moment = EPOCH + ((after - EPOCH) // self.distance + 1) * self.distance
        while moment <= until:
            yield moment
            moment += self.distance


@dataclass(frozen=True)
class OnDays:
    """At a time of the clock, on some days.

    weekday: 0 is Monday. month_day, quarter_day: counted from 1. None of them: on every day.
    """

    at: time
    weekday: int | None = None
    month_day: int | None = None
    quarter_day: int | None = None

    def moments(self, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
        # A day on either side: clocks that skip or repeat may move a moment over midnight.
        day, last = after.astimezone(zone).date() - DAY, until.astimezone(zone).date() + DAY
        while day <= last:
            if self.is_on(day) and after < (moment := instant_of(day, self.at, zone)) <= until:
                yield moment
                after = moment
            day += DAY

    def is_on(self, day: date) -> bool:
        if self.weekday is not None:
            return day.weekday() == self.weekday
        if self.month_day is not None:
            return day.day == min(self.month_day, monthrange(day.year, day.month)[1])
        if self.quarter_day is not None:
            first = Period.of(day, PeriodKind.QUARTER).first_day
            return (day - first).days + 1 == self.quarter_day
        return True


Timetable: TypeAlias = Off | Every | OnDays


def next_after(timetable: Timetable, after: datetime, zone: tzinfo) -> datetime | None:
    """The first moment after an instant; None: there is none."""
    return next(timetable.moments(after, after + YEAR, zone), None)


def instant_of(day: date, at: time, zone: tzinfo) -> datetime:
    """The instant, in UTC, at which the clocks of a zone show a time on a day."""
    shown = datetime.combine(day, at)
    instant = shown.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == shown:
        return instant  # of two, the first: that is what fold=0 means
    return _end_of_gap(shown, zone)


def _end_of_gap(shown: datetime, zone: tzinfo) -> datetime:
    """The first instant after clocks jumped over the time that should be shown."""
    # Read by the offset that holds after the jump it lies before it, and the other way round.
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    behind = shown.replace(tzinfo=zone, fold=0).astimezone(UTC)
    offset = behind.astimezone(zone).utcoffset()
    while behind - before > timedelta(seconds=1):
        middle = before + (behind - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            behind = middle
        else:
            before = middle
    return behind.replace(microsecond=0)


def parse(text: str) -> Timetable:
    """Read a timetable. Raises Invalid, with what may have been meant."""
    words = text.lower().split()
    match words:
        case ["off"]:
            return Off()
        case ["every", *_]:
            return _every(words, text)
        case ["daily", at]:
            return OnDays(_time(at, text))
        case ["weekly", day, at] if day in WEEKDAYS:
            return OnDays(_time(at, text), weekday=WEEKDAYS.index(day))
        case ["monthly", day, at]:
            return OnDays(_time(at, text), month_day=_number(day, 31, text))
        case ["quarterly", day, at]:
            return OnDays(_time(at, text), quarter_day=_number(day, QUARTER_DAYS, text))
    raise _unreadable(text)


def _every(words: list[str], text: str) -> Every:
    found = EVERY.fullmatch(" ".join(words))
    if found is None or int(found["number"] or 1) < 1:
        raise _unreadable(text)
    number = int(found["number"] or 1)
    distance = timedelta(minutes=number) if found["unit"] == "minute" else timedelta(hours=number)
    if distance > DAY:
        raise Invalid(f"“{text}” is longer than a day.", remedy="Write daily or weekly instead.")
    return Every(distance)


def _time(at: str, text: str) -> time:
    found = TIME.fullmatch(at)
    if found is None:
        raise _unreadable(text)
    return time(int(found["hour"]), int(found["minute"]))


def _number(written: str, most: int, text: str) -> int:
    if not (written.isascii() and written.isdigit() and 1 <= int(written) <= most):
        raise Invalid(f"“{text}”: “{written}” isn't a day from 1 to {most}.")
    return int(written)


def _unreadable(text: str) -> Invalid:
    known = (*HOW_OFTEN, *WEEKDAYS)
    strange = [word for word in re.findall(r"[a-z]+", text.lower()) if word not in known]
    near = [found for word in strange for found in get_close_matches(word, known, n=1)]
    meant = f"Did you mean {near[0]}? " if near else ""
    return Invalid(
        f"“{text}” isn't a timetable.",
        remedy=f"{meant}Write every 15 minutes, daily 02:30, weekly monday 07:00, "
        "monthly 1 06:00, quarterly 5 06:00 or off.",
    )
