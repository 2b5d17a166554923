"""Limits: how much, how often and how soon again one subject may earn by one rule.

They are applied last, when a rule is met and what it earns is known: a limit never makes a rule
unmet, it makes it pay less. Counted is what the same rule awarded the same recipient, whether or
not a budget has paid it, by the day it was earned on, in whatever order the programme learned it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple, Self

from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards import sentences
from rewards.reading import Given

POINTS_MAX = 10_000_000
TIMES_MAX = 10_000
DAYS_MAX = 3_660


class Won(NamedTuple):
    """What the rule awarded the same recipient, on an earlier day or earlier on the same one.

    points: below zero where an award was taken back: a limit of points has that room again.
    """

    on: date
    points: int


@dataclass(frozen=True)
class Limit:
    """How many points, or how many times, in one calendar period.

    per: the month, quarter or year in which the day of the decision lies.
    points: what can be earned in it altogether; what goes beyond is cut off.
    times: how often anything can be earned in it. None: as often, or as much, as there is.
    """

    per: PeriodKind
    points: int | None = None
    times: int | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("per",), optional=("points", "times"))
        if len(fields) == 1:
            raise given.refused(
                "the limit limits nothing.", "Add “points: 2000” or “times: 4” to it."
            )
        return cls(
            per=fields["per"].choice(PeriodKind),
            points=fields["points"].whole_number(1, POINTS_MAX) if "points" in fields else None,
            times=fields["times"].whole_number(1, TIMES_MAX) if "times" in fields else None,
        )

    def to_plain(self) -> dict[str, Any]:
        plain = {"per": self.per.value, "points": self.points, "times": self.times}
        return {name: value for name, value in plain.items() if value is not None}


@dataclass(frozen=True)
class Limited:
    """What is left of an award.

    sentence: which limit cut it, what was already won, and from when it can be won again; None
        where no limit cut it.
    """

    points: int
    sentence: Words | None = None


@dataclass(frozen=True)
class _Cut:
    """What one limit leaves, from which day on it leaves more, and how that is told."""

    points: int
    again_on: date
    tell: Callable[[], Words]


def applied(
    limits: tuple[Limit, ...],
    cool_down_days: int,
    on: date,
    points: int,
    history: Iterable[Won],
) -> Limited:
    """Cut an award down to what the tightest limit leaves of it.

    cool_down_days: 30 after an award of day D allow the next one from day D + 30 on. An award
        that comes to light late, for a day before D, keeps the same distance.
    on: the day the award is for.
    history: what the rule has already awarded the recipient, in any order.
    Where several limits leave as little, the one that lasts longest is told.
    """
    tightest = _tightest(limits, cool_down_days, on, points, history)
    return Limited(tightest.points, tightest.tell()) if tightest else Limited(points)


def left_of(
    limits: tuple[Limit, ...],
    cool_down_days: int,
    on: date,
    points: int,
    history: Iterable[Won],
) -> int:
    """The points of `applied` alone."""
    if not limits and not cool_down_days:
        return points
    tightest = _tightest(limits, cool_down_days, on, points, history)
    return tightest.points if tightest else points


def looks_back_to(limits: tuple[Limit, ...], cool_down_days: int, on: date) -> date:
    """The first day that matters to them; what was won before it cuts nothing."""
    begins = [Period.of(on, limit.per).first_day for limit in limits]
    return min([*begins, on - timedelta(days=cool_down_days)])


def _tightest(
    limits: tuple[Limit, ...],
    cool_down_days: int,
    on: date,
    points: int,
    history: Iterable[Won],
) -> _Cut | None:
    won = list(history)
    cuts = [cut for limit in limits for cut in _cuts(limit, on, points, won)]
    if cool_down_days and (cooling := _cooling_down(cool_down_days, on, won)):
        cuts.append(cooling)
    return min(cuts, key=lambda cut: (cut.points, -cut.again_on.toordinal()), default=None)


def _cooling_down(days: int, on: date, won: list[Won]) -> _Cut | None:
    near = [each.on for each in won if each.points > 0 and abs((on - each.on).days) < days]
    if not near:
        return None
    again_on = max(near) + timedelta(days=days)
    return _Cut(0, again_on, lambda: sentences.cooling_down(max(near), days, again_on))


def _cuts(limit: Limit, on: date, points: int, won: list[Won]) -> Iterable[_Cut]:
    period = Period.of(on, limit.per)
    first, last = period.first_day, period.last_day
    inside = [each.points for each in won if first <= each.on <= last]
    times = sum(each > 0 for each in inside)
    if limit.times is not None and times >= limit.times:
        yield _Cut(0, period.end_day, lambda: sentences.often_enough(times, period))
    if limit.points is None:
        return
    already = max(0, sum(inside))
    most, left = limit.points, max(0, limit.points - already)
    if left < points:
        yield _Cut(
            left,
            period.end_day,
            lambda: sentences.much_enough(most, already, left, points, period),
        )
