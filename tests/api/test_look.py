"""The look, in a real browser: every part of our pages, on every screen and in every light."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from partner_cx.network.people import Role
from tests.harness.axe import scrolls_sideways, violations
from tests.harness.specimen import shown, specimen

pytestmark = pytest.mark.browser

NARROWEST = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 800}
LETTERS_LEAST = 11  # pixels
FINGERTIP = 44


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROWEST, DESK], ids=["narrowest", "desk"])
def test_no_part_keeps_anybody_out(browser: Browser, size: dict[str, int], light: str, language):
    with shown(browser, specimen(language), viewport=size, color_scheme=light) as page:
        open_all(page)
        assert violations(page) == []
        assert not scrolls_sideways(page)


@pytest.mark.parametrize("size", [NARROWEST, DESK], ids=["narrowest", "desk"])
def test_letters_of_charts_keep_their_size(browser: Browser, size: dict[str, int]):
    with shown(browser, specimen("en"), viewport=size) as page:
        sizes = page.evaluate(
            "[...document.querySelectorAll('.plot text')].map("
            "each => parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a)"
        )
        assert min(sizes) >= LETTERS_LEAST


def test_names_under_a_line_touch_neither_each_other_nor_the_edge(browser: Browser):
    for size in (NARROWEST, DESK):
        with shown(browser, specimen("en"), viewport=size) as page:
            gaps = page.evaluate(
                """[...document.querySelectorAll('.plot')].flatMap(plot => {
                    const boxes = [...plot.querySelectorAll('.tick')]
                        .map(each => each.getBoundingClientRect()).filter(each => each.width);
                    const room = plot.getBoundingClientRect();
                    return boxes.slice(1).map((box, place) => box.left - boxes[place].right)
                        .concat(boxes.flatMap(box => [box.left - room.left, room.right - box.right]
                            .map(inside => inside + 12)));
                })"""
            )
            assert gaps
            assert min(gaps) > 2


@pytest.mark.parametrize("forced", ["active", "none"])
def test_whatever_the_colours_there_are_no_complaints(browser: Browser, forced: str):
    with shown(browser, specimen("en"), viewport=DESK, forced_colors=forced) as page:
        open_all(page)
        assert violations(page) == []


def test_paper_has_the_contents_and_no_menu(browser: Browser):
    with shown(browser, specimen("en"), viewport=DESK) as page:
        page.emulate_media(media="print")
        expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
        expect(page.get_by_role("navigation", name="Views")).to_be_hidden()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".chart table").first).to_be_visible()  # nobody opens it on paper


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_the_menu_waits_behind_a_button_where_there_is_no_room(browser: Browser, role: Role):
    """Without scripts: the browser opens and closes it, by keyboard too."""
    html = specimen("en", role)
    with shown(browser, html, viewport=NARROWEST, java_script_enabled=False) as page:
        menu = page.locator("#menu")
        expect(menu).to_be_hidden()
        page.keyboard.press("Tab")  # the way past the menu
        page.keyboard.press("Tab")  # the brand
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(menu.get_by_role("link", name="Network")).to_be_visible()
        page.keyboard.press("Tab")
        expect(menu.get_by_role("link").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(page.get_by_role("button", name="Menu")).to_be_focused()


def test_the_open_menu_keeps_nobody_out(browser: Browser):
    with shown(browser, specimen("fr"), viewport=NARROWEST) as page:
        page.locator("button.menu").click()
        assert violations(page) == []
        assert not scrolls_sideways(page)
        heights = page.evaluate(
            "[...document.querySelectorAll('#menu a')].map(e => e.getBoundingClientRect().height)"
        )
        assert min(heights) >= FINGERTIP


def test_the_menu_is_simply_there_on_a_desk(browser: Browser):
    with shown(browser, specimen("en"), viewport=DESK) as page:
        expect(page.locator("#menu")).to_be_visible()
        expect(page.locator("button.menu")).to_be_hidden()


def test_the_summary_of_what_is_wrong_leads_to_the_field(browser: Browser):
    with shown(browser, specimen("en"), viewport=DESK) as page:
        for problem, target in [
            ("Name: say who it is for.", "name"),
            ("Kind: choose one.", "kind"),
        ]:
            page.get_by_role("link", name=problem).click()
            expect(page.locator(f"#field-{target}")).to_be_in_viewport()
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.closest('.field') !== null")


def test_what_is_touched_is_as_high_as_a_fingertip(browser: Browser):
    telephone = {"viewport": NARROWEST, "is_mobile": True, "has_touch": True}
    with shown(browser, specimen("en"), **telephone) as page:
        low = page.evaluate(
            """least => [...document.querySelectorAll('main :is(a, button, input, select)')]
                .map(each => each.closest('label') ?? each)
                .filter(each => each.checkVisibility() && each.getAttribute('type') !== 'hidden')
                .filter(each => each.getBoundingClientRect().height < least)
                .map(each => each.outerHTML)""",
            FINGERTIP,
        )
        assert low == []


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
