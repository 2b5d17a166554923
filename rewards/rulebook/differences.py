"""What is different between two versions of a rule: field by field, and line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from rewards.reading import write_yaml
from rewards.rules import Rule

UNSAID = ("version",)  # differs anyhow


@dataclass(frozen=True)
class Line:
    """A line of YAML: in both versions, only before, or only after."""

    text: str
    change: str  # "same", "gone", "new"


def changed_fields(before: Rule, after: Rule) -> list[str]:
    """The fields that say something else, as a rule names them, in its order."""
    one, other = before.to_plain(), after.to_plain()
    names = dict.fromkeys((*other, *one))
    return [name for name in names if name not in UNSAID and one.get(name) != other.get(name)]


def changed_lines(before: Rule, after: Rule) -> list[Line]:
    """Both as one text, with what is gone and what is new."""
    return list(_lines(_text(before), _text(after)))


def _lines(one: list[str], other: list[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, first, last, other_first, other_last in matcher.get_opcodes():
        if kind == "equal":
            yield from (Line(text, "same") for text in one[first:last])
            continue
        yield from (Line(text, "gone") for text in one[first:last])
        yield from (Line(text, "new") for text in other[other_first:other_last])


def _text(rule: Rule) -> list[str]:
    plain = {name: value for name, value in rule.to_plain().items() if name not in UNSAID}
    return write_yaml(plain).splitlines()
