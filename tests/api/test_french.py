"""French: every text of the pages has its translation, and no translation is left over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from babel.messages.extract import extract

from api import catalogues
from api.catalogues import Translator

Keywords = Mapping[str, tuple[int, int] | None]

HOUSE = Path(__file__).parents[2]
IN_TEMPLATES: Keywords = {"_": None, "_n": (1, 2)}
IN_CODE: Keywords = {"say": None, "text": None, "many": (1, 2)}
PLACES = re.compile(r"\{\w+\}")

Key = str | tuple[str, str]


def texts() -> dict[Key, str]:
    """Every text that a page can show, with where it stands."""
    found: dict[Key, str] = {}
    for path in (HOUSE / "templates").rglob("*.html"):
        if "mail" not in path.relative_to(HOUSE).parts:
            found |= dict.fromkeys(
                extracted(path, "jinja2.ext:babel_extract", IN_TEMPLATES), path.name
            )
    for path in (HOUSE / "api").rglob("*.py"):
        if not {"commands", "migrations", "demo"} & set(path.parts):
            found |= dict.fromkeys(extracted(path, "python", IN_CODE), path.name)
    return found


def extracted(path: Path, method: str, keywords: Keywords) -> Iterator[Key]:
    with path.open("rb") as opened:
        for _, message, _, _ in extract(method, opened, dict(keywords), options={"trimmed": "no"}):
            if message:
                yield message if isinstance(message, str) else (message[0], message[1])


def said() -> Iterator[tuple[str, Key, Key]]:
    for file in sorted(catalogues.FOLDER.glob("*.po")):
        for english, french in catalogues.read(file):
            yield file.name, english, french


def each(said: Key) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else said


def test_every_text_has_its_french():
    missing = {(where, text) for text, where in texts().items() if text not in catalogues.french()}
    assert sorted(missing, key=str) == []


def test_no_french_is_left_over():
    known = texts()
    assert [(file, english) for file, english, _ in said() if english not in known] == []


def test_a_text_in_several_catalogues_says_the_same_in_each():
    translations = defaultdict(set)
    for _, english, french in said():
        translations[english].add(french)
    assert {english: all_ for english, all_ in translations.items() if len(all_) > 1} == {}


def test_nothing_is_left_untranslated():
    assert [english for _, english, french in said() if not all(each(french))] == []


def test_both_languages_fill_the_same_places():
    different = [
        english
        for _, english, french in said()
        for one, other in zip(each(english), each(french), strict=True)
        if set(PLACES.findall(one)) != set(PLACES.findall(other))
    ]
    assert different == []


def test_french_puts_a_space_before_double_signs():
    crowded = re.compile(r"[^\s\u202f][:;?!»](?!//)|[^\u202f][:;?!»](?!//)|«[^\u202f]")
    assert [f for *_, french in said() for f in each(french) if crowded.search(f)] == []


def test_french_has_typographic_apostrophes():
    assert [f for *_, french in said() for f in each(french) if re.search(r"\w'\w", f)] == []


@pytest.mark.parametrize(
    ("language", "count", "told"),
    [
        ("en", 0, "0 lines"),
        ("en", 1, "1 line"),
        ("en", 2_000, "2,000 lines"),
        ("fr", 0, "0 ligne"),
        ("fr", 1, "1 ligne"),
        ("fr", 2_000, "2\u202f000 lignes"),
    ],
)
def test_a_count_takes_its_plural(monkeypatch: pytest.MonkeyPatch, language, count, told):
    one, many = "{count} line", "{count} lines"
    french = {(one, many): ("{count} ligne", "{count} lignes")}
    monkeypatch.setattr(catalogues, "french", lambda: french)
    assert Translator(language).many(one, many, count) == told
