"""Restatements: what is proposed when the facts of a decided period have changed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.periods import Period
from rewards.conditions import KpiIsGreen
from rewards.evidence import Evidence
from rewards.restatements import reconsider
from rewards.rules import Decision, FixedPoints, Rule, decide

TEMPLATE = Path(__file__).parents[2] / "templates/rules/network_quality_bonus.yaml"
RULE = replace(
    Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name),
    conditions=(KpiIsGreen("otif"),),
)


def decided(hits: int | None, *, rule: Rule = RULE, subject: str = "R-1") -> Decision:
    """The quarter's decision on OTIF with so many of 100 lines; None: nothing was due."""
    target = Target("otif", Fraction(95, 100))
    if hits is None:
        figure = Figure("otif", None, 0, 0, state=State.NO_DATA, target=target)
    else:
        state = State.GREEN if hits >= 95 else State.RED
        figure = Figure("otif", Fraction(hits, 100), hits, 100, 100, state=state, target=target)
    return decide(rule, Evidence.of(Scorecard(Period.parse("2026Q2"), subject, {"otif": figure})))


# OTIF    then  now   proposed
RESTATED = [
    (96, 94, -500),
    (94, 96, 500),
    (None, 96, 500),  # left open then, decided now
    (96, 97, None),
    (94, 0, None),
    (None, 94, None),
    (96, None, None),  # a figure gone missing proves nothing
    (94, None, None),
]


@pytest.mark.parametrize(("then", "now", "points"), RESTATED)
def test_only_a_changed_outcome_is_proposed_for_compensation(
    then: int | None, now: int | None, points: int | None
) -> None:
    proposal = reconsider(decided(then), decided(now))
    assert (proposal.points if proposal else None) == points


def test_a_figure_that_came_in_late_is_named_with_its_absence_then() -> None:
    proposal = reconsider(decided(None), decided(96))
    assert proposal is not None
    assert proposal.sentence.en == (
        "Network quality bonus, Q2 2026: 500 points proposed to be added. Known then: OTIF –. "
        "Known now: OTIF 96.00% (target 95%, 100 lines): reached. The original entry stays."
    )
    assert "ajout de 500 points proposé. Connu alors\u202f: OTIF –. " in proposal.sentence.fr


def test_a_richer_version_of_the_rule_proposes_the_difference() -> None:
    richer = replace(RULE, version=2, award=FixedPoints(700))
    proposal = reconsider(decided(96), decided(96, rule=richer))
    assert proposal is not None
    assert proposal.points == 200


def test_a_decision_is_never_reconsidered_against_another() -> None:
    with pytest.raises(AssertionError):
        reconsider(decided(96), decided(94, subject="R-2"))
