"""Long lists: fifty rows to a page, the filters kept in the address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Path, Query

T = TypeVar("T")

ROWS = 50

PageNumber = Annotated[int, Query(ge=1, le=100_000)]
Number = Annotated[int, Path(ge=1, lt=2**63)]  # of something of ours, in an address


@dataclass(frozen=True)
class Paged(Generic[T]):
    """A page of a list. before, after: where the pages beside it stand; empty where there is none.

    first: how many rows stand before it.
    """

    rows: Sequence[T]
    before: str
    after: str
    first: int


def offset(number: int) -> int:
    return (number - 1) * ROWS


def paged(found: Sequence[T], number: int, filters: Mapping[str, str] | None = None) -> Paged[T]:
    """A page out of rows that were asked for from `offset` on, with one more than it shows."""
    kept = {name: value for name, value in (filters or {}).items() if value}
    more = len(found) > ROWS

    def to(page: int) -> str:
        return f"?{urlencode({**kept, 'page': page})}"

    return Paged(
        found[:ROWS],
        to(number - 1) if number > 1 else "",
        to(number + 1) if more else "",
        offset(number),
    )


def beside(errors: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """What is wrong with each field, for its place; nothing for the others."""
    return defaultdict(str, errors)
