"""Within reach: who missed an award by how little, and the nearest way they had to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import Gathered
from rewards.rules import Decision, Rule, decide, judge
from rewards.rules.limits import Won
from rewards.statements.nearest import Way, nearest


@dataclass(frozen=True)
class Within:
    """Somebody who won nothing, and the nearest way to the award."""

    candidate: Candidate
    verdict: Verdict
    way: Way

    @property
    def gap(self) -> Fraction:
        """How far away it was: the gaps of all steps, each relative to what was asked."""
        return sum((step.gap for step in self.way.steps), Fraction(0))

    @property
    def sentence(self) -> Words:
        return sentences.joined([step.sentence for step in self.way.steps])


def within_reach(
    rule: Rule, gathered: Gathered, won: Mapping[int, Sequence[Won]]
) -> tuple[Within, ...]:
    """Everyone in the audience who won nothing: the nearest first, those out of reach last."""
    found = []
    for candidate in gathered.audience(rule):
        evidence, history = gathered.evidence(rule, candidate), won.get(candidate.partner_id, ())
        verdict, points = judge(rule, evidence, history)
        if points:
            continue
        # What was found isn't told here, but for a limit: it stands in the way alone.
        met = verdict is Verdict.MET
        decision = (
            decide(rule, evidence, history) if met else Decision(rule, evidence, verdict, (), 0, 0)
        )
        if way := nearest(decision):
            found.append(Within(candidate, verdict, way))
    return tuple(sorted(found, key=lambda each: (*each.way.length, each.candidate.code)))
