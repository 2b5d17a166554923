"""Sparklines: a KPI's last periods as a small line, computed here, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

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
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    bounds = [*known, *([] if target is None else [float(target)])]
    low, high = min(bounds), max(bounds)
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)

    def height(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(MARGIN + place * step, 1), height(float(value))))
    whole = [run for run in runs if run]
    alone = [run[0] for run in whole[:-1] if len(run) == 1]
    return Sparkline(
        lines=tuple(" ".join(f"{x},{y}" for x, y in run) for run in whole if len(run) > 1),
        dots=(*alone, whole[-1][-1]),
        target=None if target is None else height(float(target)),
    )
