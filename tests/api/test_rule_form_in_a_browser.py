"""Writing a rule in a real browser: read back as it is typed, and without scripts all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.sign_in_links import make_link
from rewards.rulebook.drafts import draft_of
from tests.harness.cast import CAST, SECRET, closed_programme
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW
from tests.harness.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def programme() -> Iterator[sa.Engine]:
    with closed_programme("sqlite") as engine:
        yield engine


@pytest.fixture(scope="module")
def address(programme: sa.Engine) -> Iterator[str]:
    app = make_app(programme, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
    with serving(app) as served:
        yield served


def sign_in(page: Page, programme: sa.Engine, address: str) -> None:
    token = transact(programme, lambda session: make_link(session, CAST["manager"], now=NOW))
    page.goto(f"{address}/sign-in/{token}")
    page.locator("main button").first.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_rule_is_read_back_while_it_is_typed(
    browser: Browser, programme: sa.Engine, address: str, width: int
):
    complaints: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        sign_in(page, programme, address)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/rules/network_quality_bonus/draft")
        panel = page.locator("#checked")
        expect(panel).to_contain_text("Gives the partner 500 points")
        page.locator("input[name=points]").fill("700")
        expect(panel).to_contain_text("Gives the partner 700 points")
        page.locator("input[name=points]").fill("seven")
        expect(panel).to_contain_text("isn't a whole number")
        page.locator("select[name=scale]").select_option("tiers")
        expect(page.locator("select[name=steps_kpi]")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_rule_is_changed_by_the_keys_alone(
    browser: Browser, programme: sa.Engine, address: str, scripts: bool
):
    """The arrows pass over choices without making them, and a row more is where the keys go on."""
    with browser.new_context(java_script_enabled=scripts) as context:
        page = context.new_page()
        sign_in(page, programme, address)
        page.goto(f"{address}/rules/new?template=empty")
        page.locator("button[value='add:c']").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**#field-c.1.what")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "c.1.kpi"
        page.locator("select[name=scale]").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.value") == "tiers"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**#award")
        expect(page.locator("select[name=steps_kpi]")).to_be_visible()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "scale"


def test_a_rule_is_written_without_scripts(browser: Browser, programme: sa.Engine, address: str):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, programme, address)
        page.goto(f"{address}/rules/new?template=empty")
        page.locator("input[name=points]").fill("40")
        page.locator("select[name=new]").select_option("partner_in")
        page.locator("button[value='add:c']").click()
        page.locator("input[name='c.1.group']").fill("tier:gold")
        page.locator("button[value='remove:c.0']").click()
        assert page.locator("input[name='c.0.group']").input_value() == "tier:gold"
        for name, text in (
            ("code", "gold"),
            ("label_en", "Gold"),
            ("label_fr", "Or"),
            ("budget", "network-quality"),
        ):
            page.locator(f"input[name={name}]").fill(text)
        page.locator("textarea[name=source]").fill("Tried by hand")
        page.locator(".actions button[value=save]").click()
        page.wait_for_url("**/rules/gold/draft?said=saved")
    with Session(programme) as session:
        assert draft_of(session, "gold").rule.award.points_max == 40
