"""Who may open what: every line of the guide's table is tried, and every address has its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import end_token, holder_of, make_token
from tests.harness.access_table import ROLES, ApiRow, PageRow, address, rows
from tests.harness.cast import (
    CAST,
    HOME_ADDRESS,
    SECRET,
    at_the_door,
    closed_programme,
    fresh_link,
    signed_in,
)
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

TABLE = list(rows())
PAGES = [row for row in TABLE if isinstance(row, PageRow)]
API = [row for row in TABLE if isinstance(row, ApiRow)]
# Whoever asks for the headers alone gets those of the page.
ANSWERS = PAGES + [replace(row, method="HEAD") for row in PAGES if row.method == "GET"]
# Who plays each role, with partners that are theirs and partners that aren't.
PLAYED_BY: dict[str | None, tuple[list[str | None], list[str], list[str]]] = {
    None: ([None], [], []),
    "rep": (["rep"], ["R2"], ["R1", "D1"]),
    "partner": (["reseller", "distributor"], [], []),
    "manager": (["manager"], ["R1", "D2"], []),
    "admin": (["admin"], ["R1", "D2"], []),
}
OWN = {"reseller": ["R2"], "distributor": ["D1", "R2", "R3"]}
FOREIGN = {"reseller": ["R1", "D1", "D2"], "distributor": ["D2", "R9"]}


@dataclass(frozen=True)
class Door:
    """A programme being served to everybody at once."""

    engine: sa.Engine
    app: FastAPI

    def ask(self, who: str | None, method: str, path: str) -> int:
        client = TestClient(self.app, base_url=HOME_ADDRESS, follow_redirects=False)
        if who:
            client.post(fresh_link(self.engine, who), headers={"Origin": HOME_ADDRESS})
        return client.request(method, path, headers={"Origin": HOME_ADDRESS}).status_code


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """One closed programme for the whole table, with a second distributor and its reseller."""
    with closed_programme("sqlite") as engine:
        take(engine, "partners", partner("D2", kind="distributor"), partner("R9", parent_code="D2"))
        take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": "R2"})
        app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
        yield Door(engine, app)


@pytest.mark.parametrize("row", ANSWERS, ids=str)
def test_everyone_gets_the_answer_in_the_table(door: Door, row: PageRow):
    wrong = [
        f"{who or 'a stranger'} at {path}: {status}, expected {expected}"
        for role, answer in zip(ROLES, row.answers, strict=True)
        for who, path, expected in situations(role, answer, row.path)
        if not suits(status := door.ask(who, row.method, path), expected)
    ]
    assert wrong == []


def situations(role: str | None, answer: str, path: str) -> Iterator[tuple[str | None, str, str]]:
    """Who asks for what in a role, and what they should get: with their own, and with others'."""
    players, own, foreign = PLAYED_BY[role]
    for who in players:
        mine = OWN.get(who or "", own) if "{code" in path else ["R1"]
        for code in mine or ["R1"]:
            yield who, address(path, code), "yes" if answer in ("own", "visited") else answer
        if answer in ("own", "visited"):
            for code in (*FOREIGN.get(who or "", foreign), "XX"):
                yield who, address(path, code), "not there"


def suits(status: int, expected: str) -> bool:
    if expected == "yes":
        return status < 500 and status not in (401, 403)
    return status in {"no": (403,), "sign in": (401,), "not there": (404,)}[expected]


@pytest.mark.parametrize("row", API, ids=str)
def test_a_token_opens_what_its_scope_is_for(door: Door, row: ApiRow):
    right = token(door, Scope(row.scope) if row.scope else Scope.ODOO)
    wrong = token(door, next(each for each in Scope if each != row.scope))
    expired = token(door, *Scope, lasts=timedelta(seconds=-1))
    ended = token(door, *Scope)
    transact(door.engine, lambda s: end_token(s, holder_of(s, ended, now=NOW).id, now=NOW))  # type: ignore[union-attr]
    answers = {
        said: ask_with(door, row, held)
        for said, held in {
            "none": None,
            "not one of ours": "pcx_stranger",
            "right": right,
            "wrong": wrong,
            "expired": expired,
            "ended": ended,
        }.items()
    }
    assert answers["right"] < 500
    assert answers["right"] not in (401, 403)
    if row.scope:
        refused = {said: status for said, status in answers.items() if said != "right"}
        assert refused == {**dict.fromkeys(refused, 401), "wrong": 403}


def token(door: Door, *scopes: Scope, lasts: timedelta = timedelta(days=1)) -> str:
    return transact(
        door.engine, lambda s: make_token(s, "a test", scopes, by="ada", now=NOW, lasts=lasts)
    )


def ask_with(door: Door, row: ApiRow, held: str | None) -> int:
    client = TestClient(door.app, base_url=HOME_ADDRESS, follow_redirects=False)
    headers = {"Authorization": f"Bearer {held}"} if held else {}
    return client.request(row.method, address(row.path, "R2"), headers=headers).status_code


def test_a_session_doesnt_open_the_api(door: Door):
    client = signed_in(door.engine, "manager")
    opened = [
        str(row)
        for row in API
        if row.scope and client.request(row.method, address(row.path, "R2")).status_code != 401
    ]
    assert opened == []


def test_every_address_has_its_line_and_none_is_left_over(door: Door):
    routes = {
        (method, each.path) for each in routes_in(door.app.routes) for method in each.methods or ()
    }
    served = {(method, path) for method, path in routes if method != "HEAD"}
    told = [(row.method, row.path) for row in TABLE]
    assert sorted(served.difference(told)) == []
    assert sorted(set(told).difference(served)) == []
    assert len(told) == len(set(told))


def routes_in(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Every route, those of included routers too; the folder of static files has none."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif included := getattr(route, "original_router", None):
            yield from routes_in(included.routes)


FORMS = [row for row in PAGES if row.method == "POST" and not row.path.startswith("/letters/stop")]


@pytest.mark.parametrize("row", FORMS, ids=str)
def test_no_form_is_taken_from_another_site(door: Door, row: PageRow):
    client = signed_in(door.engine, "admin")
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post(address(row.path, "R2"), headers=elsewhere).status_code == 403


@pytest.mark.parametrize("who", CAST)
def test_everyone_starts_where_their_role_begins(door: Door, who: str):
    starts = {"rep": "/field", "reseller": "/home", "distributor": "/home", "admin": "/admin"}
    answer = signed_in(door.engine, who).get("/")
    assert answer.headers["location"] == starts.get(who, "/network")


def test_a_partner_that_isnt_yours_looks_like_one_that_isnt_there(door: Door):
    reseller = signed_in(door.engine, "reseller")
    pages = [reseller.get(f"/partners/{code}").text for code in ("R1", "XX")]
    assert pages[0].replace("R1", "XX") == pages[1]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(door: Door, method: str):
    assert at_the_door(door.engine).request(method, "/me").status_code == 405
