"""The administrator in a real browser: a file handed in, pointed at, looked over, taken in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, FilePayload, Page

from api.app import make_app
from partner_cx.database import open_database, transact
from partner_cx.network.sign_in_links import make_link
from tests.api.admin.test_uploads_pages import FRENCH
from tests.harness.axe import scrolls_sideways, violations
from tests.harness.cast import CAST, SECRET, the_cast
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW
from tests.harness.served import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def address() -> Iterator[tuple[str, sa.Engine]]:
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
        the_cast(engine)
        app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
        with serving(app) as served:
            yield served, engine
        engine.dispose()


def is_sound(page: Page, *, scripts: bool) -> None:
    """Nothing wrong by axe, where scripts run at all, and nothing wider than the window."""
    if scripts:
        assert violations(page) == []
        assert not scrolls_sideways(page)


@pytest.mark.parametrize(
    ("width", "scripts", "language", "said"),
    [
        (360, True, "fr", ("Transmettre", "Le passer en revue", "Importer", "Importé")),
        (1280, False, "en", ("Hand in", "Look it over", "Take in", "Taken in")),
    ],
)
def test_a_file_goes_the_whole_way(
    browser: Browser,
    address: tuple[str, sa.Engine],
    width: int,
    scripts: bool,
    language: str,
    said: tuple[str, ...],
):
    base, engine = address
    hand_in, look_over, take_in, taken = said
    with browser.new_context(
        viewport={"width": width, "height": 800}, locale=language, java_script_enabled=scripts
    ) as context:
        page = context.new_page()
        token = transact(engine, lambda session: make_link(session, CAST["admin"], now=NOW))
        page.goto(f"{base}/sign-in/{token}")
        page.locator("main button").click()
        page.wait_for_url("**/admin")
        is_sound(page, scripts=scripts)
        page.goto(f"{base}/admin/uploads")
        file = FilePayload(name="livraisons.csv", mimeType="text/csv", buffer=FRENCH)
        page.set_input_files("input[type=file]", file)
        page.get_by_role("button", name=hand_in, exact=True).click()
        page.wait_for_url("**/admin/uploads/1")
        is_sound(page, scripts=scripts)
        for ours, theirs in {
            "source_id": "Num",
            "order_code": "Commande",
            "partner_code": "code partenaire",
            "ordered_qty": "Qté",
        }.items():
            page.select_option(f"[name=from-{ours}]", f"column:{theirs}")
        page.fill("[name=words-status]", "Livré = done")
        page.get_by_role("button", name=look_over, exact=True).click()
        page.wait_for_url("**/preview")
        is_sound(page, scripts=scripts)
        page.get_by_role("button", name=take_in, exact=True).click()
        page.wait_for_url("**/admin/uploads/1")
        assert page.locator("h1").inner_text() == taken
        is_sound(page, scripts=scripts)
