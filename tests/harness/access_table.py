"""The table of docs/guide/access.md: every address there is, with who may use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/guide/access.md"
ROLES = (None, "rep", "partner", "manager", "admin")  # in the order of the table's columns

CELLS = re.compile(
    r"^\|\s*`(?P<path>/[^`]*)`\s*\|\s*(?P<method>[A-Z]+)\s*\|(?P<rest>.*)\|\s*$", re.MULTILINE
)


@dataclass(frozen=True)
class PageRow:
    """A page's line: what each of ROLES gets."""

    method: str
    path: str
    answers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class ApiRow:
    """An address of the JSON API: the scope of a token that opens it; None: open to all."""

    method: str
    path: str
    scope: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def rows() -> Iterator[PageRow | ApiRow]:
    for found in CELLS.finditer(PAGE.read_text(encoding="utf-8")):
        cells = tuple(cell.strip(" `") for cell in found["rest"].split("|"))
        if len(cells) == 1:
            scope = None if cells[0] == "none" else cells[0]
            yield ApiRow(found["method"], found["path"], scope)
        else:
            assert len(cells) == len(ROLES), found[0]
            yield PageRow(found["method"], found["path"], cells)


def address(path: str, partner: str) -> str:
    """An address of a route, for a partner where it is about one."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: _example(found[1], path, partner), path)


def _example(name: str, path: str, partner: str) -> str:
    examples = {
        "period": "2026Q2",
        "token": "stale",
        "version": "1",
        "name": "network_quality_bonus",
        "kind": "partners",
        "letter": "sign_in_link",
        "language": "en",
        "key": "close:2026Q2:network_quality_bonus:R1",
    }
    if name == "code":
        about_rule = path.startswith(("/rules", "/budgets", "/api/v1/rules", "/api/v1/drafts"))
        return "network_quality_bonus" if about_rule else partner
    return examples.get(name, "1")
