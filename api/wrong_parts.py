"""What was wrong with a request whose parts aren't as its page takes them, in words."""

from __future__ import annotations

import re
from typing import Any

from fastapi.exceptions import RequestValidationError

from api.catalogues import text
from api.render import translator
from partner_cx.quantities import number_text

LONGEST = 60  # of what was given, as much as a sentence bears
MOST = 5

_SAID = {
    "missing": text("{field}: that is missing."),
    "int_parsing": text("{field}: “{given}” isn't a whole number."),
    "int_parsing_size": text("{field}: “{given}” is too large."),
    "less_than_equal": text("{field}: “{given}” is too large: {le} at most."),
    "greater_than_equal": text("{field}: “{given}” is too small: {ge} at least."),
    "string_too_long": text("{field}: that is too long, {max_length} characters at most."),
    "enum": text("{field}: “{given}” isn't one of {expected}."),
    "literal_error": text("{field}: “{given}” isn't one of {expected}."),
}
_OTHERWISE = text("{field}: “{given}” isn't understood.")


def wrong_parts(error: RequestValidationError, language: str) -> list[str]:
    """A sentence for each part that doesn't serve; the first few, if there are many."""
    return [_sentence(each, language) for each in error.errors()[:MOST]]


def _sentence(mistake: dict[str, Any], language: str) -> str:
    say = translator(language)
    known: dict[str, Any] = {
        name: number_text(value, language) if isinstance(value, int) else value
        for name, value in mistake.get("ctx", {}).items()
    }
    if "expected" in known:
        known["expected"] = ", ".join(re.findall(r"'([^']*)'", str(known["expected"])))
    known |= {"field": str(mistake["loc"][-1]), "given": _shown(mistake.get("input"))}
    return say(_SAID.get(mistake["type"], _OTHERWISE)).format_map(known)


def _shown(given: object) -> str:
    shown = "".join(
        sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in f"{given}"
    )
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
