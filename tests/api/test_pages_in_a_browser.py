"""The pages in a real browser: signing in by a link, on a telephone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.sign_in_links import make_link
from tests.harness.axe import scrolls_sideways
from tests.harness.cast import CAST, SECRET, closed_programme
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW
from tests.harness.served import serving

pytestmark = pytest.mark.browser

SIZES = {"telephone": (360, 740), "narrowest": (320, 640), "desk": (1280, 800)}


@pytest.fixture(scope="module")
def programme() -> Iterator[sa.Engine]:
    with closed_programme("sqlite") as engine:
        yield engine


@pytest.fixture(scope="module")
def address(programme: sa.Engine) -> Iterator[str]:
    """The pages served by the real server, on a port of its own."""
    app = make_app(programme, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
    with serving(app) as served:
        yield served


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", SIZES)
def test_a_manager_signs_in_and_reads_on_any_screen(
    browser: Browser, programme: sa.Engine, address: str, size: str, language: str
):
    width, height = SIZES[size]
    complaints: list[str] = []
    with browser.new_context(
        viewport={"width": width, "height": height}, locale=language
    ) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        token = transact(programme, lambda session: make_link(session, CAST["manager"], now=NOW))
        page.goto(f"{address}/sign-in/{token}")
        page.locator("main button").click()
        page.wait_for_url("**/network/2026Q2")
        assert page.locator("html").get_attribute("lang") == language
        assert not scrolls_sideways(page)
        page.goto(f"{address}/partners")
        assert not scrolls_sideways(page)
        page.get_by_role("link", name="Partner R2").click()
        assert not scrolls_sideways(page)
        page.locator("a[href*='/statements/R2']").first.click()
        assert not scrolls_sideways(page)
        page.locator("a[href^='?decision=']").first.click()
        page.get_by_text("R2-wrong-1").first.wait_for()
        assert not scrolls_sideways(page)
        page.goto(f"{address}/kpis")
        assert not scrolls_sideways(page)
    assert complaints == []


def test_the_keyboard_reaches_the_contents_first(browser: Browser, address: str):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
