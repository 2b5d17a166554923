"""Forms and parts of pages: what was entered is kept, what is wrong is said, words stay words."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from api.catalogues import Translator
from tests.harness.marks import tree
from tests.harness.specimen import environment

HOSTILE = "\"><script>alert('x')</script> & {evil} %s"
SAY = Translator("en")
OPTIONS = [("1", "One"), ("2", "Two")]


def form(macro: str, *args: Any, **named: Any) -> ET.Element:
    return part("forms", macro, *args, **named)


def part(file: str, macro: str, *args: Any, **named: Any) -> ET.Element:
    """What a macro draws, as a tree."""
    module = environment().get_template(f"parts/{file}.html").module
    return tree(getattr(module, macro)(*args, **named))


def only(found: ET.Element, name: str) -> ET.Element:
    (element,) = found.iter(name)
    return element


def said(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


FIELDS = [
    ("field", "input", {}),
    ("area", "textarea", {}),
    ("choice", "select", {"options": OPTIONS}),
    ("file", "input", {}),
]


@pytest.mark.parametrize(("macro", "element", "more"), FIELDS)
def test_a_field_is_named_by_its_label(macro: str, element: str, more: dict[str, Any]):
    found = form(macro, "who", "Who is it?", **more)
    box = only(found, element)
    assert only(found, "label").get("for") == box.get("id") == "field-who"
    assert box.get("name") == "who"
    assert not {"required", "aria-invalid", "aria-describedby"} & set(box.keys())


@pytest.mark.parametrize(("macro", "element", "more"), FIELDS)
def test_hint_and_error_are_heard_with_the_field(macro: str, element: str, more: dict[str, Any]):
    found = form(macro, "who", "Who?", hint="A hint.", error="An error.", required=True, **more)
    box = only(found, element)
    assert box.get("aria-invalid") == "true"
    assert box.get("required") == ""
    described = (box.get("aria-describedby") or "").split()
    told = {each.get("id"): said(each) for each in found.iter("p")}
    assert [told[each] for each in described] == ["A hint.", "✕ An error."]


def test_what_was_entered_is_kept():
    assert only(form("field", "n", "N", 0), "input").get("value") == "0"
    assert only(form("field", "n", "N", None), "input").get("value") == ""
    assert only(form("area", "n", "N", "\nabc\n"), "textarea").text == "\n\nabc\n"
    found = form("choice", "n", "N", [(1, "One"), (2, "Two")], value="2")
    chosen = [each.text for each in found.iter("option") if each.get("selected") is not None]
    assert chosen == ["Two"]


def test_options_stand_in_groups():
    found = form("choice", "n", "N", [("", "–"), {"label": "All", "options": OPTIONS}], value="1")
    assert [each.text for each in only(found, "optgroup").iter("option")] == ["One", "Two"]
    assert len(list(found.iter("option"))) == 3


def test_one_of_several_and_several_of_several():
    radios = list(form("radios", "n", "Which?", OPTIONS, value="2").iter("input"))
    assert [(each.get("id"), each.get("checked") is not None) for each in radios] == [
        ("field-n", False), ("field-n-2", True)
    ]  # fmt: skip
    ticks = list(
        form("ticks", "n", "Which?", [(1, "One"), (2, "Two")], values=["1", 2]).iter("input")
    )
    assert all(each.get("checked") is not None for each in ticks)
    (tick,) = form("tick", "sure", "Sure?", hint="Think.").iter("input")
    assert (tick.get("checked") is not None, tick.get("aria-describedby")) == (False, "hint-sure")


def test_further_attributes_go_along():
    box = only(form("field", "n", "N", attrs={"maxlength": 5, "autocomplete": "off"}), "input")
    assert (box.get("maxlength"), box.get("autocomplete")) == ("5", "off")


def test_the_summary_leads_to_each_field_and_is_silent_when_all_is_well():
    found = form("problems", [("who", "Say who."), ("", "Try again.")], SAY)
    assert only(found, "div").get("role") == "alert"
    assert only(found, "a").get("href") == "#field-who"
    assert said(form("problems", [], SAY)) == ""


@pytest.mark.parametrize(
    ("file", "macro", "args"),
    [
        ("forms", "field", ("n", HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
        ("forms", "area", ("n", HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
        ("forms", "choice", ("n", HOSTILE, [(HOSTILE, HOSTILE)], HOSTILE, HOSTILE, HOSTILE)),
        ("forms", "radios", ("n", HOSTILE, [(HOSTILE, HOSTILE)], HOSTILE, HOSTILE)),
        ("forms", "ticks", ("n", HOSTILE, [(HOSTILE, HOSTILE)], [HOSTILE], HOSTILE)),
        ("forms", "tick", ("n", HOSTILE, True, HOSTILE)),
        ("forms", "file", ("n", HOSTILE, HOSTILE, HOSTILE)),
        ("forms", "problems", ([("n", HOSTILE)], SAY)),
        ("forms", "submit", (HOSTILE,)),
        ("page", "head", (HOSTILE, HOSTILE, HOSTILE)),
        ("page", "notice", (HOSTILE, "problem")),
        ("page", "empty", (HOSTILE, HOSTILE, "/x", HOSTILE)),
        ("page", "terms", ([(HOSTILE, HOSTILE)],)),
        ("page", "badge", (HOSTILE,)),
        ("page", "meter", (HOSTILE, 50)),
        ("page", "crumbs", ([{"label": HOSTILE, "href": HOSTILE}], SAY)),
        ("page", "tabs", ([{"label": HOSTILE, "href": HOSTILE, "current": True}], HOSTILE)),
    ],
)
def test_whatever_is_handed_in_stays_words(file: str, macro: str, args: tuple[Any, ...]):
    found = part(file, macro, *args)
    assert list(found.iter("script")) == []
    assert HOSTILE in "".join(found.itertext())


def test_a_notice_interrupts_only_for_a_problem():
    roles = {kind: only(part("page", "notice", "T", kind), "p").get("role")
             for kind in ("done", "warning", "problem")}  # fmt: skip
    assert roles == {"done": "status", "warning": "status", "problem": "alert"}


def test_steps_say_which_is_done_and_which_is_now():
    steps = [
        {"label": "A", "state": "done", "href": "/a"},
        {"label": "B", "state": "current", "href": ""},
        {"label": "C", "state": "to come", "href": ""},
    ]
    a, b, c = part("page", "steps", steps, SAY).iter("li")
    assert (said(a), said(b), said(c)) == ("A done", "B", "C")
    assert [each.get("aria-current") for each in (a, b, c)] == [None, "step", None]


def test_a_list_of_one_page_has_no_way_on():
    assert list(part("page", "pages", "", "", SAY, told="12 partners").iter("a")) == []
    (on,) = part("page", "pages", "", "?page=2", SAY).iter("a")
    assert (on.get("href"), on.get("rel")) == ("?page=2", "next")


@pytest.mark.parametrize(("share", "width"), [(-5, "0%"), (0, "0%"), (62, "62%"), (130, "100%")])
def test_a_meter_is_never_more_than_full(share: int, width: str):
    _ground, bar = part("page", "meter", "Used", share).iter("rect")
    assert bar.get("width") == width
