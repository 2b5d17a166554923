"""Signing in: links that work once and in time, sessions that end, forms from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from itsdangerous import URLSafeTimedSerializer

from api.app import make_app
from api.wiring import set_up_logs
from partner_cx.database import open_database, transact
from partner_cx.errors import NotFound
from partner_cx.network.sessions import SESSION_LASTS
from partner_cx.network.sign_in_links import LINK_LASTS, SignInLink, make_link
from tests.harness.cast import HOME_ADDRESS, SECRET, at_the_door, fresh_link, signed_in, the_cast
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

OWN = {"Origin": HOME_ADDRESS}


@pytest.fixture(autouse=True)
def people(engine: sa.Engine) -> None:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)


def test_a_link_signs_in_once(engine: sa.Engine):
    link = fresh_link(engine, "manager")
    first, second = at_the_door(engine), at_the_door(engine)
    assert first.post(link, headers=OWN).status_code == 303
    assert first.get("/me").status_code == 200
    assert second.post(link, headers=OWN).status_code == 410
    assert second.get("/me").status_code == 401


def test_looking_at_a_link_doesnt_use_it_up(engine: sa.Engine):
    link = fresh_link(engine, "manager")
    client = at_the_door(engine)
    assert client.get(link).status_code == 200
    assert client.get("/me").status_code == 401
    assert client.post(link, headers=OWN).status_code == 303


def test_an_old_link_no_longer_works(engine: sa.Engine):
    link = fresh_link(engine, "manager")
    late = at_the_door(engine, now=NOW + LINK_LASTS)
    assert late.post(link, headers=OWN).status_code == 410


def test_a_session_ends_after_its_time(engine: sa.Engine):
    cookies = signed_in(engine, "manager").cookies
    for passed, status in ((timedelta(hours=1), 200), (SESSION_LASTS, 401)):
        later = at_the_door(engine, now=NOW + passed)
        later.cookies = cookies
        assert later.get("/me").status_code == status


def test_signing_out_ends_the_session_wherever_its_cookie_is(engine: sa.Engine):
    client = signed_in(engine, "manager")
    copied = at_the_door(engine)
    copied.cookies.update(client.cookies)
    assert copied.get("/me").status_code == 200
    assert client.post("/sign-out", headers=OWN).status_code == 303
    assert copied.get("/me").status_code == 401


def test_a_session_is_another_one_after_signing_in_again(engine: sa.Engine):
    client = signed_in(engine, "manager")
    before = client.cookies["partner_cx_session"]
    client.post(fresh_link(engine, "rep"), headers=OWN)
    assert client.cookies["partner_cx_session"] != before
    assert client.get("/network").status_code == 403


def test_signing_in_again_ends_the_former_session_wherever_its_cookie_is(engine: sa.Engine):
    client = signed_in(engine, "manager")
    copied = at_the_door(engine)
    copied.cookies.update(client.cookies)
    assert client.post("/sign-in/unknown", headers=OWN).status_code == 410
    assert copied.get("/me").status_code == 200  # nothing began, so nothing ended
    client.post(fresh_link(engine, "rep"), headers=OWN)
    assert copied.get("/me").status_code == 401
    assert client.get("/me").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": HOME_ADDRESS, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_and_uses_nothing_up(engine: sa.Engine, headers: dict):
    link = fresh_link(engine, "manager")
    client = at_the_door(engine)
    assert client.post(link, headers=headers).status_code == 403
    assert client.post(link, headers=OWN).status_code == 303


def test_a_session_of_another_database_is_nobodys_here(engine: sa.Engine):
    elsewhere = signed_in(engine, "reseller")
    with fresh_database("sqlite") as url:
        other = open_database(url)
        take(other, "partners", partner("D1"), partner("R2", parent_code="D1"))
        the_cast(other)
        assert signed_in(other, "admin").get("/me").status_code == 200
        client = at_the_door(other)
        client.cookies.update(elsewhere.cookies)
        assert client.get("/me").status_code == 401
        other.dispose()


@pytest.mark.parametrize("cookie", ["", "x", "MQ.aaaa.bbbb", "é" * 9, "1" * 5000])
def test_a_made_up_cookie_is_nobody(engine: sa.Engine, cookie: str):
    client = at_the_door(engine)
    sent = {b"Cookie": f"partner_cx_session={cookie}".encode()}
    assert client.get("/me", headers=sent).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(engine: sa.Engine):
    answer = at_the_door(engine).post(fresh_link(engine, "rep"), headers=OWN)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_the_cookie_is_for_the_path_that_the_service_stands_under(engine: sa.Engine):
    settings = replace(SETTINGS, secret=SECRET, base_url=f"{HOME_ADDRESS}/cx")
    app = make_app(engine, settings, clock=lambda: NOW)
    client = TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)
    answer = client.post(f"/cx{fresh_link(engine, 'rep')}?to=/me", headers=OWN)
    assert "Path=/cx/;" in answer.headers["set-cookie"]
    assert answer.headers["location"] == "/cx/me"
    assert client.get("/cx/me").status_code == 200


def test_a_scanner_that_opens_everything_uses_nothing_up(engine: sa.Engine):
    link, client = fresh_link(engine, "rep"), at_the_door(engine)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PROPFIND"):
        assert client.request(method, link, headers=OWN).status_code in (200, 405)
    assert client.post(link, headers=OWN).status_code == 303


@pytest.mark.parametrize(
    ("to", "page"),
    [
        ("/network/2026Q2?of=all", "/network/2026Q2?of=all"),
        ("/partners/FR%2F75", "/partners/FR%2F75"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/é", "/"),
        ("", "/"),
    ],
)
def test_whoever_signs_in_comes_to_a_page_of_ours(engine: sa.Engine, to: str, page: str):
    client = at_the_door(engine)
    answer = client.post(fresh_link(engine, "rep"), params={"to": to}, headers=OWN)
    assert answer.headers["location"] == page


def test_a_cookie_of_an_earlier_version_no_longer_counts(engine: sa.Engine):
    client = at_the_door(engine)
    signed = URLSafeTimedSerializer(SECRET, salt="session").dumps("0" * 64)
    client.cookies.set("partner_cx_session", str(signed))
    assert client.get("/me").status_code == 401


def test_the_cookie_stays_on_https_when_it_came_by_it(engine: sa.Engine):
    client = at_the_door(engine)
    client.base_url = "https://testserver"
    own = {"Origin": "https://testserver"}
    answer = client.post(fresh_link(engine, "rep"), headers=own)
    assert "Secure" in answer.headers["set-cookie"]


def test_the_database_holds_no_token(engine: sa.Engine):
    token = fresh_link(engine, "rep").rpartition("/")[2]
    with engine.connect() as connection:
        kept = connection.execute(sa.select(SignInLink.__table__)).one()
    assert token not in str(kept)


def test_whatever_a_partners_code_holds_its_people_reach_their_statement(engine: sa.Engine):
    take(engine, "partners", partner("FR/75 #1 50%?"))
    person = {"email": "rita@partner.example", "name": "Rita", "role": "partner"}
    take(engine, "people", person | {"partner_code": "FR/75 #1 50%?"})
    token = transact(engine, lambda session: make_link(session, person["email"], now=NOW))
    client = at_the_door(engine)
    client.post(f"/sign-in/{token}", headers=OWN)
    page = client.get("/", follow_redirects=True)
    assert (page.status_code, "FR/75 #1 50%?" in page.text) == (200, True)
    link = re.findall(r'href="(/partners/[^"]+)"', client.get("/me").text)[0]
    assert client.get(link).status_code == 200


def test_no_log_tells_a_link_that_still_works(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(*_given: object, **_named: object) -> None:
        raise RuntimeError

    set_up_logs(SETTINGS)
    link = fresh_link(engine, "manager")
    monkeypatch.setattr("api.pages.sign_in.use_link", fail)
    assert at_the_door(engine).post(link, headers=OWN).status_code == 500
    logged = capsys.readouterr().err
    assert "page failed" in logged
    assert link.rpartition("/")[2] not in logged


def test_there_is_no_link_for_a_stranger(engine: sa.Engine):
    with pytest.raises(NotFound, match=r"nobody@brand\.example"):
        transact(engine, lambda session: make_link(session, "nobody@brand.example", now=NOW))


def test_a_person_is_found_whatever_the_capitals(engine: sa.Engine):
    assert transact(engine, lambda session: make_link(session, " Mia@Brand.Example", now=NOW))
