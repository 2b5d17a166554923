"""The rulebook: which version of a rule decides which period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import NotFound
from partner_cx.periods import Period, PeriodKind
from rewards.rulebook import RuleVersion, in_force, publish, versions
from rewards.rules import FixedPoints, Rule

TEMPLATE = Path(__file__).parents[2] / "templates/rules/network_quality_bonus.yaml"
RULE = replace(Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name), tests=())
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def put(session: Session, rule: Rule) -> RuleVersion:
    return publish(session, rule, by="mia@brand.example", why="Terms of 2026", now=NOW)


def deciding(session: Session, period: str) -> list[tuple[str, int]]:
    found = in_force(session, Period.parse(period))
    return [(version.code, version.version) for version, _ in found]


def test_a_published_rule_reads_back_as_it_was(session: Session) -> None:
    version = put(session, RULE)
    assert (version.version, version.rule) == (1, RULE)
    assert version.digest == RULE.digest


def test_publishing_the_same_again_changes_nothing(session: Session) -> None:
    first = put(session, RULE)
    assert put(session, replace(RULE, version=7)) is first


def test_a_change_is_the_next_version_whatever_number_it_was_given(session: Session) -> None:
    put(session, RULE)
    changed = put(session, replace(RULE, award=FixedPoints(600), version=1))
    assert changed.version == 2
    assert changed.rule.version == 2
    assert [each.version for each in versions(session, RULE.code)] == [1, 2]


def test_going_back_to_former_contents_is_a_version_too(session: Session) -> None:
    put(session, RULE)
    put(session, replace(RULE, award=FixedPoints(600)))
    assert put(session, RULE).version == 3


def test_an_unknown_rule_is_answered_with_those_there_are(session: Session) -> None:
    put(session, RULE)
    with pytest.raises(NotFound, match="There are: network_quality_bonus"):
        versions(session, "network_bonus")


def test_a_version_decides_the_periods_that_begin_after_it_starts(session: Session) -> None:
    put(session, replace(RULE, starts=date(2026, 1, 1)))
    put(session, replace(RULE, starts=date(2026, 7, 1), award=FixedPoints(600)))
    code = RULE.code
    # period     decided by
    decided = {
        "2025Q4": [],
        "2026Q1": [(code, 1)],
        "2026Q2": [(code, 1)],
        "2026Q3": [(code, 2)],
        "2027Q1": [(code, 2)],
        "2026-07": [],  # a quarter's rule decides no month
    }
    assert {period: deciding(session, period) for period in decided} == decided


def test_a_version_that_starts_midway_leaves_the_period_to_the_one_before(session: Session) -> None:
    put(session, RULE)
    late = put(session, replace(RULE, starts=date(2026, 5, 15), award=FixedPoints(600)))
    assert late.starts_on == date(2026, 7, 1)
    assert deciding(session, "2026Q2") == [(RULE.code, 1)]
    assert deciding(session, "2026Q3") == [(RULE.code, 2)]


def test_an_ended_version_brings_no_older_one_back(session: Session) -> None:
    put(session, RULE)
    put(session, replace(RULE, starts=date(2026, 4, 1), ends=date(2026, 9, 30)))
    assert deciding(session, "2026Q3") == [(RULE.code, 2)]
    assert deciding(session, "2026Q4") == []


def test_a_rule_that_turns_monthly_decides_no_quarter_any_more(session: Session) -> None:
    put(session, RULE)
    put(session, replace(RULE, starts=date(2026, 7, 1), period=PeriodKind.MONTH))
    assert deciding(session, "2026Q3") == []
    assert deciding(session, "2026-07") == [(RULE.code, 2)]


def test_rules_in_force_come_by_their_code(session: Session) -> None:
    put(session, replace(RULE, code="zeal"))
    put(session, replace(RULE, code="care"))
    assert deciding(session, "2026Q1") == [("care", 1), ("zeal", 1)]


def test_the_database_refuses_to_change_a_version(session: Session) -> None:
    put(session, RULE)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        session.execute(sa.update(RuleVersion).values(why="another"))
