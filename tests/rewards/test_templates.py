"""The rules that come with Partner CX explain themselves, prove themselves and can be published."""

from __future__ import annotations

from pathlib import Path

import pytest

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family
from rewards.rules import Occasion, Rule
from rewards.rules.rule_tests import run_tests

FOLDER = Path(__file__).parents[2] / "templates/rules"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.fixture(params=[pytest.param(file, id=file.stem) for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def read(file: Path) -> Rule:
    return Rule.from_yaml(file.read_text(encoding="utf-8"), file.name)


def test_there_is_one_for_each_mechanic() -> None:
    assert {read(file).on for file in FILES} >= set(Occasion) - {Occasion.CATALOGUE_COMPLETED}
    assert [file.stem for file in FILES] == [
        "actionable_insight",
        "catalogue_completion",
        "e_learning",
        "fast_first_response",
        "incident_gesture",
        "network_quality_bonus",
        "own_improvement",
        "panel_participation",
        "survey_response",
    ]


def test_a_template_is_named_like_its_rule(file: Path) -> None:
    assert read(file).code == file.stem


def test_its_own_tests_pass_and_say_what_it_is_for(file: Path) -> None:
    rule = read(file)
    assert run_tests(rule) == []
    assert rule.tests


def test_it_reads_back_to_the_same(file: Path) -> None:
    rule = read(file)
    assert Rule.from_yaml(rule.to_yaml(), "written").digest == rule.digest


def test_its_remarks_explain_it(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    remarks = [line for line in lines if line.lstrip().startswith("#")]
    assert lines[0].startswith("# ")
    assert lines[0].endswith(".")
    assert len(remarks) >= 8
    assert f"rules check {file.name}" in "\n".join(remarks)


def test_it_costs_no_more_than_somebody_meant(file: Path) -> None:
    rule = read(file)
    assert rule.award.points_max is not None
    assert rule.on is Occasion.CLOSE or rule.limits


def test_none_rewards_the_level_of_a_satisfaction_score(file: Path) -> None:
    """Perception is asked for honestly, or not at all."""
    needs = read(file).needs()
    looked_at = {*needs.figures, *(kpi for _, kpi in needs.earlier | needs.peers)}
    assert not [kpi for kpi in looked_at if CATALOGUE[kpi].family is Family.PERCEPTION]
