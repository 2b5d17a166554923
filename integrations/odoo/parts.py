"""A stream's part of the mapping: a table of a TOML file, read into the stream's own dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from partner_cx.errors import Invalid

Part = TypeVar("Part")


def read_part(part: type[Part], table: Mapping[str, Any], *, name: str) -> Part:
    """Read the table `[name]` into a dataclass of flags, numbers, texts, words and lists of texts.

    Raises Invalid for a key it hasn't got, with the nearest one it has, and for a value of
    another type.
    """
    kinds = get_type_hints(part)
    known = [each.name for each in fields(part)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise Invalid(
                f"The mapping's [{name}] has no “{key}”.",
                remedy=f"Did you mean “{near[0]}”?" if near else f"It has {', '.join(known)}.",
            )
    return part(
        **{key: _read(kinds[key], given, f"[{name}] {key}") for key, given in table.items()}
    )


def _read(kind: Any, given: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        if given not in get_args(kind):
            raise Invalid(f"{where}: “{given}” isn't one of {', '.join(get_args(kind))}.")
        return given
    if get_origin(kind) is tuple:
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise Invalid(f"{where}: a list of texts is expected.")
        return tuple(given)
    plain = next((each for each in (bool, int, str) if each in (kind, *get_args(kind))), str)
    if type(given) is not plain:
        expected = {bool: "true or false", int: "a whole number", str: "a text"}[plain]
        raise Invalid(f"{where}: {expected} is expected.")
    return given
