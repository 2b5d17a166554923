"""Runs the tests that stand in a rule: each situation is decided, and held against what's expected.

Before it stands a rule as somebody wrote it; after it publishing, which a failure stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from partner_cx.measures.figures import Scorecard
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import sentences
from rewards.evidence import Evidence
from rewards.rules import Decision, Rule, RuleTest, decide
from rewards.rules.situations import Situation


@dataclass(frozen=True)
class Failure:
    """A test that came out otherwise.

    sentence: what was expected, what it came to, and why.
    """

    name: str
    sentence: Words


def run_tests(rule: Rule) -> list[Failure]:
    """Decide every situation that stands in the rule; those that came out otherwise."""
    failures = (_failure(test, decide_in(rule, test.given)) for test in rule.tests)
    return [failure for failure in failures if failure]


def decide_in(rule: Rule, situation: Situation) -> Decision:
    """What a rule comes to in a situation."""
    return decide(rule, evidence_of(rule, situation), situation.won)


def evidence_of(rule: Rule, situation: Situation) -> Evidence:
    """The evidence that a situation states; what it doesn't state isn't known."""
    on = situation.on or _usual_day(rule)
    period = Period.of(on, rule.period)
    if rule.on.event:
        period = period.previous()  # the last one that can be closed by then
    counts = dict(situation.events)
    figures = {stated.kpi: stated.figure for stated in situation.figures}
    return Evidence(
        Scorecard(period, "a partner", figures, frozenset(situation.groups)),
        on=on,
        joined_on=situation.joined_on,
        earlier={(which, stated.kpi): stated.figure for which, stated in situation.earlier},
        peers={(which, peers.figure.kpi): peers.peer_figure for which, peers in situation.peers},
        events={asked: counts.get(asked.kind) for asked in rule.needs().events},
        event=situation.event(rule.on.event) if rule.on.event else None,
    )


def _usual_day(rule: Rule) -> date:
    if rule.on.event:
        return rule.starts
    period = Period.of(rule.starts, rule.period)
    return period.last_day if period.first_day == rule.starts else period.next().last_day


def _failure(test: RuleTest, decision: Decision) -> Failure | None:
    as_expected = decision.verdict is test.verdict
    if as_expected and test.points in (None, decision.points):
        return None
    return Failure(
        test.name,
        sentences.otherwise(
            test.verdict,
            test.points,
            decision.sentence,
        ),
    )
