"""Rendering: a written letter set as HTML with its style inlined, and as plain text.

Before it stand `letters`, after it `message`, which puts both into one mail. Neither part needs
anything from elsewhere: no pictures, no fonts, no scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from integrations.mail.plain import in_lines
from integrations.mail.written import Written
from partner_cx.words import Words

TEMPLATES = Path(__file__).parents[2] / "templates" / "mail"

STOP = Words("No more letters of this kind", "Ne plus recevoir ces courriels")

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Frame:
    """What stands around a letter.

    sender: who it is from, as people know the programme. home: where its pages are.
    because: why the reader gets it. stop: where such letters are stopped; None: they can't be.
    """

    language: str
    sender: str
    home: str
    because: Words
    stop: str | None = None


def html(written: Written, frame: Frame) -> str:
    """The part that most people see."""
    made = _environment.get_template("letter.html").render(
        letter=written, frame=frame, stop_words=STOP, say=lambda words: words.in_(frame.language)
    )
    return _inliner().inline(made)


def text(written: Written, frame: Frame) -> str:
    """The part for whoever reads mail as text."""
    return in_lines(written, frame.language, _small_print(frame))


def _small_print(frame: Frame) -> list[str]:
    told = [f"{frame.sender}, {frame.home}", frame.because.in_(frame.language)]
    if frame.stop:
        told += [f"{_colon(STOP, frame.language)} {frame.stop}"]
    return told


def _colon(words: Words, language: str) -> str:
    return words.in_(language) + ("\u202f:" if language == "fr" else ":")


@cache
def _inliner() -> css_inline.CSSInliner:
    style = (TEMPLATES / "letter.css").read_text("utf-8")
    # Media queries can't be inlined: they stay in the head, for programs that know them.
    return css_inline.CSSInliner(extra_css=style, keep_at_rules=True, load_remote_stylesheets=False)
