"""Rules: written by people, refused with place and remedy, read back as they were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

from partner_cx.errors import Invalid
from partner_cx.network.names import NARROWER, PartnerKind
from partner_cx.periods import Period
from rewards.conditions import KpiIsGreen, PartnerIn
from rewards.reading import BYTES_MAX
from rewards.rules import POINTS_MAX, Audience, FixedPoints, Rule
from tests.harness.any_rules import WRITTEN_RULES

TEMPLATE = Path(__file__).parents[2] / "templates/rules/network_quality_bonus.yaml"

GOOD = """\
code: bonus
label: {en: Bonus, fr: Prime}
source: The terms of 2026.
on: close
period: quarter
starts: 2026Q1
conditions:
  - kpi_is_green: otif
  - kpi_at_least: {kpi: sla_response, threshold: 90 %, n_min: 5}
award: {points: 500}
budget: network-quality
"""


def rule() -> Rule:
    return Rule.from_yaml(GOOD, "bonus.yaml")


def test_the_template_is_a_rule() -> None:
    template = Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name)
    assert template.conditions == tuple(
        KpiIsGreen(kpi) for kpi in ("otif", "sla_response", "portal_adoption")
    )
    assert (template.award, template.budget) == (FixedPoints(500), "network-quality")
    assert (template.starts, template.ends) == (date(2026, 1, 1), None)


# what is wrong, in GOOD   instead                   place             reason, remedy
BAD = [
    ("budget: network-quality", "budgett: x", 11, 1, "isn't a field", "“budget”"),
    ("on: close\n", "", 1, 1, "“on” is missing", "on: …"),
    ("on: close", "on:", 4, 4, "“on” is empty", "value"),
    ("on: close", "on: closing", 4, 5, "isn't a choice", "“close”"),
    ("on: close", "on: close\non: close", 5, 1, "given twice, first at line 4", "Keep one"),
    ("points: 500", "points: 500.0", 10, 17, "“500.0” isn't a whole", "500"),
    ("points: 500", 'points: "500"', 10, 17, "“500” isn't a whole", "without quotes"),
    ("points: 500", "points: true", 10, 17, "“true” isn't a whole", "digits"),
    ("points: 500", "points: 5e2", 10, 17, "“5e2” isn't a whole", "digits"),
    ("points: 500", "points: 0500", 10, 17, "“0500” isn't a whole", "digits"),
    ("points: 500", "points: 0x1F4", 10, 17, "isn't a whole", "digits"),
    ("points: 500", "points: 1_000", 10, 17, "isn't a whole", "digits"),
    ("points: 500", "points: 0", 10, 17, "out of bounds", "1 to 10,000,000"),
    ("points: 500", "points: -5", 10, 17, "out of bounds", "1 to 10,000,000"),
    ("points: 500", "points: 10000001", 10, 17, "out of bounds", "1 to 10,000,000"),
    ("points: 500", "points: [500]", 10, 17, "a list isn't a whole", "digits"),
    ("{points: 500}", "500", 10, 8, "expected the fields points", "name: value"),
    ("award: {points: 500}", "award: {point: 500}", 10, 9, "isn't a field", "“points”"),
    ("kpi_is_green: otif", "kpi_is_green: otiff", 8, 19, "no KPI “otiff”", "“otif”"),
    ("kpi_is_green: otif", "kpi_green: otif", 8, 5, "isn't a field", "“kpi_is_green”"),
    ("kpi_is_green: otif", "kpi_is_green:", 8, 18, "is empty", "Give it a value"),
    ("starts: 2026Q1", "starts: 2026Q1\nfor:", 7, 5, "“for” is empty", "take the line out"),
    ("starts: 2026Q1", "starts: 2026Q1\nlimits:", 7, 8, "“limits” is empty", "take the line out"),
    ("kpi_is_green: otif", "all_of: []", 8, 13, "list is empty", "Put something"),
    ("kpi_is_green: otif", "partner_in: gold", 8, 17, "isn't a group", "tier:gold"),
    ("kpi_is_green: otif", "partner_in: teir:gold", 8, 17, "“teir” begins no group", "“tier”"),
    (
        "kpi_is_green: otif",
        "partner_in: club:gold",
        8,
        17,
        "“club” begins no group",
        "tier, country",
    ),
    ("kpi_is_green: otif", "partner_in: Tier:gold", 8, 17, "“Tier” begins no group", "“tier”"),
    ("kpi_is_green: otif", "partner_in: 'tier: gold'", 8, 17, "isn't a group", "tier:gold"),
    ("kpi_is_green: otif", "partner_in: kind:reseler", 8, 17, "isn't a choice", "“reseller”"),
    ("on: close", "for: {groups: [regoin:Bretagne]}\non: close", 4, 16, "no group", "“region”"),
    ("threshold: 90 %", "threshold: 90", 9, 50, "whether it is in percent", "90 %"),
    ("threshold: 90 %", "threshold: 0.9", 9, 50, "whether it is in percent", "0.9 %"),
    ("threshold: 90 %", "threshold: 101 %", 9, 50, "outside 0 to 100", "95 %"),
    ("threshold: 90 %", "threshold: high", 9, 50, "isn't a threshold", "95 %"),
    ("threshold: 90 %", "threshold: false", 9, 50, "isn't a threshold", "95 %"),
    ("sla_response", "nps", 9, 41, "isn't a share", "percent sign"),
    ("n_min: 5", "n_min: 0", 9, 63, "out of bounds", "from 1"),
    ("label: {en: Bonus, fr: Prime}", "label: {en: Bonus}", 2, 8, "“fr” is missing", "fr: …"),
    ("label: {en: Bonus, fr: Prime}", "label: {en: Bonus, fr: 5}", 2, 24, "a text", '"5"'),
    ("code: bonus", "code: a bonus", 1, 7, "isn't a code", "letters"),
    ("code: bonus", 'code: ""', 1, 7, "text is empty", "words"),
    ("code: bonus", 'code: "a\\u202eb"', 1, 7, "control character", "Take it out"),
    ("starts: 2026Q1", "starts: 2026-02-30", 6, 9, "neither a day nor a period", "2026Q2"),
    ("starts: 2026Q1", "starts: 2026Q1\nends: 2025", 7, 7, "before it starts", "later"),
    ("on: close", "for: {kinds: reseller}\non: close", 4, 14, "expected a list", "dash"),
    ("on: close", "for: {kinds: [shop]}\non: close", 4, 15, "isn't a choice", "reseller"),
    ("on: close", "on: &it close", 4, 5, "anchors and aliases", "again"),
    ("on: close", "on: *it", 4, 5, "anchors and aliases", "again"),
    ("on: close", "on: !!python/name:os.system", 4, 5, "tags", "quotes"),
    ("on: close", "on: " + "[" * 30, 4, 24, "more than 20 deep", "plainly"),
    ("on: close", "on: 'close", 4, 5, "isn't YAML", "quotes"),
    ("on: close", "\ton: close", 4, 1, "a tab", "spaces"),
    ("on: close", "{a: b}: close", 4, 1, "must be a word", "Name the field"),
    ("on: close", "on: close\n---\nmore: 1", 5, 1, "second document", "One rule per file"),
]


@pytest.mark.parametrize(("wrong", "instead", "line", "column", "reason", "remedy"), BAD)
def test_a_bad_rule_is_refused_with_place_reason_and_remedy(
    wrong: str, instead: str, line: int, column: int, reason: str, remedy: str
) -> None:
    assert wrong in GOOD
    with pytest.raises(Invalid) as refusal:
        Rule.from_yaml(GOOD.replace(wrong, instead), "bonus.yaml")
    message = refusal.value.message
    assert message.startswith(f"bonus.yaml, line {line}, column {column}: "), message
    assert reason in message
    assert remedy in refusal.value.remedy


@pytest.mark.parametrize("about", NARROWER)
def test_a_rule_can_ask_for_every_group_there_can_be(about: str) -> None:
    group = f"{about}:reseller"
    asked = GOOD.replace("kpi_is_green: otif", f"partner_in: {group}")
    assert Rule.from_yaml(asked, "bonus.yaml").conditions[0] == PartnerIn(group)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing in it"),
        ("# only a remark", "nothing in it"),
        ("- code: bonus", "expected the fields code"),
        ("bonus", "expected the fields code"),
        ("code: \x00", "doesn't belong in a text"),
        (GOOD + "#" * BYTES_MAX, "larger than 100 kB"),
        (GOOD.replace("on: close", "<<: {on: close}"), "“<<” isn't a field"),
    ],
)
def test_what_is_no_rule_at_all_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        Rule.from_yaml(text, "bonus.yaml")


@pytest.mark.parametrize("points", [True, 500.0, "500", None, 0, POINTS_MAX + 1])
def test_stored_points_are_read_as_strictly(points: object) -> None:
    plain = rule().to_plain() | {"award": {"points": points}}
    with pytest.raises(Invalid, match=r"bonus@1\.award\.points"):
        Rule.from_plain(plain, "bonus@1")


@pytest.mark.parametrize(
    ("audience", "included"),
    [
        (Audience(), True),
        (Audience(kinds=(PartnerKind.RESELLER, PartnerKind.INSTALLER)), True),
        (Audience(kinds=(PartnerKind.INSTALLER,)), False),
        (Audience(kinds=(PartnerKind.RESELLER,), tiers=("silver",)), False),
        (Audience(tiers=("gold",), countries=("BE", "FR")), True),
        (Audience(groups=("group:pilot", "region:Bretagne")), True),
        (Audience(groups=("group:pilot",)), False),
    ],
)
def test_a_rule_is_for_whom_it_names(audience: Audience, included: bool) -> None:
    belongs_to = {"kind:reseller", "tier:gold", "country:FR", "region:Bretagne"}
    assert audience.includes(belongs_to) is included


@pytest.mark.parametrize(
    ("period", "holds"),
    [
        ("2025Q4", False),
        ("2026Q1", True),
        ("2026Q4", True),
        ("2027Q1", False),
        ("2026-01", False),
        ("2026", False),
    ],
)
def test_a_rule_holds_in_whole_periods_of_its_kind(period: str, holds: bool) -> None:
    dated = replace(rule(), ends=date(2027, 3, 30))
    assert dated.holds_in(Period.parse(period)) is holds


def test_rules_written_before_there_was_more_to_write_keep_their_digest() -> None:
    template = Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name)
    of_before = "de1fc344b6266069f730c7b8ed9b8cc0f5dd7e34e13dc32e4aed425f472c7255"
    assert replace(template, tests=()).digest == of_before
    assert rule().digest == "aa0e7c175b27fb67a418950e4abf1c2ed319b77a4430a721d3fc572a341c00f3"


def test_the_digest_tells_contents_and_not_spelling() -> None:
    spelt = GOOD.replace("90 %", "9/10").replace("2026Q1", "2026-01-01").replace("500}", "500 }")
    assert Rule.from_yaml(spelt, "x").digest == rule().digest
    assert Rule.from_yaml(GOOD.replace("500", "501"), "x").digest != rule().digest


@given(WRITTEN_RULES)
def test_a_rule_reads_back_as_it_was_written(written: Rule) -> None:
    for read in (
        Rule.from_yaml(written.to_yaml(), "rule.yaml"),
        Rule.from_plain(written.to_plain(), "stored"),
    ):
        assert read == written
        assert read.digest == written.digest
