"""The vocabulary of rules: each condition examines a scorecard and says what it found, and why.

Before it stands a scorecard of figures; after it `rules.decide`. A finding is met, not met or
unknown, with a sentence that carries the figures. There is no expression language: a condition
is a small class under the name that rules write, so nothing can be injected and everything can
be explained. To add one, write the class and name it; reading and writing follow.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Self, TypeVar

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, Scorecard, State
from partner_cx.quantities import round_half_even
from partner_cx.words import Words
from rewards import sentences
from rewards.reading import Given
from rewards.sentences import Bound

N_MAX = 1_000_000_000
PLACES_MAX = 12


class Verdict(StrEnum):
    """What examining a condition, or a whole rule, comes to."""

    MET = "met"  # the figures are there and suffice
    NOT_MET = "not_met"  # the figures are there and don't suffice
    UNKNOWN = "unknown"  # a figure is missing, too thin or too old to tell


@dataclass(frozen=True)
class Finding:
    """What a condition found on a scorecard.

    sentence: the reason, with its figures, as the partner reads it.
    figure: what was examined; None where the condition isn't about one KPI.
    bound: what the figure was held against; None where nothing was compared.
    parts: the findings of which an all-of or any-of is made.
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
        """What is stored with a decision, so that its reasons outlive the facts."""
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
    """One thing a rule asks of a scorecard."""

    name: ClassVar[str]

    @abstractmethod
    def examine(self, scorecard: Scorecard) -> Finding:
        """Say whether the scorecard meets the condition, and why."""

    @classmethod
    @abstractmethod
    def read(cls, given: Given) -> Self:
        """Make the condition from what is written after its name."""

    @abstractmethod
    def to_plain(self) -> object:
        """What is written after its name."""


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


@named("kpi_is_green")
@dataclass(frozen=True)
class KpiIsGreen(Condition):
    """The KPI reaches the target that holds for the partner in the period.

    No data, a stale source or no target at all leave it unknown: never green, never red.
    """

    kpi: str

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(_read_kpi(given))

    def to_plain(self) -> object:
        return self.kpi

    def examine(self, scorecard: Scorecard) -> Finding:
        figure = scorecard[self.kpi]
        target = figure.target
        if reason := _why_unknown(
            figure,
            n_min=target.n_min if target else 1,
            coverage_min=target.coverage_min if target else Fraction(0),
        ):
            return _unknown(figure, reason)
        if target is None or figure.state not in (State.GREEN, State.RED):
            return _unknown(figure, sentences.NO_TARGET if target is None else sentences.NO_DATA)
        bound = Bound(
            target.value, Words("target", "objectif"), sentences.lower_is_better(self.kpi)
        )
        return _compared(figure, bound, met=figure.state is State.GREEN)


@dataclass(frozen=True)
class _KpiAgainst(Condition):
    """A KPI held against a threshold of the rule's own, with a guard against thin samples."""

    kpi: str
    threshold: Fraction  # in the KPI's own unit: a share is 19/20, never 95
    n_min: int = 1
    coverage_min: Fraction = Fraction(0)

    called: ClassVar[Words]
    at_most: ClassVar[bool]

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("kpi", "threshold"), optional=("n_min", "coverage_min"))
        kpi = _read_kpi(fields["kpi"])
        n_min = fields.get("n_min")
        coverage_min = fields.get("coverage_min")
        return cls(
            kpi=kpi,
            threshold=read_threshold(fields["threshold"], share=sentences.is_share(kpi)),
            n_min=n_min.whole_number(1, N_MAX) if n_min else 1,
            coverage_min=read_threshold(coverage_min, share=True) if coverage_min else Fraction(0),
        )

    def to_plain(self) -> object:
        plain: dict[str, object] = {
            "kpi": self.kpi,
            "threshold": threshold_to_plain(self.threshold, share=sentences.is_share(self.kpi)),
        }
        if self.n_min != 1:
            plain["n_min"] = self.n_min
        if self.coverage_min:
            plain["coverage_min"] = threshold_to_plain(self.coverage_min, share=True)
        return plain

    def examine(self, scorecard: Scorecard) -> Finding:
        figure = scorecard[self.kpi]
        if reason := _why_unknown(figure, n_min=self.n_min, coverage_min=self.coverage_min):
            return _unknown(figure, reason)
        assert figure.value is not None
        bound = Bound(self.threshold, self.called, lower_is_better=self.at_most)
        return _compared(figure, bound, met=bound.is_kept_by(figure.value))


@named("kpi_at_least")
@dataclass(frozen=True)
class KpiAtLeast(_KpiAgainst):
    """The KPI is at the threshold or above, whatever the target."""

    called: ClassVar[Words] = Words("at least", "au moins")
    at_most: ClassVar[bool] = False


@named("kpi_at_most")
@dataclass(frozen=True)
class KpiAtMost(_KpiAgainst):
    """The KPI is at the threshold or below, whatever the target."""

    called: ClassVar[Words] = Words("at most", "au plus")
    at_most: ClassVar[bool] = True


@dataclass(frozen=True)
class _Several(Condition):
    """Conditions taken together."""

    conditions: tuple[Condition, ...]

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(tuple(read_condition(item) for item in given.items()))

    def to_plain(self) -> object:
        return [condition_to_plain(condition) for condition in self.conditions]

    def __post_init__(self) -> None:
        assert self.conditions, "several conditions are at least one"

    def _joined(self, verdict: Verdict, parts: tuple[Finding, ...]) -> Finding:
        """The verdict, told by those parts that came to it."""
        telling = [part.sentence for part in parts if part.verdict is verdict]
        return Finding(verdict, sentences.joined(telling), parts=parts)


@named("all_of")
@dataclass(frozen=True)
class AllOf(_Several):
    """Every one of the conditions is met."""

    def examine(self, scorecard: Scorecard) -> Finding:
        parts = tuple(condition.examine(scorecard) for condition in self.conditions)
        return self._joined(all_met(part.verdict for part in parts), parts)


@named("any_of")
@dataclass(frozen=True)
class AnyOf(_Several):
    """At least one of the conditions is met."""

    def examine(self, scorecard: Scorecard) -> Finding:
        parts = tuple(condition.examine(scorecard) for condition in self.conditions)
        return self._joined(any_met(part.verdict for part in parts), parts)


@named("partner_in")
@dataclass(frozen=True)
class PartnerIn(Condition):
    """The partner belonged to a group, such as `tier:gold`, in the period."""

    group: str

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(given.group())

    def to_plain(self) -> object:
        return self.group

    def examine(self, scorecard: Scorecard) -> Finding:
        if self.group in scorecard.groups:
            sentence = Words(en="Belongs to {group}.", fr="Fait partie de {group}.")
            return Finding(Verdict.MET, sentence.format(group=self.group))
        sentence = Words(en="Doesn't belong to {group}.", fr="Ne fait pas partie de {group}.")
        return Finding(Verdict.NOT_MET, sentence.format(group=self.group))


def all_met(verdicts: Iterable[Verdict]) -> Verdict:
    """One unmet settles the matter; failing that, one unknown leaves it open."""
    seen = set(verdicts)
    for settling in (Verdict.NOT_MET, Verdict.UNKNOWN):
        if settling in seen:
            return settling
    return Verdict.MET


def any_met(verdicts: Iterable[Verdict]) -> Verdict:
    """One met settles the matter; failing that, one unknown leaves it open."""
    seen = set(verdicts)
    for settling in (Verdict.MET, Verdict.UNKNOWN):
        if settling in seen:
            return settling
    return Verdict.NOT_MET


def read_threshold(given: Given, *, share: bool) -> Fraction:
    """Read `95 %` for a share, `45` or `2.5` for anything else; `19/20` for either. Exact."""
    written = str(given.value).strip() if isinstance(given.value, str | int) else ""
    number = _read_number(written) if not isinstance(given.value, bool) else None
    per_cent = written.endswith("%")
    if number is None or len(written) > 40:
        remedy = "Write 95 %." if share else "Write a number such as 45 or 2.5."
        raise given.refused(f"{given.shown} isn't a threshold.", remedy)
    if share and not per_cent and "/" not in written:
        raise given.refused(
            f"{given.shown} doesn't say whether it is in percent.", f"Write {written} %."
        )
    if per_cent and not share:
        raise given.refused(
            f"{given.shown}: this KPI isn't a share.", "Take the percent sign away."
        )
    if share and not 0 <= number <= 1:
        raise given.refused(f"{given.shown} lies outside 0 to 100 %.", "Write 95 %.")
    return number


def threshold_to_plain(threshold: Fraction, *, share: bool) -> str | int:
    """Write a threshold as `read_threshold` reads it."""
    number = threshold * 100 if share else threshold
    exact = (d for d in range(PLACES_MAX + 1) if round_half_even(number, d) == number)
    places = next(exact, None)
    if places is None:  # a third has no end in decimals
        return str(threshold)
    if share:
        return f"{round_half_even(number, places):f} %"
    return f"{round_half_even(number, places):f}" if places else int(number)


_DECIMAL = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_QUOTIENT = re.compile(r"-?[0-9]+/[1-9][0-9]*")


def _read_number(written: str) -> Fraction | None:
    if _QUOTIENT.fullmatch(written):
        return Fraction(written)
    digits = written.removesuffix("%").rstrip()
    if not _DECIMAL.fullmatch(digits):
        return None
    return Fraction(digits.replace(",", ".")) / (100 if written.endswith("%") else 1)


def _read_kpi(given: Given) -> str:
    return given.known_code(CATALOGUE, "KPI")


def _why_unknown(figure: Figure, *, n_min: int, coverage_min: Fraction) -> Words | None:
    """Why nothing can be said of a figure; None when something can."""
    if figure.value is None:
        return sentences.NO_DATA
    if figure.n < n_min:
        return sentences.too_small_a_sample(figure.n, n_min)
    if figure.coverage is not None and figure.coverage < coverage_min:
        return sentences.too_little_coverage(figure.coverage, coverage_min)
    if figure.state is State.STALE:
        return sentences.stale(
            figure.as_of.date() if figure.as_of else None,
            figure.target.stale_after_days if figure.target else None,
        )
    return None


def _unknown(figure: Figure, reason: Words) -> Finding:
    return Finding(Verdict.UNKNOWN, sentences.undecided(figure.kpi, reason), figure)


def _compared(figure: Figure, bound: Bound, *, met: bool) -> Finding:
    if met:
        return Finding(Verdict.MET, sentences.reached(figure, bound), figure, bound.value)
    return Finding(Verdict.NOT_MET, sentences.missed(figure, bound), figure, bound.value)


def _figure_to_plain(figure: Figure) -> dict[str, Any]:
    """A figure without what can be looked up elsewhere; fractions as text, exact."""
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
