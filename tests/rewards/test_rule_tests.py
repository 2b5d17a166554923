"""The tests that stand in a rule: what they state, what isn't known, how a failure is told."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from partner_cx.measures.figures import Figure, State
from partner_cx.periods import Period
from rewards.evidence import Earlier, EventsAsked, Evidence, Peers
from rewards.reading import Given
from rewards.rules import Rule
from rewards.rules.rule_tests import evidence_of, run_tests
from rewards.rules.situations import Situation
from tests.harness.situations import a_rule, situations

GREEN = "otif: {value: 96 %, target: 95 %}"


def with_a_test(given: str, expect: str, **lines: str | None) -> Rule:
    """A rule with one test."""
    return a_rule(tests=f"[{{name: It, given: {given}, expect: {expect}}}]", **lines)


def evidence(given: str, **lines: str | None) -> Evidence:
    rule = with_a_test(given, "{verdict: met}", **lines)
    return evidence_of(rule, rule.tests[0].given)


def stated(figure: str, kpi: str = "otif") -> Figure:
    return evidence(f"{{figures: {{{kpi}: {figure}}}}}")[kpi]


# situation                                     as it is stated                            state
STATES = [
    ("reaches its target", "{value: 95 %, target: 95 %}", State.GREEN),
    ("misses its target", "{value: 94.99 %, target: 95 %}", State.RED),
    ("has no target", "{value: 95 %}", None),
    ("was measured on enough", "{value: 99 %, target: 95 %, n: 5, n_min: 5}", State.GREEN),
    ("was measured on too few", "{value: 99 %, target: 95 %, n: 4, n_min: 5}", State.NO_DATA),
    ("was never measured", "{}", State.NO_DATA),
    ("is said to be stale", "{value: 99 %, target: 95 %, state: stale}", State.STALE),
    ("is said to be green, whatever it is", "{state: green}", State.GREEN),
    ("is said to be red, whatever it is", "{value: 50 %, state: red}", State.RED),
]


@pytest.mark.parametrize(("written", "state"), situations(STATES))
def test_a_stated_figure_has_the_state_that_follows(written: str, state: State | None) -> None:
    assert stated(written).state is state


def test_where_less_is_better_a_target_is_kept_from_below() -> None:
    assert stated("{value: 59, target: 60}", "first_response").state is State.GREEN
    assert stated("{value: 61, target: 60}", "first_response").state is State.RED


def test_a_stated_figure_is_exact() -> None:
    figure = stated("{value: 2/3, n: 3, coverage: 80 %, low: 20 %, high: 93.5 %}")
    assert (figure.value, figure.n, figure.coverage) == (Fraction(2, 3), 3, Fraction(4, 5))
    assert (figure.low, figure.high) == (0.2, 0.935)


def test_what_is_stated_is_what_is_known() -> None:
    known = evidence(
        "{earlier: {year_before: {otif: {value: 90 %}}}, groups: [tier:gold],"
        " peers: {tier: {otif: {value: 91 %, members: 12}}}, joined_on: 2024-01-31,"
        " events: {report_accepted: 3}}",
        conditions="[{events_at_least: {event: report_accepted, count: 1, days: 30}}]",
    )
    assert known.figure_of(Earlier.YEAR_BEFORE, "otif").value == Fraction(9, 10)
    assert known.peers[Peers.TIER, "otif"].members == 12
    assert known.joined_on == date(2024, 1, 31)
    assert known.scorecard.groups == {"tier:gold"}
    (asked,) = known.events
    assert (asked.days, known.events[asked]) == (30, 3)


def test_what_is_not_stated_is_not_known() -> None:
    known = evidence("{}", conditions="[{events_at_least: {event: report_accepted, count: 1}}]")
    assert known["otif"].value is None
    assert known.joined_on is None
    assert set(known.events.values()) == {None}
    assert all(isinstance(asked, EventsAsked) for asked in known.events)


# situation                             lines of the rule  stated     the day    its period
WHEN = [
    ("the first period of the rule", {}, "{}", "2026-03-31", "2026Q1"),
    ("the first whole one", {"starts": "2026-02-15"}, "{}", "2026-06-30", "2026Q2"),
    ("the period of the day that is stated", {}, "{on: 2026-05-18}", "2026-05-18", "2026Q2"),
    ("an event on the rule's first day", {"on": "report_accepted"}, "{}", "2026-01-01", "2025Q4"),
    ("an event on the day that is stated", {"on": "report_accepted", "period": "month"},
     "{on: 2026-05-18}", "2026-05-18", "2026-04"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "given", "day", "period"), situations(WHEN))
def test_when_a_situation_is(lines: dict[str, str], given: str, day: str, period: str) -> None:
    known = evidence(given, **lines)
    assert known.on == date.fromisoformat(day)
    assert known.scorecard.period == Period.parse(period)


KNOWN = f"{{figures: {{{GREEN}}}}}"
KNOWN_AND_WON = f"{{figures: {{{GREEN}}}, won: [{{on: 2026-01-02, points: 400}}]}}"

# situation                             given          expected                      fails
EXPECTED = [
    ("as expected", KNOWN, "{verdict: met, points: 500}", False),
    ("points that nobody expects don't matter", KNOWN, "{verdict: met}", False),
    ("another verdict", KNOWN, "{verdict: not_met}", True),
    ("other points", KNOWN, "{verdict: met, points: 499}", True),
    ("nothing known", "{}", "{verdict: unknown, points: 0}", False),
    ("what was won before counts", KNOWN_AND_WON,
     "{verdict: met, points: 200}", False),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expect", "fails"), situations(EXPECTED))
def test_a_rule_is_held_to_what_it_expects(given: str, expect: str, fails: bool) -> None:
    rule = with_a_test(given, expect, limits="[{per: year, points: 600}]")
    assert [failure.name for failure in run_tests(rule)] == (["It"] if fails else [])


def test_a_failure_says_what_was_expected_what_came_and_why() -> None:
    (failure,) = run_tests(with_a_test("{groups: [tier:gold]}", "{verdict: met, points: 500}"))
    assert failure.sentence.en == (
        "Expected: met, 500 points. It came to: Bonus, Q1 2026: left open. "
        "OTIF can't be judged: no data."
    )
    assert failure.sentence.fr == (
        "Attendu\u202f: remplie, 500 points. Obtenu\u202f: Prime, T1 2026\u202f: en suspens. "
        "OTIF sans verdict\u202f: aucune donnée."
    )


def test_a_rule_on_events_is_tried_with_somebody_who_did_it() -> None:
    rule = with_a_test(
        "{event: {about: safety-1}}",
        "{verdict: met, points: 50}",
        on="course_completed",
        conditions="[{event_about: [safety-1]}]",
        award="{points: 50, to: person}",
    )
    assert run_tests(rule) == []


def test_a_situation_reads_back_as_it_was_written() -> None:
    rule = with_a_test(
        "{figures: {otif: {value: 1/3, n: 5, n_min: 2, target: 95 %, state: stale}},"
        " earlier: {previous_period: {otif: {value: 1 %}}, year_before: {otif: {}, pnps: {}}},"
        " peers: {network: {otif: {value: 5 %, members: 9}}}, on: 2026-05-18}",
        "{verdict: unknown}",
    )
    situation = rule.tests[0].given
    assert Situation.read(Given.of(situation.to_plain(), "stored")) == situation
