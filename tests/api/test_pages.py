"""The pages: what they say, in both languages, and what odd addresses get."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote, unquote, urljoin

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import api.app
from api.wiring import set_up_logs
from partner_cx.database import open_database, transact
from partner_cx.measures.measuring import measure
from tests.harness.cast import at_the_door, closed_programme, signed_in, the_cast
from tests.harness.databases import KINDS, fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW, QUARTER, a_tallied_network

PAGES = (
    *("/network/2026Q2", "/partners", "/partners/R1", "/partners/D1"),
    *("/statements/R1", "/statements/R2", "/figures/R2", "/kpis", "/me"),
)


@pytest.fixture(scope="module", params=KINDS)
def programme(request: pytest.FixtureRequest):
    """One closed programme for all: these tests only look."""
    with closed_programme(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def manager(programme: sa.Engine) -> TestClient:
    return signed_in(programme, "manager")


def words(client: TestClient, address: str) -> str:
    """What a page says, without its marks."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


def test_the_network_scorecard_says_value_target_state_and_sample(manager: TestClient):
    said = words(manager, "/network/2026Q2?lang=en")
    assert "OTIF 92.50% 37 of 40 95% ✕ missed 40" in said
    assert "Closed on 3 July 2026: these figures no longer change." in said


def test_the_network_scorecard_speaks_french(manager: TestClient):
    said = words(manager, "/network/2026Q2?lang=fr").replace("\u202f", " ")
    assert "OTIF 92,50 % 37 sur 40 95 % ✕ manqué 40" in said
    assert "Clôturé le 3 juillet 2026 : ces chiffres ne changent plus." in said


def test_the_list_shows_who_earned_what_and_where_it_says_why(manager: TestClient):
    page = manager.get("/partners?period=2026Q2&lang=en").text
    assert '<a href="/statements/R1?period=2026Q2">500</a>' in page
    assert '<a href="/statements/R2?period=2026Q2">0</a>' in page


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_built_for_everyone(manager: TestClient, address: str, language: str):
    page = manager.get(address, params={"lang": language}).text
    assert f'<html lang="{language}">' in page
    assert len(re.findall(r"<h1", page)) == 1
    assert len(re.findall(r"<main", page)) == 1
    assert len(re.findall(r"<table", page)) == len(re.findall(r"<caption", page))
    assert all('scope="' in heading for heading in re.findall(r"<th\b[^>]*>", page))
    identities = re.findall(r'\bid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    assert "<script" not in page
    assert "style=" not in page
    own = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [link for link in own if link.startswith(("http", "//"))] == []


@pytest.mark.parametrize("address", [*PAGES, "/sign-in", "/nowhere"])
def test_every_page_comes_with_safe_headers(manager: TestClient, address: str):
    headers = manager.get(address).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_every_link_of_every_page_leads_somewhere(manager: TestClient):
    opened: dict[str, str] = {}
    for address in PAGES:
        page = manager.get(address).text
        for link in sorted(set(re.findall(r'href="([^"]+)"', page))):
            path, _, anchor = link.partition("#")
            path = urljoin(address, unescape(path)) if path else address
            if path not in opened:
                target = manager.get(path, follow_redirects=True)
                assert target.status_code == 200, (address, link)
                opened[path] = target.text
            assert not anchor or f'id="{anchor}"' in opened[path], (address, link)


def test_a_chosen_language_is_remembered(programme: sa.Engine):
    client = at_the_door(programme)
    assert "Se connecter" in client.get("/sign-in?lang=fr").text
    assert "Se connecter" in client.get("/sign-in").text


@pytest.mark.parametrize("address", ["/", "/network"])
def test_a_choice_of_language_outlives_a_redirect(programme: sa.Engine, address: str):
    client = signed_in(programme, "manager")
    redirected = client.get(address, params={"lang": "fr"}, follow_redirects=True)
    assert redirected.history
    assert "Tableau de bord du réseau" in redirected.text


@pytest.mark.parametrize(
    ("preferred", "said"),
    [("fr-CA,fr;q=0.9,en;q=0.5", "Se connecter"), ("de", "Sign in"), ("xx;;;,", "Sign in")],
)
def test_without_a_choice_the_browser_is_asked(programme: sa.Engine, preferred: str, said: str):
    headers = {"Accept-Language": preferred}
    assert said in at_the_door(programme).get("/sign-in", headers=headers).text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/network/2026Q5", 422),
        ("/network/2026Q1", 404),
        ("/network/1900", 404),
        ("/network/9999Q9", 422),
        ("/partners?period=soon", 422),
        ("/partners?period=2031Q1", 404),
        ("/partners?period=", 200),
        ("/partners?period=2026Q2&period=x&lang=xx", 422),
        ("/partners/NOBODY", 404),
        ("/partners/%00", 404),
        ("/partners/R1%2F..", 404),
        ("/nowhere", 404),
        ("/static/", 404),
        ("/static/../app.py", 404),
        ("/partners/" + "x" * 4000, 404),
        ("/me?lang=%ff%00", 200),
    ],
)
def test_odd_addresses_get_a_page_that_helps(manager: TestClient, address: str, status: int):
    answer = manager.get(address)
    assert answer.status_code == status
    if status != 200:
        assert "<h1>" in answer.text


def test_a_code_with_slashes_is_linked_so_that_no_browser_shortens_it(engine: sa.Engine):
    codes = ("a/../b", "É/x 'q'", "<script>alert(1)</script>", "//x")
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    take(engine, "partners", *(partner(code, parent_code="D1") for code in codes))
    the_cast(engine)
    client = signed_in(engine, "distributor")
    page = client.get("/partners/D1").text
    linked = re.findall(r'href="/partners/([^"?]+)"', page)
    assert {unquote(link) for link in linked} >= set(codes)
    assert all("/" not in link for link in linked)
    assert all(client.get(f"/partners/{link}").status_code == 200 for link in linked)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_a_person_types_breaks_a_page(manager: TestClient, code: str, period: str):
    typed = [quote(text, safe="", errors="replace") for text in (code, period)]
    for address in (
        f"/partners/{typed[0]}",
        f"/statements/R1?rule={typed[0]}&period={typed[1]}",
        f"/statements/R1?entry={typed[0]}&closed={typed[1]}",
        f"/figures/R1?kpi={typed[0]}&period={typed[1]}",
        f"/network/{typed[1]}",
        f"/partners?period={typed[1]}&lang={typed[0]}",
        f"/sign-in/{typed[0]}",
    ):
        assert manager.get(address, follow_redirects=True).status_code < 500


def test_our_own_mistake_is_told_as_one_and_written_down(
    programme: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    set_up_logs(SETTINGS)
    client = signed_in(programme, "manager")
    monkeypatch.setattr("api.pages.definitions.page", None)
    answer = client.get("/kpis")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "'NoneType' object is not callable" in capsys.readouterr().err


SCORECARDS = ("/network/2026Q2?lang=en", "/partners?period=2026Q2&lang=en")


@pytest.mark.parametrize("address", SCORECARDS)
def test_the_figures_of_an_open_quarter_say_when_they_were_measured(address: str):
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_tallied_network(engine)
        the_cast(engine)
        transact(engine, lambda session: measure(session, QUARTER, now=NOW, settings=SETTINGS))
        said = words(signed_in(engine, "manager"), address)
        assert "Still open: figures as of 3 July 2026, 11:00." in said
        engine.dispose()


@pytest.mark.parametrize("address", SCORECARDS)
def test_the_figures_of_a_closed_quarter_say_since_when(manager: TestClient, address: str):
    assert "Closed on 3 July 2026: these figures no longer change." in words(manager, address)


@pytest.mark.parametrize("address", ["/network", "/partners"])
def test_before_anything_is_measured_the_pages_say_so(address: str):
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        take(engine, "partners", partner("D1"), partner("R2"))
        the_cast(engine)
        assert "Nothing is measured yet" in words(signed_in(engine, "manager"), address)
        engine.dispose()


def test_the_first_who_ask_find_the_routes_worked_out(
    programme: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    """FastAPI puts off reading endpoints, and does it with the process's warnings in its hands."""
    api.app._routes.cache_clear()
    client = signed_in(programme, "manager")
    monkeypatch.setattr("fastapi.routing.get_dependant", lambda **_: pytest.fail("read late"))
    assert client.get("/partners").status_code == 200
