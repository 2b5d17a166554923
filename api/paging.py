"""Pages of a list: fifty rows at a time, the page in the address, with ways on and back.

Three ways to one: a list that is at hand whole (`paged`), rows of a list whose length is known
(`of_page`, or `ways` alone), and rows that were asked for with one more than a page shows
(`one_more`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from api.addresses import asked_besides
from api.render import translator
from partner_cx.quantities import number_text

T = TypeVar("T")

ROWS = 50
PAGES_MOST = 1_000_000
# What an endpoint takes `?page=` as. Beyond the last page there is nothing, which is said.
PageAsked = Annotated[int, Query(alias="page", ge=1, le=PAGES_MOST)]
# The same for lists that share a page with others, each under a name of its own.
PageNumber = Annotated[int, Query(ge=1, le=PAGES_MOST)]


@dataclass(frozen=True)
class Ways:
    """The ways from one page of a list to the others: finished addresses, empty where none leads.

    told: which of how many rows these are; empty where that is plain, or not known.
    """

    before: str = ""
    after: str = ""
    told: str = ""


@dataclass(frozen=True)
class Paged(Ways, Generic[T]):
    """Some rows of a list, with the ways to the others."""

    rows: Sequence[T] = ()


def offset(number: int, rows: int = ROWS) -> int:
    """How many rows stand before a page."""
    return (number - 1) * rows


def ways(
    request: Request,
    number: int,
    total: int,
    language: str,
    *,
    name: str = "page",
    anchor: str = "",
    rows: int = ROWS,
) -> Ways:
    """The ways from one page to the others of a list so long.

    name: what the list's place is called in the address. anchor: where on the page it stands.
    rows: how many a page shows.
    """
    start = offset(number, rows)
    told = ""
    if total > rows or number > 1:
        say = translator(language)
        told = say("{first} to {last} of {total}").format(
            first=number_text(min(start + 1, total), language),
            last=number_text(min(start + rows, total), language),
            total=number_text(total, language),
        )
    return Ways(
        before=same_page(request, anchor, **{name: number - 1}) if number > 1 else "",
        after=same_page(request, anchor, **{name: number + 1}) if start + rows < total else "",
        told=told,
    )


def paged(request: Request, rows: Sequence[T], number: int, language: str) -> Paged[T]:
    """A page of a list that is at hand whole."""
    start = offset(number)
    return of_page(request, rows[start : start + ROWS], len(rows), number, language)


def of_page(
    request: Request, rows: Sequence[T], total: int, number: int, language: str
) -> Paged[T]:
    """A page of which the database gave the rows alone. total: of the whole list."""
    there = ways(request, number, total, language)
    return Paged(there.before, there.after, there.told, rows)


def one_more(request: Request, found: Sequence[T], number: int, anchor: str = "") -> Paged[T]:
    """A page out of rows asked for from `offset` on, with one more than it shows."""
    return Paged(
        before=same_page(request, anchor, page=number - 1) if number > 1 else "",
        after=same_page(request, anchor, page=number + 1) if len(found) > ROWS else "",
        rows=found[:ROWS],
    )


def same_page(request: Request, anchor: str = "", **changed: object) -> str:
    """This page's address, filters and all, with some parameters changed; None takes one out."""
    kept = asked_besides(request, *changed, "lang", "said")
    named = [(k, v) for k, v in changed.items() if v is not None]
    return f"?{urlencode([*kept, *named])}{f'#{anchor}' if anchor else ''}"
