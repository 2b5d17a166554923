"""Bullets: one measure against its target, with the interval it may lie in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.catalogues import Translator, text
from api.charts.rows import Row, state_of
from api.charts.scales import Scale, from_zero, percent_of
from api.pages.told import ToldState

_HEADROOM = Fraction(11, 10)  # a target at the very edge couldn't be seen to be passed

# How the value stands to its target: above, below, at it.
AGAINST = {
    1: text("{told}, above the target, {target}."),
    -1: text("{told}, below the target, {target}."),
    0: text("{told}, which is the target."),
}


@dataclass(frozen=True)
class Span:
    """From where to how far, as shares of the width."""

    x: str
    width: str


@dataclass(frozen=True)
class Bullet:
    """A measure as the template draws it; `bar` is none where there is no data."""

    title: str
    description: str
    rows: tuple[Row, ...]
    told: str
    target_told: str
    state: ToldState | None
    bar: Span | None
    interval: Span | None
    aim: str | None


def bullet(
    title: str,
    value: Fraction | None,
    told: str,
    *,
    target: Fraction | None,
    target_told: str,
    low: Fraction | None = None,
    high: Fraction | None = None,
    state: str = "",
    language: str,
) -> Bullet:
    """A bar from zero to the value, the target as a line across it, the interval as a band."""
    say = Translator(language)
    scale = _scale([value, target, low, high])
    rows = [Row(say("Value"), told, state=state_of(state, language))]
    if target is not None:
        rows.append(Row(say("Target"), target_told))
    return Bullet(
        title=title,
        description=_description(value, told, target, target_told, say),
        rows=tuple(rows),
        told=told,
        target_told=target_told if target is not None else "",
        state=state_of(state, language),
        bar=None if value is None else _span(scale, Fraction(0), value),
        interval=None if low is None or high is None else _span(scale, low, high),
        aim=None if target is None else percent_of(scale.share(target)),
    )


def _scale(values: list[Fraction | None]) -> Scale:
    """From nothing to a little beyond the highest. Where all is nothing, it lies at the left."""
    known = from_zero(value for value in values if value is not None)
    if known.low == known.high:
        return Scale(Fraction(0), Fraction(1))
    return Scale(known.low * _HEADROOM, known.high * _HEADROOM)


def _span(scale: Scale, start: Fraction, end: Fraction) -> Span:
    left, right = sorted(scale.share(place) for place in (start, end))
    return Span(percent_of(left), percent_of(right - left))


def _description(
    value: Fraction | None, told: str, target: Fraction | None, target_told: str, say: Translator
) -> str:
    if value is None:
        return say("No data yet.")
    if target is None:
        return say("{told}; there is no target.").format(told=told)
    side = (value > target) - (value < target)
    return say(AGAINST[side]).format(told=told, target=target_told)
