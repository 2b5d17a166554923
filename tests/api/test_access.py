"""Who may open what: every route by every role, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute

from api.app import make_app
from partner_cx.database import open_database
from tests.harness.cast import CAST, HOME_ADDRESS, a_closed_programme, at_the_door, signed_in
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS

WHO = (None, "rep", "reseller", "distributor", "manager", "admin")

# method and route, an address of it, and the answer to each of WHO in turn
ANSWERS = """
GET  /                  /               303 303 303 303 303 303
GET  /health            /health         200 200 200 200 200 200
GET  /sign-in           /sign-in        200 200 200 200 200 200
GET  /sign-in/{token}   /sign-in/stale  200 200 200 200 200 200
POST /sign-in/{token}   /sign-in/stale  410 410 410 410 410 410
POST /sign-in           /sign-in        404 404 404 404 404 404
GET  /letters/stop/{token}  /letters/stop/stale 404 404 404 404 404 404
POST /letters/stop/{token}  /letters/stop/stale 404 404 404 404 404 404
POST /sign-out          /sign-out       303 303 303 303 303 303
GET  /me                /me             401 200 200 200 200 200
GET  /kpis              /kpis           401 200 200 200 200 200
GET  /network           /network        401 403 403 403 303 303
GET  /network/{period}  /network/2026Q2 401 403 403 403 200 200
GET  /partners          /partners       401 403 403 403 200 200
GET  /partners/{code:path} /partners/D1    401 404 404 200 200 200
GET  /partners/{code:path} /partners/R1    401 404 404 200 200 200
GET  /partners/{code:path} /partners/R2    401 404 200 200 200 200
GET  /api/v1/odoo/partners/{odoo_id} /api/v1/odoo/partners/14 401 401 401 401 401 401
POST /api/v1/odoo/links /api/v1/odoo/links 401 401 401 401 401 401
"""
ROWS = [line.split() for line in ANSWERS.strip().splitlines()]
# Whoever asks for the headers alone gets those of the page.
TABLE = ROWS + [["HEAD", *row] for method, *row in ROWS if method == "GET"]


@pytest.fixture(scope="module")
def programme():
    """One closed programme for the whole table: nothing in it changes what the others see."""
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_closed_programme(engine)
        yield engine
        engine.dispose()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[2]}")
def test_every_role_gets_the_answer_in_the_table(programme: sa.Engine, row: list[str]):
    method, _, address, *expected = row
    answers = [
        signed_in(programme, who).request(method, address, headers={"Origin": HOME_ADDRESS})
        for who in WHO
    ]
    assert [str(answer.status_code) for answer in answers] == expected


def test_every_route_has_its_row(programme: sa.Engine):
    app = make_app(programme, SETTINGS)
    routes = {
        (method, each.path) for each in routes_in(app.routes) for method in each.methods or ()
    }
    assert routes == {(method, route) for method, route, *_ in TABLE}


def routes_in(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Every route, those of included routers too; the folder of static files has none."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif included := getattr(route, "original_router", None):
            yield from routes_in(included.routes)


@pytest.mark.parametrize("who", CAST)
def test_everyone_starts_where_their_role_begins(programme: sa.Engine, who: str):
    starts = {"rep": "/me", "reseller": "/partners/R2", "distributor": "/partners/D1"}
    answer = signed_in(programme, who).get("/")
    assert answer.headers["location"] == starts.get(who, "/network")


def test_a_partner_that_isnt_yours_looks_like_one_that_isnt_there(programme: sa.Engine):
    reseller = signed_in(programme, "reseller")
    pages = [reseller.get(f"/partners/{code}").text for code in ("R1", "XX")]
    assert pages[0].replace("R1", "XX") == pages[1]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(programme: sa.Engine, method: str):
    assert at_the_door(programme).request(method, "/me").status_code == 405
