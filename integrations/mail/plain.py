"""Plain text: a letter set in lines, for programs and people that read mail without HTML. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from functools import singledispatch

from integrations.mail.written import (
    Aside,
    Block,
    Button,
    Facts,
    Heading,
    Item,
    Items,
    Text,
    Written,
)
from partner_cx.words import COLON

WIDTH = 72
SIGNATURE = "-- "  # by which mail programs know where a letter ends


def in_lines(written: Written, language: str, small_print: Iterable[str]) -> str:
    """The whole letter. small_print: what stands below it."""
    title = written.title.in_(language)
    parts = [[*_wrapped(title), "=" * min(len(title), WIDTH)]]
    parts += [list(_lines(block, language)) for block in written.blocks]
    parts += [[SIGNATURE, *(line for each in small_print for line in _wrapped(each))]]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


@singledispatch
def _lines(block: Block, language: str) -> Iterator[str]:
    raise AssertionError(f"{block} in {language}")


@_lines.register(Text)
@_lines.register(Aside)
def _(block: Text | Aside, language: str) -> Iterator[str]:
    yield from _wrapped(block.words.in_(language))


@_lines.register
def _(block: Heading, language: str) -> Iterator[str]:
    said = block.words.in_(language)
    yield from _wrapped(said)
    yield "-" * min(len(said), WIDTH)


@_lines.register
def _(block: Button, language: str) -> Iterator[str]:
    yield (block.words.in_(language) + COLON.in_(language)).rstrip()
    yield block.address


@_lines.register
def _(block: Facts, language: str) -> Iterator[str]:
    for row in block.rows:
        yield from _wrapped(row.name.in_(language) + COLON.in_(language) + row.value.in_(language))


@_lines.register
def _(block: Items, language: str) -> Iterator[str]:
    for item in block.items:
        yield from _item(item, language)


def _item(item: Item, language: str) -> Iterator[str]:
    said = item.title.in_(language)
    if item.value:
        said += COLON.in_(language) + item.value.in_(language)
    yield from _wrapped(said, "* ", "  ")
    for detail in item.details:
        yield from _wrapped(detail.in_(language), "  ", "  ")
    if item.address:
        yield f"  {item.address}"


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    # Words aren't cut, so that an address stays one that can be clicked.
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
