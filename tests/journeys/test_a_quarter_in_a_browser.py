"""A quarter as its people live it, in a real browser: a rule written, tried, approved and
published, the period closed, the points found on one page and what was missed on another.

On a telephone and on a desk, in both languages, with scripts and without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from partner_cx.database import open_database
from tests.harness.axe import scrolls_sideways
from tests.harness.cast import the_cast
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, take
from tests.harness.programme import a_network, a_programme, close_it
from tests.harness.served import House, served_house

pytestmark = pytest.mark.browser

SECOND_MANAGER = "max@brand.example"
ON_SATISFACTION = """
code: loyal_partners
label: {en: Loyal partners, fr: Partenaires fidèles}
source: Terms of 2026, section 9.
on: close
period: quarter
starts: 2026Q2
ends: 2026Q4
conditions:
  - kpi_at_least: {kpi: pnps, threshold: 40, n_min: 5}
award: {points: 50}
budget: network-quality
"""
TELEPHONE, DESK = (360, 740), (1280, 800)
WAYS = [  # on which database, how wide, in which language, with scripts or without
    pytest.param("sqlite", TELEPHONE, "fr", True, id="telephone, French"),
    pytest.param("postgresql", TELEPHONE, "en", False, id="telephone, English, no scripts"),
    pytest.param("sqlite", DESK, "en", True, id="desk, English"),
    pytest.param("postgresql", DESK, "fr", False, id="desk, French, no scripts"),
]


@contextmanager
def a_house(kind: str, folder: Path) -> Iterator[House]:
    """The small programme, its second quarter over and to be closed."""
    with fresh_database(kind) as url:
        engine = open_database(url)
        a_network(engine)
        the_cast(engine)
        second = {"email": SECOND_MANAGER, "name": "Max Person", "role": "manager"}
        take(engine, "people", second)
        a_programme(engine)
        close_it(engine, "2026Q1")
        with served_house(engine, SETTINGS, folder) as served:
            yield served
        engine.dispose()


@pytest.mark.parametrize(("database", "size", "language", "scripts"), WAYS)
def test_a_quarter_from_a_rule_to_its_points(
    browser: Browser,
    tmp_path: Path,
    database: str,
    size: tuple[int, int],
    language: str,
    scripts: bool,
):
    width, height = size
    with (
        a_house(database, tmp_path) as house,
        browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            java_script_enabled=scripts,
        ) as context,
    ):
        live(house, context.new_page())


def live(house: House, page: Page) -> None:
    """The quarter, one person after the other."""
    house.sign_in(page, "manager")
    write_and_publish(house, page)
    ask_for_approval(house, page)
    sign_out(page)

    house.sign_in(page, SECOND_MANAGER)
    approve(house, page)
    close_the_quarter(house, page)
    sign_out(page)

    house.sign_in(page, "distributor")
    go(page, house, "/statements/R1")
    assert page.locator("strong.won").all_inner_texts() == ["+500", "+500"]  # both bonuses
    sign_out(page)

    house.sign_in(page, "reseller")
    find_the_missing_points(house, page)


def write_and_publish(house: House, page: Page) -> None:
    """A second bonus, made from the template under a code of its own."""
    go(page, house, "/rules/new?template=network_quality_bonus")
    page.locator("[name=code]").fill("second_bonus")
    page.locator("button[name=do][value=save]").click()
    page.wait_for_url("**/rules/second_bonus/draft**")
    page.locator("a[href$='/rules/second_bonus/draft/backtest']").click()
    assert page.locator("#past").is_visible()
    look(page)
    page.locator("[name=why]").fill("Terms of 2026")
    page.locator("form[action$='/draft/publish'] button").click()
    page.wait_for_url(re.compile(r".*/rules/second_bonus\?said=.*"))


def ask_for_approval(house: House, page: Page) -> None:
    """A rule on a satisfaction level, as YAML: another manager has to agree."""
    go(page, house, "/rules/new?template=panel_participation")
    page.locator("button[name=do][value=yaml]").click()
    page.locator("[name=yaml]").fill(ON_SATISFACTION)
    page.locator("button[name=do][value=save]").click()
    page.wait_for_url("**/rules/loyal_partners/draft**")
    page.locator("a[href$='/rules/loyal_partners/draft/backtest']").click()
    page.locator("[name=why]").fill("Agreed in June")
    page.locator("form[action$='/draft/publish'] button").click()
    page.wait_for_load_state()
    go(page, house, "/rules/loyal_partners/draft/backtest")
    assert page.locator("form[action$='/draft/approve']").count() == 0  # not by the author


def approve(house: House, page: Page) -> None:
    go(page, house, "/rules")
    page.locator("a[href*='/rules/loyal_partners']").first.click()
    if not page.url.endswith("/draft/backtest"):
        page.locator("a[href$='/rules/loyal_partners/draft/backtest']").first.click()
    page.locator("form[action$='/draft/approve'] button").click()
    page.wait_for_url(re.compile(r".*/rules/loyal_partners\?said=.*"))


def close_the_quarter(house: House, page: Page) -> None:
    go(page, house, "/closes")
    page.locator("a[href$='/closes/2026Q2']").first.click()
    page.locator("form[action$='/closes/2026Q2/measure'] button").click()
    house.work()
    go(page, house, "/closes/2026Q2")
    assert page.locator("#preview").is_visible()
    look(page)
    page.locator("[name=agreed]").check()
    page.locator("form[action$='/closes/2026Q2'] button").click()
    house.work()
    go(page, house, "/closes/2026Q2")
    assert page.locator("#awards").is_visible()


def find_the_missing_points(house: House, page: Page) -> None:
    """From home to the very row: three lines of R2's went wrong."""
    assert page.url.rstrip("/").endswith(("/home", "/partners/R2"))
    look(page)
    go(page, house, "/statement")
    missed = page.locator("section:has(#missed) .card")
    missed.filter(has_text="OTIF").locator("a").first.click()
    assert page.get_by_text("R2-wrong-1").first.is_visible()
    look(page)


def go(page: Page, house: House, path: str) -> None:
    answer = page.goto(house.address + path)
    assert answer is not None
    assert answer.status == 200, (path, answer.status)
    look(page)


def look(page: Page) -> None:
    """What no page may do on any screen."""
    assert not scrolls_sideways(page), page.url


def sign_out(page: Page) -> None:
    page.locator("form[action$='/sign-out'] button").click()
    page.wait_for_url(re.compile("/sign-in"))
