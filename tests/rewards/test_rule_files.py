"""Rule files with everything a rule can say: what is wrong is refused with place and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from rewards.rules import Rule, decide
from rewards.rules.rule_tests import evidence_of, run_tests

TEMPLATES = sorted((Path(__file__).parents[2] / "templates/rules").glob("*.yaml"))

ON_CLOSE = """\
code: bonus
label: {en: Bonus, fr: Prime}
source: The terms of 2026.
on: close
period: quarter
starts: 2026Q1
conditions:
  - kpi_at_least: {kpi: otif, threshold: 90 %, bound: lower}
  - kpi_improved: {kpi: otif, since: previous_period, by: 2 %}
  - kpi_beats: {kpi: otif, peers: tier, by: 1 %, n_min: 9}
  - at_least_of: {count: 1, of: [{partner_for: {months: 12}}, {partner_in: tier:gold}]}
  - events_at_least: {event: report_accepted, count: 3, about: spring, days: 30}
award:
  per_unit: {kpi: otif, above: 95 %, unit: 1 %, points: 100, cap: 500, n_min: 9}
budget: network-quality
limits: [{per: year, points: 2000}, {per: month, times: 4}]
cool_down_days: 30
hold_days: 14
needs_approval: true
when_short: pro_rata
tests:
  - name: A good one
    given:
      figures: {otif: {value: 97 %, n: 30, target: 95 %, n_min: 5, coverage: 90 %, low: 94 %}}
      earlier: {previous_period: {otif: {value: 90 %, n: 30}}}
      peers: {tier: {otif: {value: 91 %, members: 12}}}
      groups: [tier:gold]
      joined_on: 2024-01-31
      on: 2026-03-31
      events: {report_accepted: 3}
      won: [{on: 2026-01-15, points: 100}]
    expect: {verdict: met, points: 200}
"""
ON_EVENT = """\
code: insight
label: {en: Insight, fr: Constat}
source: The terms of 2026.
on: course_completed
starts: 2026Q1
conditions:
  - event_about: [safety-1, safety-2]
award: {points: 50, to: person}
budget: insight
when_short: first_come
tests:
  - name: A course that counts
    given: {event: {about: safety-1}}
    expect: {verdict: met}
"""
TIERS = """\
code: tiers
label: {en: Tiers, fr: Paliers}
source: The terms of 2026.
on: close
period: month
starts: 2026-01
conditions: [{kpi_is_green: first_response}]
award:
  tiers:
    kpi: first_response
    steps:
      - {reaches: 60, points: 100}
      - {reaches: 30, points: 200}
budget: support
"""


@pytest.mark.parametrize("written", [ON_CLOSE, ON_EVENT, TIERS])
def test_everything_a_rule_can_say_is_read_and_written_back(written: str) -> None:
    rule = Rule.from_yaml(written, "bonus.yaml")
    assert Rule.from_yaml(rule.to_yaml(), "again.yaml") == rule
    assert Rule.from_plain(rule.to_plain(), "stored") == rule
    assert run_tests(rule) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_template_is_a_rule_that_passes_its_own_tests(template: Path) -> None:
    rule = Rule.from_yaml(template.read_text(encoding="utf-8"), template.name)
    assert rule.code == template.stem
    assert rule.tests, "a template shows how a rule is tested"
    assert run_tests(rule) == []


# in        what is wrong          instead          line, column   reason, remedy
BAD = [
    # --- conditions
    (ON_CLOSE, "bound: lower", "bound: low", 8, 55, "“low” isn't a choice", "“lower”"),
    (ON_CLOSE, "bound: lower", "bounds: lower", 8, 48, "isn't a field", "“bound”"),
    (ON_CLOSE, "{kpi: otif, threshold: 90 %, bound: lower}",
     "{kpi: backlog, threshold: 9, bound: lower}", 8, 55, "no interval", "n_min"),
    (ON_CLOSE, "since: previous_period", "since: last_year", 9, 38, "isn't a choice",
     "year_before"),
    (ON_CLOSE, "since: previous_period, ", "", 9, 19, "“since” is missing", "since: …"),
    (ON_CLOSE, "by: 2 %", "by: 2", 9, 59, "whether it is in percent", "2 %"),
    (ON_CLOSE, "by: 2 %", "by: -2 %", 9, 59, "outside 0 to 100", "95 %"),
    (ON_CLOSE, "{kpi: otif, since: previous_period, by: 2 %}",
     "{kpi: pnps, since: previous_period, by: -5}", 9, 59, "below zero", "how much better"),
    (ON_CLOSE, "peers: tier", "peers: group", 10, 35, "isn't a choice", "network"),
    (ON_CLOSE, "n_min: 9}\n  - at", "n_min: nine}\n  - at", 10, 57, "isn't a whole", "digits"),
    (ON_CLOSE, "count: 1, of", "count: 3, of", 11, 26, "3 is out of bounds", "1 to 2"),
    (ON_CLOSE, "count: 1, of", "count: 0, of", 11, 26, "0 is out of bounds", "1 to 2"),
    (ON_CLOSE, "count: 1, of:", "count: 1, off:", 11, 29, "isn't a field", "“of”"),
    (ON_CLOSE, "{months: 12}", "12", 11, 48, "expected the fields months", "name: value"),
    (ON_CLOSE, "{months: 12}", "{months: 601}", 11, 57, "out of bounds", "1 to 600"),
    (ON_CLOSE, "event: report_accepted, count", "event: reports, count", 12, 30,
     "isn't a choice", "report_accepted"),
    (ON_CLOSE, "count: 3, about", "count: 0, about", 12, 54, "out of bounds", "1 to"),
    (ON_CLOSE, "about: spring", "about: 7", 12, 64, "expected a text", '"7"'),
    (ON_CLOSE, "days: 30}", "days: 3661}", 12, 78, "out of bounds", "1 to 3,660"),
    (ON_CLOSE, "partner_for: {months: 12}", "event_about: [x]", 11, 5, "a close is none", "event"),
    # --- award
    (ON_CLOSE, "above: 95 %, ", "", 14, 13, "“above” is missing", "above: …"),
    (ON_CLOSE, "above: 95 %", "below: 95 %", 14, 32, "higher is better for otif", "“above”"),
    (ON_CLOSE, "{kpi: otif, above: 95 %, unit: 1 %,", "{kpi: first_response, above: 5, unit: 1,",
     14, 42, "lower is better for first_response", "“below”"),
    (ON_CLOSE, "unit: 1 %", "unit: 0 %", 14, 44, "is no unit", "1 %"),
    (ON_CLOSE, "unit: 1 %", "unit: 1", 14, 44, "whether it is in percent", "1 %"),
    (ON_CLOSE, "cap: 500", "cap: 50", 14, 67, "out of bounds", "100 to"),
    (ON_CLOSE, "points: 100, cap", "points: 1.5, cap", 14, 57, "isn't a whole", "digits"),
    (ON_CLOSE, "  per_unit:", "  points: 5\n  per_unit:", 14, 3, "expected exactly one", "points"),
    (ON_CLOSE, "  per_unit:", "  per_units:", 14, 3, "isn't a field", "“per_unit”"),
    (ON_CLOSE, "  per_unit:", "  to: person\n  per_unit:", 14, 3, "no persons", "an event"),
    (ON_CLOSE, "  per_unit:", "  to: everybody\n  per_unit:", 14, 7, "isn't a choice", "partner"),
    (TIERS, "reaches: 30", "reaches: 60", 13, 9, "no harder to reach", "lower is better"),
    (TIERS, "reaches: 30", "reaches: 90", 13, 9, "no harder to reach", "lower is better"),
    (TIERS, "points: 200", "points: 100", 13, 9, "isn't worth more", "more than 100"),
    (TIERS, "reaches: 30", "from: 30", 13, 10, "isn't a field", "reaches"),
    (TIERS, "    steps:\n      - {reaches: 60, points: 100}\n      - {reaches: 30, points: 200}\n",
     "    steps: []\n", 11, 12, "list is empty", "Put something"),
    # --- terms
    (ON_CLOSE, "{per: year, points: 2000}", "{per: year}", 16, 10, "limits nothing",
     "points: 2000"),
    (ON_CLOSE, "{per: year,", "{per: decade,", 16, 16, "isn't a choice", "year"),
    (ON_CLOSE, "times: 4", "times: 0", 16, 57, "out of bounds", "1 to"),
    (ON_CLOSE, "times: 4", "time: 4", 16, 50, "isn't a field", "“times”"),
    (ON_CLOSE, "limits: [{per: year, points: 2000}, {per: month, times: 4}]", "limits: 2000",
     16, 9, "expected a list", "dash"),
    (ON_CLOSE, "limits: [", "limits: [" + 10 * "{per: year, times: 1}, ", 16, 9,
     "12 are too many", "Keep to 10"),
    (ON_CLOSE, "cool_down_days: 30", "cool_down_days: 30 days", 17, 17, "isn't a whole", "digits"),
    (ON_CLOSE, "cool_down_days: 30", "cool_down_days: -1", 17, 17, "out of bounds", "0 to"),
    (ON_CLOSE, "hold_days: 14", "hold_days: 9999", 18, 12, "out of bounds", "3,660"),
    (ON_CLOSE, "hold_days: 14", "hold_day: 14", 18, 1, "isn't a field", "“hold_days”"),
    (ON_CLOSE, "needs_approval: true", "needs_approval: yes", 19, 17, "neither true nor", "true"),
    (ON_CLOSE, "needs_approval: true", "needs_approval: 1", 19, 17, "neither true nor", "true"),
    (ON_CLOSE, "when_short: pro_rata", "when_short: prorata", 20, 13, "a choice", "“pro_rata”"),
    (ON_CLOSE, "period: quarter\n", "", 1, 1, "“period” is missing", "month, quarter or year"),
    (ON_EVENT, "on: course_completed", "on: courses_done", 4, 5, "isn't a choice",
     "course_completed"),
    (ON_EVENT, "when_short: first_come", "when_short: pro_rata", 10, 13, "one by one", "out"),
    (ON_EVENT, "starts: 2026Q1", "starts: 2026Q1\nmeasured_on: distributor", 6, 14,
     "a partner's own", "measured_on"),
    (ON_EVENT, "[safety-1, safety-2]", "safety-1", 7, 18, "expected a list", "dash"),
    (ON_EVENT, "[safety-1, safety-2]", "[[safety-1]]", 7, 19, "expected a text", "quotes"),
    # --- tests
    (ON_CLOSE, "  - name: A good one\n    given:", "  - given:", 22, 5, "“name” is missing",
     "name: …"),
    (ON_CLOSE, "figures: {otif:", "figures: {otiff:", 24, 17, "isn't a field", "“otif”"),
    (ON_CLOSE, "value: 97 %", "value: 97", 24, 31, "whether it is in percent", "97 %"),
    (ON_CLOSE, "n: 30, target", "n: -1, target", 24, 40, "out of bounds", "0 to"),
    (ON_CLOSE, "coverage: 90 %", "coverage: 0.9", 24, 78, "whether it is in percent", "0.9 %"),
    (ON_CLOSE, "low: 94 %", "lower: 94 %", 24, 84, "isn't a field", "“low”"),
    (ON_CLOSE, "low: 94 %", "state: gren", 24, 91, "isn't a choice", "“green”"),
    (ON_CLOSE, "earlier: {previous_period:", "earlier: {last_period:", 25, 17, "isn't a field",
     "previous_period"),
    (ON_CLOSE, "members: 12", "member: 12", 26, 42, "isn't a field", "“members”"),
    (ON_CLOSE, ", members: 12", "", 26, 28, "“members” is missing", "members: …"),
    (ON_CLOSE, "peers: {tier:", "peers: {teir:", 26, 15, "isn't a field", "“tier”"),
    (ON_CLOSE, "groups: [tier:gold]", "groups: [gold]", 27, 16, "isn't a group", "tier:gold"),
    (ON_CLOSE, "joined_on: 2024-01-31", "joined_on: 2024-02-31", 28, 18, "isn't a day", "2026-04"),
    (ON_CLOSE, "joined_on: 2024-01-31", "joined_on: 20240131", 28, 18, "isn't a day", "2026-04"),
    (ON_CLOSE, "      on: 2026-03-31", "      on: 2026Q1", 29, 11, "isn't a day", "2026-04-01"),
    (ON_CLOSE, "events: {report_accepted: 3}", "events: {reports: 3}", 30, 16, "isn't a field",
     "report_accepted"),
    (ON_CLOSE, "events: {report_accepted: 3}", "events: {report_accepted: many}", 30, 33,
     "isn't a whole", "digits"),
    (ON_CLOSE, "points: 100}]", "points: 0}]", 31, 38, "out of bounds", "1 to"),
    (ON_CLOSE, "verdict: met", "verdict: yes", 32, 23, "isn't a choice", "met, not_met"),
    (ON_CLOSE, "expect: {verdict: met, points: 200}", "expect: met", 32, 13,
     "expected the fields verdict", "name: value"),
    (ON_EVENT, "event: {about: safety-1}", "event: safety-1", 13, 20, "expected the fields about",
     "name: value"),
    (ON_CLOSE, "hold_days: 14", "hold_days: 14\nhold_days: 15", 19, 1, "given twice", "Keep one"),
    (ON_CLOSE, "events: {report", "events: {report_accepted: 1, report", 30, 36, "given twice",
     "Keep one"),
    (ON_CLOSE, "joined_on: 2024", "joined_on: &day 2024", 28, 18, "anchors and aliases", "again"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "wrong", "instead", "line", "column", "reason", "remedy"), BAD)
def test_a_bad_rule_is_refused_with_place_reason_and_remedy(
    written: str, wrong: str, instead: str, line: int, column: int, reason: str, remedy: str
) -> None:
    assert wrong in written
    with pytest.raises(Invalid) as refusal:
        Rule.from_yaml(written.replace(wrong, instead, 1), "bonus.yaml")
    message = refusal.value.message
    assert message.startswith(f"bonus.yaml, line {line}, column {column}: "), message
    assert reason in message
    assert remedy in refusal.value.remedy


BOMB = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "anchors and aliases"),
        (ON_CLOSE + "# " + "x" * 10_000_000, "larger than 100 kB"),
        (ON_CLOSE + "tests: " + "[" * 5_000, "more than 20 deep"),
        (ON_CLOSE.replace("hold_days: 14", "hold_days: " + "9" * 5_000), "isn't a whole number"),
        (ON_CLOSE.replace("unit: 1 %", "unit: " + "9" * 5_000 + " %"), "isn't a threshold"),
        (ON_CLOSE.replace("unit: 1 %", "unit: 1/0"), "isn't a threshold"),
        (ON_CLOSE.replace("unit: 1 %", "unit: .nan %"), "isn't a threshold"),
        (ON_CLOSE.replace("spring", "'a\\nb'").replace("'", '"'), "several lines"),
        (ON_CLOSE.replace("starts: 2026Q1", "starts: 99999999-01-01"), "neither a day nor"),
    ],
    ids=[
        "an anchors bomb", "ten megabytes", "nested without end", "five thousand digits",
        "five thousand digits of percent", "a quotient by nothing", "not a number",
        "a code on two lines", "a year that never comes",
    ],
)  # fmt: skip
def test_what_would_hurt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        Rule.from_yaml(text, "bonus.yaml")


# --- Any file at all -----------------------------------------------------------------------------

SOURCES = [ON_CLOSE, ON_EVENT, TIERS, *(path.read_text(encoding="utf-8") for path in TEMPLATES)]
SCRAPS = st.sampled_from(
    ["", "0", "-1", "1e9", "1/3", "95 %", "true", "null", "~", "[]", "{}", "[a]", "{a: b}", "- ",
     ": ", "\n", "  ", "\t", "'", '"', "&a", "*a", "!!int", "|", ">", "#", "%", "---", "?", "\x00",
     "é", "\u202e", "9" * 30, "otif", "2026-02-29", "per_unit", "tiers", "points"]
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A rule in which a few stretches of text are replaced by scraps."""
    text = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 20))
        text = text[:start] + draw(SCRAPS) + text[start + length :]
    return text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["otif", "95 %", ""])
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=4,
)  # fmt: skip


@st.composite
def replanted(draw: st.DrawFn) -> object:
    """A rule as plain data in which one value, anywhere, is another; or one field is gone."""
    plain = yaml.safe_load(draw(st.sampled_from([ON_CLOSE, ON_EVENT, TIERS])))
    spot: object = plain
    while True:
        places = list(spot) if isinstance(spot, dict) else range(len(spot))  # type: ignore[arg-type]
        place = draw(st.sampled_from(list(places)))
        inner = spot[place]  # type: ignore[index]
        if not (isinstance(inner, dict | list) and inner) or draw(st.booleans()):
            break
        spot = inner
    if draw(st.booleans()):
        spot[place] = draw(VALUES)  # type: ignore[index]
    else:
        del spot[place]  # type: ignore[attr-defined]
    return plain


@given(mangled())
@settings(max_examples=400)
def test_whatever_is_written_is_a_rule_or_refused(text: str) -> None:
    read = read_or_refused(lambda: Rule.from_yaml(text, "bonus.yaml"))
    if isinstance(read, Invalid):
        assert read.message.startswith("bonus.yaml")
        assert read.remedy
    else:
        assert Rule.from_yaml(read.to_yaml(), "again.yaml") == read
        can_be_tried(read)


@given(replanted())
@settings(max_examples=300)
def test_whatever_is_stored_is_a_rule_or_refused(plain: object) -> None:
    read = read_or_refused(lambda: Rule.from_plain(plain, "stored"))
    if isinstance(read, Invalid):
        assert read.message.startswith("stored")
    else:
        assert Rule.from_plain(read.to_plain(), "again") == read
        can_be_tried(read)


def read_or_refused(read: Callable[[], Rule]) -> Rule | Invalid:
    """The rule, or the one error that may come in its place."""
    try:
        return read()
    except Invalid as refusal:
        return refusal


def can_be_tried(rule: Rule) -> None:
    """Whatever is a rule can be run over whatever its tests state."""
    run_tests(rule)
    for test in rule.tests:
        assert decide(rule, evidence_of(rule, test.given), test.given.won).sentence.en
