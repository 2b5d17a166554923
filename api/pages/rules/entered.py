"""What somebody entered in the form of a rule: rows and fields, as they were typed.

Before it stands a browser, which sends names and texts; after it `form`, which reads a rule out of
them. A name says where its field stands: `c.0.c.1.kpi` is the KPI of the second condition inside
the first one. Nothing is judged here, and what isn't a field of the form is left aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

# Texts by name; under the names of ROWS, rows of the same kind; under `kinds`, several texts.
Entered: TypeAlias = dict[str, Any]

CONDITIONS, STEPS, LIMITS, TESTS = "c", "step", "limit", "test"
ROWS = (CONDITIONS, STEPS, LIMITS, TESTS)
SEVERAL = "kinds"
DEPTH_MAX = 3  # conditions within conditions within conditions
_NAME = re.compile(rf"(?:[a-z]+\.[0-9]{{1,3}}\.){{0,{DEPTH_MAX}}}[a-z_]+")
_ADD = re.compile(rf"add:((?:c\.[0-9]{{1,3}}\.){{0,{DEPTH_MAX - 1}}})([a-z]+)")
_REMOVE = re.compile(
    rf"remove:((?:[a-z]+\.[0-9]{{1,3}}\.){{0,{DEPTH_MAX - 1}}}[a-z]+)\.([0-9]{{1,3}})"
)


def entered(pairs: Iterable[tuple[str, object]]) -> Entered:
    """What a browser sent, in its places."""
    top: Entered = {}
    for name, value in pairs:
        if isinstance(value, str) and _NAME.fullmatch(name):
            _put(top, name.split("."), value.replace("\r\n", "\n"))
    return _in_order(top)


def flat(row: Entered, at: str = "") -> Iterator[tuple[str, str]]:
    """The names and texts that a browser would send for it."""
    for name, value in row.items():
        if name in ROWS:
            for number, inner in enumerate(value):
                yield from flat(inner, f"{at}{name}.{number}.")
        elif isinstance(value, list):
            yield from ((f"{at}{name}", each) for each in value)
        else:
            yield f"{at}{name}", value


def changed(given: Entered, act: str) -> Entered | None:
    """The form with a row more or a row less, as a button asked; None: it asked something else.

    What a new condition is about stands in the field `new` beside its button.
    """
    if added := _ADD.fullmatch(act):
        row = _row(given, added[1])
        if row is not None and added[2] in ROWS:
            row.setdefault(added[2], []).append(_new(row, added[2]))
            return given
    if removed := _REMOVE.fullmatch(act):
        *path, name = removed[1].split(".")
        row = _row(given, ".".join([*path, ""]) if path else "")
        rows, number = (row or {}).get(name, []), int(removed[2])
        if name in ROWS and number < len(rows):
            del rows[number]
            return given
    return None


def _new(row: Entered, name: str) -> Entered:
    if name != CONDITIONS:
        return {}
    return {"what": row.get("new") or "kpi_is_green"}


def _put(row: Entered, path: list[str], value: str) -> None:
    *way, last = path
    for name, number in zip(way[::2], way[1::2], strict=True):
        if name not in ROWS:
            return
        row = row.setdefault(name, {}).setdefault(int(number), {})
    if last in ROWS:
        return
    if last == SEVERAL:
        row.setdefault(last, []).append(value)
    else:
        row[last] = value


def _in_order(row: Entered) -> Entered:
    """Rows by their numbers, whatever numbers are missing."""
    return {
        name: [_in_order(value[number]) for number in sorted(value)] if name in ROWS else value
        for name, value in row.items()
    }


def _row(given: Entered, at: str) -> Entered | None:
    """The row that `c.0.c.1.` leads to; None where there is none."""
    path, row = at.split(".")[:-1], given
    for name, number in zip(path[::2], path[1::2], strict=True):
        rows = row.get(name, [])
        if int(number) >= len(rows):
            return None
        row = rows[int(number)]
    return row
