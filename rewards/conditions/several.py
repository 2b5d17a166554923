"""Conditions taken together: all of them, any of them, at least so many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from rewards import sentences
from rewards.conditions.condition import (
    Condition,
    Finding,
    Verdict,
    all_met,
    any_met,
    condition_to_plain,
    named,
    read_condition,
)
from rewards.evidence import Evidence, Needs
from rewards.reading import Given


@dataclass(frozen=True)
class _Several(Condition):
    """Conditions taken together."""

    conditions: tuple[Condition, ...]

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(_read_several(given))

    def to_plain(self) -> object:
        return [condition_to_plain(condition) for condition in self.conditions]

    def __post_init__(self) -> None:
        assert self.conditions, "several conditions are at least one"

    def needs(self) -> Needs:
        return Needs.of_all(condition.needs() for condition in self.conditions)

    def inside(self) -> Iterator[Condition]:
        yield self
        for condition in self.conditions:
            yield from condition.inside()

    def examine(self, evidence: Evidence) -> Finding:
        """The verdict, told by those parts that came to it."""
        verdict = self.judge(evidence)
        parts = tuple(condition.examine(evidence) for condition in self.conditions)
        telling = [part.sentence for part in parts if part.verdict is verdict]
        return Finding(verdict, sentences.joined(telling), parts=parts)


@named("all_of")
@dataclass(frozen=True)
class AllOf(_Several):
    """Every one of the conditions is met."""

    def judge(self, evidence: Evidence) -> Verdict:
        return all_met(condition.judge(evidence) for condition in self.conditions)


@named("any_of")
@dataclass(frozen=True)
class AnyOf(_Several):
    """At least one of the conditions is met."""

    def judge(self, evidence: Evidence) -> Verdict:
        return any_met(condition.judge(evidence) for condition in self.conditions)


@named("at_least_of")
@dataclass(frozen=True)
class AtLeastOf(_Several):
    """So many of the conditions are met, whichever."""

    count: int = 1

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("count", "of"))
        conditions = _read_several(fields["of"])
        return cls(conditions, fields["count"].whole_number(1, len(conditions)))

    def to_plain(self) -> object:
        return {"count": self.count, "of": super().to_plain()}

    def judge(self, evidence: Evidence) -> Verdict:
        """What is unknown may yet be met: it counts towards what can still be reached."""
        verdicts = [condition.judge(evidence) for condition in self.conditions]
        met = verdicts.count(Verdict.MET)
        if met >= self.count:
            return Verdict.MET
        still = met + verdicts.count(Verdict.UNKNOWN)
        return Verdict.NOT_MET if still < self.count else Verdict.UNKNOWN

    def examine(self, evidence: Evidence) -> Finding:
        finding = super().examine(evidence)
        met = sum(part.verdict is Verdict.MET for part in finding.parts)
        tally = sentences.so_many_met(met, self.count, len(self.conditions))
        return Finding(
            finding.verdict, sentences.joined([tally, finding.sentence]), parts=finding.parts
        )


def _read_several(given: Given) -> tuple[Condition, ...]:
    return tuple(read_condition(item) for item in given.items())
