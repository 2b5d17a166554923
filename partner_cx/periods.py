"""Years, quarters and months: the stretches of time that figures, rules and closes speak of.

A period is written `2026`, `2026Q2` or `2026-05`, in files, commands and addresses alike. It is
half-open: its end is the first day, or the first instant, that no longer belongs to it. Days are
calendar days in the programme's time zone, which is only needed to find an instant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from partner_cx.errors import Invalid

_TEXT = re.compile(
    r"(?P<year>(19|20|21)[0-9]{2})(Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?",
)
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


class PeriodKind(StrEnum):
    """How long a period is. In alphabetical order the shorter comes first."""

    MONTH = "month"  # a calendar month
    QUARTER = "quarter"  # three months, from January, April, July or October
    YEAR = "year"  # a calendar year

    @property
    def months(self) -> int:
        return {"month": 1, "quarter": 3, "year": 12}[self.value]


@dataclass(frozen=True, order=True)
class Period:
    """A calendar month, quarter or year. In order of its first day; the shorter one first."""

    first_day: date
    kind: PeriodKind

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `2026`, `2026Q2` or `2026-05`; the years 1900 to 2199 are understood."""
        found = _TEXT.fullmatch(text.strip().upper())
        if found is None:
            raise Invalid(
                f"“{text}” isn't a period.",
                remedy="Write a year as 2026, a quarter as 2026Q2, a month as 2026-05.",
                french=f"«\u202f{text}\u202f» n’est pas une période. Une année s’écrit 2026, "
                "un trimestre 2026Q2, un mois 2026-05.",
            )
        year = int(found["year"])
        if found["quarter"]:
            return cls(date(year, 3 * int(found["quarter"]) - 2, 1), PeriodKind.QUARTER)
        if found["month"]:
            return cls(date(year, int(found["month"]), 1), PeriodKind.MONTH)
        return cls(date(year, 1, 1), PeriodKind.YEAR)

    @classmethod
    def of(cls, day: date, kind: PeriodKind | str) -> Period:
        """The period of a kind in which a day lies."""
        return _period_of(day, kind)

    @classmethod
    def span(cls, first: Period, last: Period) -> list[Period]:
        """Every period from the first to the last, both included. Both are of the same kind."""
        if first.kind != last.kind:
            raise Invalid(
                f"{first} is a {first.kind} and {last} a {last.kind}.",
                remedy="Name the first and the last period in the same way: 2025Q1 to 2026Q2.",
            )
        if last < first:
            raise Invalid(f"{last} lies before {first}.", remedy="Name the earlier period first.")
        return first._cut_until(last.end_day, first.kind)

    def __post_init__(self) -> None:
        aligned = self.first_day.day == 1 and (self.first_day.month - 1) % self.kind.months == 0
        assert aligned, f"no {self.kind} starts on {self.first_day}"

    def __str__(self) -> str:
        match self.kind:
            case PeriodKind.YEAR:
                return f"{self.first_day.year:04}"
            case PeriodKind.QUARTER:
                return f"{self.first_day.year:04}Q{self._quarter}"
            case PeriodKind.MONTH:
                return f"{self.first_day.year:04}-{self.first_day.month:02}"

    def __contains__(self, day: date) -> bool:
        """Whether a day lies in the period. An instant has no day until it is given a zone."""
        return self.first_day <= day < self.end_day

    def label(self, language: str) -> str:
        """What a person reads: `May 2026`, `Q2 2026`; in French `mai 2026`, `T2 2026`."""
        french = language.startswith("fr")
        year = str(self.first_day.year)
        match self.kind:
            case PeriodKind.YEAR:
                return year
            case PeriodKind.QUARTER:
                return f"{'T' if french else 'Q'}{self._quarter} {year}"
            case PeriodKind.MONTH:
                names = _MONTHS["fr" if french else "en"].split()
                return f"{names[self.first_day.month - 1]} {year}"

    @property
    def _quarter(self) -> int:
        return (self.first_day.month + 2) // 3

    @cached_property
    def end_day(self) -> date:
        """The first day after the period."""
        return _months_after(self.first_day, self.kind.months)

    @cached_property
    def last_day(self) -> date:
        return self.end_day - timedelta(days=1)

    def starts_at(self, zone: tzinfo) -> datetime:
        """The period's first instant, in UTC: the local midnight that opens its first day."""
        return _midnight(self.first_day, zone)

    def ends_at(self, zone: tzinfo) -> datetime:
        """The first instant after the period, in UTC."""
        return _midnight(self.end_day, zone)

    def next(self) -> Period:
        return Period(self.end_day, self.kind)

    def previous(self) -> Period:
        return Period(_months_after(self.first_day, -self.kind.months), self.kind)

    def months(self) -> list[Period]:
        return self._cut_until(self.end_day, PeriodKind.MONTH)

    def quarters(self) -> list[Period]:
        """The whole quarters inside the period; a month has none."""
        if self.kind is PeriodKind.MONTH:
            return []
        return self._cut_until(self.end_day, PeriodKind.QUARTER)

    def _cut_until(self, end_day: date, kind: PeriodKind) -> list[Period]:
        piece = Period(self.first_day, kind)
        pieces = []
        while piece.first_day < end_day:
            pieces.append(piece)
            piece = piece.next()
        return pieces


@lru_cache(maxsize=10_000)  # every event asks a few times, always about the same days
def _period_of(day: date, kind: PeriodKind | str) -> Period:
    kind = PeriodKind(kind)
    first_month = (day.month - 1) // kind.months * kind.months + 1
    return Period(date(day.year, first_month, 1), kind)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name, such as `Europe/Paris`."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # unknown, no name at all, or a folder of names
        near = get_close_matches(name, sorted(available_timezones()), n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Write an IANA name, as Europe/Paris."
        raise Invalid(f"“{name}” isn't a time zone.", remedy=remedy) from None


def _months_after(first_of_month: date, months: int) -> date:
    year, month = divmod(first_of_month.year * 12 + first_of_month.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    # Where clocks skip midnight, the offset before the jump leads to the jump itself: the day's
    # first instant. Where midnight comes twice, the first one opens the day.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
