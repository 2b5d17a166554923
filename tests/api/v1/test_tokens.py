"""What each token opens: by its scopes, by the partner it is limited to, while it is in force."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.database import transact
from partner_cx.errors import Invalid
from partner_cx.network.scopes import NETWORK_WIDE, Scope
from partner_cx.network.tokens import make_token
from tests.harness.access_table import ApiRow, address, rows
from tests.harness.api_clients import API, a_system, a_token
from tests.harness.cast import signed_in
from tests.harness.programme import NOW

TABLE = [row for row in rows() if isinstance(row, ApiRow) and row.scope]
# What is about the whole network, and so not for a token that is limited to a partner.
NETWORK_ONLY = [
    "/budgets",
    "/closings",
    "/rules",
    "/rules/network_quality_bonus",
    "/rules/network_quality_bonus/versions/1",
    "/scorecards?period=2026Q2&level=network",
    "/scorecards?period=2026Q2&level=group",
]
# What is about one partner, with R1's and R2's own addresses.
ABOUT_ONE = [
    "/partners/by-code?code={}",
    "/scorecards?period=2026Q2&subject={}",
    "/statements?partner={}",
    "/balances?partner={}",
    "/decisions?partner={}",
    "/explanations?partner={}",
]


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_its_own_addresses_and_no_others(programme: sa.Engine, scope: Scope):
    client = a_system(programme, scope)
    opened = {
        (row.method, row.path)
        for row in TABLE
        if client.request(row.method, address(row.path, "R2")).status_code != 403
    }
    assert opened == {(row.method, row.path) for row in TABLE if row.scope == scope}


def test_the_root_says_what_the_token_may_do(programme: sa.Engine, of_r2: TestClient):
    told = of_r2.get(f"{API}/").json()
    assert [each["scope"] for each in told["scopes"]] == ["read", "people"]
    assert told["partner"] == "R2"


def test_without_a_token_there_is_the_document_and_nothing_else(programme: sa.Engine):
    client = a_system(programme, Scope.READ)
    del client.headers["Authorization"]
    assert client.get(f"{API}/openapi.json").status_code == 200
    assert client.get(f"{API}/").status_code == 401


@pytest.mark.parametrize("path", NETWORK_ONLY)
def test_what_is_about_the_network_is_refused_to_a_limited_token(of_d1: TestClient, path: str):
    assert of_d1.get(API + path).status_code == 403


@pytest.mark.parametrize("path", ABOUT_ONE)
def test_a_limited_token_sees_its_partner(of_r2: TestClient, path: str):
    assert of_r2.get(API + path.format("R2")).status_code == 200


@pytest.mark.parametrize("path", ABOUT_ONE)
@pytest.mark.parametrize("code", ["R1", "D1", "XX"])
def test_others_look_to_it_like_partners_that_arent_there(of_r2: TestClient, path: str, code: str):
    answer = of_r2.get(API + path.format(code))
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no such partner, or the token doesn't see it."


@pytest.mark.parametrize("path", ABOUT_ONE)
def test_a_distributors_token_sees_those_below_it(of_d1: TestClient, path: str):
    assert [of_d1.get(API + path.format(code)).status_code for code in ("D1", "R1")] == [200, 200]


def test_lists_hold_only_what_a_limited_token_sees(of_r2: TestClient, of_d1: TestClient):
    def codes(client: TestClient, path: str, name: str) -> set[str]:
        return {each[name] for each in client.get(API + path).json()["items"]}

    assert codes(of_r2, "/partners", "code") == {"R2"}
    assert codes(of_r2, "/balances", "partner") == {"R2"}
    assert codes(of_r2, "/decisions", "partner") == {"R2"}
    assert codes(of_r2, "/scorecards?period=2026Q2", "subject") == {"R2"}
    assert codes(of_r2, "/people", "email") == {"remy@r2.example"}
    assert codes(of_d1, "/partners", "code") == {"D1", "R1", "R2", "R3"}


def test_a_limited_token_isnt_told_who_stands_above_or_who_runs_the_programme(of_r2: TestClient):
    partner = of_r2.get(f"{API}/partners/by-code", params={"code": "R2"}).json()
    assert (partner["parent"], partner["groups"]) == (None, ["kind:reseller", "tier:gold"])
    explained = of_r2.get(f"{API}/explanations", params={"partner": "R2"}).text
    assert "mia@brand.example" not in explained


def test_an_entry_of_somebody_else_isnt_there(of_r2: TestClient, of_d1: TestClient):
    award = {"key": "close:2026Q2:network_quality_bonus:R1"}
    assert of_r2.get(f"{API}/entries/by-key", params=award).status_code == 404
    assert of_d1.get(f"{API}/entries/by-key", params=award).status_code == 200
    assert of_d1.get(f"{API}/entries/by-key", params={"key": "fund:10000"}).status_code == 404


def test_a_persons_points_need_the_scope_people(programme: sa.Engine, of_d1: TestClient):
    asked = {"person": "remy@r2.example"}
    assert of_d1.get(f"{API}/statements", params=asked).status_code == 403
    client = a_system(programme, Scope.READ, Scope.PEOPLE)
    assert client.get(f"{API}/statements", params=asked).status_code == 200


@pytest.mark.parametrize("scope", sorted(NETWORK_WIDE))
def test_a_token_for_the_network_cant_be_limited_to_a_partner(
    session: sa.orm.Session, scope: Scope
):
    with pytest.raises(Invalid, match="about the whole network"):
        make_token(session, "x", [scope], by="ada", now=NOW, lasts=None, partner_id=1)


def test_an_expired_or_ended_token_opens_nothing(programme: sa.Engine):
    client = a_system(programme, Scope.READ)
    over = a_token(programme, Scope.READ, lasts=timedelta(days=1), made=NOW - timedelta(days=2))
    client.headers["Authorization"] = f"Bearer {over}"
    answer = client.get(f"{API}/partners")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_cookie_opens_nothing(programme: sa.Engine):
    client = signed_in(programme, "manager")
    assert client.get("/network/2026Q2").status_code == 200
    assert client.get(f"{API}/partners").status_code == 401


def test_each_answer_says_how_many_requests_are_left(programme: sa.Engine):
    client = a_system(programme, Scope.READ)
    answers = [
        client.get(f"{API}/kpis"),
        client.get(f"{API}/kpis?wrong=1"),
        client.get(f"{API}/budgets"),
    ]
    left = [int(each.headers["ratelimit-remaining"]) for each in answers[::2]]
    assert left[0] - left[1] == 1
    assert int(answers[0].headers["ratelimit-limit"]) > 0


def test_that_a_token_was_used_is_noted(programme: sa.Engine):
    client = a_system(programme, Scope.READ)
    client.get(f"{API}/kpis")

    def last_used(session: sa.orm.Session) -> object:
        return session.scalar(sa.text("SELECT max(last_used_at) FROM api_tokens"))

    assert transact(programme, last_used) is not None
