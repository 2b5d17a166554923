"""Drafts, and the second person that a reward on a satisfaction level needs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.errors import Conflict, Forbidden, Invalid, NotFound, PartnerCXError
from rewards.conditions import AnyOf, KpiAtLeast, KpiIsGreen, PartnerIn, Verdict
from rewards.rulebook import already, publish, versions
from rewards.rulebook.drafts import (
    Submitted,
    approve,
    discard_draft,
    draft_of,
    drafts,
    save_draft,
    submit,
)
from rewards.rules import FixedPoints, Rule, RuleTest
from rewards.rules.situations import Situation
from tests.harness.programme import BONUS

MIA, OTTO = "mia@brand.example", "otto@brand.example"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ON_NPS = replace(BONUS, code="nps_bonus", conditions=(KpiAtLeast("nps", Fraction(50)),))


def ask(session: Session, rule: Rule = ON_NPS, by: str = MIA) -> Submitted:
    return submit(session, rule, by=by, why="The board wants it", now=NOW)


def no_longer(rule: Rule) -> Rule:
    return replace(rule, award=FixedPoints(900))


# --- Drafts -------------------------------------------------------------------------------------


def test_a_draft_is_kept_as_it_was_saved(session: Session):
    save_draft(session, BONUS, by=MIA, now=NOW)
    (kept,) = drafts(session)
    assert (kept.rule, kept.saved_by, kept.saved_at) == (BONUS, MIA, NOW)


def test_a_draft_takes_the_place_of_the_one_before(session: Session):
    save_draft(session, BONUS, by=MIA, now=NOW)
    save_draft(session, no_longer(BONUS), by=OTTO, now=LATER)
    (kept,) = drafts(session)
    assert (kept.rule, kept.saved_by) == (no_longer(BONUS), OTTO)


def test_a_draft_may_fail_its_own_tests(session: Session):
    save_draft(session, failing(BONUS), by=MIA, now=NOW)
    assert len(drafts(session)) == 1


def test_a_draft_is_in_no_rulebook(session: Session):
    save_draft(session, BONUS, by=MIA, now=NOW)
    with pytest.raises(NotFound, match="publish one"):
        versions(session, BONUS.code)


def test_a_discarded_draft_is_gone_and_what_is_published_stays(session: Session):
    publish(session, BONUS, by=MIA, why="", now=NOW)
    save_draft(session, no_longer(BONUS), by=MIA, now=NOW)
    discard_draft(session, BONUS.code, by=MIA, now=NOW)
    assert drafts(session) == []
    assert versions(session, BONUS.code)[-1].rule == BONUS


def test_a_draft_that_isnt_there_is_answered_with_those_there_are(session: Session):
    with pytest.raises(NotFound, match="There are no drafts"):
        discard_draft(session, "care", by=MIA, now=NOW)
    save_draft(session, BONUS, by=MIA, now=NOW)
    with pytest.raises(NotFound, match=f"There are drafts of: {BONUS.code}"):
        draft_of(session, "care")


# --- Publishing ---------------------------------------------------------------------------------


def test_a_draft_that_is_published_has_served(session: Session):
    save_draft(session, BONUS, by=MIA, now=NOW)
    assert ask(session, BONUS).version is not None
    assert drafts(session) == []


def test_a_draft_that_says_something_else_outlives_a_publication(session: Session):
    save_draft(session, no_longer(BONUS), by=OTTO, now=NOW)
    ask(session, BONUS)
    assert [draft.rule for draft in drafts(session)] == [no_longer(BONUS)]


def test_publishing_the_same_again_says_so(session: Session):
    first = ask(session, BONUS)
    again = ask(session, BONUS)
    assert (first.already, again.already) == (False, True)
    assert again.version is first.version


def failing(rule: Rule) -> Rule:
    test = RuleTest("Nothing is known", Situation(), Verdict.MET, points=500)
    return replace(rule, tests=(test,))


@pytest.mark.parametrize("way", [submit, publish])
def test_a_rule_that_fails_its_own_tests_is_not_published(session: Session, way):
    with pytest.raises(Invalid) as refused:
        way(session, failing(BONUS), by=MIA, why="", now=NOW)
    assert "Test “Nothing is known”: Expected: met, 500 points. It came to:" in str(refused.value)
    assert already(session, failing(BONUS)) is None
    assert drafts(session) == []


# --- The second person --------------------------------------------------------------------------


def test_a_reward_on_a_satisfaction_level_waits_for_a_second_person(session: Session):
    asked = ask(session)
    assert asked.version is None
    assert asked.draft is not None
    assert (asked.draft.asked_by, asked.draft.asked_at) == (MIA, NOW)
    with pytest.raises(NotFound):
        versions(session, ON_NPS.code)


def test_another_person_agrees_and_it_is_in_force(session: Session):
    ask(session)
    version = approve(session, ON_NPS.code, by=OTTO, now=LATER)
    assert (version.published_by, version.approved_by) == (MIA, OTTO)
    assert (version.why, version.published_at) == ("The board wants it", LATER)
    assert drafts(session) == []


@pytest.mark.parametrize("same", [MIA, "Mia@Brand.example", f" {MIA} "])
def test_nobody_agrees_with_themselves(session: Session, same: str):
    ask(session)
    with pytest.raises(Forbidden, match="somebody else must agree"):
        approve(session, ON_NPS.code, by=same, now=LATER)


def test_a_draft_that_was_never_asked_for_is_not_approved(session: Session):
    save_draft(session, ON_NPS, by=MIA, now=NOW)
    with pytest.raises(Conflict, match="partner-cx rules publish nps_bonus"):
        approve(session, ON_NPS.code, by=OTTO, now=LATER)


def test_what_is_changed_after_asking_must_be_asked_for_again(session: Session):
    ask(session)
    save_draft(session, no_longer(ON_NPS), by=MIA, now=LATER)
    with pytest.raises(Conflict):
        approve(session, ON_NPS.code, by=OTTO, now=LATER)
    ask(session, no_longer(ON_NPS))
    assert approve(session, ON_NPS.code, by=OTTO, now=LATER).rule.award == FixedPoints(900)


def test_saving_the_same_again_goes_on_asking(session: Session):
    ask(session)
    save_draft(session, ON_NPS, by=OTTO, now=LATER)
    assert ask(session).already
    assert draft_of(session, ON_NPS.code).asked_by == MIA


def test_asking_again_as_somebody_else_is_no_agreement(session: Session):
    ask(session)
    again = ask(session, by=OTTO)
    assert again.version is None
    assert again.draft is not None
    assert again.draft.asked_by == MIA


@pytest.mark.parametrize("approved_by", [None, MIA, MIA.upper()])
def test_the_rulebook_itself_refuses_it_without_a_second_person(session: Session, approved_by):
    with pytest.raises(Forbidden, match="second person"):
        publish(session, ON_NPS, by=MIA, why="", now=NOW, approved_by=approved_by)


def test_what_hides_inside_any_of_needs_a_second_person_too(session: Session):
    hidden = AnyOf((KpiIsGreen("otif"), AnyOf((PartnerIn("tier:gold"), KpiIsGreen("csat")))))
    assert ask(session, replace(ON_NPS, conditions=(hidden,))).version is None


def test_each_change_of_such_a_rule_needs_its_own_agreement(session: Session):
    ask(session)
    approve(session, ON_NPS.code, by=OTTO, now=LATER)
    assert ask(session).already
    assert ask(session, no_longer(ON_NPS)).version is None


# --- At the same time ---------------------------------------------------------------------------


def all_at_once(engine: sa.Engine, *works: Callable[[Session], object]) -> list[object]:
    """What each came to, or the refusal."""

    def run(work: Callable[[Session], object]) -> object:
        try:
            return transact(engine, work)
        except PartnerCXError as refusal:
            return refusal

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_four_who_publish_the_same_at_once_make_one_version(engine: sa.Engine):
    def work(session: Session) -> int:
        version = ask(session, BONUS).version
        assert version is not None
        return version.version

    assert all_at_once(engine, *[work] * 4) == [1, 1, 1, 1]


def test_of_several_who_agree_at_once_one_does(engine: sa.Engine):
    transact(engine, lambda session: ask(session).already)

    def agree(name: str) -> Callable[[Session], object]:
        return lambda session: approve(session, ON_NPS.code, by=name, now=LATER).version

    came_to = all_at_once(engine, agree("otto"), agree("olga"), agree("oscar"))
    assert [each for each in came_to if not isinstance(each, NotFound)] == [1]
    with Session(engine) as session:
        assert len(versions(session, ON_NPS.code)) == 1
