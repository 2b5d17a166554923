"""Sparklines: a KPI's last periods as a small line in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from api.charts.scales import tight

WIDTH, HEIGHT, MARGIN = 120, 32, 4


@dataclass(frozen=True)
class Sparkline:
    """What the template draws, in a box of WIDTH by HEIGHT.

    lines: runs of points without a gap, as SVG writes them; dots: a point alone between gaps, and
        always the last; target: the height of the target's line, if there is one.
    """

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    target: float | None
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(values: Sequence[Fraction | None], target: Fraction | None) -> Sparkline | None:
    """Draw values from left to right; None leaves a gap. None when there is nothing to draw."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    scale = tight([*known, *([] if target is None else [target])])
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)

    def height(value: Fraction) -> float:
        return round(HEIGHT - MARGIN - float(scale.share(value)) * (HEIGHT - 2 * MARGIN), 1)

    runs = [
        [(round(MARGIN + place * step, 1), height(value)) for place, value in run]
        for run in runs_of(values)
    ]
    alone = [run[0] for run in runs[:-1] if len(run) == 1]
    return Sparkline(
        lines=tuple(" ".join(f"{x},{y}" for x, y in run) for run in runs if len(run) > 1),
        dots=(*alone, runs[-1][-1]),
        target=None if target is None else height(target),
    )


def runs_of(values: Sequence[Fraction | None]) -> list[list[tuple[int, Fraction]]]:
    """The values with their places, in runs without a gap."""
    runs: list[list[tuple[int, Fraction]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]
