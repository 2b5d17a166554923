"""The lint: each concern has a rule file that raises it, and one that doesn't.

The files are in `rules/`: `no_cap.yaml` raises no_cap, `no_cap.fine.yaml` doesn't. They are held
against the programme in tests/harness/checked_programme.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading
from partner_cx.periods import Period
from rewards.conditions import (
    Compared,
    Condition,
    EventAbout,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
    KpiIsGreen,
)
from rewards.evidence import Earlier, Peers
from rewards.lint import samples, scales
from rewards.lint.checking import check, check_alone, heaviest
from rewards.lint.concern import Concern, Grade, Kind
from rewards.rulebook import publish
from rewards.rulebook.drafts import save_draft
from rewards.rules import FixedPoints, Level, Occasion, PointsPerUnit, Rule, Step, TieredPoints
from tests.harness import databases
from tests.harness.checked_programme import TODAY, a_checked_programme
from tests.harness.programme import MANAGER, NOW

FOLDER = Path(__file__).parent / "rules"
GUIDE = Path(__file__).parents[3] / "docs/guide/checking-rules.md"
WITHOUT_FILES = {Kind.NO_PROGRAMME}
KINDS = sorted(set(Kind) - WITHOUT_FILES)


def rule_in(name: str) -> Rule:
    file = FOLDER / f"{name}.yaml"
    return Rule.from_yaml(file.read_text(encoding="utf-8"), file.name)


FINE = replace(rule_in("no_end.fine"), code="fine")


@pytest.fixture(
    scope="module",
    params=databases.EACH_KIND,
)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The checked programme, which no test changes."""
    with databases.prepared_engine(request.param, "checked", a_checked_programme) as engine:
        yield engine


def concerns_about(engine: sa.Engine, rule: Rule, on: date = TODAY) -> list[Concern]:
    with reading(engine) as session:
        return check(session, rule, on=on)


def kinds(concerns: list[Concern]) -> set[Kind]:
    return {concern.kind for concern in concerns}


def under(*conditions: Condition) -> Rule:
    return replace(FINE, conditions=conditions, tests=())


# --- Each concern -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_file_raises_the_concern(programme: sa.Engine, kind: Kind):
    assert kind in kinds(concerns_about(programme, rule_in(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_another_rule_file_doesnt(programme: sa.Engine, kind: Kind):
    assert kind not in kinds(concerns_about(programme, rule_in(f"{kind}.fine")))


def test_a_rule_that_is_fine_raises_none_at_all(programme: sa.Engine):
    assert concerns_about(programme, FINE) == []


def test_every_concern_has_its_files_and_no_file_is_without():
    expected = {f"{kind}{fine}.yaml" for kind in KINDS for fine in ("", ".fine")}
    assert {file.name for file in FOLDER.iterdir()} == expected


def test_the_guide_tells_what_to_do_about_each_concern():
    row = r"^\| `(\w+)` \| (?:note|warning|second approver|refused) \| .+ \| .+ \|$"
    assert sorted(re.findall(row, GUIDE.read_text("utf-8"), re.MULTILINE)) == sorted(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_said_in_both_languages_with_what_to_do(programme: sa.Engine, kind: Kind):
    for concern in concerns_about(programme, rule_in(kind)):
        for words in (concern.sentence, concern.remedy):
            assert words.en != words.fr
            for text in (words.en, words.fr):
                assert text.endswith(".")
                assert re.search(r"{\w*}", text) is None
                assert "None" not in text
            spoken = re.sub(r"«.*?»", "", words.fr)  # what is to be typed keeps its own signs
            assert re.search(r"(?<!\u202f)[:;!?](?=\s|$)|'", spoken) is None, words.fr


def test_the_heaviest_comes_first(programme: sa.Engine):
    rule = replace(rule_in(Kind.TEST_FAILED), conditions=(KpiIsGreen("csat"),), ends=None)
    grades = [concern.grade for concern in concerns_about(programme, rule)]
    assert grades == sorted(grades, key=list(Grade).index, reverse=True)
    assert grades[:2] == [Grade.REFUSED, Grade.SECOND_APPROVER]


def test_without_a_programme_the_rule_alone_is_looked_at():
    assert kinds(check_alone(FINE, on=TODAY)) == {Kind.NO_PROGRAMME}
    assert heaviest(check_alone(rule_in(Kind.NO_CAP), on=TODAY)) is Grade.WARNING
    assert heaviest([]) is None


def test_an_empty_programme_is_told_what_it_lacks(session: Session):
    assert kinds(check(session, FINE, on=TODAY)) == {
        Kind.KPI_WITHOUT_FACTS,
        Kind.UNKNOWN_BUDGET,
        Kind.NO_HISTORY,
    }


# --- Against the past ---------------------------------------------------------------------------


def test_the_best_that_ever_was_is_named(programme: sa.Engine):
    (concern,) = [
        each
        for each in concerns_about(programme, rule_in(Kind.NEVER_MET))
        if each.kind is Kind.NEVER_MET
    ]
    assert concern.sentence.en == (
        "Nobody ever met it: 2 closed quarters, 8 verdicts. The best was OTIF 97.50%."
    )
    assert "Le meilleur\u202f: OTIF 97,50\u202f%." in concern.sentence.fr


def test_only_the_periods_that_are_asked_for_are_looked_at(programme: sa.Engine):
    second = Period.parse("2026Q2")
    with reading(programme) as session:
        concerns = check(session, rule_in(Kind.SMALL_PARTNERS_NEVER_WIN), on=TODAY, first=second)
    told = next(each for each in concerns if each.kind is Kind.SMALL_PARTNERS_NEVER_WIN)
    assert "1 partner of 5 could never win" in told.sentence.en
    assert "1 closed quarter" in told.sentence.en


def test_a_partner_without_any_case_isnt_a_small_one(programme: sa.Engine):
    """R3 never ordered anything: it takes no part, and no other rule would let it win."""
    assert Kind.SMALL_PARTNERS_NEVER_WIN not in kinds(concerns_about(programme, FINE))


def test_a_step_that_everybody_reached_is_told(programme: sa.Engine):
    award = TieredPoints("otif", (Step(Fraction(8, 10), 500),), n_min=20)
    always = replace(FINE, award=award, tests=())
    assert Kind.ALWAYS_MET in kinds(concerns_about(programme, always))
    never = replace(always, award=replace(award, steps=(Step(Fraction(99, 100), 500),)))
    assert Kind.NEVER_MET in kinds(concerns_about(programme, never))


def test_a_kpi_that_is_compared_with_its_past_is_judged_on_the_past(programme: sa.Engine):
    improved = under(KpiImproved("otif", Earlier.PREVIOUS, n_min=20))
    told = [each for each in concerns_about(programme, improved) if each.kind is Kind.NEVER_MET]
    assert told == []  # four verdicts: the first quarter has no past, and that is too little
    beats = under(KpiBeats("otif", Peers.NETWORK, n_min=20))
    assert Kind.NEVER_MET not in kinds(concerns_about(programme, beats))


def test_a_distributors_rule_is_held_against_its_groups_figures(programme: sa.Engine):
    rule = replace(
        FINE,
        audience=replace(FINE.audience, kinds=(), tiers=()),
        measured_on=Level.DISTRIBUTOR,
        conditions=(KpiIsGreen("otif"),),
        tests=(),
    )
    raised = kinds(concerns_about(programme, rule))
    assert Kind.EMPTY_AUDIENCE not in raised
    assert Kind.KPI_WITHOUT_TARGET not in raised  # the network's target holds for its group
    assert Kind.KPI_WITHOUT_FIGURES not in raised
    for_resellers = replace(rule, audience=FINE.audience)
    assert Kind.EMPTY_AUDIENCE in kinds(concerns_about(programme, for_resellers))


def test_a_target_on_a_single_case_is_a_small_sample(programme: sa.Engine):
    (concern,) = [
        each
        for each in concerns_about(programme, under(KpiIsGreen("on_time")))
        if each.kind is Kind.SMALL_SAMPLE
    ]
    assert concern.sentence.en == (
        "The target of On time holds from 1 line on: too few to tell 95% from luck."
    )
    assert "n_min of 13" in concern.remedy.en


def test_the_dearest_period_is_told_beside_the_budget(programme: sa.Engine):
    (concern,) = concerns_about(programme, rule_in(Kind.BUDGET_TOO_SMALL))
    assert "holds 700 points" in concern.sentence.en
    assert "would have cost 1,500 points" in concern.sentence.en


# --- Overlaps -----------------------------------------------------------------------------------


def ours(session: Session, other: Rule, rule: Rule) -> bool:
    publish(session, other, by=MANAGER, why="", now=NOW)
    return Kind.OVERLAP in kinds(check(session, rule, on=TODAY))


ON_REPORTS = replace(
    FINE, code="insight", on=Occasion.REPORT_ACCEPTED, conditions=(), award=FixedPoints(50)
)
OTHER = replace(ON_REPORTS, code="other")


def test_two_rules_on_the_same_event_overlap(session: Session):
    assert ours(session, replace(OTHER, tests=()), ON_REPORTS)


def test_rules_about_different_courses_dont(session: Session):
    one = replace(ON_REPORTS, tests=(), conditions=(EventAbout(("care",)),))
    other = replace(OTHER, tests=(), conditions=(EventAbout(("sales",)),))
    assert not ours(session, other, one)


def test_rules_about_one_same_course_do(session: Session):
    one = replace(ON_REPORTS, tests=(), conditions=(EventAbout(("care", "sales")),))
    other = replace(OTHER, tests=(), conditions=(EventAbout(("sales",)),))
    assert ours(session, other, one)


def test_a_draft_overlaps_too_and_is_called_one(session: Session):
    save_draft(session, replace(FINE, code="other"), by=MANAGER, now=NOW)
    (concern,) = [each for each in check(session, FINE, on=TODAY) if each.kind is Kind.OVERLAP]
    assert "the same as the draft other: OTIF" in concern.sentence.en
    assert "le brouillon other\u202f: OTIF" in concern.sentence.fr


def test_a_rules_own_versions_dont_overlap(session: Session):
    assert not ours(session, FINE, replace(FINE, award=FixedPoints(600)))


def test_a_rule_that_has_ended_doesnt_overlap(session: Session):
    assert not ours(session, replace(FINE, code="old", ends=date(2026, 6, 30)), FINE)


# --- Small samples, one by one ------------------------------------------------------------------

SAMPLES = [
    # kpi, threshold, n_min, too small
    ("otif", "90 %", 16, True),
    ("otif", "90 %", 17, False),
    ("otif", "50 %", 38, True),
    ("otif", "50 %", 39, False),
    ("sla_response", "95 %", 12, True),
    ("sla_response", "95 %", 13, False),
    ("first_response", "60", 4, True),
    ("first_response", "60", 5, False),
    ("portal_adoption", "60 %", 1, False),  # one partner is one account
    ("backlog", "10", 1, False),  # a count is no sample
    ("credit_rate", "2 %", 1, False),  # nor is an amount
    ("csat", "80 %", 1, False),  # a satisfaction level has a concern of its own
]


@pytest.mark.parametrize(("kpi", "threshold", "n_min", "too_small"), SAMPLES)
def test_how_small_is_too_small(kpi: str, threshold: str, n_min: int, too_small: bool):
    number = Fraction(threshold.removesuffix(" %")) / (100 if "%" in threshold else 1)
    assert samples.is_too_small(kpi, number, n_min) is too_small


def test_the_lower_bound_needs_no_minimum():
    sure = KpiAtLeast("otif", Fraction(9, 10), against=Compared.LOWER)
    assert samples.concerns(under(sure)) == []


def test_a_scale_is_guarded_by_the_condition_on_its_kpi():
    award = PointsPerUnit("otif", Fraction(9, 10), Fraction(1, 100), 50, cap=500)
    unguarded = replace(FINE, award=award, conditions=(KpiIsGreen("otif"),), tests=())
    assert [each.where for each in samples.concerns(unguarded)] == ["award"]
    assert samples.concerns(replace(unguarded, conditions=FINE.conditions)) == []


# --- Scales, one by one -------------------------------------------------------------------------

SCALES = [
    (KpiAtLeast("nps", Fraction(101)), Kind.OUT_OF_REACH),
    (KpiAtLeast("nps", Fraction(100)), None),
    (KpiAtLeast("nps", Fraction(-100)), Kind.ALWAYS_REACHED),
    (KpiAtLeast("dsi", Fraction(101)), Kind.OUT_OF_REACH),
    (KpiAtLeast("ces", Fraction(8)), Kind.OUT_OF_REACH),
    (KpiAtLeast("ces", Fraction(1)), Kind.ALWAYS_REACHED),
    (KpiAtMost("ces5", Fraction(1, 2)), Kind.OUT_OF_REACH),
    (KpiAtMost("first_response", Fraction(-1)), Kind.OUT_OF_REACH),
    (KpiAtMost("first_response", Fraction(0)), None),
    (KpiAtLeast("otif", Fraction(1)), None),
    (KpiAtLeast("otif", Fraction(0)), Kind.ALWAYS_REACHED),
    (KpiAtMost("dispute_rate", Fraction(1)), Kind.ALWAYS_REACHED),
]


@pytest.mark.parametrize(("condition", "kind"), SCALES, ids=str)
def test_what_lies_beyond_a_scale(condition: Condition, kind: Kind | None):
    assert kinds(scales.concerns(under(condition))) == ({kind} if kind else set())


def test_a_step_or_a_first_unit_beyond_the_scale_is_out_of_reach():
    steps = TieredPoints("nps", (Step(Fraction(50), 1), Step(Fraction(110), 2)))
    unit = PointsPerUnit("otif", Fraction(98, 100), Fraction(5, 100), 50, cap=500)
    down = PointsPerUnit("first_response", Fraction(10), Fraction(20), 50, cap=500)
    for award in (steps, unit, down):
        raised = kinds(scales.concerns(replace(FINE, award=award)))
        assert raised == {Kind.OUT_OF_REACH}
