"""French: every text of the pages has its translation, and no translation is left over."""

from __future__ import annotations

import re
from pathlib import Path

from api.french import FRENCH
from api.pages.definitions import FAMILY_NAMES
from api.pages.partners import KIND_NAMES
from api.pages.told import STATE_WORDS

HOUSE = Path(__file__).parents[2]
IN_TEMPLATES = re.compile(r"""\b_\(\s*"([^"]+)"\s*\)""")
IN_CODE = re.compile(r"""\b(?:say|name)\(\s*"([^"]+)"\s*\)""")


def texts() -> set[str]:
    """Every text that a page can show."""
    templates = (HOUSE / "templates").rglob("*.html")
    code = (HOUSE / "api/pages").rglob("*.py")
    found = {text for path in templates for text in IN_TEMPLATES.findall(path.read_text("utf-8"))}
    found |= {text for path in code for text in IN_CODE.findall(path.read_text("utf-8"))}
    return found | {*FAMILY_NAMES.values(), *KIND_NAMES.values(), *STATE_WORDS.values()}


def test_every_text_has_its_french_and_none_is_left_over():
    assert texts() == set(FRENCH)


def test_both_languages_fill_the_same_places():
    places = re.compile(r"\{\w+\}")
    assert [
        en for en, fr in FRENCH.items() if set(places.findall(en)) != set(places.findall(fr))
    ] == []


def test_french_puts_a_space_before_double_signs():
    assert [text for text in FRENCH.values() if re.search(r"[^\s\u202f][:;?!]", text)] == []
