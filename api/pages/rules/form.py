"""The form of a rule: a rule taken apart into its fields, and read out of them again.

A rule is read by the same strict reader as its YAML; here every value carries the name of its field
as its place, so that a refusal stands beside what it is about. What the form can't hold exactly is
left to the YAML view: `fits` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.pages.rules.entered import CONDITIONS, LIMITS, STEPS, TESTS, Entered, entered, flat
from rewards import sentences
from rewards.conditions import CONDITIONS as VOCABULARY
from rewards.conditions import read_condition
from rewards.reading import Given, Misread, read_yaml, write_yaml
from rewards.rules import Rule, RuleTest
from rewards.rules.limits import Limit
from rewards.rules.scales import read_award

GROUPS = ("all_of", "any_of", "at_least_of")
# What stands after a condition's name: its fields, those that can be left out in brackets; a
# field in capitals is a whole number.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "kpi_at_least": ("kpi", "threshold", "(N_MIN)", "(coverage_min)", "(bound)"),
    "kpi_at_most": ("kpi", "threshold", "(N_MIN)", "(coverage_min)", "(bound)"),
    "kpi_improved": ("kpi", "since", "(by)", "(N_MIN)"),
    "kpi_beats": ("kpi", "peers", "(by)", "(N_MIN)"),
    "partner_for": ("MONTHS",),
    "events_at_least": ("event", "COUNT", "(about)", "(DAYS)"),
}
ONE_FIELD = {"kpi_is_green": "kpi", "partner_in": "group"}
_LONG = re.compile(r"(?:test\.[0-9]+\.given|source)")  # fields with room for several lines


@dataclass(frozen=True)
class Problem:
    """Why what was entered is no rule yet. field: the name of the field it is about."""

    field: str
    misread: Misread


def read(given: Entered) -> tuple[Rule | None, list[Problem]]:
    """The rule, or everything that is in its way."""
    fields = dict(_fields(given))
    wrong = list(_one_by_one(fields))
    try:
        rule = Rule.read(Given(_mended(fields, [part for part, _ in wrong]), "", ""))
    except Misread as misread:
        wrong.append(("", misread))
    if not wrong:
        return rule, []
    problems = [Problem(_field_of(misread), misread) for _, misread in wrong]
    return None, sorted(problems, key=_place_in_form)


def fits(rule: Rule) -> bool:
    """Whether the form holds the rule exactly: what a browser sends back is the same rule."""
    sent = [(name, _as_sent(name, text)) for name, text in flat(taken_apart(rule))]
    again, _ = read(entered(sent))
    return again == rule


def _as_sent(name: str, text: str) -> str:
    """A field of one line loses its line breaks."""
    return text if _LONG.fullmatch(name) else text.replace("\n", "")


# --- From a rule to its fields ------------------------------------------------------------------


def taken_apart(rule: Rule) -> Entered:
    """The rule as the form shows it."""
    plain = rule.to_plain()
    audience = plain.get("for", {})
    fields: Entered = {
        "code": rule.code,
        "version": str(rule.version),
        "label_en": rule.label.en,
        "label_fr": rule.label.fr,
        "source": rule.source,
        "on": plain["on"],
        "period": plain["period"],
        "starts": plain["starts"],
        "ends": plain.get("ends", ""),
        "kinds": list(audience.get("kinds", [])),
        "measured_on": plain["measured_on"],
        "budget": rule.budget,
        "when_short": rule.when_short.value,
        "hold_days": _text(rule.hold_days or ""),
        "cool_down_days": _text(rule.cool_down_days or ""),
        "needs_approval": "yes" if rule.needs_approval else "",
        CONDITIONS: [_condition_apart(each) for each in plain.get("conditions", [])],
        LIMITS: [_texts(each) for each in plain.get("limits", [])],
        TESTS: [_test_apart(each) for each in plain.get("tests", [])],
    }
    fields |= {name: ", ".join(audience.get(name, [])) for name in ("tiers", "countries", "groups")}
    return fields | _award_apart(plain["award"])


def _condition_apart(plain: Mapping[str, Any]) -> Entered:
    ((what, told),) = plain.items()
    if what in ONE_FIELD:
        return {"what": what, ONE_FIELD[what]: told}
    if what == "event_about":
        return {"what": what, "subjects": ", ".join(told)}
    if what == "at_least_of":
        parts = [_condition_apart(each) for each in told["of"]]
        return {"what": what, "count": str(told["count"]), CONDITIONS: parts}
    if what in GROUPS:
        return {"what": what, CONDITIONS: [_condition_apart(each) for each in told]}
    return {"what": what} | _texts(told)


def _award_apart(plain: Mapping[str, Any]) -> Entered:
    to = {"to": plain.get("to", "partner")}
    if "points" in plain:
        return {"scale": "points", "points": str(plain["points"])} | to
    if "per_unit" in plain:
        scale = _texts(plain["per_unit"])
        scale["start"] = scale.pop("above", "") or scale.pop("below", "")
        return {"scale": "per_unit"} | {f"unit_{name}": text for name, text in scale.items()} | to
    tiers = plain["tiers"]
    return {
        "scale": "tiers",
        "steps_kpi": tiers["kpi"],
        "steps_n_min": _text(tiers.get("n_min", "")),
        STEPS: [_texts(each) for each in tiers["steps"]],
    } | to


def _test_apart(plain: Mapping[str, Any]) -> Entered:
    return {
        "name": plain["name"],
        "given": write_yaml(plain["given"]) if plain["given"] else "",
        "verdict": plain["expect"]["verdict"],
        "points": _text(plain["expect"].get("points", "")),
    }


def _texts(plain: Mapping[str, Any]) -> Entered:
    return {name: _text(value) for name, value in plain.items()}


def _text(value: object) -> str:
    return str(value)


# --- From its fields to a rule ------------------------------------------------------------------


def _fields(given: Entered) -> Iterator[tuple[str, Given]]:
    """The fields of the rule as the strict reader wants them; what is left empty is left out."""
    for name in ("code", "source", "on", "starts", "budget"):
        yield name, _scalar(given, "", name)
    label = {"en": _scalar(given, "", "label_en"), "fr": _scalar(given, "", "label_fr")}
    yield "label", _at("label_en", label)
    yield from _filled(given, "", ("period", "ends", "measured_on", "when_short"))
    yield from _filled(given, "", ("version", "cool_down_days", "hold_days"), whole=True)
    if given.get("needs_approval"):
        yield "needs_approval", _at("needs_approval", True)
    if audience := dict(_audience(given)):
        yield "for", _at("kinds", audience)
    if given.get(CONDITIONS):
        yield "conditions", _at("new", _rows(given, "", CONDITIONS, _condition))
    yield "award", _at("points", _award(given))
    if given.get(LIMITS):
        yield "limits", _at("limit.0.per", _rows(given, "", LIMITS, _limit))
    if given.get(TESTS):
        yield "tests", _at("test.0.name", _rows(given, "", TESTS, _test))


def _audience(given: Entered) -> Iterator[tuple[str, Given]]:
    if kinds := given.get("kinds"):
        yield "kinds", _at("kinds", [_at("kinds", kind) for kind in kinds])
    for name in ("tiers", "countries", "groups"):
        if listed := _listed(given, name, name):
            yield name, listed


def _condition(row: Entered, at: str) -> Given:
    what = row.get("what", "")
    if what in ONE_FIELD:
        told = _scalar(row, at, ONE_FIELD[what])
    elif what == "event_about":
        told = _listed(row, "subjects", f"{at}subjects") or _at(f"{at}subjects", None)
    elif what in GROUPS:
        told = _at(f"{at}new", _rows(row, at, CONDITIONS, _condition))
        if what == "at_least_of":
            count = _scalar(row, at, "count", whole=True)
            told = _at(f"{at}count", {"count": count, "of": told})
    else:
        told = _at(f"{at}what", dict(_named(row, at, FIELDS.get(what, ()))))
    return _at(f"{at}what", {what: told})


def _award(given: Entered) -> dict[str, Given]:
    to = dict(_filled(given, "", ("to",)))
    if given.get("scale") == "per_unit":
        kpi = given.get("unit_kpi", "")
        start = "below" if sentences.lower_is_better(kpi) else "above"
        return {"per_unit": _at("unit_kpi", dict(_per_unit(given, start)))} | to
    if given.get("scale") == "tiers":
        steps = _at("steps_kpi", _rows(given, "", STEPS, _step))
        scale = {"kpi": _scalar(given, "", "steps_kpi"), "steps": steps}
        if n_min := dict(_filled(given, "", ("steps_n_min",), whole=True)):
            scale["n_min"] = n_min["steps_n_min"]
        return {"tiers": _at("steps_kpi", scale)} | to
    return {"points": _scalar(given, "", "points", whole=True)} | to


def _per_unit(given: Entered, start: str) -> Iterator[tuple[str, Given]]:
    yield "kpi", _scalar(given, "", "unit_kpi")
    yield start, _scalar(given, "", "unit_start")
    yield "unit", _scalar(given, "", "unit_unit")
    yield "points", _scalar(given, "", "unit_points", whole=True)
    for name in ("cap", "n_min"):
        for _, number in _filled(given, "", (f"unit_{name}",), whole=True):
            yield name, number


def _step(row: Entered, at: str) -> Given:
    points = _scalar(row, at, "points", whole=True)
    return _at(f"{at}reaches", {"reaches": _scalar(row, at, "reaches"), "points": points})


def _limit(row: Entered, at: str) -> Given:
    numbers = _filled(row, at, ("points", "times"), whole=True)
    return _at(f"{at}points", {"per": _scalar(row, at, "per"), **dict(numbers)})


def _test(row: Entered, at: str) -> Given:
    expected = {"verdict": _scalar(row, at, "verdict")}
    expected |= dict(_filled(row, at, ("points",), whole=True))
    return _at(
        f"{at}name",
        {
            "name": _scalar(row, at, "name"),
            "given": _situation(row.get("given", ""), f"{at}given"),
            "expect": _at(f"{at}verdict", expected),
        },
    )


def _situation(text: str, place: str) -> Given:
    """What a test states, which is written as YAML; a place within it says the line, too."""
    if not text.strip():
        return _at(place, {})
    try:
        return read_yaml(text, place)
    except Misread as misread:
        return Given(_Unreadable(misread), place, place)


class _Unreadable(str):
    """A text that isn't YAML, and why: told once its turn has come."""

    def __new__(cls, misread: Misread) -> _Unreadable:
        text = super().__new__(cls, "…")
        text.misread = misread
        return text

    misread: Misread


def _named(row: Entered, at: str, fields: Sequence[str]) -> Iterator[tuple[str, Given]]:
    for field in fields:
        name = field.strip("()")
        whole, name = name.isupper(), name.lower()
        if field.startswith("("):
            yield from _filled(row, at, (name,), whole=whole)
        else:
            yield name, _scalar(row, at, name, whole=whole)


def _rows(row: Entered, at: str, name: str, one: Callable[[Entered, str], Given]) -> list[Given]:
    return [one(each, f"{at}{name}.{number}.") for number, each in enumerate(row.get(name, []))]


def _filled(
    row: Entered, at: str, names: Sequence[str], *, whole: bool = False
) -> Iterator[tuple[str, Given]]:
    """Those of the fields that something was entered in."""
    for name in names:
        found = _scalar(row, at, name, whole=whole)
        if found.value is not None:
            yield name, found


def _scalar(row: Entered, at: str, name: str, *, whole: bool = False) -> Given:
    text = row.get(name, "").strip()
    return _at(f"{at}{name}", _number(text) if whole and text else text or None)


def _listed(row: Entered, name: str, place: str) -> Given | None:
    """`gold, silver`: a field for several texts."""
    items = [item.strip() for item in row.get(name, "").split(",")]
    found = [_at(place, item) for item in items if item]
    return _at(place, found) if found else None


_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:[ ,\u00a0\u202f][0-9]{3})+")


def _number(text: str) -> int | str:
    """A whole number, thousands apart or not; the text as it is where it isn't one."""
    digits = re.sub(r"[ ,\u00a0\u202f]", "", text) if _THOUSANDS.fullmatch(text) else text
    return int(digits) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", digits, re.ASCII) else text


def _at(place: str, value: object) -> Given:
    return Given(value, place, place)


# --- What is in the way -------------------------------------------------------------------------


# What stands in for a part that can't be read, so that the rest can be looked at all the same.
_STAND_INS: Mapping[str, object] = {
    "code": "x",
    "label": {"en": "x", "fr": "x"},
    "source": "x",
    "starts": "1970",
    "budget": "x",
    "award": {"points": 1},
    "conditions": [{"kpi_is_green": "otif"}],
}


def _mended(fields: Mapping[str, Given], broken: Sequence[str]) -> dict[str, Given]:
    kept = {name: given for name, given in fields.items() if name not in broken}
    return kept | {
        name: Given.of(stand_in, name) for name, stand_in in _STAND_INS.items() if name in broken
    }


def _one_by_one(fields: Mapping[str, Given]) -> Iterator[tuple[str, Misread]]:
    """Read each part by itself, so that one mistake hides no other; each with its part's name."""
    readers: dict[str, Callable[[Given], object]] = {
        "code": Given.code,
        "source": Given.text,
        "starts": Given.text,
        "budget": Given.code,
        "award": read_award,
    }
    for name, read_part in readers.items():
        yield from _tried(name, read_part, fields[name])
    for text in fields["label"].value.values():
        yield from _tried("label", Given.text, text)
    rows: dict[str, Callable[[Given], object]] = {
        "conditions": read_condition,
        "limits": Limit.read,
        "tests": _read_test,
    }
    for name, read_part in rows.items():
        for item in fields[name].value if name in fields else []:
            yield from _tried(name, read_part, item)


def _tried(
    name: str, read_part: Callable[[Given], object], given: Given
) -> Iterator[tuple[str, Misread]]:
    if given.value is None:
        yield name, _empty(given)
        return
    try:
        read_part(given)
    except Misread as misread:
        is_empty = misread.reason.endswith("” is empty.")  # a line to take out of YAML
        yield name, _empty(Given(None, misread.place, "")) if is_empty else misread


def _empty(given: Given) -> Misread:
    return given.refused("there is nothing in it.", "Fill it in.")


def _read_test(given: Given) -> RuleTest:
    unreadable = given.value["given"].value
    if isinstance(unreadable, _Unreadable):
        raise unreadable.misread
    return RuleTest.read(given)


# The parts of the form from top to bottom, by how their fields' names begin.
_FORM = (
    *("on", "starts", "ends", "kinds", "tiers", "countries", "groups", f"{CONDITIONS}.", "new"),
    *("points", "unit", "step", "budget", "limit", "code", "label", "source", "test"),
)


def _place_in_form(problem: Problem) -> int:
    places = (at for at, name in enumerate(_FORM) if problem.field.startswith(name))
    return next(places, len(_FORM))


def _field_of(misread: Misread) -> str:
    """`test.0.given, line 2, column 1` is about the field `test.0.given`."""
    return misread.place.partition(",")[0]


assert {*FIELDS, *ONE_FIELD, *GROUPS, "event_about"} == set(VOCABULARY), (
    "every condition has fields"
)
