"""Scales: where a value lies between the ends of what is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

# A line that moves by less than this share of its height is drawn as nearly level: a scale that
# stretched it would make a cliff of a ripple.
_SPAN_LEAST = Fraction(1, 20)


@dataclass(frozen=True)
class Scale:
    """From the lowest value that has a place to the highest."""

    low: Fraction
    high: Fraction

    def share(self, value: Fraction) -> Fraction:
        """Where a value lies: 0 at the low end, 1 at the high one, never beyond."""
        if self.high == self.low:
            return Fraction(1, 2)
        return min(max((value - self.low) / (self.high - self.low), Fraction(0)), Fraction(1))


def tight(values: Iterable[Fraction]) -> Scale:
    """From the lowest to the highest. There is at least one."""
    known = list(values)
    return Scale(min(known), max(known))


def sensible(values: Iterable[Fraction]) -> Scale:
    """A line's range: all of its values, with room around a line that hardly moves."""
    scale = tight(values)
    least = max(abs(scale.low), abs(scale.high)) * _SPAN_LEAST
    short = least - (scale.high - scale.low)
    if short <= 0:
        return scale
    return Scale(scale.low - short / 2, scale.high + short / 2)


def from_zero(values: Iterable[Fraction]) -> Scale:
    """A bar's range: a bar's length is its value, so nothing is where it begins."""
    return tight([Fraction(0), *values])


def percent_of(share: Fraction) -> str:
    """A share as SVG places it across: `42.5%`."""
    return f"{float(share * 100):.2f}".rstrip("0").rstrip(".") + "%"
