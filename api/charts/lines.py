"""Lines: a figure over its periods, the target always in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil

from api.catalogues import Translator, text
from api.charts.rows import Row, gaps_told
from api.charts.scales import Scale, percent_of, sensible
from api.charts.sparklines import runs_of

HEIGHT, ABOVE, BELOW = 216, 30, 62  # pixels: the box, and the room over and under the line
_LEFT, _RIGHT = Fraction(8, 100), Fraction(92, 100)  # where the first and the last point stand
_NARROW, _WIDE = 250, 480  # pixels: what a telephone has across, and what else there is at least
_LETTER, _BETWEEN = 8, 12  # pixels: a letter of a point's name, and the air between two names
_EDGE_LETTERS_MOST = 7  # a longer word over the first or the last point would leave the chart

# How the last value stands to the target: above it, below it, at it. Not whether that is good:
# for some figures lower is better, and a state says so in its word.
AGAINST = {
    1: text("The last value lies above the target, {target}."),
    -1: text("The last value lies below the target, {target}."),
    0: text("The last value is the target, {target}."),
}
BOUNDED = {
    1: text("The last value lies above this line: {bound} {target}."),
    -1: text("The last value lies below this line: {bound} {target}."),
    0: text("The last value lies on this line: {bound} {target}."),
}


@dataclass(frozen=True)
class Point:
    """One period's value, with its name and how it is told. None is no data, and leaves a gap."""

    label: str
    value: Fraction | None
    told: str


@dataclass(frozen=True)
class Dot:
    """A point as drawn. `told` stands beside the highest and the lowest only."""

    x: str
    y: float
    is_last: bool
    hint: str
    told: str = ""
    told_y: float = 0
    anchor: str = "middle"


@dataclass(frozen=True)
class Stroke:
    """A piece of the line, from one point to the next."""

    x1: str
    y1: float
    x2: str
    y2: float


@dataclass(frozen=True)
class Tick:
    """A point's name under the line. `often` is left out where the chart is narrow."""

    x: str
    label: str
    often: bool
    anchor: str = "middle"


@dataclass(frozen=True)
class Aim:
    """The target's line, and where its words stand."""

    y: float
    told: str
    told_y: float
    x: str
    anchor: str


@dataclass(frozen=True)
class LineChart:
    """A line as the template draws it. Without any value there are no dots, and nothing is drawn.

    description: a sentence: first, last, lowest, highest, against the target, and the gaps;
    last: the last known point, told beside the title.
    """

    title: str
    description: str
    rows: tuple[Row, ...]
    last: Row | None = None
    strokes: tuple[Stroke, ...] = ()
    dots: tuple[Dot, ...] = ()
    ticks: tuple[Tick, ...] = ()
    aim: Aim | None = None
    height: int = HEIGHT
    floor: int = HEIGHT - 30


def line_chart(
    title: str,
    points: Sequence[Point],
    *,
    target: Fraction | None = None,
    target_told: str = "",
    bound: str = "",
    language: str,
) -> LineChart:
    """A line over its points from left to right, its lowest, highest and last value told.

    bound: what the target is called where it is another thing that isn't passed: a budget.
    """
    description = _description(points, target, target_told, bound, language)
    rows = tuple(Row(point.label, point.told) for point in points)
    known = [point.value for point in points if point.value is not None]
    if not known:
        return LineChart(title, description, rows)
    scale = sensible([*known, *([] if target is None else [target])])
    called = f"{bound or Translator(language)('Target')} {target_told}".strip()
    places = [
        [(place, _across(place, len(points)), _down(scale, value)) for place, value in run]
        for run in runs_of([point.value for point in points])
    ]
    return LineChart(
        title=title,
        description=description,
        rows=rows,
        last=rows[places[-1][-1][0]],
        strokes=tuple(
            Stroke(percent_of(x1), y1, percent_of(x2), y2)
            for run in places
            for (_, x1, y1), (_, x2, y2) in pairwise(run)
        ),
        dots=_dots(points, [each for run in places for each in run]),
        ticks=_ticks(points),
        aim=None if target is None else _aim(scale, target, called, points),
    )


def _across(place: int, count: int) -> Fraction:
    if count == 1:
        return Fraction(1, 2)
    return _LEFT + (_RIGHT - _LEFT) * Fraction(place, count - 1)


def _down(scale: Scale, value: Fraction) -> float:
    return round(HEIGHT - BELOW - float(scale.share(value)) * (HEIGHT - ABOVE - BELOW), 1)


def _dots(
    points: Sequence[Point], places: Sequence[tuple[int, Fraction, float]]
) -> tuple[Dot, ...]:
    """The known points, the highest with its word above, the lowest with it below."""
    beside = _beside(points, last=places[-1][0])
    return tuple(
        Dot(
            x=percent_of(x),
            y=y,
            is_last=place == places[-1][0],
            hint=f"{points[place].label}: {points[place].told}",
            told=points[place].told if place in beside else "",
            told_y=round(y + beside.get(place, 0), 1),
            anchor=_anchor(x, points[place].told),
        )
        for place, x, y in places
    )


def _anchor(x: Fraction, told: str) -> str:
    """Which side of its point a word stands on: long ones at the edges turn inward."""
    if len(told) <= _EDGE_LETTERS_MOST or Fraction(1, 5) < x < Fraction(4, 5):
        return "middle"
    return "start" if x < Fraction(1, 2) else "end"


def _beside(points: Sequence[Point], last: int) -> dict[int, int]:
    """The points told beside themselves, and how far below. The last one stands by the title."""
    highest, lowest = _highest(points), _lowest(points)
    if points[highest].value == points[lowest].value:
        return {}
    return {place: down for place, down in ((highest, -10), (lowest, 20)) if place != last}


def _highest(points: Sequence[Point]) -> int:
    return max((value, -place) for place, value in _known(points))[1] * -1


def _lowest(points: Sequence[Point]) -> int:
    return min((value, place) for place, value in _known(points))[1]


def _known(points: Sequence[Point]) -> list[tuple[int, Fraction]]:
    return [(place, each.value) for place, each in enumerate(points) if each.value is not None]


def _ticks(points: Sequence[Point]) -> tuple[Tick, ...]:
    """The points' names, as many as there is room for: the last always, then each so many back."""
    last = len(points) - 1
    wide = _every(points, _WIDE)
    narrow = -(-_every(points, _NARROW) // wide) * wide  # what a telephone shows, a desk does too
    return tuple(
        Tick(
            x=percent_of(_across(place, len(points))),
            label=point.label,
            often=(last - place) % narrow != 0,
            anchor=_anchor(_across(place, len(points)), point.label),
        )
        for place, point in enumerate(points)
        if (last - place) % wide == 0
    )


def _every(points: Sequence[Point], width: int) -> int:
    """Each how-manieth name has room where the chart is so many pixels wide."""
    letters = max(len(point.label) for point in points)
    if letters > _EDGE_LETTERS_MOST:  # those at the edges turn inward, by half their width
        letters += -(-letters // 2)
    name = letters * _LETTER + _BETWEEN
    between_points = width * (_RIGHT - _LEFT) / max(len(points) - 1, 1)
    return ceil(name / between_points)


def _aim(scale: Scale, target: Fraction, told: str, points: Sequence[Point]) -> Aim:
    """The target's line, its words on the side and the edge where the line is furthest away."""
    y = _down(scale, target)
    third = -(-len(points) // 3)
    sides = {"start": points[:third], "end": points[-third:]}

    def room(place: tuple[str, float]) -> float:
        side, down = place
        heights = [_down(scale, each.value) for each in sides[side] if each.value is not None]
        return min((abs(y + down - 4 - height) for height in heights), default=HEIGHT)

    side, down = max(((side, down) for side in sides for down in (-7, 17)), key=room)
    return Aim(
        y=y,
        told=told,
        told_y=round(y + down, 1),
        x="0" if side == "start" else "100%",
        anchor=side,
    )


def _description(
    points: Sequence[Point], target: Fraction | None, target_told: str, bound: str, language: str
) -> str:
    """What the picture shows, in words."""
    say = Translator(language)
    known = _known(points)
    if not known:
        return say("No data yet.")
    last = known[-1][1]
    said = [_course(points, say)]
    if target is not None:
        against = BOUNDED if bound else AGAINST
        said.append(
            say(against[(last > target) - (last < target)]).format(target=target_told, bound=bound)
        )
    return " ".join([*said, *gaps_told([each.label for each in points if each.value is None], say)])


def _course(points: Sequence[Point], say: Translator) -> str:
    """From where to where the line goes, and how low and high on its way."""
    known = _known(points)
    first, last = points[known[0][0]], points[known[-1][0]]
    if len(known) == 1:
        return say("{last} ({last_label}).").format(last=last.told, last_label=last.label)
    lowest, highest = points[_lowest(points)], points[_highest(points)]
    return say(
        "From {first} ({first_label}) to {last} ({last_label}); "
        "lowest {low} ({low_label}), highest {high} ({high_label})."
    ).format(
        first=first.told, first_label=first.label, last=last.told, last_label=last.label,
        low=lowest.told, low_label=lowest.label, high=highest.told, high_label=highest.label,
    )  # fmt: skip
