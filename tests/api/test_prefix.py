"""Behind a proxy, under a path: every address that is printed carries it, whoever takes it off."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from tests.harness.cast import SECRET, a_closed_programme, fresh_link
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW

OUTSIDE = "https://brand.example"
PREFIX = "/partners-cx"
BEHIND = replace(SETTINGS, secret=SECRET, base_url=OUTSIDE + PREFIX)
PAGES = ("/network/2026Q2", "/partners", "/kpis", "/me", "/closes", "/journal")


@pytest.fixture
def door(engine: sa.Engine) -> sa.Engine:
    a_closed_programme(engine)
    return engine


def behind(engine: sa.Engine, *, takes_off: bool) -> TestClient:
    """A browser behind a proxy that takes the prefix off the path, or passes it on."""
    app = make_app(engine, BEHIND, clock=lambda: NOW)
    inside = "http://inside:8000" + ("" if takes_off else PREFIX)
    return TestClient(app, base_url=inside, follow_redirects=False)


def signed_in(engine: sa.Engine, *, takes_off: bool) -> TestClient:
    client = behind(engine, takes_off=takes_off)
    answer = client.post(fresh_link(engine, "manager").lstrip("/"), headers={"Origin": OUTSIDE})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(PREFIX)
    cookie = answer.headers["set-cookie"]
    assert f"Path={PREFIX}/" in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    client.cookies.clear()
    client.headers["Cookie"] = f"{name}={value}"  # a browser would send it under the prefix
    return client


@pytest.mark.parametrize("takes_off", [True, False])
@pytest.mark.parametrize("path", PAGES)
def test_every_address_of_a_page_carries_the_prefix(door: sa.Engine, path: str, takes_off: bool):
    page = signed_in(door, takes_off=takes_off).get(path.lstrip("/")).text
    addresses = re.findall(r'\s(?:href|src|action|formaction)="(/[^"]*)"', page)
    assert len(addresses) > 5
    assert [each for each in addresses if not each.startswith(f"{PREFIX}/")] == []


def test_a_form_of_the_outside_address_is_ours(door: sa.Engine):
    client = signed_in(door, takes_off=True)
    assert client.post("sign-out", headers={"Origin": "https://else.example"}).status_code == 403
    assert client.post("sign-out", headers={"Origin": OUTSIDE}).status_code == 303


@pytest.mark.parametrize("path", ["partners-cxx/kpis", "partners-cx/partners-cx/me"])
def test_what_only_looks_like_the_prefix_isnt_taken_for_it(door: sa.Engine, path: str):
    answer = behind(door, takes_off=True).get(path)
    assert answer.status_code in (303, 401, 404)


def test_the_prefix_alone_leads_to_the_start(door: sa.Engine):
    answer = behind(door, takes_off=True).get("partners-cx", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == f"{PREFIX}/sign-in"
