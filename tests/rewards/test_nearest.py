"""The nearest way: what it would have taken, as a manager reads it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.measures.figures import Figure
from partner_cx.operations.event_kinds import EventKind
from rewards.conditions import Verdict
from rewards.evidence import Earlier, Event, Evidence, Peers
from rewards.rules import Rule, decide
from rewards.rules.limits import Won
from rewards.statements.nearest import Way, nearest
from tests.harness.any_rules import EVIDENCE, HISTORIES, RULES
from tests.harness.situations import a_rule, decided, figure, known, reports, situations

NO_WAY = Way()


def way(rule: Rule, evidence: Evidence) -> Way:
    return nearest(decided(rule, evidence)) or NO_WAY


def asking(*conditions: str) -> Rule:
    return a_rule(conditions=f"[{', '.join(f'{{{each}}}' for each in conditions)}]")


def counted(kpi: str, hits: int, of: int, target: str | None = "95 %", n_min: int = 1) -> Figure:
    """So many hits of so many things, each counted once."""
    told = figure(kpi, str(Fraction(hits, of)), of, target=target, n_min=n_min)
    return replace(told, hits=hits, of=of)


GREEN = "kpi_is_green: otif"
EITHER = f"any_of: [{{{GREEN}}}, {{kpi_at_least: {{kpi: sla_response, threshold: 90 %}}}}]"
TWO_OF_THREE = (
    "at_least_of: {count: 2, of: [{kpi_is_green: otif}, {partner_in: 'tier:gold'}, "
    "{kpi_at_least: {kpi: sla_response, threshold: 90 %}}]}"
)
REPORTS_5 = "events_at_least: {event: report_accepted, count: 5}"
REPORTS_5_IN_30 = "events_at_least: {event: report_accepted, count: 5, days: 30}"
BETTER = "kpi_improved: {kpi: otif, since: previous_period}"
BETTER_BY_2 = "kpi_improved: {kpi: otif, since: previous_period, by: 2 %}"
BEATS = "kpi_beats: {kpi: otif, peers: tier}"
BEFORE = {Earlier.PREVIOUS: counted("otif", 95, 100)}

# situation                            what is asked     what is known          the way there
STEPS = [
    ("three lines short of green", GREEN, known(counted("otif", 92, 100)),
     ["OTIF at 95%: 3 more lines on time."]),
    ("one more than exactly needed would be too many", GREEN, known(counted("otif", 94, 100)),
     ["OTIF at 95%: 1 more line on time."]),
    ("fewer where less is better", "kpi_at_most: {kpi: dispute_rate, threshold: 2 %}",
     known(counted("dispute_rate", 5, 100)), ["Dispute rate at 2%: 3 fewer invoice lines."]),
    ("what can't be counted is told by its distance",
     "kpi_at_least: {kpi: pnps, threshold: 30}", known(figure("pnps", "26")),
     ["Partner NPS (pNPS) at 30: 4 pt more."]),
    ("a value held the other way round is told as it was found",
     "kpi_at_most: {kpi: otif, threshold: 90 %}", known(figure("otif", "95 %")),
     ["OTIF 95.00% (at most 90%, 100 lines): 5 pt over."]),
    ("not sure enough", "kpi_at_least: {kpi: otif, threshold: 94 %, bound: lower}",
     known(figure("otif", "96 %", low=0.92, high=0.98)),
     [("OTIF surely at least 94%: the lower end of its interval is at 92.00%. A larger sample "
       "narrows it.")]),
    ("two accounts too few to be judged", "kpi_is_green: portal_adoption",
     known(counted("portal_adoption", 2, 3, target="60 %", n_min=5)),
     ["Portal adoption needs 2 more accounts to be judged."]),
    ("nothing measured at all", GREEN, known(), ["OTIF needs data to be judged."]),
    ("too little covered", "kpi_at_least: {kpi: otif, threshold: 95 %, coverage_min: 80 %}",
     known(figure("otif", "99 %", coverage="60 %")),
     ["OTIF needs data of 80% of what should be there to be judged, and has 60.00%."]),
    ("a source that fell asleep", GREEN, known(figure("otif", "99 %", target="95 %", stale=True)),
     ["OTIF needs its source refreshed to be judged."]),
    ("better than before is more than before", BETTER,
     known(counted("otif", 95, 100), earlier=BEFORE), ["OTIF above 95%: 1 more line on time."]),
    ("better by exactly what is asked", BETTER_BY_2,
     known(counted("otif", 95, 100), earlier=BEFORE), ["OTIF at 97%: 2 more lines on time."]),
    ("months as a partner", "partner_for: {months: 12}", known(joined="2025-10-09"),
     ["4 more months as a partner, on 9 October 2026."]),
    ("reports by the end of the quarter", REPORTS_5, known(events=reports(3)),
     ["2 more reports accepted by 30 June 2026."]),
    ("reports within some days", REPORTS_5_IN_30, known(events=reports(4, days=30)),
     ["1 more report accepted within 30 days."]),
    ("nobody ever told of a report", REPORTS_5, known(events=reports(None)),
     ["5 more reports accepted by 30 June 2026."]),
    ("the cheaper one of two is enough", EITHER,
     known(counted("otif", 50, 100), counted("sla_response", 88, 100)),
     ["SLA first response at 90%: 2 more tickets answered in time."]),
    ("whichever two are nearest", TWO_OF_THREE,
     known(counted("otif", 90, 100), counted("sla_response", 88, 100)),
     ["SLA first response at 90%: 2 more tickets answered in time.",
      "OTIF at 95%: 5 more lines on time."]),
    ("one that is met already costs nothing", TWO_OF_THREE,
     known(counted("otif", 90, 100), counted("sla_response", 88, 100), groups=["tier:gold"]),
     ["SLA first response at 90%: 2 more tickets answered in time."]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "evidence", "steps"), situations(STEPS))
def test_the_nearest_way_to_a_condition(asked: str, evidence: Evidence, steps: list[str]) -> None:
    found = way(asking(asked), evidence)
    assert [step.sentence.en for step in found.steps] == steps
    assert found.reachable


# situation                            what is asked     what is known          why nothing helps
OUT_OF_REACH = [
    ("a group it doesn't belong to", "partner_in: 'tier:gold'", known(),
     "Only partners of tier:gold can earn it."),
    ("no target was ever set", GREEN, known(figure("otif", "99 %")),
     "OTIF can't be judged before a target is set for it."),
    ("nothing to improve on", BETTER, known(counted("otif", 95, 100)),
     "OTIF has nothing to be compared with: nothing in Q1 2026."),
    ("nothing is better than all", BETTER,
     known(counted("otif", 99, 100), earlier={Earlier.PREVIOUS: counted("otif", 100, 100)}),
     "OTIF can't be better than 100%."),
    ("too few of its kind", BEATS,
     known(counted("otif", 95, 100), peers={Peers.TIER: (figure("otif", "90 %"), 4)}),
     ("OTIF has nothing to be compared with: only 4 partners of its tier to compare with, at "
      "least 5 are needed.")),
    ("nobody knows since when", "partner_for: {months: 12}", known(),
     "The day it joined has to be known."),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "evidence", "why"), situations(OUT_OF_REACH))
def test_what_no_effort_leads_to_is_said(asked: str, evidence: Evidence, why: str) -> None:
    found = way(asking(asked), evidence)
    assert [step.sentence.en for step in found.steps] == [why]
    assert not found.reachable


def test_a_way_that_can_be_gone_is_taken_before_one_that_cant() -> None:
    either = asking("any_of: [{partner_in: 'tier:gold'}, {kpi_is_green: otif}]")
    found = way(either, known(counted("otif", 1, 100)))
    assert [step.sentence.en for step in found.steps] == ["OTIF at 95%: 94 more lines on time."]


def test_every_condition_has_its_step_and_those_that_are_met_have_none() -> None:
    rule = asking(GREEN, "kpi_is_green: sla_response", "kpi_is_green: portal_adoption")
    found = way(
        rule,
        known(
            counted("otif", 92, 100),
            counted("sla_response", 99, 100),
            counted("portal_adoption", 3, 10, target="60 %"),
        ),
    )
    assert [step.sentence.fr for step in found.steps] == [
        "OTIF à 95\u202f%\u202f: 3 lignes de plus.",
        "Adoption du portail à 60\u202f%\u202f: 3 comptes de plus.",
    ]


SCALED = "{per_unit: {kpi: otif, above: 95 %, unit: 1 %, points: 100}}"
STEPPED = (
    "{tiers: {kpi: otif, steps: [{reaches: 95 %, points: 100}, {reaches: 98 %, points: 300}]}}"
)


@pytest.mark.parametrize(
    ("award", "step"),
    [
        (SCALED, "OTIF at 96%: 1 more line on time."),
        (STEPPED, None),
    ],
)
def test_an_award_that_is_measured_tells_the_way_to_its_first_points(
    award: str, step: str | None
) -> None:
    rule = a_rule(award=award, conditions="[{kpi_at_least: {kpi: otif, threshold: 90 %}}]")
    found = way(rule, known(counted("otif", 95, 100)))
    assert [each.sentence.en for each in found.steps] == ([step] if step else [])


def test_below_the_first_step_the_first_step_is_the_way() -> None:
    rule = a_rule(award=STEPPED, conditions="[{kpi_at_least: {kpi: otif, threshold: 90 %}}]")
    found = way(rule, known(counted("otif", 93, 100)))
    assert [each.sentence.en for each in found.steps] == ["OTIF at 95%: 2 more lines on time."]


def test_what_was_earned_needs_no_way() -> None:
    assert nearest(decided(asking(GREEN), known(counted("otif", 96, 100)))) is None


def test_what_a_limit_cut_off_says_when_it_can_be_won_again() -> None:
    rule = a_rule(limits="[{per: year, times: 1}]")
    evidence = known(counted("otif", 96, 100))
    decision = decided(rule, evidence, [Won(evidence.on.replace(month=3, day=31), 500)])
    found = nearest(decision)
    assert found is not None
    assert [step.sentence.en for step in found.steps] == [
        "Won once in 2026, which is the limit: possible again from 1 January 2027."
    ]


def test_an_event_about_something_else_is_out_of_reach() -> None:
    rule = a_rule(
        on="course_completed",
        conditions="[{event_about: [safety, 'cold {chain}']}]",
        award="{points: 50, to: person}",
    )
    event = Event(EventKind.COURSE_COMPLETED, "sales", "ana@shop.example")
    found = way(rule, known(on="2026-05-02", event=event))
    assert [step.sentence.en for step in found.steps] == [
        "Only what is about “safety” or “cold {chain}” earns it."
    ]


@given(
    hits=st.integers(0, 60),
    more=st.integers(0, 40),
    threshold=st.integers(0, 100),
    lower=st.booleans(),
)
def test_taking_the_step_is_enough_and_one_less_isnt(
    hits: int, more: int, threshold: int, *, lower: bool
) -> None:
    """The number that is told is exactly what it takes."""
    kpi, name = ("credit_rate", "kpi_at_most") if lower else ("otif", "kpi_at_least")
    if lower:
        kpi = "dispute_rate"
    of = max(hits + more, 1)
    rule = asking(f"{name}: {{kpi: {kpi}, threshold: {threshold} %}}")
    found = way(rule, known(counted(kpi, hits, of, target=None)))
    if not found.steps:
        return
    count = int(found.steps[0].sentence.en.split(": ")[1].split(" ")[0])
    then = hits - count if lower else hits + count
    almost = then + 1 if lower else then - 1
    enough = decide(rule, known(counted(kpi, then, of, target=None)))
    short = decide(rule, known(counted(kpi, almost, of, target=None)))
    assert (enough.verdict, short.verdict) == (Verdict.MET, Verdict.NOT_MET)


@given(rule=RULES, evidence=EVIDENCE, history=HISTORIES)
def test_whatever_wasnt_earned_has_a_way_or_a_reason(
    rule: Rule, evidence: Evidence, history: list[Won]
) -> None:
    decision = decide(rule, evidence, history)
    found = nearest(decision)
    assert (found is None) is (decision.points > 0)
    assert found is None or all(step.sentence.fr for step in found.steps)
