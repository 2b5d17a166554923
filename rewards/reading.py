"""Strict reading of plain data: a rule's YAML, and any value that somebody hands in.

Before it stands a file that a manager wrote, or a stored version; after it `rules` and
`conditions`, which take each value out by its kind. Nothing is guessed: a value of another kind,
an unknown field or a field given twice is refused with its place, the reason and a remedy.
YAML's conveniences that surprise (`on` read as true, 010 as eight, aliases that unfold without
end) don't exist here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import yaml

from partner_cx.errors import Invalid
from partner_cx.network.names import NARROWER, PartnerKind
from partner_cx.words import Words

BYTES_MAX = 100_000
DEPTH_MAX = 20
TEXT_MAX = 2_000

Choice = TypeVar("Choice", bound=StrEnum)


class Misread(Invalid):
    """A value that can't be taken as it is written.

    place: where it stands; empty where that isn't known. reason: what is wrong with it.
    """

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        super().__init__(f"{place}: {reason}", remedy=remedy)
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class Given:
    """A value that somebody wrote, and where.

    value: a dict of Given by field, a list of Given, or a text, int, bool, float or None.
    place: `bonus.yaml, line 4, column 9`, or the path into stored data.
    named_at: the place of the field's name; the value's own place where it has no name.
    """

    value: Any
    place: str
    named_at: str

    @classmethod
    def of(cls, plain: object, place: str) -> Given:
        """Wrap plain data, as JSON gives it back."""
        value: Any = plain
        if isinstance(plain, dict):
            value = {str(k): cls.of(v, f"{place}.{k}") for k, v in plain.items()}
        elif isinstance(plain, list | tuple):
            value = [cls.of(item, f"{place}[{i}]") for i, item in enumerate(plain)]
        return cls(value, place, place)

    def refused(self, reason: str, remedy: str) -> Misread:
        """The error to raise about this value."""
        return Misread(self.place, reason, remedy)

    @property
    def shown(self) -> str:
        """The value as a message quotes it."""
        if isinstance(self.value, dict):
            return "a set of fields"
        if isinstance(self.value, list):
            return "a list"
        text = {None: "nothing", True: "true", False: "false"}.get(self.value, str(self.value))
        return f"“{text[:60]}”" if self.value is not None else text

    def fields(self, *, required: Collection[str], optional: Collection[str] = ()) -> Fields:
        """The fields by name. One that is written and left empty is refused: with the lines of
        “for” commented out, a rule would pay everyone.
        """
        known = [*required, *optional]
        if not isinstance(self.value, dict):
            raise self.refused(
                f"expected the fields {', '.join(known)}, found {self.shown}.",
                "Write one field per line, as in “name: value”.",
            )
        for name, given in self.value.items():
            if name not in known:
                raise Misread(
                    given.named_at,
                    f"“{name[:60]}” isn't a field here.",
                    _did_you_mean(name, known),
                )
            if given.value is None:
                remedy = "Give it a value" + (
                    "." if name in required else ", or take the line out."
                )
                raise given.refused(f"“{name}” is empty.", remedy)
        for name in required:
            if name not in self.value:
                raise self.refused(f"the field “{name}” is missing.", f"Add a line “{name}: …”.")
        return Fields(self.value)

    def only_field(self, known: Collection[str]) -> tuple[str, Given]:
        """The one field of a thing that is told by its name, such as a condition."""
        fields = self.fields(required=(), optional=known)
        if len(fields) != 1:
            raise self.refused(
                f"expected exactly one of {', '.join(known)}, found {len(fields)}.",
                "Begin each with a dash of its own, as in “- kpi_is_green: otif”.",
            )
        return next(iter(fields.items()))

    def items(self) -> list[Given]:
        """A list with something in it."""
        if not isinstance(self.value, list):
            raise self.refused(
                f"expected a list, found {self.shown}.",
                "Begin each item with a dash on its own line, or write [first, second].",
            )
        if not self.value:
            raise self.refused("the list is empty.", "Put something in it, or leave it out.")
        return list(self.value)

    def text(self) -> str:
        """A text with something in it, without the space around it."""
        if not isinstance(self.value, str):
            quoted = f'"{self.value}"' if isinstance(self.value, int) else '"…"'
            raise self.refused(
                f"expected a text, found {self.shown}.", f"Put it in quotes: {quoted}."
            )
        text = self.value.strip()
        if not text:
            raise self.refused("the text is empty.", "Write a few words.")
        if len(text) > TEXT_MAX:
            raise self.refused(
                f"the text has {len(text):,} characters.", f"Keep it under {TEXT_MAX:,}."
            )
        if not text.replace("\n", "").isprintable():
            raise self.refused("the text holds an invisible control character.", "Take it out.")
        return text

    def line(self) -> str:
        """A text on one line."""
        text = self.text()
        if "\n" in text:
            raise self.refused("the text has several lines.", "Write one line.")
        return text

    def code(self) -> str:
        """A code: what people type to name a thing."""
        text = self.text()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}", text):
            raise self.refused(
                f"{self.shown} isn't a code.",
                "Use letters without accents, digits, and - _ . : between them.",
            )
        return text

    def group(self) -> str:
        """The code of a group that can exist: what it is about, and its name: `tier:gold`."""
        text = self.text()
        if not re.fullmatch(r"[^:]+:[^\s:].{0,99}", text):
            raise self.refused(
                f"{self.shown} isn't a group.",
                "Write kind:reseller, tier:gold, region:Bretagne, country:FR or group:pilot.",
            )
        about, _, name = text.partition(":")
        if about not in NARROWER:
            raise self.refused(f"“{about[:60]}” begins no group.", _did_you_mean(about, NARROWER))
        if about == "kind":
            Given(name, self.place, self.named_at).choice(PartnerKind)
        return text

    def known_code(self, known: Collection[str], what: str) -> str:
        """A code that must be one of those that exist."""
        code = self.code()
        if code not in known:
            raise self.refused(f"there is no {what} “{code}”.", _did_you_mean(code, known))
        return code

    def whole_number(self, lowest: int, highest: int) -> int:
        """An int within bounds; neither true, nor 500.0, nor "500" is one."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.refused(
                f"{self.shown} isn't a whole number.",
                "Write digits only, without quotes, decimals or spaces: 500.",
            )
        if not lowest <= self.value <= highest:
            raise self.refused(
                f"{self.value} is out of bounds.", f"Choose from {lowest:,} to {highest:,}."
            )
        return self.value

    def yes_or_no(self) -> bool:
        """A bool: neither “yes” nor 1 is one."""
        if not isinstance(self.value, bool):
            raise self.refused(f"{self.shown} is neither true nor false.", "Write true or false.")
        return self.value

    def day(self) -> date:
        """A calendar day."""
        written = str(self.value)
        try:
            return date.fromisoformat(written if len(written) == 10 else "")
        except ValueError:
            raise self.refused(f"{self.shown} isn't a day.", "Write 2026-04-01.") from None

    def choice(self, choices: type[Choice]) -> Choice:
        """One of a few words."""
        known = [choice.value for choice in choices]
        if self.value not in known:
            raise self.refused(
                f"{self.shown} isn't a choice here.", _did_you_mean(str(self.value), known)
            )
        return choices(self.value)

    def words(self) -> Words:
        """The same text in both languages; neither may be forgotten."""
        fields = self.fields(required=("en", "fr"))
        return Words(en=fields["en"].text(), fr=fields["fr"].text())


class Fields(dict[str, Given]):
    """The fields that were given, by name."""


def some_items(given: Given | None) -> list[Given]:
    """The items of a list that may be left out."""
    return given.items() if given else []


def read_yaml(text: str, origin: str) -> Given:
    """Read one YAML document into values that know their places.

    origin: what messages call the text, usually the file's name.
    """
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise Misread(
            origin,
            f"larger than {BYTES_MAX // 1000} kB.",
            "A rule fits on a page: check that this is the right file.",
        )
    try:
        _look_over(text, origin)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _malformed(error, origin) from error
    except yaml.YAMLError as error:
        raise Misread(
            origin,
            "it holds a character that doesn't belong in a text.",
            "Save the file as UTF-8 text.",
        ) from error
    if node is None:
        raise Misread(origin, "nothing in it.", "Start from a rule in templates/rules.")
    return _given(node, origin)


def write_yaml(plain: object) -> str:
    """Write plain data as the YAML that `read_yaml` reads back to the same."""
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)


class _Loader(yaml.SafeLoader):
    """Reads the structure only; what a scalar is, is decided by the rules below."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]


class _Dumper(yaml.SafeDumper):
    """Quotes exactly what the loader would take for something else than a text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def ignore_aliases(self, data: object) -> bool:
        return True


for _either in (_Loader, _Dumper):
    _either.add_implicit_resolver(
        "tag:yaml.org,2002:int", re.compile(r"^(0|-?[1-9][0-9]{0,17})$"), list("-0123456789")
    )
    _either.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf")
    )
    _either.add_implicit_resolver(
        "tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""]
    )


def _text_as_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else "")


_Dumper.add_representer(str, _text_as_block)


def _look_over(text: str, origin: str) -> None:
    """Refuse what unfolds, nests without end, or comes in several documents, before composing."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        place = _place(event.start_mark, origin)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Misread(
                place,
                "anchors and aliases (& and *) aren't allowed.",
                "Write the value out again; put a text that begins with & or * in quotes.",
            )
        if getattr(event, "tag", None):
            raise Misread(
                place,
                "tags (!) aren't allowed.",
                "Take the tag out; put a text that begins with ! in quotes.",
            )
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise Misread(place, "a second document begins.", "One rule per file.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise Misread(place, f"nested more than {DEPTH_MAX} deep.", "Write it more plainly.")


def _given(node: yaml.Node, origin: str, named_at: str = "") -> Given:
    place = _place(node.start_mark, origin)
    return Given(_value(node, origin), place, named_at or place)


def _value(node: yaml.Node, origin: str) -> object:
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(node, origin))
    if isinstance(node, yaml.SequenceNode):
        return [_given(item, origin) for item in node.value]
    match node.tag.rpartition(":")[2]:
        case "int":
            return int(node.value)
        case "bool":
            return node.value == "true"
        case "null":
            return None
    return node.value


def _pairs(node: yaml.MappingNode, origin: str) -> Iterator[tuple[str, Given]]:
    first_seen: dict[str, str] = {}
    for key, value in node.value:
        place = _place(key.start_mark, origin)
        if not isinstance(key, yaml.ScalarNode):
            raise Misread(place, "a field's name must be a word.", "Name the field.")
        if key.value in first_seen:
            raise Misread(
                place,
                f"“{key.value[:60]}” is given twice, first at {first_seen[key.value]}.",
                "Keep one of them.",
            )
        first_seen[key.value] = place.removeprefix(f"{origin}, ")
        yield key.value, _given(value, origin, named_at=place)


def _malformed(error: yaml.MarkedYAMLError, origin: str) -> Misread:
    problem = error.problem or "it can't be read"
    unfinished = "end of stream" in problem  # where it began tells more than where the file ends
    mark = error.context_mark if unfinished else error.problem_mark
    place = _place(mark, origin) if mark else origin
    if "'\\t'" in problem:
        return Misread(place, "a tab.", "Indent with spaces.")
    return Misread(
        place,
        f"this isn't YAML ({problem}).",
        "Check the colons, the indentation and the quotes around this place.",
    )


def _place(mark: Any, origin: str) -> str:
    return f"{origin}, line {mark.line + 1}, column {mark.column + 1}"


def _did_you_mean(word: str, known: Collection[str]) -> str:
    near = get_close_matches(word, known, n=1)
    if near:
        return f"Did you mean “{near[0]}”?"
    return f"Choose from {', '.join(known)}." if known else "Take it out."
