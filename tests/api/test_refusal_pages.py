"""A page that refuses says what was wrong with what was asked, and leads on."""

from __future__ import annotations

import html

import pytest
import sqlalchemy as sa

from tests.harness.cast import HOME_ADDRESS, signed_in, the_cast

HOME = {"Origin": HOME_ADDRESS}


@pytest.fixture
def programme(closed: sa.Engine) -> sa.Engine:
    the_cast(closed)
    return closed


@pytest.mark.parametrize(
    ("address", "said", "in_french"),
    [
        (
            "/partners?page=x",
            "page: “x” isn't a whole number.",
            "page\u202f: «\u202fx\u202f» n’est pas un nombre entier.",
        ),
        (
            "/partners?page=0",
            "page: “0” is too small: 1 at least.",
            "«\u202f0\u202f» est trop petit",
        ),
        ("/journal?by=" + "x" * 300, "by: that is too long", "200 caractères au plus"),
        ("/partners?format=pdf", "format: “pdf” isn't one of", "«\u202fpdf\u202f» n’est pas parmi"),
        ("/partners?sort=purple", "“purple” isn't one of", "«\u202fpurple\u202f» n’est pas parmi"),
        ("/groups?by=purple", "“purple” isn't one of", "«\u202fpurple\u202f» n’est pas parmi"),
        ("/network/2026Q5", "“2026Q5” isn't a period.", "n’est pas une période"),
    ],
)
def test_what_was_wrong_is_said(programme: sa.Engine, address: str, said: str, in_french: str):
    manager = signed_in(programme, "manager")
    sep = "&" if "?" in address else "?"
    answer = manager.get(address)
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert ("A period is written" in answer.text) is False
    french = manager.get(f"{address}{sep}lang=fr")
    assert in_french in html.unescape(french.text)
    assert "isn't" not in html.unescape(french.text)


def test_what_was_asked_stays_text(programme: sa.Engine):
    page = signed_in(programme, "manager").get("/partners?page=<script>").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_very_long_wrong_value_is_cut_short(programme: sa.Engine):
    page = signed_in(programme, "manager").get("/partners?page=" + "9" * 3000 + "x").text
    assert "9" * 100 not in page[page.index("<main") :].split("</main>")[0]


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("/partners?page=x", "/partners"),
        ("/rules/nothing-like-it", "/rules"),
        ("/closes/2031Q1", "/closes"),
    ],
)
def test_it_leads_back_into_the_menu(programme: sa.Engine, address: str, way: str):
    answer = signed_in(programme, "manager").get(address)
    assert answer.status_code in (404, 422)
    main = answer.text.split("<main", 1)[1].split("</main>", 1)[0]
    assert f'href="{way}"' in main


def test_the_reason_of_an_act_that_is_refused_is_told(programme: sa.Engine):
    manager = signed_in(programme, "manager")
    answer = manager.post("/closes/2031Q1", data={}, headers=HOME)
    assert answer.status_code == 422
    assert "isn't over yet" in html.unescape(answer.text)
    french = manager.post("/closes/2031Q1?lang=fr", headers=HOME)
    assert "n’est pas encore terminée" in html.unescape(french.text)
