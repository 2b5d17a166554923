"""Staff sign in by the brand's own provider: over real HTTP, with everything that can be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from api.pages.staff_sign_in import ERRAND_LASTS
from api.rates import STAFF_SIGN_INS
from api.sign_in import provider as door
from api.wiring import set_up_logs
from partner_cx.database import open_database, reading, transact
from partner_cx.network.departures import depart
from partner_cx.network.sessions import OpenedBy, WebSession
from partner_cx.network.sign_in_links import person_called
from partner_cx.rates import RateCount
from partner_cx.settings import Settings
from tests.harness.cast import CAST, HOME_ADDRESS, SECRET, the_cast
from tests.harness.databases import EACH_KIND, fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider
from tests.harness.programme import NOW

AT = int(NOW.timestamp())


@pytest.fixture(scope="module", params=EACH_KIND)
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with fresh_database(request.param) as url:
        opened = open_database(url)
        take(opened, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
        the_cast(opened)
        yield opened
        opened.dispose()


@pytest.fixture(autouse=True)
def uncounted(engine: sa.Engine) -> None:
    """All browsers here are one client, whose count another test may have filled."""
    transact(engine, lambda session: session.execute(sa.delete(RateCount)))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with oidc_provider() as served:
        yield served


def settings_of(provider: Provider, **other: Any) -> Settings:
    return replace(
        SETTINGS,
        secret=SECRET,
        base_url=HOME_ADDRESS,
        oidc_issuer=provider.address,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        **other,
    )


def browser(
    engine: sa.Engine, provider: Provider, *, later: timedelta = timedelta(), **other: Any
) -> TestClient:
    settings = settings_of(provider, **other)
    app = make_app(engine, settings, clock=lambda: NOW + later)
    return TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)


def come_back(client: TestClient, provider: Provider, *, to: str = "") -> tuple[int, str, str]:
    """Go there and back: the status, where to, and the page."""
    away = client.get(f"/sign-in/staff{to}")
    assert away.status_code == 303, away.text
    answer = client.get(provider.sign_in(away.headers["location"]))
    return answer.status_code, answer.headers.get("location", ""), answer.text


# --- The way in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["rep", "manager", "admin"])
def test_staff_come_in_by_the_brands_own_sign_in(engine: sa.Engine, provider: Provider, who: str):
    provider.email = CAST[who].upper()
    client = browser(engine, provider)
    assert come_back(client, provider)[:2] == (303, "/")
    assert client.get("/me").status_code == 200
    with reading(engine) as session:
        ways = list(session.scalars(sa.select(WebSession.opened_by).order_by(WebSession.id)))
    assert ways[-1] == OpenedBy.STAFF


def test_it_goes_there_with_a_proof_and_nothing_secret(engine: sa.Engine, provider: Provider):
    away = browser(engine, provider).get("/sign-in/staff")
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["scope"] == ["openid email profile"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{HOME_ADDRESS}/sign-in/staff/return"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert CLIENT_SECRET not in away.headers["location"]
    cookie = away.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/sign-in/staff" in cookie
    assert "Max-Age=600" in cookie


def test_people_come_to_the_page_they_wanted_and_to_no_others(
    engine: sa.Engine, provider: Provider
):
    client = browser(engine, provider)
    assert come_back(client, provider, to="?to=/network/2026Q2")[1] == "/network/2026Q2"
    assert come_back(client, provider, to="?to=//evil.example")[1] == "/"
    assert come_back(client, provider, to="?to=https://evil.example")[1] == "/"


def test_it_works_under_a_path(engine: sa.Engine, provider: Provider):
    client = browser(engine, provider)
    settings = replace(settings_of(provider), base_url=f"{HOME_ADDRESS}/cx")
    client = TestClient(
        make_app(engine, settings, clock=lambda: NOW),
        base_url=HOME_ADDRESS,
        follow_redirects=False,
    )
    away = client.get("/cx/sign-in/staff?to=/kpis")
    assert "Path=/cx/sign-in/staff" in away.headers["set-cookie"]
    answer = client.get(provider.sign_in(away.headers["location"]))
    assert answer.headers["location"] == "/cx/kpis"
    assert client.get("/cx/me").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"signs": "second"},
        {"claims": {"aud": [CLIENT_ID]}},
        {"claims": {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}},
        {"claims": {"exp": AT - 30}},  # our clock may go before theirs
        {"claims": {"email_verified": "true"}},
        {
            "claims": {"email": None, "email_verified": None},
            "told_besides": {"email": CAST["manager"], "email_verified": True},
        },
        {"described": {"token_endpoint_auth_methods_supported": ["client_secret_post"]}},
        {"described": {"token_endpoint_auth_methods_supported": None}},
        {"described": {"userinfo_endpoint": None}},
    ],
    ids=str,
)
def test_providers_differ_and_work(engine: sa.Engine, provider: Provider, said: dict):
    for name, value in said.items():
        setattr(provider, name, value)
    assert come_back(browser(engine, provider), provider)[0] == 303


def test_an_issuer_with_a_slash_at_its_end_is_the_same(engine: sa.Engine, provider: Provider):
    provider.described = {"issuer": f"{provider.address}/"}
    provider.claims = {"iss": f"{provider.address}/"}
    assert come_back(browser(engine, provider), provider)[0] == 303


# --- Who doesn't come in --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        # What the token says
        ({"claims": {"nonce": "of another errand"}}, "can’t trust"),
        ({"claims": {"nonce": None}}, "can’t trust"),
        ({"claims": {"iss": "https://elsewhere.example"}}, "can’t trust"),
        ({"claims": {"aud": "another"}}, "can’t trust"),
        ({"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}}, "can’t trust"),
        ({"claims": {"aud": ["another", "a third"]}}, "can’t trust"),
        ({"claims": {"exp": AT - 3600}}, "can’t trust"),
        ({"claims": {"exp": None}}, "can’t trust"),
        ({"claims": {"exp": "soon"}}, "can’t trust"),
        ({"claims": {"sub": None}}, "can’t trust"),
        ({"claims": {"nbf": AT + 3600}}, "can’t trust"),
        ({"claims": {"email_verified": False}}, "can’t trust"),
        ({"claims": {"email_verified": None}}, "can’t trust"),
        ({"claims": {"email": None}}, "can’t trust"),
        ({"claims": {"email": ["mia@brand.example"]}}, "can’t trust"),
        (
            {"claims": {"email": None}, "told_besides": {"sub": "x", "email": "a@b.c"}},
            "can’t trust",
        ),
        # How it is signed
        ({"signs": "another"}, "can’t trust"),
        ({"signs": "none"}, "can’t trust"),
        ({"signs": "hs256"}, "can’t trust"),
        # What it answers
        ({"statuses": {"/token": 500}}, "doesn’t answer"),
        ({"statuses": {"/token": 400}}, "can’t trust"),
        ({"statuses": {"/keys": 503}}, "doesn’t answer"),
        ({"bodies": {"/keys": b'{"keys": []}'}}, "can’t trust"),
        ({"bodies": {"/keys": b'{"keys": [{"kty": "oct", "k": "eA"}, 7]}'}}, "can’t trust"),
        ({"bodies": {"/token": b"<html>"}}, "doesn’t answer"),
        ({"bodies": {"/token": b"[1]"}}, "can’t trust"),
        ({"bodies": {"/token": b'{"id_token": "x.y"}'}}, "can’t trust"),
        ({"bodies": {"/token": b'{"access_token": "x"}'}}, "can’t trust"),
        ({"bodies": {"/token": b"[" * 100_000}}, "doesn’t answer"),
        ({"bodies": {"/token": b" " * 1_100_000}}, "doesn’t answer"),
    ],
    ids=str,
)
def test_what_doesnt_hold_signs_nobody_in(
    engine: sa.Engine, provider: Provider, said: dict, words: str
):
    for name, value in said.items():
        setattr(provider, name, value)
    client = browser(engine, provider)
    status, _, page = come_back(client, provider)
    assert (status, words in page) == (502, True)
    assert client.get("/me").status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        {"statuses": {"/.well-known/openid-configuration": 500}},
        {"statuses": {"/.well-known/openid-configuration": 404}},
        {"statuses": {"/.well-known/openid-configuration": 302}},
        {"bodies": {"/.well-known/openid-configuration": b"\xff"}},
        {"described": {"issuer": "https://elsewhere.example"}},
        {"described": {"token_endpoint": "http://elsewhere.example/token"}},
        {"described": {"authorization_endpoint": "javascript:alert(1)"}},
        {"described": {"jwks_uri": None}},
        {"described": {"jwks_uri": "http://[x"}},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_oddly_is_not_gone_to(
    engine: sa.Engine, provider: Provider, said: dict
):
    for name, value in said.items():
        setattr(provider, name, value)
    answer = browser(engine, provider).get("/sign-in/staff")
    assert answer.status_code == 502
    assert "Try again" in answer.text


def test_a_provider_that_is_slow_or_gone_is_told_in_words(
    engine: sa.Engine, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(door, "TIMEOUT_SECONDS", 0.2)
    provider.slow_seconds = {"/token": 0.6}
    status, _, page = come_back(browser(engine, provider), provider)
    assert (status, "doesn’t answer" in page) == (502, True)
    gone = replace(provider, address="http://127.0.0.1:9")
    assert browser(engine, gone).get("/sign-in/staff").status_code == 502


def test_who_breaks_it_off_there_is_told_so(engine: sa.Engine, provider: Provider):
    provider.error = "access_denied"
    status, _, page = come_back(browser(engine, provider), provider)
    assert (status, "You weren’t signed in" in page) == (403, True)


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("nobody@brand.example", "We don’t know you here"),
        ("<script>@x.example", "&lt;script&gt;"),
        ("\0@x.example", "We don’t know you here"),
        (CAST["distributor"], "You sign in with a link"),
    ],
)
def test_only_staff_who_are_known_here_come_in(
    engine: sa.Engine, provider: Provider, email: str, words: str
):
    provider.email = email
    client = browser(engine, provider)
    for language in ("en", "fr"):
        status, _, page = come_back(client, provider, to=f"?lang={language}")
        assert status == 403
        assert words in page or language == "fr"
    assert client.get("/me").status_code == 401


def test_whoever_departed_doesnt_come_in(engine: sa.Engine, provider: Provider):
    someone = {"email": "gone@brand.example", "name": "Gone", "role": "manager"}
    take(engine, "people", someone | {"partner_code": None})

    def leave(session: sa.orm.Session) -> None:
        number = person_called(session, someone["email"]).id
        depart(session, number, by=CAST["admin"], now=NOW)

    transact(engine, leave)
    provider.email = someone["email"]
    status, _, page = come_back(browser(engine, provider), provider)
    assert (status, "can’t sign in any more" in page) == (403, True)


def test_an_address_that_isnt_said_to_be_verified_counts_where_that_is_set(
    engine: sa.Engine, provider: Provider
):
    provider.claims = {"email_verified": None}
    assert come_back(browser(engine, provider, oidc_trust_email=True), provider)[0] == 303


# --- Errands --------------------------------------------------------------------------------------


def test_another_browser_cant_come_back_with_somebodys_code(engine: sa.Engine, provider: Provider):
    """Whoever is made to open the attacker's way back isn't signed in as the attacker."""
    away = browser(engine, provider).get("/sign-in/staff").headers["location"]
    victim = browser(engine, provider)
    assert victim.get(provider.sign_in(away)).status_code == 400
    victim.get("/sign-in/staff")  # with an errand of its own
    assert victim.get(provider.sign_in(away)).status_code == 400
    assert victim.get("/me").status_code == 401


def test_a_way_back_works_once(engine: sa.Engine, provider: Provider):
    client = browser(engine, provider)
    back = provider.sign_in(client.get("/sign-in/staff").headers["location"])
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 400


def test_an_errand_is_over_after_ten_minutes(
    engine: sa.Engine, provider: Provider, monkeypatch: pytest.MonkeyPatch
):
    client = browser(engine, provider)
    back = provider.sign_in(client.get("/sign-in/staff").headers["location"])
    later = ERRAND_LASTS.total_seconds() + 1
    now = __import__("time").time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + later)
    answer = client.get(back)
    assert (answer.status_code, "took too long" in answer.text) == (400, True)


@pytest.mark.parametrize("query", ["", "?code=x", "?state=é&code=x", "?error=%00", "?code=&state="])
def test_a_way_back_that_nobody_was_sent_by_is_refused(
    engine: sa.Engine, provider: Provider, query: str
):
    assert browser(engine, provider).get(f"/sign-in/staff/return{query}").status_code == 400


def test_a_former_session_is_over(engine: sa.Engine, provider: Provider):
    client = browser(engine, provider)
    come_back(client, provider)
    copied = browser(engine, provider)
    copied.cookies.update(client.cookies)
    assert copied.get("/me").status_code == 200
    provider.email = CAST["rep"]
    come_back(client, provider)
    assert copied.get("/me").status_code == 401
    assert client.get("/network").status_code == 403


def test_nobody_begins_too_often(engine: sa.Engine, provider: Provider):
    client = browser(engine, provider, later=timedelta(days=1))
    statuses = [client.get("/sign-in/staff").status_code for _ in range(STAFF_SIGN_INS.amount + 1)]
    assert statuses == [303] * STAFF_SIGN_INS.amount + [429]
    assert int(client.get("/sign-in/staff").headers["retry-after"]) <= STAFF_SIGN_INS.seconds


def test_without_a_provider_there_is_no_button_and_no_way(engine: sa.Engine, provider: Provider):
    client = browser(engine, provider)
    assert "/sign-in/staff" in client.get("/sign-in").text
    without = replace(SETTINGS, secret=SECRET)
    bare = TestClient(make_app(engine, without, clock=lambda: NOW), base_url=HOME_ADDRESS)
    assert "/sign-in/staff" not in bare.get("/sign-in").text
    assert bare.get("/sign-in/staff").status_code == 404


def test_nothing_secret_is_logged(
    engine: sa.Engine, provider: Provider, capfd: pytest.CaptureFixture[str]
):
    set_up_logs(SETTINGS)
    for said in ({"statuses": {"/token": 400}}, {"signs": "another"}, {"error": "access_denied"}):
        provider.statuses, provider.signs, provider.error = {}, "first", ""
        for name, value in said.items():
            setattr(provider, name, value)
        client = browser(engine, provider)
        back = provider.sign_in(client.get("/sign-in/staff").headers["location"])
        client.get(back)
        given = parse_qs(urlsplit(back).query)
        logged = "".join(capfd.readouterr())
        for secret in (*given.get("code", []), *given["state"], CLIENT_SECRET, "eyJ"):
            assert secret not in logged
