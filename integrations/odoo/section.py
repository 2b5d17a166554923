"""Sections of a mapping: each stream says in a small dataclass what an installation may decide.

A field's type says what is expected, its default what a usual Odoo needs, its `why` what it is
for; so that a file is read, refused with the nearest known word, and written with its reasons, in
one way for all streams.
"""

from __future__ import annotations

import dataclasses
import json
import textwrap
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from integrations.files.mapping import nearest
from partner_cx.errors import Invalid

WIDTH = 96


def said(default: Any, why: str) -> Any:
    """A field of a section: its default, and what it is for. A default may be a dict."""
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={"why": why})
    return dataclasses.field(default=default, metadata={"why": why})


@dataclass(frozen=True)
class Section:
    """A table of the mapping file. Its fields are texts, numbers, yes or no, one of a few words
    (`Literal`), lists of texts, tables of texts, or a domain (`tuple[Any, ...]`).
    """

    NAME: ClassVar[str]
    ABOUT: ClassVar[str] = ""
    READS: ClassVar[bool] = True  # whether it bears on what is read

    @classmethod
    def read(cls, table: Mapping[str, Any], where: str) -> Self:
        """Read the table of a file. Raises Invalid, naming the place, for what isn't understood."""
        hints = _hints(cls)
        for key in table:
            if key not in hints:
                raise _unknown(key, hints, where, f"[{cls.NAME}]")
        return cls(**{key: _fitting(table[key], hints[key], where, cls, key) for key in table})

    def written(self) -> str:
        """The section as a file has it, with what each key is for."""
        lines = [f"[{self.NAME}]"]
        if self.ABOUT:
            lines = [*_comment(self.ABOUT), *lines]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            shown = f"{field.name} = {_toml(value)}"
            lines += [*_comment(field.metadata.get("why", "")), shown if value is not None else ""]
            if value is None:
                lines[-1] = f"# {field.name} ="
        return "\n".join(lines) + "\n"


OPERATORS = (  # of domains
    *("=", "!=", "<", "<=", ">", ">=", "=?", "in", "not in", "any", "not any"),
    *("like", "not like", "ilike", "not ilike", "=like", "=ilike", "child_of", "parent_of"),
)


def _hints(section: type[Section]) -> dict[str, Any]:
    hints = get_type_hints(section)
    return {field.name: hints[field.name] for field in dataclasses.fields(section)}


def _fitting(value: Any, hint: Any, where: str, section: type[Section], key: str) -> Any:
    found, expected = _as(value, hint)
    if expected:
        raise Invalid(
            f"{where}: [{section.NAME}] {key} expects {expected}.",
            remedy="`partner-cx odoo mapping` prints a whole one with its reasons.",
        )
    return found


def _as(value: Any, hint: Any) -> tuple[Any, str]:
    """A value as its field has it, and what was expected when it isn't."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        near = nearest(str(value), map(str, choices), 1)
        guess = f"; did you mean {near[0]}?" if near else ""
        listed = ", ".join(f'"{choice}"' for choice in choices)
        return (value, "") if value in choices else (None, f"one of {listed}{guess}")
    if get_origin(hint) is tuple:
        return _as_several(value, get_args(hint)[0])
    if get_origin(hint) is not None:  # a table of texts
        whole = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        return (value, "") if whole else (None, 'lines of "theirs" = "ours"')
    if hint is bool:
        return (value, "") if isinstance(value, bool) else (None, "true or false")
    if hint is int:
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return (value, "") if whole else (None, "a whole number above 0")
    sound = isinstance(value, str) and value.strip()
    return (value, "") if sound else (None, "a text")


def _as_several(value: Any, each: Any) -> tuple[Any, str]:
    if each is str:
        several = [value] if isinstance(value, str) else value
        whole = isinstance(several, list) and all(isinstance(one, str) for one in several)
        return (tuple(several), "") if whole else (None, 'a list of texts such as ["One", "Other"]')
    if isinstance(value, list) and all(_is_term(term) for term in value) and _is_whole(value):
        return tuple(tuple(term) if isinstance(term, list) else term for term in value), ""
    return None, 'a domain as Odoo has it, such as [["country_id.code", "=", "FR"]]'


def _is_term(term: Any) -> bool:
    if isinstance(term, str):
        return term in ("&", "|", "!")
    if not isinstance(term, list) or len(term) != 3:
        return False
    return isinstance(term[0], str) and term[1] in OPERATORS


def _is_whole(domain: Sequence[Any]) -> bool:
    """Whether each & and | has two terms behind it, and each ! one."""
    missing = 0
    for term in domain:
        is_term = not isinstance(term, str)
        missing = max(missing - 1, 0) if is_term else max(missing, 1) + (term != "!")
    return missing == 0


def unknown_sections(given: Mapping[str, Any], known: Mapping[str, object], where: str) -> None:
    """Refuse what isn't a section. Raises Invalid with the nearest known one."""
    for key in given:
        if key not in known:
            raise _unknown(key, known, where, "")


def _unknown(key: str, known: Mapping[str, object], where: str, place: str) -> Invalid:
    near = nearest(key, known, 1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return Invalid(
        f"{where}: {place + ' ' if place else ''}{key} isn't known.{guess}",
        remedy=f"Known here: {', '.join(known)}.",
    )


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - 2):
        yield f"# {line}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_toml(key)} = {_toml(each)}" for key, each in value.items())
        inside = ", ".join(pairs)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    # JSON's texts, numbers and truths are TOML's too.
    return json.dumps(value, ensure_ascii=False)
