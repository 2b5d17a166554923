"""The form of a rule: what it holds comes back as it was, what is wrong is said beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.pages.rules import form, mistakes
from api.pages.rules.entered import Entered, changed, entered, flat
from api.render import TEMPLATES
from rewards.conditions import AllOf, AnyOf, AtLeastOf, Condition, KpiIsGreen
from rewards.reading import Misread
from rewards.rules import Rule
from tests.harness.any_rules import WRITTEN_RULES
from tests.harness.programme import BONUS

HOUSE = Path(__file__).parents[2]
RULES = sorted((TEMPLATES / "rules").glob("*.yaml"))


def template(path: Path) -> Rule:
    return Rule.from_yaml(path.read_text(encoding="utf-8"), path.name)


def sent(rule: Rule) -> list[tuple[str, str]]:
    """What a browser sends of the form, unchanged: fields of one line have no line breaks."""
    pairs = flat(form.taken_apart(rule))
    long = ("source", "given")
    return [
        (name, text.replace("\n", "\r\n") if name.endswith(long) else text.replace("\n", ""))
        for name, text in pairs
    ]


def depth(condition: Condition) -> int:
    inside = getattr(condition, "conditions", ())
    return 1 + max(map(depth, inside), default=0)


def is_plain(rule: Rule) -> bool:
    """Whether people would write it so: nothing is nested deep, no text holds what parts others."""
    texts = [*rule.audience.tiers, *rule.audience.countries, rule.label.en, rule.label.fr]
    return all(depth(each) <= 3 for each in rule.conditions) and not any(
        "," in text or "\n" in text for text in texts
    )


# --- There and back -----------------------------------------------------------------------------


@settings(max_examples=300)
@given(WRITTEN_RULES)
def test_what_the_form_holds_comes_back_unchanged(rule: Rule):
    again, problems = form.read(entered(sent(rule)))
    if form.fits(rule):
        assert (again, problems) == (rule, [])
        assert again is not None
        assert form.taken_apart(again) == form.taken_apart(rule)
    else:
        assert not is_plain(rule)


@settings(max_examples=100)
@given(WRITTEN_RULES)
def test_a_rule_written_as_yaml_is_read_back_the_same(rule: Rule):
    assert Rule.from_yaml(rule.to_yaml(), "a rule") == rule


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_template_opens_in_the_form_and_saves_unchanged(path: Path):
    rule = template(path)
    assert form.fits(rule)
    assert form.read(entered(sent(rule))) == (rule, [])


def test_conditions_within_conditions_fit():
    inner = AnyOf((KpiIsGreen("otif"), AtLeastOf((KpiIsGreen("nps"), KpiIsGreen("csat")), 1)))
    rule = Rule.from_plain({**BONUS.to_plain(), "conditions": [{"all_of": inner.to_plain()}]}, "")
    assert form.fits(rule)


def test_conditions_nested_deeper_are_left_to_yaml():
    deep: Condition = KpiIsGreen("otif")
    for _ in range(4):
        deep = AllOf((deep,))
    plain = {**BONUS.to_plain(), "conditions": [{"all_of": deep.to_plain()}]}
    assert not form.fits(Rule.from_plain(plain, ""))


# --- Buttons ------------------------------------------------------------------------------------


def test_a_condition_is_added_and_nothing_is_lost():
    before = entered(sent(BONUS))
    after = changed(entered([*sent(BONUS), ("new", "partner_in")]), "add:c")
    assert after is not None
    assert after["c"] == [*before["c"], {"what": "partner_in"}]
    assert {**after, "c": None, "new": None} == {**before, "c": None, "new": None}


def test_a_condition_is_added_inside_another():
    given = entered([("c.0.what", "any_of"), ("c.0.new", "partner_for")])
    after = changed(given, "add:c.0.c")
    assert after is not None
    assert after["c"][0]["c"] == [{"what": "partner_for"}]


@pytest.mark.parametrize(("act", "left"), [("remove:c.0", ["b"]), ("remove:c.1", ["a"])])
def test_the_condition_that_is_named_is_removed(act: str, left: list[str]):
    after = changed(entered([("c.0.kpi", "a"), ("c.1.kpi", "b")]), act)
    assert after is not None
    assert [each["kpi"] for each in after["c"]] == left


@pytest.mark.parametrize(
    "act",
    ["add:x", "remove:c.7", "remove:c", "add:c.9.c", "remove:kinds.0", "save", "", "add:c.c.c\0"],
)
def test_a_button_that_isnt_there_changes_nothing(act: str):
    given = entered(sent(BONUS))
    assert changed(given, act) is None
    assert given == entered(sent(BONUS))


# --- Whatever is sent ---------------------------------------------------------------------------

NAMES = st.sampled_from(sorted({name for path in RULES for name, _ in sent(template(path))}))
ODD = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "9" * 400,
        "-1",
        "1e9",
        "95",
        "95 %",
        "٣",
        "null",
        "true",
        "[",
        "{a: &x b}",
        "é\n",
    ]
)


@settings(max_examples=300)
@given(st.sampled_from(RULES), st.dictionaries(NAMES, ODD | st.text(max_size=20), max_size=4))
@example(RULES[0], {"c.0.c.0.kpi": "otif", "c.0": "x"})
def test_anything_in_any_field_is_a_rule_or_said_to_be_none(path: Path, odd: dict[str, str]):
    rule, problems = form.read(entered((dict(sent(template(path))) | odd).items()))
    assert (rule is None) == bool(problems)
    for problem in problems:
        assert mistakes.told(problem.misread, "en")
        assert mistakes.told(problem.misread, "fr")


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=5)), max_size=8))
def test_names_that_are_no_fields_are_left_aside(pairs: list[tuple[str, str]]):
    assert form.read(entered([*pairs, *sent(BONUS)]))[0] is not None


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("code", "", "There is nothing in it."),
        ("code", "two words", "“two words” isn't a code."),
        ("label_fr", " ", "There is nothing in it."),
        ("source", "a\0b", "The text holds an invisible control character."),
        ("starts", "soon", "“soon” is neither a day nor a period."),
        ("ends", "2020", "The rule ends on 2020-12-31, before it starts on 2026-01-01."),
        ("kinds", "shop", "“shop” isn't a choice here."),
        ("groups", "gold", "“gold” isn't a group."),
        ("on", "never", "“never” isn't a choice here."),
        ("period", "week", "“week” isn't a choice here."),
        ("measured_on", "moon", "“moon” isn't a choice here."),
        ("points", "0", "0 is out of bounds."),
        ("points", "ten", "“ten” isn't a whole number."),
        ("to", "person", "A close knows partners and no persons."),
        ("budget", "€", "“€” isn't a code."),
        ("when_short", "cry", "“cry” isn't a choice here."),
        ("hold_days", "-1", "-1 is out of bounds."),
        ("cool_down_days", "1.5", "“1.5” isn't a whole number."),
        ("version", "0", "0 is out of bounds."),
        ("c.0.kpi", "otiff", "There is no KPI “otiff”. Did you mean “otif”?"),
        ("c.0.kpi", "", "There is nothing in it."),
        ("c.0.what", "wish", "“wish” isn't a field here."),
        ("limit.0.points", "", "The limit limits nothing."),
        ("test.0.given", "a: [", "This isn't YAML"),
        ("test.0.name", "", "There is nothing in it."),
        ("test.0.points", "-3", "-3 is out of bounds."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(field: str, text: str, said: str):
    rule = template(TEMPLATES / "rules/network_quality_bonus.yaml")
    pairs = {"limit.0.per": "month"} if field.startswith("limit") else {}
    read, problems = form.read(entered((dict(sent(rule)) | pairs | {field: text}).items()))
    assert read is None
    found = {each.field: mistakes.told(each.misread, "en") for each in problems}
    told = found.get(field) or found.get("points" if field == "to" else field, str(found))
    assert said in told


def test_several_mistakes_are_told_at_once():
    _, problems = form.read(entered([*sent(BONUS), ("code", ""), ("points", "x"), ("ends", "y")]))
    assert [each.field for each in problems] == ["ends", "points", "code"]


def test_a_place_in_a_tests_yaml_says_its_line():
    rule = template(TEMPLATES / "rules/network_quality_bonus.yaml")
    pairs = dict(sent(rule)) | {"test.0.given": "figures:\n  otif: {value: 95}"}
    _, problems = form.read(entered(pairs.items()))
    (problem,) = problems
    assert problem.field == "test.0.given"
    assert mistakes.where(problem.misread, "en") == "line 2, column 17"
    assert mistakes.where(problem.misread, "fr") == "ligne 2, colonne 17"


@pytest.mark.parametrize("text", ["1 000", "1,000", "1\u202f000", " 1000 "])
def test_thousands_may_stand_apart(text: str):
    rule, _ = form.read(entered((dict(sent(BONUS)) | {"points": text}).items()))
    assert rule is not None
    assert rule.award.points_max == 1_000


# --- In the reader's language -------------------------------------------------------------------


def sayings() -> Iterator[tuple[str, str]]:
    """Every reason and remedy that stands in the strict reader and in what uses it."""
    folders = ("rewards/conditions", "rewards/rules")
    files = [HOUSE / "rewards/reading.py"]
    for folder in folders:
        files += (HOUSE / folder).glob("*.py")
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in ("refused", "Misread"):
                for argument in node.args:
                    if saying := spoken(argument):
                        yield path.name, saying


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def spoken(node: ast.expr) -> str:
    """A text, with something in place of what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(filled(part) for part in node.values)


def filled(part: Any) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part.value, ast.IfExp):
        return str(ast.literal_eval(part.value.body))
    return {"better": "lower", "wrong": "above", "what": "KPI"}.get(ast.unparse(part.value), "X")


def test_everything_the_reader_says_is_known_in_french():
    unknown = [
        (where, saying)
        for where, saying in sayings()
        if saying not in ("X", "Write X.") and mistakes.said(saying, "fr") == saying
    ]
    assert len(list(sayings())) > 60
    assert unknown == []


def test_what_is_quoted_is_said_in_french_too():
    misread = Misread("yaml, line 1, column 1", "expected a list, found nothing.", "Take it out.")
    assert mistakes.told(misread, "fr") == "Une liste était attendue, et non rien. Retirez-le."


def test_an_empty_form_is_no_rule():
    empty: Entered = {}
    rule, problems = form.read(empty)
    assert rule is None
    assert [each.field for each in problems] == [
        *("on", "starts", "points", "budget", "code", "label_en", "label_fr", "source")
    ]
