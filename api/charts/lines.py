"""Lines: a figure over its periods, the target always in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from api.catalogues import Translator, text
from api.charts.rows import Row, gaps_told
from api.charts.scales import Scale, percent_of, sensible
from api.charts.sparklines import runs_of

HEIGHT, ABOVE, BELOW = 212, 30, 42  # pixels: the box, and the room over and under the line
_LEFT, _RIGHT = Fraction(3, 100), Fraction(97, 100)  # where the first and the last point stand
_TICKS_NARROW = 4  # how many names of points a telephone has room for, and a desk
_TICKS_WIDE = 12
_APART = Fraction(1, 4)  # of the width: told values nearer to each other would overlap

# How the last value stands to the target: above it, below it, at it. Not whether that is good:
# for some figures lower is better, and a state says so in its word.
AGAINST = {
    1: text("The last value lies above the target, {target}."),
    -1: text("The last value lies below the target, {target}."),
    0: text("The last value is the target, {target}."),
}


@dataclass(frozen=True)
class Point:
    """One period's value, with its name and how it is told. None is no data, and leaves a gap."""

    label: str
    value: Fraction | None
    told: str


@dataclass(frozen=True)
class Dot:
    """A point as drawn. `told` is empty where the value is left to the table."""

    x: str
    y: float
    told: str = ""
    told_y: float = 0
    anchor: str = "middle"
    is_last: bool = False
    hint: str = ""


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
    anchor: str
    often: bool


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

    description: a sentence: first, last, lowest, highest, against the target, and the gaps.
    """

    title: str
    description: str
    rows: tuple[Row, ...]
    strokes: tuple[Stroke, ...] = ()
    dots: tuple[Dot, ...] = ()
    ticks: tuple[Tick, ...] = ()
    aim: Aim | None = None
    height: int = HEIGHT
    floor: int = HEIGHT - BELOW + 12


def line_chart(
    title: str,
    points: Sequence[Point],
    *,
    target: Fraction | None = None,
    target_told: str = "",
    language: str,
) -> LineChart:
    """A line over its points from left to right, its lowest, highest and last value told."""
    description = _description(points, target, target_told, language)
    rows = tuple(Row(point.label, point.told) for point in points)
    known = [point.value for point in points if point.value is not None]
    if not known:
        return LineChart(title, description, rows)
    scale = sensible([*known, *([] if target is None else [target])])
    places = [
        [(place, _across(place, len(points)), _down(scale, value)) for place, value in run]
        for run in runs_of([point.value for point in points])
    ]
    return LineChart(
        title=title,
        description=description,
        rows=rows,
        strokes=tuple(
            Stroke(percent_of(x1), y1, percent_of(x2), y2)
            for run in places
            for (_, x1, y1), (_, x2, y2) in pairwise(run)
        ),
        dots=_dots(points, [each for run in places for each in run]),
        ticks=_ticks(points),
        aim=None if target is None else _aim(scale, target, target_told, points, language),
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
    """The known points; those worth a word have it above them, the lowest below."""
    told = _told_places(points)
    lowest = _lowest(points)
    last = places[-1][0]
    return tuple(
        Dot(
            x=percent_of(x),
            y=y,
            told=points[place].told if place in told else "",
            told_y=round(y + 19 if place == lowest and place in told else y - 10, 1),
            anchor=_anchor(place, len(points)),
            is_last=place == last,
            hint=f"{points[place].label}: {points[place].told}",
        )
        for place, x, y in places
    )


def _told_places(points: Sequence[Point]) -> set[int]:
    """Which values are written beside their points: the last, the highest, the lowest, if apart."""
    known = [place for place, point in enumerate(points) if point.value is not None]
    chosen = [known[-1]]
    for place in (_highest(points), _lowest(points)):
        apart = (_across(place, len(points)) - _across(other, len(points)) for other in chosen)
        if all(abs(distance) >= _APART for distance in apart):
            chosen.append(place)
    return set(chosen)


def _highest(points: Sequence[Point]) -> int:
    return max((value, -place) for place, value in _known(points))[1] * -1


def _lowest(points: Sequence[Point]) -> int:
    return min((value, place) for place, value in _known(points))[1]


def _known(points: Sequence[Point]) -> list[tuple[int, Fraction]]:
    return [(place, each.value) for place, each in enumerate(points) if each.value is not None]


def _anchor(place: int, count: int) -> str:
    """Which side of its point a word stands on, so that none leaves the chart."""
    if count == 1:
        return "middle"
    share = Fraction(place, count - 1)
    if share < Fraction(1, 10):
        return "start"
    return "end" if share > Fraction(9, 10) else "middle"


def _ticks(points: Sequence[Point]) -> tuple[Tick, ...]:
    """The points' names, as many as there is room for: the last always, then each so many back."""
    last = len(points) - 1
    narrow, wide = (-(-len(points) // most) for most in (_TICKS_NARROW, _TICKS_WIDE))
    narrow = -(-narrow // wide) * wide  # what a telephone shows, a desk shows too
    return tuple(
        Tick(
            x=percent_of(_across(place, len(points))),
            label=point.label,
            anchor=_anchor(place, len(points)),
            often=(last - place) % narrow != 0,
        )
        for place, point in enumerate(points)
        if (last - place) % wide == 0
    )


def _aim(scale: Scale, target: Fraction, told: str, points: Sequence[Point], language: str) -> Aim:
    """The target's line, its words on the side and the edge where the line is furthest away."""
    y = _down(scale, target)
    third = max(len(points) // 3, 1)
    edges = {"start": points[:third], "end": points[-third:]}

    def room(place: tuple[str, float]) -> float:
        side, words_y = place
        heights = [_down(scale, each.value) for each in edges[side] if each.value is not None]
        return min((abs(words_y - 4 - height) for height in heights), default=HEIGHT)

    side, words_y = max(((s, y + d) for s in ("start", "end") for d in (-7.0, 16.0)), key=room)
    return Aim(
        y=y,
        told=" ".join([Translator(language)("Target"), told]).strip(),
        told_y=round(words_y, 1),
        x="0" if side == "start" else "100%",
        anchor=side,
    )


def _description(
    points: Sequence[Point], target: Fraction | None, target_told: str, language: str
) -> str:
    """What the picture shows, in words."""
    say = Translator(language)
    known = _known(points)
    if not known:
        return say("No data yet.")
    last = known[-1][1]
    said = [_course(points, say)]
    if target is not None:
        said.append(say(AGAINST[(last > target) - (last < target)]).format(target=target_told))
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
