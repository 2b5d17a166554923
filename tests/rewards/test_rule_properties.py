"""Judging and deciding: alike for any rule and any evidence, the same each time, never too much."""

from __future__ import annotations

import timeit
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.conditions import Condition, Verdict
from rewards.evidence import Evidence
from rewards.rules import Occasion, Rule, decide, judge
from rewards.rules.limits import Limit, Won, applied, left_of
from tests.harness.any_rules import (
    EVIDENCE,
    HISTORIES,
    LIMITS,
    ON_AN_EVENT,
    POINTS,
    RULES,
    trees,
)
from tests.harness.situations import a_rule, figure, known

DAY = date(2026, 5, 18)


@given(trees(ON_AN_EVENT), EVIDENCE)
def test_a_condition_is_examined_as_it_is_judged(condition: Condition, evidence: Evidence) -> None:
    finding = condition.examine(evidence)
    assert condition.judge(evidence) is finding.verdict
    assert is_told(finding.sentence)


@given(RULES, EVIDENCE, HISTORIES)
def test_a_rule_is_decided_as_it_is_judged(
    rule: Rule, evidence: Evidence, history: list[Won]
) -> None:
    decision = decide(rule, evidence, history)
    assert judge(rule, evidence, history) == (decision.verdict, decision.points)
    assert decision == decide(rule, evidence, history)
    assert all(is_told(finding.sentence) for finding in decision.findings)
    assert decision.limited is None or is_told(decision.limited)
    if rule.conditions and decision.verdict is not Verdict.MET:
        assert decision.reasons


@given(RULES, EVIDENCE, HISTORIES)
def test_only_what_is_met_pays_and_never_more_than_it_can(
    rule: Rule, evidence: Evidence, history: list[Won]
) -> None:
    decision = decide(rule, evidence, history)
    assert 0 <= decision.points <= decision.earned
    if decision.verdict is not Verdict.MET:
        assert decision.earned == 0
    if decision.verdict is Verdict.MET:
        assert decision.earned > 0
        assert rule.award.points_max is None or decision.earned <= rule.award.points_max
    assert (decision.limited is not None) is (decision.points < decision.earned)


@given(RULES, EVIDENCE)
def test_a_rule_needs_all_that_it_looks_at(rule: Rule, evidence: Evidence) -> None:
    """What a rule doesn't say it needs can be left out of its evidence."""
    needs = rule.needs()
    scorecard = evidence.scorecard
    bare = Evidence(
        type(scorecard)(
            scorecard.period,
            scorecard.subject,
            {kpi: scorecard[kpi] for kpi in needs.figures},
            scorecard.groups,
        ),
        on=evidence.on,
        joined_on=evidence.joined_on,
        earlier={key: each for key, each in evidence.earlier.items() if key in needs.earlier},
        peers={key: each for key, each in evidence.peers.items() if key in needs.peers},
        events={key: each for key, each in evidence.events.items() if key in needs.events},
        event=evidence.event,
    )
    assert judge(rule, bare) == judge(rule, evidence)


@given(st.lists(LIMITS, max_size=3).map(tuple), st.integers(0, 60), POINTS, HISTORIES)
def test_limits_leave_less_the_more_was_won(
    limits: tuple[Limit, ...], cool_down: int, points: int, history: list[Won]
) -> None:
    left = applied(limits, cool_down, DAY, points, history)
    assert left.points == left_of(limits, cool_down, DAY, points, history)
    assert 0 <= left.points <= points
    assert (left.sentence is None) is (left.points == points)
    more = applied(limits, cool_down, DAY, points, [*history, Won(DAY, 1)])
    assert more.points <= left.points
    mixed = applied(limits, cool_down, DAY, points, history[::-1])
    assert mixed.points == left.points


@given(st.lists(LIMITS, min_size=1, max_size=3).map(tuple), st.lists(POINTS, max_size=8))
def test_nobody_ever_wins_beyond_a_limit(limits: tuple[Limit, ...], earned: list[int]) -> None:
    won: list[Won] = []
    for number, points in enumerate(earned):
        day = DAY + timedelta(days=17 * number)
        won.append(Won(day, applied(limits, 0, day, points, won).points))
    for limit in limits:
        for each in won:
            inside = [w.points for w in won if w.on in Period.of(each.on, limit.per)]
            assert limit.points is None or sum(inside) <= limit.points
            assert limit.times is None or sum(p > 0 for p in inside) <= limit.times


def test_every_kind_of_event_is_an_occasion() -> None:
    assert {occasion.event for occasion in Occasion} == {None, *EventKind}


def test_judging_is_much_faster_than_telling() -> None:
    """A close judges a hundred thousand times; it must never come to make sentences for it."""
    rule, evidence = a_rule(), known(figure("otif", "94.4 %", 412, target="95 %"))
    judging = min(timeit.repeat(lambda: judge(rule, evidence), number=200, repeat=5))
    telling = min(timeit.repeat(lambda: decide(rule, evidence).sentence, number=200, repeat=5))
    assert judging * 5 < telling


def is_told(sentence: Words) -> bool:
    """Whether something stands there, in both languages, and French keeps to its spaces."""
    loose = any(f" {sign}" in sentence.fr for sign in "%:;!?»")
    return bool(sentence.en) and bool(sentence.fr) and not loose
