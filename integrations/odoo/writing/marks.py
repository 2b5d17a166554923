"""Marks: our key in a record of Odoo, by which it is found before a second one is made.

Odoo takes attributes and comments out of HTML, and keeps words. So a mark is small print that
people can read. Its brackets keep entry 12 from being found in entry 123.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ENTRIES = "[Partner CX, entry "  # how the marks of entries begin

_NUMBERED = re.compile(r"\[Partner CX, entry (\d+)\]")
_BEGINS = re.compile(r"\[(Partner CX),", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:/@+-]")


def mark(key: str) -> str:
    """The mark of a key, such as `[Partner CX, entry 123]`.

    It means the same in a text, in HTML and in a search by `ilike`, where some characters stand for
    others: those are written by their numbers.
    """
    return f"[Partner CX, {_UNSAFE.sub(lambda found: f'~{ord(found[0]):x}.', key)}]"


def entry_key(entry_id: int) -> str:
    return f"entry {entry_id}"


def entry_of(text: object) -> int | None:
    """The last entry whose mark a text has; None where it has none."""
    found = _NUMBERED.findall(str(text or ""))
    return int(found[-1]) if found else None


def marked(paragraphs: Iterable[str], key: str) -> str:
    """HTML that ends with a mark. paragraphs: HTML already."""
    shown = (*(unmarkable(each) for each in paragraphs), f"<small>{mark(key)}</small>")
    return "".join(f"<p>{each}</p>" for each in shown)


def unmarkable(text: str) -> str:
    """What people wrote, without anything that would be taken for a mark of ours."""
    return _BEGINS.sub(r"(\1,", text)
