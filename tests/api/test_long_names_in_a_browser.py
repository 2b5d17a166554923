"""Names of one long word: no page scrolls sideways for them, on a phone or at a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from tests.harness.axe import scrolls_sideways
from tests.harness.cast import CAST, a_closed_programme
from tests.harness.databases import prepared_engine
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.served import House, served_house

pytestmark = pytest.mark.browser

LONG = "W" * 200
PAGES = {
    "manager": (
        *("/partners?period=2026Q2&kpi=otif", f"/partners/{LONG}", f"/statements/{LONG}"),
        *(f"/figures/{LONG}?kpi=otif&period=2026Q2", f"/partners?q={LONG}", f"/nowhere/{LONG}"),
        *("/groups?period=2026Q2&kpi=otif&by=region", "/closes/2026Q2"),
    ),
    "distributor": ("/home",),
    "rep": ("/field", "/me"),
    "admin": ("/admin/people", f"/admin/people?q={LONG}", "/admin/people/1"),
}


def _long_names(engine: sa.Engine) -> None:
    a_closed_programme(engine)
    take(
        engine,
        "partners",
        partner("D1", name="D" * 200, kind="distributor"),
        partner(LONG, name=LONG, parent_code="D1", region="R" * 100, tier="T" * 100),
        partner("emoji", name="🤷🏽\u200d♀️" * 50, parent_code="D1", region="مرحبا" * 20),
    )
    take(
        engine,
        "people",
        {"email": CAST["rep"], "name": "P" * 200, "role": "rep", "partner_code": None},
        {
            "email": f"{'w' * 60}@{'x' * 60}.example",
            "name": "N" * 200,
            "role": "partner",
            "partner_code": LONG,
        },
    )
    take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": LONG})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("long")
    with (
        prepared_engine("sqlite", "long names", _long_names) as engine,
        served_house(engine, SETTINGS, folder) as served,
    ):
        yield served


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("who", PAGES)
def test_no_page_scrolls_sideways(house: House, browser: Browser, who: str, width: int):
    context = browser.new_context(viewport={"width": width, "height": 700})
    context.add_cookies(house.cookies_of(who))
    page, wide = context.new_page(), []
    for path in PAGES[who]:
        page.goto(f"{house.address}{path}")
        if scrolls_sideways(page):
            wide.append(path[:60])
    context.close()
    assert wide == []
