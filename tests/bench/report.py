"""The report: sections that measure, and the Markdown table their lines end up in.

A section is a function from a Bench to lines; `@section("name")` puts it into the report. What two
sections need, such as the files or a yardstick, is made once, by whoever asks first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")


@dataclass(frozen=True)
class Line:
    """A line of the report: a measure, and where there is a yardstick, their ratio and the aim.

    ratio: ours to the yardstick's; what it compares (rates or seconds) stands in `against`.
    reached: None where nothing is aimed at.
    """

    what: str
    measured: str
    against: str = ""
    ratio: float | None = None
    aim: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        said = {None: "", True: "yes", False: "**no**"}[self.reached]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        return (self.what, self.measured, self.against, ratio, self.aim, said)


HEADINGS = ("What", "Measured", "Against", "Ratio", "Aim", "Reached")


def markdown_heading() -> str:
    return "\n".join([_markdown_row(HEADINGS), _markdown_row(["---"] * len(HEADINGS))])


def markdown_line(line: Line) -> str:
    return _markdown_row(line.cells())


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def at_least(what: str, ours: float, yardstick: float, *, aim: float, against: str) -> Line:
    """A rate, in rows a second, that should be at least `aim` times the yardstick's."""
    ratio = ours / yardstick
    told = f"{against}: {as_rate(yardstick)}"
    return Line(what, as_rate(ours), told, ratio, f"≥ {aim:g} ×", ratio >= aim)


def at_most(what: str, ours: float, yardstick: float, *, aim: float, against: str) -> Line:
    """Seconds that should be at most `aim` times the yardstick's."""
    ratio = ours / yardstick
    told = f"{against}: {as_seconds(yardstick)}"
    return Line(what, as_seconds(ours), told, ratio, f"≤ {aim:g} ×", ratio <= aim)


def times_faster(what: str, ours: float, yardstick: float, *, aim: float, against: str) -> Line:
    """Seconds that should go at least `aim` times into the yardstick's."""
    ratio = yardstick / ours
    told = f"{against}: {as_seconds(yardstick)}"
    return Line(what, as_seconds(ours), told, ratio, f"≥ {aim:g} × faster", ratio >= aim)


def as_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.3f} s"


def as_rate(rows_per_second: float) -> str:
    return f"{rows_per_second:,.0f} rows/s"


@dataclass
class Bench:
    """One run of the benchmarks: how large, where, on which databases, and what was made so far."""

    share: float
    folder: Path
    databases: tuple[str, ...]
    postgresql_url: str | None
    _made: dict[str, Any] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What `make` gives; made by the first who asks, handed to all later ones."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made


Section = Callable[[Bench], Iterable[Line]]
SECTIONS: dict[str, Section] = {}


def section(name: str) -> Callable[[Section], Section]:
    def put(measure: Section) -> Section:
        assert name not in SECTIONS, f"two sections are called {name}"
        SECTIONS[name] = measure
        return measure

    return put


def lines_of(bench: Bench, names: Iterable[str]) -> Iterator[Line]:
    for name in names:
        yield from SECTIONS[name](bench)
