"""A partner's pages in a real browser: nothing scrolls sideways, and axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.sign_in_links import make_link
from tests.harness.axe import scrolls_sideways, violations
from tests.harness.cast import CAST, SECRET, closed_programme
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW
from tests.harness.served import serving

pytestmark = pytest.mark.browser

PAGES = (
    "/home",
    "/partners/R2",
    "/statements/R2",
    "/statements/R1",
    "/figures/R2?period=2026Q2",
    "/figures/R2?kpi=otif&period=2026Q2",
)


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


@pytest.mark.parametrize(
    ("width", "language", "scheme"), [(320, "fr", "light"), (1280, "en", "dark")]
)
def test_a_distributor_reads_on_any_screen(
    browser: Browser, programme: sa.Engine, address: str, width: int, language: str, scheme: str
):
    token = transact(programme, lambda session: make_link(session, CAST["distributor"], now=NOW))
    with browser.new_context(
        viewport={"width": width, "height": 740},
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
    ) as context:
        page = context.new_page()
        page.goto(f"{address}/sign-in/{token}")
        page.locator("main button").first.click()
        page.wait_for_load_state()
        opened = [f"{address}{each}" for each in PAGES]
        page.goto(opened[2])
        missed = page.locator("a[href^='?decision=']").first.get_attribute("href")
        for each in (*opened, f"{opened[2]}{missed}"):
            page.goto(each)
            assert not scrolls_sideways(page), each
            assert violations(page) == [], each


def test_a_statement_is_printed_as_a_table(browser: Browser, programme: sa.Engine, address: str):
    token = transact(programme, lambda session: make_link(session, CAST["distributor"], now=NOW))
    with browser.new_context(viewport={"width": 718, "height": 1000}) as context:  # a sheet of A4
        page = context.new_page()
        page.goto(f"{address}/sign-in/{token}")
        page.locator("main button").first.click()
        page.wait_for_load_state()
        page.goto(f"{address}{PAGES[3]}")
        page.emulate_media(media="print")
        assert not page.locator(".menu").is_visible()
        shown = page.locator("main table tr").first.evaluate("row => getComputedStyle(row).display")
        assert shown == "table-row"
