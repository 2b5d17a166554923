"""Previews: a letter with invented contents, as its reader would see it."""

from __future__ import annotations

from difflib import get_close_matches

from integrations.mail.letters import LETTERS, Letter, Reader
from integrations.mail.message import Rendered
from integrations.mail.readers import language_of
from integrations.mail.sending import framed
from partner_cx.errors import NotFound
from partner_cx.settings import Settings

SHOWN_TO = "anna.martin@partner.example"


def letter_named(name: str) -> Letter:
    """Raises NotFound, with the nearest name there is."""
    if name not in LETTERS:
        near = get_close_matches(name, LETTERS, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(LETTERS)}."
        raise NotFound(f"There is no letter “{name}”.", remedy=remedy)
    return LETTERS[name]


def invented_reader(settings: Settings, language: str) -> Reader:
    return Reader(SHOWN_TO, "Anna Martin", language_of([language, settings.language]))


def previewed(letter: Letter, settings: Settings, language: str) -> Rendered:
    """A letter with invented contents, in a language."""
    reader = invented_reader(settings, language)
    return framed(letter.preview(settings), letter, reader, settings)
