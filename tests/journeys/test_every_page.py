"""Every page there is, empty, full and in error: nothing that axe-core finds, nothing sideways,
nothing that the Tab key doesn't reach, nothing fetched from elsewhere.

Each is looked at on the narrowest screen by daylight in English, and on a desk in the dark in
French. A page that isn't in the lists fails the last test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from partner_cx.database import open_database, transact
from partner_cx.effects import Owed, owe
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import make_token
from rewards.rulebook.drafts import save_draft
from tests.harness.access_table import PageRow, rows
from tests.harness.audited import LATER, a_sound_programme
from tests.harness.axe import scrolls_sideways, violations
from tests.harness.cast import CAST, the_cast
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.keyboard import tab_through
from tests.harness.programme import BONUS, MANAGER
from tests.harness.served import House, served_house

pytestmark = pytest.mark.browser

DRAFT = replace(BONUS, code="second_bonus", budget="quality")

FULL = {
    None: ("/sign-in", "/sign-in/stale", "/letters/stop/stale", "/nowhere"),
    "rep": ("/field", "/partners/R2", "/statements/R2", "/figures/R2", "/me", "/network"),
    "reseller": (
        *("/home", "/statement", "/statement?period=2026Q2", "/statement?page=9", "/figures"),
        *("/figures?kpi=otif&period=2026Q2", "/me", "/kpis", "/partners/R1"),
    ),
    "distributor": ("/home", "/partners/R1", "/statements/R1", "/figures/R1", "/statements/R3"),
    "manager": (
        *("/network/2026Q3", "/network/2026Q2", "/network/x", "/kpis", "/me", "/journal"),
        *("/partners?period=2026Q2", "/partners?period=2026Q2&kpi=otif&state=red"),
        *("/partners?period=2026Q2&name=nobody", "/groups?period=2026Q2&kpi=otif&by=tier"),
        *("/partners/R1", "/statements/R1", "/figures/R1?kpi=otif&period=2026Q2"),
        *("/closes", "/closes/2026Q2", "/closes/2026Q4", "/holds"),
        *("/restatements", "/restatements/1", "/journal?by=nobody"),
        *("/rules", "/rules/new", "/rules/new?template=network_quality_bonus"),
        *("/rules/new?template=empty", "/rules/network_quality_bonus"),
        *("/rules/network_quality_bonus/versions/1", "/rules/network_quality_bonus/yaml"),
        *("/rules/second_bonus/draft", "/rules/second_bonus/draft?as=yaml"),
        *("/rules/second_bonus/draft/backtest", "/budgets", "/budgets/quality"),
    ),
    "admin": (
        *("/admin", "/admin/people", "/admin/people?q=nobody", "/admin/people/new"),
        *("/admin/people/1", "/admin/tokens", "/admin/tokens/1/end", "/admin/sources"),
        *("/admin/sources/imports/1", "/admin/uploads", "/admin/uploads/1"),
        *("/admin/uploads/1/preview", "/admin/effects", "/admin/letters"),
        *("/admin/effects/one?key=letter:lost", "/admin/letters/points_earned/fr"),
        *("/admin/webhooks", "/admin/webhooks/1", "/admin/odoo", "/admin/odoo/check"),
        *("/admin/odoo/preview", "/me"),
    ),
}
EMPTY = {
    "rep": ("/field",),
    "reseller": ("/home", "/statement", "/figures"),
    "manager": (
        *("/network", "/partners", "/groups", "/closes", "/holds", "/restatements", "/journal"),
        *("/rules", "/budgets"),
    ),
    "admin": (
        *("/admin", "/admin/tokens", "/admin/sources", "/admin/uploads", "/admin/effects"),
        *("/admin/webhooks", "/admin/odoo"),
    ),
}
# What a page brings along to be run; every other page has nothing of the kind.
WITH_SCRIPTS = {
    "manager": (
        *("/rules/new?template=empty", "/rules/new?template=network_quality_bonus"),
        *("/rules/second_bonus/draft", "/rules/second_bonus/draft?as=yaml"),
    ),
    "admin": ("/admin/uploads",),
}
# Forms that are sent as they stand, and come back with what is missing: who, where, which button.
REFUSED = (
    ("manager", "/rules/new?template=empty", "button[name=do][value=save]"),
    ("manager", "/rules/second_bonus/draft/backtest", "form[action$='/draft/publish'] button"),
    ("manager", "/budgets/quality", "main form[method=post] button"),
    ("manager", "/closes/2026Q3", "main form[action$='/restate'] button"),
    ("manager", "/restatements/2", "form[action$='/refuse'] button"),
    ("admin", "/admin/people/new", "main form[method=post] button"),
    ("admin", "/admin/tokens", "main form[method=post] button"),
    ("admin", "/admin/uploads", "main form[method=post] button"),
    ("admin", "/admin/webhooks", "main form[method=post] button"),
)
# Not for looking at: files to take along, a letter in a frame of its own, ways on to elsewhere.
NOT_PAGES = {
    *("/health", "/ready", "/", "/sign-in/staff", "/sign-in/staff/return"),
    *("/admin/sources/imports/{number}/refused.csv", "/admin/uploads/{number}/mapping.toml"),
    *("/admin/mappings/{number}/mapping.toml", "/admin/letters/{letter}/{language}/html"),
}
SCREENS: dict[str, dict[str, Any]] = {
    "narrowest": {
        "viewport": {"width": 320, "height": 640},
        "locale": "en",
        "color_scheme": "light",
    },
    "desk, dark, French": {
        "viewport": {"width": 1280, "height": 800},
        "locale": "fr",
        "color_scheme": "dark",
    },
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _served(tmp_path_factory.mktemp("full"), _fill) as house:
        yield house


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _served(tmp_path_factory.mktemp("empty"), _only_people) as house:
        yield house


@contextmanager
def _served(folder: Path, fill: Any) -> Iterator[House]:
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        fill(engine)
        with served_house(engine, SETTINGS, folder, now=LATER) as house:
            yield house
        engine.dispose()


def _only_people(engine: sa.Engine) -> None:
    take(engine, "partners", *(partner(code, kind="reseller") for code in ("D1", "R2")))
    the_cast(engine)


def _fill(engine: sa.Engine) -> None:
    a_sound_programme(engine)
    the_cast(engine)
    take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": "R2"})
    transact(engine, _more)


def _more(session: sa.orm.Session) -> None:
    save_draft(session, DRAFT, by=MANAGER, now=LATER)
    make_token(session, "the shop", [Scope.ODOO], by="ada", now=LATER, lasts=None)
    owe(session, Owed("letter", "letter:lost", {"to": "nobody"}), now=LATER)
    parked = {"at": "2026-12-01 08:00:00", "why": "the mail server refused it"}
    session.execute(
        sa.text(
            "UPDATE effects SET parked_at = :at, parked_because = :why WHERE key='letter:lost'"
        ),
        parked,
    )


@contextmanager
def looking(
    browser: Browser, house: House, who: str | None, screen: str, **more: Any
) -> Iterator[Page]:
    """A page on a screen, opened by somebody who has signed in; it asks no other host."""
    with browser.new_context(**SCREENS[screen], reduced_motion="reduce", **more) as context:
        page = context.new_page()
        asked_for: list[str] = []
        page.on("request", lambda request: asked_for.append(request.url))
        context.add_cookies(house.cookies_of(who))
        yield page
        assert [url for url in asked_for if not url.startswith(f"{house.address}/")] == []


def listed(places: dict[Any, tuple[str, ...]]) -> list[Any]:
    return [
        pytest.param(who, path, id=f"{who} {path}")
        for who, paths in places.items()
        for path in paths
    ]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("who", "path"), listed(FULL))
def test_a_full_page(browser: Browser, full: House, who: str | None, path: str, screen: str):
    with looking(browser, full, who, screen) as page:
        answer = page.goto(full.address + path)
        assert answer is not None
        assert answer.status < 500
        assert violations(page) == []
        assert not scrolls_sideways(page)
        assert tab_through(page) == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("who", "path"), listed(EMPTY))
def test_an_empty_page(browser: Browser, empty: House, who: str, path: str, screen: str):
    with looking(browser, empty, who, screen) as page:
        answer = page.goto(empty.address + path)
        assert answer is not None
        assert answer.status < 500
        assert violations(page) == []
        assert not scrolls_sideways(page)
        assert tab_through(page) == []


@pytest.mark.parametrize(("who", "path", "button"), REFUSED, ids=str)
def test_a_form_in_error(browser: Browser, full: House, who: str, path: str, button: str):
    with looking(browser, full, who, "narrowest") as page:
        page.goto(full.address + path)
        if not page.locator(button).count():
            pytest.fail(f"no {button} at {path}")
        page.evaluate("document.querySelectorAll('form').forEach(each => each.noValidate = true)")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.locator(button).first.click()
        page.wait_for_load_state()
        assert violations(page) == []
        assert not scrolls_sideways(page)
        assert tab_through(page) == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("who", "path"), listed(WITH_SCRIPTS))
def test_the_keyboard_needs_no_scripts(
    browser: Browser, full: House, who: str, path: str, screen: str
):
    with looking(browser, full, who, screen, java_script_enabled=False) as page:
        page.goto(full.address + path)
        assert tab_through(page, scripts=False) == []


def test_every_page_is_looked_at():
    looked_at = [
        path.partition("?")[0]
        for places in (FULL, EMPTY)
        for paths in places.values()
        for path in paths
    ]
    pages = {
        row.path
        for row in rows()
        if isinstance(row, PageRow) and row.method == "GET" and row.path not in NOT_PAGES
    }
    assert sorted(page for page in pages if not any(map(_pattern(page).fullmatch, looked_at))) == []


def _pattern(route: str) -> re.Pattern[str]:
    named = re.sub(r"\{\w+:path\}", ".+", route)
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", named))
