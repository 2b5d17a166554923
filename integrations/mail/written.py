"""A letter as it is written: its sentences in order, before they become HTML and plain text.

Before it stand `letters`, which compose one from what is on record. After it `rendering`, which
sets it twice, so that both parts say the same. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import singledispatch
from typing import Any, ClassVar, TypeAlias

from partner_cx.quantities import number_text, points_text
from partner_cx.words import Words

_TURNS_OR_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Text:
    """A paragraph. strong: the one thing to be read where no more is."""

    kind: ClassVar = "text"
    words: Words
    strong: bool = False


@dataclass(frozen=True)
class Heading:
    """What stands over what follows."""

    kind: ClassVar = "heading"
    words: Words


@dataclass(frozen=True)
class Button:
    """What there is to do, with the absolute address where it is done."""

    kind: ClassVar = "button"
    words: Words
    address: str


@dataclass(frozen=True)
class Fact:
    """A name with its value."""

    name: Words
    value: Words


@dataclass(frozen=True)
class Facts:
    """Values below each other, each after its name."""

    kind: ClassVar = "facts"
    rows: tuple[Fact, ...]


@dataclass(frozen=True)
class Item:
    """One of several things. value: such as its points. details: a sentence each."""

    title: Words
    value: Words | None = None
    details: tuple[Words, ...] = ()
    address: str | None = None


@dataclass(frozen=True)
class Items:
    """Several things of a kind."""

    kind: ClassVar = "items"
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Aside:
    """What is good to know, in smaller print."""

    kind: ClassVar = "aside"
    words: Words


Block: TypeAlias = Text | Heading | Button | Facts | Items | Aside


@dataclass(frozen=True)
class Written:
    """A whole letter without its frame, in both languages.

    subject: of the mail. first: what programs show beside the subject before it is opened.
    """

    subject: Words
    first: Words
    title: Words
    blocks: tuple[Block, ...]

    def texts(self) -> list[Words]:
        """Every text there is, in the order in which it is read."""
        return [self.subject, self.first, self.title, *_texts(self.blocks)]


@singledispatch
def _texts(part: Any) -> list[Words]:
    return [text for field in fields(part) for text in _texts(getattr(part, field.name))]


@_texts.register
def _(words: Words) -> list[Words]:
    return [words]


@_texts.register(tuple)
def _(parts: tuple[Any, ...]) -> list[Words]:
    return [text for part in parts for text in _texts(part)]


@_texts.register(str)
@_texts.register(bool)
@_texts.register(type(None))
def _(_value: Any) -> list[Words]:
    return []


# --- Values in words ------------------------------------------------------------------------------


def same(text: str) -> Words:
    """What is said alike in both languages: a name, an address."""
    return Words(text, text)


def gained(count: int) -> Words:
    """`+250 points`, `−40 points`."""
    sign = "+" if count > 0 else "−" if count < 0 else ""
    return Words(*(sign + points_text(abs(count), language) for language in ("en", "fr")))


def one_or_more(count: int, one: Words, more: Words, **values: object) -> Words:
    """The singular or the plural; French counts from two. `{n}` is the number.

    values: of other named places. Filled in beforehand, a brace in a name would be one more place.
    """
    said = Words(one.en if count == 1 else more.en, one.fr if count < 2 else more.fr)
    number = Words(number_text(count, "en"), number_text(count, "fr"))
    return said.format(n=number, **values)


def on_one_line(text: str) -> str:
    """A text without line breaks and control characters; unbreakable spaces stay.

    Nor what turns the direction round: it would turn what stands behind it on the line as well.
    """
    return _TURNS_OR_BREAKS.sub(" ", text).strip(" ")


def shortened(text: str, most: int) -> str:
    """A text on one line, cut between words where it is too long."""
    line = on_one_line(text)
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0] + " …"
