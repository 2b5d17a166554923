"""Spelling: names compared as people type them, without accents and capitals, on any database.

And which signs there are in a name or a code at all.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

_ACCENTED = "àâäáãåçéèêëîïíìôöóòõøûüúùñÿýšžćčłńśźż"
_WITHOUT = "aaaaaaceeeeiiiioooooouuuunyyszccln" + "szz"
_IN_TWO = {"œ": "oe", "æ": "ae", "ß": "ss"}
_BOTH_CASES = _ACCENTED + _ACCENTED.upper()
_PLAIN = str.maketrans(
    dict(zip(_BOTH_CASES, _WITHOUT * 2, strict=True)) | _IN_TWO | {"Œ": "oe", "Æ": "ae"}
)

# Intake takes no fact that holds one: as a pattern within brackets.
CONTROL_SIGNS = r"\x00-\x1f\x7f"
# Nor can a file hold half of a sign, for which PostgreSQL has no word.
_IN_NO_FACT = re.compile(rf"[{CONTROL_SIGNS}\ud800-\udfff]")


def occurs(text: str) -> bool:
    """Whether a fact could hold a text: a code or a name that is asked for.

    Not whether it can be seen: a space that doesn't break a line is a part of a name, and so is
    what joins two signs into one.
    """
    return not _IN_NO_FACT.search(text)


def without_strange(text: str) -> str:
    """A text without the signs that no fact holds."""
    return _IN_NO_FACT.sub("", text)


def plain(text: str | None) -> str | None:
    """A text as it is compared. SQLite asks for it by the name `as_plain`."""
    return None if text is None else text.translate(_PLAIN).lower()


class as_plain(sa.sql.expression.FunctionElement[str]):  # noqa: N801 - reads as SQL does
    """A column as it is compared, for the database to work out."""

    type = sa.Text()
    inherit_cache = True
    name = "as_plain"


@compiles(as_plain, "sqlite")
def _on_sqlite(element: as_plain, compiler: Any, **kw: Any) -> str:
    return f"as_plain({compiler.process(element.clauses, **kw)})"


@compiles(as_plain, "postgresql")
def _on_postgresql(element: as_plain, compiler: Any, **kw: Any) -> str:
    said = compiler.process(element.clauses, **kw)
    for letter, two in (*_IN_TWO.items(), ("Œ", "oe"), ("Æ", "ae")):
        said = f"replace({said}, '{letter}', '{two}')"
    return f"lower(translate({said}, '{_BOTH_CASES}', '{_WITHOUT * 2}'))"


def contains(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Whether a column holds a text somewhere, however it is spelt."""
    return as_plain(column).contains(plain(text), autoescape=True)
