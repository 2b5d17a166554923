"""What a condition is, what it comes to, and the names under which rules write them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Self, TypeVar

from partner_cx.measures.figures import Figure
from partner_cx.words import Words
from rewards.evidence import Evidence, Needs
from rewards.reading import Given


class Verdict(StrEnum):
    """What examining a condition, or a whole rule, comes to."""

    MET = "met"  # the figures are there and suffice
    NOT_MET = "not_met"  # the figures are there and don't suffice
    UNKNOWN = "unknown"  # a figure is missing, too thin or too old to tell


@dataclass(frozen=True)
class Finding:
    """What a condition found in the evidence.

    sentence: the reason, with its figures, as the partner reads it.
    figure: what was examined; None where the condition isn't about one KPI.
    bound: what the figure was held against; None where nothing was compared.
    parts: the findings of which an all-of, any-of or at-least-of is made.
    """

    verdict: Verdict
    sentence: Words
    figure: Figure | None = None
    bound: Fraction | None = None
    parts: tuple[Finding, ...] = ()

    @property
    def kpi(self) -> str | None:
        return self.figure.kpi if self.figure else None

    def leaves(self) -> Iterator[Finding]:
        """The findings about single things, inside out of every all-of and any-of."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def to_plain(self) -> dict[str, Any]:
        """The finding for a page or an export; fractions as text, exact."""
        plain: dict[str, Any] = {
            "verdict": self.verdict.value,
            "sentence": {"en": self.sentence.en, "fr": self.sentence.fr},
        }
        if self.figure:
            plain |= _figure_to_plain(self.figure)
        if self.bound is not None:
            plain["bound"] = str(self.bound)
        if self.parts:
            plain["parts"] = [part.to_plain() for part in self.parts]
        return plain


class Condition(ABC):
    """One thing a rule asks of the evidence.

    event_only: whether it asks about the event itself, and so makes no sense at a close.
    """

    name: ClassVar[str]
    event_only: ClassVar[bool] = False

    @abstractmethod
    def needs(self) -> Needs:
        """What evidence it looks at."""

    @abstractmethod
    def judge(self, evidence: Evidence) -> Verdict:
        """Say whether the evidence meets the condition. A close asks it a hundred thousand times:
        no sentences are made, and figures are compared crosswise, in integers.
        """

    @abstractmethod
    def examine(self, evidence: Evidence) -> Finding:
        """The same verdict, and why."""

    @classmethod
    @abstractmethod
    def read(cls, given: Given) -> Self:
        """Make the condition from what is written after its name."""

    @abstractmethod
    def to_plain(self) -> object:
        """What is written after its name."""

    def inside(self) -> Iterator[Condition]:
        """The condition itself, and those it is made of."""
        yield self


CONDITIONS: dict[str, type[Condition]] = {}

Named = TypeVar("Named", bound=type[Condition])


def named(name: str) -> Callable[[Named], Named]:
    """Give a condition the name that rules write."""

    def register(condition: Named) -> Named:
        condition.name = name
        CONDITIONS[name] = condition
        return condition

    return register


def read_condition(given: Given) -> Condition:
    """Read `{kpi_is_green: otif}`: one field, the condition's name."""
    name, contents = given.only_field(CONDITIONS)
    return CONDITIONS[name].read(contents)


def condition_to_plain(condition: Condition) -> dict[str, object]:
    return {condition.name: condition.to_plain()}


def all_met(verdicts: Iterable[Verdict]) -> Verdict:
    """One unmet settles the matter; failing that, one unknown leaves it open."""
    together = Verdict.MET
    for verdict in verdicts:
        if verdict is Verdict.NOT_MET:
            return verdict
        if verdict is Verdict.UNKNOWN:
            together = verdict
    return together


def any_met(verdicts: Iterable[Verdict]) -> Verdict:
    """One met settles the matter; failing that, one unknown leaves it open."""
    together = Verdict.NOT_MET
    for verdict in verdicts:
        if verdict is Verdict.MET:
            return verdict
        if verdict is Verdict.UNKNOWN:
            together = verdict
    return together


def _figure_to_plain(figure: Figure) -> dict[str, Any]:
    """A figure without what can be looked up elsewhere."""
    return {
        "kpi": figure.kpi,
        "value": None if figure.value is None else str(figure.value),
        "hits": figure.hits,
        "of": figure.of,
        "n": figure.n,
        "coverage": None if figure.coverage is None else str(figure.coverage),
        "state": figure.state.value if figure.state else None,
        "definition_version": figure.definition_version,
    }
