"""Splits: how many of a whole are what, as one bar in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from api.charts.scales import percent_of


@dataclass(frozen=True)
class Part:
    """One part of the bar. code: its colour's name; x, width: shares of the bar."""

    code: str
    x: str
    width: str


def split(counts: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """The parts of a bar in the order given, each by its code; nothing is drawn of nothing."""
    total = sum(count for _, count in counts)
    parts, before = [], 0
    for code, count in counts:
        if count:
            x, width = Fraction(before, total), Fraction(count, total)
            parts.append(Part(code, percent_of(x), percent_of(width)))
        before += count
    return tuple(parts)
