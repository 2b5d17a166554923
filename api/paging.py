"""Pages of a list: fifty rows at a time, the page in the address, with ways on and back.

Three ways to one: a list that is at hand whole (`paged`), rows of a list whose length is known
(`of_page`), and rows that were asked for with one more than a page shows (`one_more`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from api.render import translator
from partner_cx.quantities import number_text

T = TypeVar("T")

ROWS = 50
# What an endpoint takes `?page=` as. Beyond the last page there is nothing, which is said.
PageAsked = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Paged(Generic[T]):
    """Some rows of a list. before, after: finished addresses, empty where there are none.

    told: which of how many they are; empty where that is plain, or not known.
    """

    rows: Sequence[T]
    before: str
    after: str
    told: str = ""


def offset(number: int) -> int:
    """How many rows stand before a page."""
    return (number - 1) * ROWS


def paged(request: Request, rows: Sequence[T], number: int, language: str) -> Paged[T]:
    """A page of a list that is at hand whole."""
    start = offset(number)
    return of_page(request, rows[start : start + ROWS], len(rows), number, language)


def of_page(
    request: Request, rows: Sequence[T], total: int, number: int, language: str
) -> Paged[T]:
    """A page of which the database gave the rows alone. total: of the whole list."""
    start = offset(number)
    told = ""
    if total > ROWS:
        say = translator(language)
        told = say("{first} to {last} of {total}").format(
            first=number_text(min(start + 1, total), language),
            last=number_text(min(start + ROWS, total), language),
            total=number_text(total, language),
        )
    return Paged(
        rows,
        before=_address(request, number - 1) if number > 1 else "",
        after=_address(request, number + 1) if start + ROWS < total else "",
        told=told,
    )


def one_more(request: Request, found: Sequence[T], number: int, anchor: str = "") -> Paged[T]:
    """A page out of rows asked for from `offset` on, with one more than it shows.

    anchor: where on the page the list stands, if not at its beginning.
    """
    return Paged(
        found[:ROWS],
        before=_address(request, number - 1, anchor) if number > 1 else "",
        after=_address(request, number + 1, anchor) if len(found) > ROWS else "",
    )


def _address(request: Request, number: int, anchor: str = "") -> str:
    """This page's own address, filters and all, at another page of the list."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in ("page", "said")]
    return f"?{urlencode([*kept, ('page', number)])}{f'#{anchor}' if anchor else ''}"
