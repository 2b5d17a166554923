"""What the module in Odoo asks us, over HTTP: with a token, about its partners, for its people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from integrations.odoo.state import OdooLink
from partner_cx.database import transact
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import ApiToken, end_token, make_token
from tests.harness.cast import at_the_door, closed_programme
from tests.harness.programme import NOW

PARTNER = "/api/v1/odoo/partners/14"


@pytest.fixture(scope="module")
def programme() -> Iterator[sa.Engine]:
    """A closed programme, of which Odoo knows R1 as 14 and a company of no network as 15."""
    with closed_programme("sqlite") as engine:
        link = OdooLink(model="res.partner", odoo_id=14, ours="R1")
        gone = OdooLink(model="res.partner", odoo_id=16, ours="R2", gone_at=NOW)
        transact(engine, lambda session: session.add_all([link, gone]))
        yield engine


@pytest.fixture
def token(programme: sa.Engine) -> str:
    return issued(programme)


def issued(engine: sa.Engine, lasts: timedelta | None = None, made: Any = NOW) -> str:
    def make(session: Any) -> str:
        return make_token(session, "odoo", [Scope.ODOO], by="ada", now=made, lasts=lasts)

    return transact(engine, make)


def door(engine: sa.Engine, token: str = "") -> TestClient:
    client = at_the_door(engine)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def test_a_partner_is_shown_with_points_figures_and_last_lines(
    programme: sa.Engine, token: str
) -> None:
    shown = door(programme, token).get(PARTNER).json()
    assert (shown["code"], shown["points"], shown["pending"]) == ("R1", 500, 0)
    assert {each["kpi"]: each["state"] for each in shown["figures"]}["otif"] == "green"
    [line] = shown["lines"]
    assert (line["points"], line["balance"]) == (500, 500)
    assert shown["address"].endswith("/partners/R1")


def test_texts_come_in_the_language_that_is_asked_for(programme: sa.Engine, token: str) -> None:
    french = door(programme, token).get(PARTNER, params={"lang": "fr_FR"}).json()
    english = door(programme, token).get(PARTNER, params={"lang": "en_US"}).json()
    assert french["lines"][0]["why"] != english["lines"][0]["why"]


@pytest.mark.parametrize("odoo_id", [15, 16, 99])
def test_a_company_of_no_network_is_not_found(
    programme: sa.Engine, token: str, odoo_id: int
) -> None:
    answer = door(programme, token).get(f"/api/v1/odoo/partners/{odoo_id}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "isn't a partner of the network" in answer.json()["detail"]


@pytest.mark.parametrize("odoo_id", ["0", "-1", "x", "9999999999999999999"])
def test_what_is_no_number_of_a_record_is_refused(
    programme: sa.Engine, token: str, odoo_id: str
) -> None:
    answer = door(programme, token).get(f"/api/v1/odoo/partners/{odoo_id}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_link_signs_a_manager_in_once_at_the_partners_page(
    programme: sa.Engine, token: str
) -> None:
    asked = {"email": "MIA@brand.example", "odoo_id": 14}
    made = door(programme, token).post("/api/v1/odoo/links", json=asked).json()
    address = made["address"].removeprefix("http://127.0.0.1:8000")
    visitor = at_the_door(programme)
    assert "?to=%2Fpartners%2FR1" in visitor.get(address).text
    origin = {"Origin": str(visitor.base_url)}
    answer = visitor.post(address, headers=origin)
    assert answer.headers["location"] == "/partners/R1"
    assert visitor.get("/partners/R1").status_code == 200
    assert at_the_door(programme).post(address, headers=origin).status_code == 410


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "x"])
def test_a_link_leads_to_our_own_pages_only(programme: sa.Engine, token: str, to: str) -> None:
    asked = {"email": "mia@brand.example"}
    made = door(programme, token).post("/api/v1/odoo/links", json=asked).json()
    address = made["address"].removeprefix("http://127.0.0.1:8000")
    visitor = at_the_door(programme)
    answer = visitor.post(address, params={"to": to}, headers={"Origin": str(visitor.base_url)})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("email", "status"),
    [("ada@brand.example", 403), ("nobody@brand.example", 404), ("", 404)],
)
def test_odoo_signs_in_neither_administrators_nor_strangers(
    programme: sa.Engine, token: str, email: str, status: int
) -> None:
    answer = door(programme, token).post("/api/v1/odoo/links", json={"email": email})
    assert answer.status_code == status


def test_a_partners_own_people_are_not_signed_in_by_odoo(programme: sa.Engine, token: str) -> None:
    people = sa.text("SELECT email FROM people WHERE role = 'partner'")
    with programme.connect() as connection:
        emails = connection.execute(people).scalars().all()
    assert emails
    for email in emails:
        answer = door(programme, token).post("/api/v1/odoo/links", json={"email": email})
        assert answer.status_code == 403


@pytest.mark.parametrize("shown", ["", "pcx_unknown", "pcx_" + "a" * 5000])
def test_without_a_token_in_force_nothing_is_told(programme: sa.Engine, shown: str) -> None:
    for answer in (
        door(programme, shown).get(PARTNER),
        door(programme, shown).post("/api/v1/odoo/links", json={"email": "x@y.example"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["status"] == 401


def test_a_token_that_is_over_opens_nothing(programme: sa.Engine) -> None:
    expired = issued(programme, lasts=timedelta(days=1), made=NOW - timedelta(days=2))
    assert door(programme, expired).get(PARTNER).status_code == 401
    ended = issued(programme)
    with programme.connect() as connection:
        number = connection.execute(sa.select(sa.func.max(ApiToken.id))).scalar_one()
    transact(programme, lambda session: end_token(session, number, now=NOW).id)
    assert door(programme, ended).get(PARTNER).status_code == 401


def test_a_token_for_something_else_is_refused(programme: sa.Engine, token: str) -> None:
    other = sa.update(ApiToken).values(scopes="other")
    transact(programme, lambda session: session.execute(other))
    try:
        assert door(programme, token).get(PARTNER).status_code == 403
    finally:
        back = sa.update(ApiToken).values(scopes="odoo")
        transact(programme, lambda session: session.execute(back))


def test_the_database_keeps_no_token(programme: sa.Engine, token: str) -> None:
    with programme.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM api_tokens").all()
    assert token.removeprefix("pcx_") not in str(rows)


def test_a_text_that_no_database_holds_is_refused_like_any_other(engine: sa.Engine) -> None:
    """PostgreSQL takes no NUL in a text, whoever sends it, and SQLite finds nobody called so."""
    asked = {"email": "mia\0@brand.example"}
    answer = door(engine, issued(engine)).post("/api/v1/odoo/links", json=asked)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", PARTNER, {"GET", "HEAD"}),
        ("DELETE", "/api/v1/odoo/links", {"POST"}),
        ("GET", "/api/v1/odoo/links", {"POST"}),
    ],
)
def test_a_wrong_method_is_told_which_are_right(
    programme: sa.Engine, token: str, method: str, path: str, allowed: set[str]
) -> None:
    answer = door(programme, token).request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed


@pytest.mark.parametrize(
    "shown", [b"Bearer \xe9\xff", b"Bearer", b"Basic pcx_x", "Bearer \ud55c".encode()]
)
def test_odd_credentials_are_no_credentials(programme: sa.Engine, shown: bytes) -> None:
    visitor = at_the_door(programme)
    assert visitor.get(PARTNER, headers={b"Authorization": shown}).status_code == 401
