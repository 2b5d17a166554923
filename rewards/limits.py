"""Limits: how much, how often and how soon again one subject may earn by one rule.

They are applied last, when a rule is met and what it earns is known: a limit never makes a rule
unmet, it makes it pay less. Counted is what the same rule has paid the same recipient, by the day
it was earned on, whatever the order in which the programme learned of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards import sentences
from rewards.reading import Given

POINTS_MAX = 10_000_000
TIMES_MAX = 10_000
DAYS_MAX = 3_660


@dataclass(frozen=True)
class Won:
    """What the rule paid the same recipient on another day, or earlier on the same one."""

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

    sentence: which limit cut it, and when it can be won again; None where none did.
    """

    points: int
    sentence: Words | None = None


def applied(
    limits: tuple[Limit, ...],
    cool_down_days: int,
    on: date,
    points: int,
    history: Iterable[Won],
) -> Limited:
    """Cut an award down to what the tightest limit leaves of it.

    cool_down_days: 30 after an award on day D allow the next one from day D + 30 on. An award
        that comes to light late, for a day before D, keeps the same distance.
    on: the day the award is for.
    history: what the rule has already paid the recipient, in any order.
    """
    won = [each for each in history if each.points > 0] if limits or cool_down_days else []
    if not won and not limits:
        return Limited(points)
    tightest = _cooled_down(cool_down_days, on, points, won)
    for limit in limits:
        limited = _limited(limit, on, points, won)
        if limited.points < tightest.points:
            tightest = limited
    return tightest


def left(
    limits: tuple[Limit, ...], cool_down_days: int, on: date, points: int, history: Iterable[Won]
) -> int:
    return applied(limits, cool_down_days, on, points, history).points


def _cooled_down(days: int, on: date, points: int, won: list[Won]) -> Limited:
    near = [each.on for each in won if abs((on - each.on).days) < days]
    if not near:
        return Limited(points)
    return Limited(0, sentences.cooling_down(max(near), days, max(near) + timedelta(days)))


def _limited(limit: Limit, on: date, points: int, won: list[Won]) -> Limited:
    period = Period.of(on, limit.per)
    inside = [each.points for each in won if each.on in period]
    if limit.times is not None and len(inside) >= limit.times:
        return Limited(0, sentences.often_enough(limit.times, period))
    left = points if limit.points is None else max(0, limit.points - sum(inside))
    if left >= points or limit.points is None:
        return Limited(points)
    return Limited(left, sentences.much_enough(limit.points, sum(inside), period))
