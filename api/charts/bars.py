"""Bars: values beside each other, from zero, the longest names welcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from api.catalogues import Translator
from api.charts.rows import Row, gaps_told, state_of
from api.charts.scales import Scale, from_zero, percent_of
from api.pages.told import ToldState


@dataclass(frozen=True)
class Bar:
    """A value with its name. None is no data: no bar is drawn.

    href: where the name leads, a finished address; state: the code of a figure's state.
    """

    label: str
    value: Fraction | None
    told: str
    href: str = ""
    state: str = ""


@dataclass(frozen=True)
class DrawnBar:
    """A bar's line: its words, and where it begins and how far it goes, as shares of the width."""

    label: str
    told: str
    href: str
    state: ToldState | None
    x: str
    width: str
    is_known: bool


@dataclass(frozen=True)
class BarChart:
    """Bars as the template draws them.

    zero: where nothing lies, at the left edge unless a value is negative; aim: the target's place.
    """

    title: str
    description: str
    rows: tuple[Row, ...]
    bars: tuple[DrawnBar, ...]
    zero: str
    aim: str | None
    target_told: str


def bar_chart(
    title: str,
    bars: Sequence[Bar],
    *,
    target: Fraction | None = None,
    target_told: str = "",
    language: str,
) -> BarChart:
    """Bars in the order given, all on one scale."""
    known = [bar.value for bar in bars if bar.value is not None]
    scale = from_zero([*known, *([] if target is None else [target])])
    return BarChart(
        title=title,
        description=_description(bars, target, target_told, language),
        rows=tuple(
            Row(bar.label, bar.told, bar.href, state_of(bar.state, language)) for bar in bars
        ),
        bars=tuple(_drawn(bar, scale, language) for bar in bars),
        zero=percent_of(_place(scale, Fraction(0))),
        aim=None if target is None else percent_of(_place(scale, target)),
        target_told=target_told,
    )


def _drawn(bar: Bar, scale: Scale, language: str) -> DrawnBar:
    ends = sorted(_place(scale, end) for end in (Fraction(0), bar.value or Fraction(0)))
    return DrawnBar(
        label=bar.label,
        told=bar.told,
        href=bar.href,
        state=state_of(bar.state, language),
        x=percent_of(ends[0]),
        width=percent_of(ends[1] - ends[0]),
        is_known=bar.value is not None,
    )


def _place(scale: Scale, value: Fraction) -> Fraction:
    """Where a value lies. Where all are nothing, nothing lies at the left edge."""
    return Fraction(0) if scale.low == scale.high else scale.share(value)


def _description(
    bars: Sequence[Bar], target: Fraction | None, target_told: str, language: str
) -> str:
    """The highest and the lowest, how many reach above the target, and what is not known."""
    say = Translator(language)
    known = [(bar, bar.value) for bar in bars if bar.value is not None]
    if not known:
        return say("No data yet.")
    said = [_range(known, say)]
    if target is not None:
        there = sum(value >= target for _, value in known)
        said.append(
            say.many(
                "{count} of {all} stands at the target, {target}, or above it.",
                "{count} of {all} stand at the target, {target}, or above it.",
                there,
            ).format(all=len(known), target=target_told)
        )
    return " ".join([*said, *gaps_told([bar.label for bar in bars if bar.value is None], say)])


def _range(known: Sequence[tuple[Bar, Fraction]], say: Translator) -> str:
    highest, lowest = (choice(known, key=lambda each: each[1])[0] for choice in (max, min))
    if highest is lowest:
        return say("{label}: {told}.").format(label=highest.label, told=highest.told)
    return say("Highest: {high_label}, {high}. Lowest: {low_label}, {low}.").format(
        high_label=highest.label, high=highest.told, low_label=lowest.label, low=lowest.told
    )
