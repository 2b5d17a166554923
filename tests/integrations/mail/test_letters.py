"""Every letter in both languages: whole, alike in both its parts, and in need of nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser

from integrations.mail.letters import LETTERS, Letter, Reader
from integrations.mail.letters.quarterly import Earning, Missed, Quarter
from integrations.mail.letters.quarterly import written as of_quarter
from integrations.mail.letters.surveys import Invitation, survey
from integrations.mail.message import Rendered
from integrations.mail.readers import language_of
from integrations.mail.sending import framed
from integrations.mail.topics import TOPICS
from integrations.mail.written import Text, Written, on_one_line, same
from partner_cx.periods import Period
from partner_cx.words import Words
from tests.harness.mail_server import SETTINGS

HOME = SETTINGS.base_url
ANNA = Reader("anna@d1.example", "Anna", "en")
EACH = [(name, language) for name in LETTERS for language in ("en", "fr")]


def shown(letter: Letter, language: str) -> Rendered:
    reader = replace(ANNA, language=language)
    return framed(letter.preview(SETTINGS), letter, reader, SETTINGS)


class Page(HTMLParser):
    """What an HTML letter says, where it leads, and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.language = ""
        self._said: list[str] = []
        self._silent = 0
        self.feed(html)

    @property
    def said(self) -> str:
        return squeezed(" ".join(self._said))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links += [given["href"]] if tag == "a" else []
        self.loads += [given[name] for name in ("src", "srcset", "background") if name in given]
        self.loads += [given.get("href", "")] if tag == "link" else []
        self.language = given.get("lang", "") if tag == "html" else self.language
        self._silent += tag in ("style", "title", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "title", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._said.append(data)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("name", "language"), EACH)
def test_both_parts_say_all_there_is(name: str, language: str):
    letter = LETTERS[name]
    made, page = shown(letter, language), Page(shown(letter, language).html)
    said = {
        "html": page.said.replace(" ", ""),
        "text": squeezed(made.text.replace("\n  ", " ")).replace(" ", ""),
    }
    written = letter.preview(SETTINGS)
    first = squeezed(written.first.in_(language)).replace(" ", "")
    for words in written.texts():
        text = squeezed(words.in_(language)).replace(" ", "")
        assert text, words
        missing = [part for part, all_ in said.items() if text not in all_]
        assert missing == [] or text in (squeezed(made.subject).replace(" ", ""), first), text


@pytest.mark.parametrize(("name", "language"), EACH)
def test_a_letter_loads_nothing_and_its_links_are_whole(name: str, language: str):
    made = shown(LETTERS[name], language)
    page = Page(made.html)
    assert (page.loads, page.language) == ([], language)
    assert not re.search(r"url\(|@import|@font-face|<script|<form", made.html)
    assert page.links
    assert [link for link in page.links if not link.startswith(f"{HOME}/")] == []
    assert set(re.findall(r"https?://\S+", made.text)) == set(page.links)


@pytest.mark.parametrize(("name", "language"), EACH)
def test_the_style_is_inlined(name: str, language: str):
    html = shown(LETTERS[name], language).html
    assert re.search(r'<h1 style="[^"]*font-size: ?24px', html)
    assert "prefers-color-scheme: dark" in html.replace("prefers-color-scheme:dark", "")[:9000] or (
        "prefers-color-scheme" in html
    )


@pytest.mark.parametrize("name", LETTERS)
def test_only_what_people_ask_for_themselves_cant_be_stopped(name: str):
    letter = LETTERS[name]
    assert (letter.topic is None) == (name == "sign_in_link")
    assert letter.topic in {None, *TOPICS}
    assert ("/letters/stop/" in shown(letter, "fr").html) == (letter.topic is not None)


def test_french_is_typeset_as_french_is():
    texts = [
        words.fr
        for letter in LETTERS.values()
        for words in (*letter.preview(SETTINGS).texts(), letter.because, letter.what)
        if words.fr != words.en  # names and addresses
    ]
    assert [text for text in texts if re.search(r"[^\u202f\s][;?!]|[^\u202f\d]:(?!//)", text)] == []
    assert [text for text in texts if "'" in text] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 800])
def test_letters_fit_their_reader(browser: Browser, width: int):
    page = browser.new_page(viewport={"width": width, "height": 600})
    page.context.route(re.compile("^https?:"), lambda route: route.abort())
    try:
        for letter in LETTERS.values():
            for language in ("en", "fr"):
                page.set_content(shown(letter, language).html)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, letter.name
                buttons = page.locator("a[style*='inline-block']")
                for place in range(buttons.count()):
                    box = buttons.nth(place).bounding_box()
                    assert box is not None
                    assert box["height"] >= 44
    finally:
        page.close()


def test_what_people_wrote_is_shown_as_they_wrote_it():
    nasty = "<script>alert(1)</script> {title} %s & “é”\r\nBcc: x@y.example"
    invitation = Invitation(Words(nasty, nasty), Words(nasty, nasty), 1, 1, "/s")
    made = framed(survey(invitation, SETTINGS), LETTERS["survey"], ANNA, SETTINGS)
    assert "<script>" not in made.html
    assert on_one_line(nasty) in Page(made.html).said
    assert "\n" not in made.subject
    assert "\r" not in made.subject


def test_what_would_turn_a_line_around_or_break_it_is_left_out():
    assert (
        on_one_line("a\u202eb\u2066c\u2069 d\x9b\x0b\u2028e 1\u202f000") == "a b c d e 1\u202f000"
    )


def test_long_words_dont_widen_a_letter(browser: Browser):
    long = same("https://example.com/" + "x" * 200)
    written = Written(long, long, long, (Text(long),))
    page = browser.new_page(viewport={"width": 320, "height": 600})
    try:
        page.set_content(framed(written, LETTERS["survey"], ANNA, SETTINGS).html)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    finally:
        page.close()


@pytest.mark.parametrize(
    ("person", "partner", "programme", "written_in"),
    [
        ("fr", "en", "en", "fr"),
        (None, "fr", "en", "fr"),
        (None, None, "fr", "fr"),
        ("fr-CH", "en", "en", "fr"),
        ("FR_be", None, "en", "fr"),
        ("nl", "fr", "en", "fr"),  # not one that we write
        ("nl", "de", "en", "en"),
        ("", "en", "fr", "en"),
    ],
)
def test_the_language_is_the_persons_then_the_partners_then_the_programmes(
    person: str | None, partner: str | None, programme: str, written_in: str
):
    assert language_of([person, partner, programme]) == written_in


def earnings(*points: int) -> tuple[Earning, ...]:
    return tuple(Earning(same("Course"), each, same("Done.")) for each in points)


@pytest.mark.parametrize(
    ("earned", "missed", "says", "never"),
    [
        ((5,), 0, ["What came in\n"], ["went out", "missing"]),
        ((5, -3), 0, ["What came in and went out", "−3 points"], []),
        ((), 1, ["No points came in", "Below is what was missing", "Worth: 50"], ["What came in"]),
        ((), 0, ["No points came in"], ["missing", "What came in"]),
        ((5,) * 9, 0, ["and one entry more."], []),
        ((5,) * 10, 10, ["and 2 entries more.", "and 2 more."], []),
    ],
    ids=["gains", "losses too", "nothing but a miss", "nothing", "nine", "ten"],
)
def test_a_quarter_says_what_there_was(
    earned: tuple[int, ...], missed: int, says: list[str], never: list[str]
):
    a_miss = Missed(same("Bonus"), same("50 points"), same("Late."), ())
    quarter = Quarter(
        "Lyon", Period.parse("2026Q2"), 7, 0, earnings(*earned), (a_miss,) * missed, f"{HOME}/x"
    )
    text = framed(of_quarter(quarter), LETTERS["quarterly_digest"], ANNA, SETTINGS).text
    assert [each for each in says if each not in text] == []
    assert [each for each in never if each in text] == []
