"""Business calendars: how long a clock has run while the door was open, and when it runs out.

Tickets and other clocks come as arrays of instants (whole seconds of UTC since 1970, int64), two
million and more a second. A calendar lays its opening hours down once, as instants, with the open
seconds before each; then the open time between two instants is the difference of two look-ups.
Opening hours are local and arithmetic is UTC, so that a day on which the clocks change is exactly
as long as it was. After this come the formulas for first response, resolution and SLA.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import holidays
import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_cx.errors import Invalid
from partner_cx.periods import zone_named

Instants: TypeAlias = npt.NDArray[np.int64]  # seconds of UTC since 1970
Seconds: TypeAlias = npt.NDArray[np.int64]
Pause: TypeAlias = tuple[int, int | None]  # from and until, as instants; None: not over yet

NEVER = int(np.iinfo(np.int64).max)  # the due instant of a clock that stands still for good
YEARS = range(1900, 2200)
YEARS_MAX = 100

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60 * 60
_LONG_AGO = -(2**62)


@dataclass(frozen=True)
class BusinessCalendar:
    """The opening hours that clocks run in: one stretch a day, on some weekdays.

    opens, closes: local time after midnight; `closes` may be 24 hours, and lies after `opens`.
    holidays: a country or region code whose public holidays are closed days.
    closed: further closed days.

    Where clocks skip the hour in which the door opens or closes, it does so as they jump; where
    they show that hour twice, the first time counts.
    """

    code: str
    time_zone: str
    days: frozenset[int]  # 0 is Monday
    opens: timedelta
    closes: timedelta
    holidays: str | None = None
    closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        zone_named(self.time_zone)
        if self.holidays:
            _check_holidays_code(self.holidays)
        if not self.days:
            raise Invalid(f"Calendar {self.code} is never open.", remedy="Name its days: mon-fri.")
        if not timedelta(0) <= self.opens < self.closes <= timedelta(days=1):
            raise Invalid(
                f"Calendar {self.code} closes at {_clock_text(self.closes)}, before it opens at "
                f"{_clock_text(self.opens)} or at once; opening hours over midnight aren't kept.",
                remedy="Give a closing time after the opening time, up to 24:00.",
            )

    def business_seconds(self, starts: Instants, ends: Instants) -> Seconds:
        """The open seconds between two instants each; none where the end comes first."""
        if not len(starts):
            return np.zeros(0, dtype=np.int64)
        hours = self._hours(min(starts.min(), ends.min()), max(starts.max(), ends.max()))
        seconds: Seconds = np.maximum(hours.reading(ends) - hours.reading(starts), 0)
        return seconds

    def elapsed(
        self,
        starts: Instants,
        ends: Instants,
        pauses: Sequence[Sequence[Pause]] | None = None,
    ) -> Seconds:
        """The open seconds between two instants each, without those in a pause.

        pauses: for each row its pauses, in any order; what lies in several counts once.
        """
        seconds = self.business_seconds(starts, ends)
        if pauses is not None:
            paused = _without_overlap(pauses, starts, ends)
            np.subtract.at(seconds, paused.row, self.business_seconds(paused.start, paused.end))
        return seconds

    def due(
        self,
        starts: Instants,
        seconds: Seconds,
        pauses: Sequence[Sequence[Pause]] | None = None,
    ) -> Instants:
        """The first instants at which so many open seconds have passed outside any pause.

        A target of no seconds is due at once, open or not. A clock that stands in a pause without
        an end is due NEVER. `elapsed` from a start to its due instant is the target again.
        """
        if not len(starts):
            return np.zeros(0, dtype=np.int64)
        if seconds.min() < 0 or seconds.max() > YEARS_MAX * 365 * _DAY:
            raise Invalid(
                f"A target must lie between nothing and {YEARS_MAX} years.",
                remedy="Look for a negative target, or for one in a smaller unit.",
            )
        paused = _without_overlap(pauses or (), starts, np.full_like(starts, NEVER))
        first = starts.min()
        last = max(starts.max(), paused.start.max(initial=first), paused.last_end(first))
        hours = self._hours(first, last)
        wanted = paused.put_off(hours.reading(starts) + seconds, hours)
        found = self._hours_until(wanted, first, last).instant(wanted)
        return np.where(seconds == 0, starts, found)

    def elapsed_between(
        self, starts: pd.Series, ends: pd.Series, pauses: pd.Series | None = None
    ) -> pd.Series:
        """`elapsed` for columns of instants: Int64 seconds, NA where either end is unknown."""
        known = (starts.notna() & ends.notna()).to_numpy()
        seconds = pd.array(np.zeros(len(starts), dtype=np.int64), dtype="Int64")
        seconds[known] = self.elapsed(
            to_instants(starts[known]), to_instants(ends[known]), _known_pauses(pauses, known)
        )
        seconds[~known] = pd.NA
        return pd.Series(seconds, index=starts.index)

    def due_at(
        self, starts: pd.Series, seconds: pd.Series, pauses: pd.Series | None = None
    ) -> pd.Series:
        """`due` for columns: UTC instants, NaT where start or target is unknown, or for NEVER."""
        known = (starts.notna() & seconds.notna()).to_numpy()
        due = np.full(len(starts), NEVER)
        due[known] = self.due(
            to_instants(starts[known]),
            seconds[known].to_numpy(dtype=np.int64),
            _known_pauses(pauses, known),
        )
        return pd.Series(from_instants(due), index=starts.index)

    def _hours(self, first: int, last: int) -> _OpeningHours:
        """The opening hours over a range of instants; those of the same first year agree."""
        years = range(_year_of(first - _DAY), _year_of(last + _DAY) + 1)
        if years[0] not in YEARS or years[-1] not in YEARS or len(years) > YEARS_MAX:
            raise Invalid(
                f"Calendar {self.code} can't run a clock over the years {years[0]} to {years[-1]}: "
                f"{YEARS_MAX} years at once are the most, from {YEARS[0]} to {YEARS[-1]}.",
                remedy="Look for a mistyped year among the instants, or a target in seconds.",
            )
        return _opening_hours(self, years)

    def _hours_until(self, readings: Seconds, first: int, last: int) -> _OpeningHours:
        """The opening hours over as many years as it takes to reach all readings but NEVER."""
        furthest = readings[readings != NEVER].max(initial=0)
        hours, reach = self._hours(first, last), last
        while hours.seconds_open < furthest:
            reach += max(reach - last, 90 * _DAY)
            hours = self._hours(first, reach)
        return hours


class _OpeningHours(NamedTuple):
    """When the door was open, as instants in order, and the business clock that runs by it."""

    opens: Instants
    closes: Instants
    open_before: Seconds  # what the business clock shows as the door opens

    @property
    def seconds_open(self) -> int:
        return int(self.open_before[-1] + self.closes[-1] - self.opens[-1])

    def reading(self, instants: Instants) -> Seconds:
        """What the business clock shows at some instants."""
        day = np.searchsorted(self.opens, instants, side="right") - 1
        return self.open_before[day] + np.minimum(instants, self.closes[day]) - self.opens[day]

    def instant(self, readings: Seconds) -> Instants:
        """When the business clock first shows some readings."""
        day = np.searchsorted(self.open_before, readings, side="left") - 1
        found = self.opens[day] + readings - self.open_before[day]
        return np.where(readings == NEVER, NEVER, found)


@lru_cache(maxsize=64)
def _opening_hours(calendar: BusinessCalendar, years: range) -> _OpeningHours:
    days = pd.date_range(date(years[0], 1, 1), date(years[-1], 12, 31), unit="s")
    closed = calendar.closed | holidays_for(calendar.holidays, years)
    open_days = days[
        days.day_of_week.isin(calendar.days) & ~days.isin(pd.DatetimeIndex(sorted(closed)))
    ]
    zone = zone_named(calendar.time_zone)
    opens = _local_instants(open_days + calendar.opens, zone)
    closes = _local_instants(open_days + calendar.closes, zone)
    open_before = np.cumsum(closes - opens) - (closes - opens)
    # An empty first day, so that an instant before the first opening finds its place too.
    return _OpeningHours(
        opens=np.insert(opens, 0, _LONG_AGO),
        closes=np.insert(closes, 0, _LONG_AGO),
        open_before=np.insert(open_before, 0, 0),
    )


def _local_instants(local: pd.DatetimeIndex, zone: tzinfo) -> Instants:
    first_pass = np.ones(len(local), dtype=bool)
    aware = local.tz_localize(zone, ambiguous=first_pass, nonexistent="NaT")
    instants: Instants = aware.tz_convert(None).to_numpy(dtype="datetime64[s]").astype(np.int64)
    for skipped in np.flatnonzero(aware.isna()).tolist():
        instants[skipped] = _jump_over(local[skipped].to_pydatetime(), zone)
    return instants


def _jump_over(skipped: datetime, zone: tzinfo) -> int:
    """The instant at which clocks jumped over a local time, be it by an hour or, in Samoa, a day.

    It lies between what that time would be by the offset after the jump and by the one before.
    """
    before, after = (int(skipped.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (1, 0))
    offset_before = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset_before:
            before = middle
        else:
            after = middle
    return after


def _year_of(instant: int) -> int:
    return int(np.int64(instant).astype("datetime64[s]").astype("datetime64[Y]").astype(int)) + 1970


class _Paused(NamedTuple):
    """Stretches in which clocks stood still, in order and apart from each other within a row."""

    row: npt.NDArray[np.int64]
    start: Instants
    end: Instants  # NEVER while the pause isn't over

    def last_end(self, otherwise: int) -> int:
        return int(self.end[self.end != NEVER].max(initial=otherwise))

    def put_off(self, readings: Seconds, hours: _OpeningHours) -> Seconds:
        """Move the readings that lie behind a pause by its open seconds, or to NEVER."""
        readings = readings.copy()
        starts = hours.reading(self.start)
        lengths = hours.reading(np.where(self.end == NEVER, self.start, self.end)) - starts
        turn = pd.Series(self.row).groupby(self.row).cumcount().to_numpy()
        for k in range(turn.max(initial=-1) + 1):  # every row's first pause, then the second ones
            of_turn = np.flatnonzero(turn == k)
            behind = of_turn[readings[self.row[of_turn]] > starts[of_turn]]
            for_good = self.end[behind] == NEVER
            readings[self.row[behind]] += np.where(for_good, 0, lengths[behind])
            readings[self.row[behind[for_good]]] = NEVER
        return readings


def _without_overlap(
    pauses: Sequence[Sequence[Pause]], starts: Instants, ends: Instants
) -> _Paused:
    """Clip each row's pauses to its start and end, and count what several cover once."""
    flat = [
        (row, start, NEVER if end is None else end)
        for row, given in enumerate(pauses)
        if given
        for start, end in given
    ]
    row, start, end = np.array(sorted(flat), dtype=np.int64).reshape(-1, 3).T
    start, end = np.maximum(start, starts[row]), np.minimum(end, ends[row])
    ends_so_far = pd.Series(end).groupby(row).cummax()
    covered = ends_so_far.groupby(row).shift(fill_value=_LONG_AGO).to_numpy()
    start = np.maximum(start, covered)
    left = start < end
    return _Paused(row[left], start[left], end[left])


def to_instants(column: pd.Series) -> Instants:
    """A column of known UTC instants as whole seconds since 1970."""
    seconds: Instants = column.dt.tz_convert(None).to_numpy(dtype="datetime64[s]").astype(np.int64)
    return seconds


def from_instants(instants: Instants) -> pd.DatetimeIndex:
    """Whole seconds since 1970 as UTC instants; NEVER is NaT."""
    known = np.where(instants == NEVER, np.iinfo(np.int64).min, instants)
    return pd.DatetimeIndex(known.astype("datetime64[s]"), tz=UTC)


def _known_pauses(
    pauses: pd.Series | None, known: npt.NDArray[np.bool_]
) -> list[Sequence[Pause]] | None:
    if pauses is None:
        return None
    return [given if isinstance(given, list | tuple) else () for given in pauses[known]]


def calendar_from_row(
    code: str,
    time_zone: str,
    days: str,
    opens: str,
    closes: str,
    holidays: str | None = None,
    closed_on: str | None = None,
) -> BusinessCalendar:
    """A calendar as its file writes it: `mon-fri`, `09:00`, `18:00`, `FR`, `2026-12-24;2026-12-31`.

    Raises Invalid, saying which of them can't be understood and what is expected.
    """
    return BusinessCalendar(
        code=code,
        time_zone=time_zone.strip(),
        days=parse_days(days),
        opens=parse_clock(opens),
        closes=parse_clock(closes),
        holidays=(holidays or "").strip() or None,
        closed=frozenset(_parse_day(day) for day in _listed(closed_on)),
    )


def parse_days(text: str) -> frozenset[int]:
    """Weekdays, 0 for Monday, from `mon-fri` or `mon,wed-fri`; `sat-mon` goes over the weekend."""
    days: set[int] = set()
    for part in _listed(text.replace(",", ";")):
        first, _, last = part.partition("-")
        days |= set(_weekdays_between(first, last or first, text))
    if not days:
        raise _unknown_days(text)
    return frozenset(days)


def _weekdays_between(first: str, last: str, text: str) -> Iterable[int]:
    try:
        start, end = (_WEEKDAYS.index(day.strip().lower()) for day in (first, last))
    except ValueError:
        raise _unknown_days(text) from None
    return ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _unknown_days(text: str) -> Invalid:
    return Invalid(
        f"“{text}” doesn't name weekdays.",
        remedy=f"Write mon-fri or mon,wed-fri, of {' '.join(_WEEKDAYS)}.",
    )


def parse_clock(text: str) -> timedelta:
    """A time of day as the time after midnight: `09:00`, `9:30`, `24:00` for the day's end."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])(?::00)?", text.strip())
    clock = timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
    if clock is None or clock > timedelta(days=1):
        raise Invalid(f"“{text}” isn't a time of day.", remedy="Write it as 09:00, up to 24:00.")
    return clock


def parse_pauses(text: str | None, zone: tzinfo) -> tuple[Pause, ...]:
    """Pauses from `start/end;start/end`; a pause that isn't over has no end: `start/`.

    zone: where instants without an offset were written down.
    """
    return tuple(_parse_pause(part, zone) for part in _listed(text))


def _parse_pause(text: str, zone: tzinfo) -> Pause:
    start_text, slash, end_text = text.partition("/")
    if not slash:
        raise Invalid(f"“{text}” isn't a pause.", remedy="Write start/end;start/end.")
    start = _parse_instant(start_text, zone)
    if not end_text.strip():
        return start, None
    end = _parse_instant(end_text, zone)
    if end < start:
        raise Invalid(f"The pause “{text}” ends before it starts.", remedy="Write start/end.")
    return start, end


def _parse_instant(text: str, zone: tzinfo) -> int:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"“{text}” isn't an instant.", remedy="Write it as 2026-06-08T14:00+02:00."
        ) from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=zone)).timestamp())


def _parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{text}” isn't a day.", remedy="Write it as 2026-12-24.") from None


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def _clock_text(clock: timedelta) -> str:
    hours, minutes = divmod(int(clock.total_seconds()) // 60, 60)
    return f"{hours:02}:{minutes:02}"


def holidays_for(code: str | None, years: Iterable[int]) -> frozenset[date]:
    """The public holidays of a country (`FR`) or a region (`DE-BY`, `FR-57`) in some years."""
    if not code:
        return frozenset()
    return frozenset().union(*(_holidays_in(code, year) for year in years))


@lru_cache(maxsize=4096)
def _holidays_in(code: str, year: int) -> frozenset[date]:
    _check_holidays_code(code)
    country, _, region = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


def _check_holidays_code(code: str) -> None:
    countries = holidays.list_supported_countries()
    country, dash, region = code.partition("-")
    if country not in countries:
        raise Invalid(
            f"The public holidays of “{code}” aren't known.",
            remedy="Write a country code such as FR, or a region such as DE-BY.",
        )
    if dash and region not in countries[country]:
        raise Invalid(
            f"The public holidays of “{code}” aren't known: {country} has no region “{region}”.",
            remedy=f"Write {country} or one of its regions: {', '.join(countries[country])}.",
        )


# The calendar of clocks without one: around the clock, every day.
ALWAYS = BusinessCalendar(
    code="always",
    time_zone="UTC",
    days=frozenset(range(7)),
    opens=timedelta(0),
    closes=timedelta(days=1),
)
