"""How much a first visit weighs over the wire, and what of it stays with the browser."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.static_files import FOLDER
from partner_cx.database import open_database
from tests.harness.ample import a_programme_at_its_doors, add
from tests.harness.askings import WHO, askings
from tests.harness.audited import LATER
from tests.harness.cast import at_the_door, signed_in
from tests.harness.databases import fresh_database

FIRST_VISIT_MOST = 50_000  # bytes, packed
STYLE_MOST = 8_000
OWN_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@pytest.fixture(scope="module")
def programme() -> Iterator[sa.Engine]:
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_programme_at_its_doors(engine)
        add(engine, range(60))  # lists are full
        yield engine
        engine.dispose()


def wire_bytes(client: TestClient, address: str) -> int:
    """What an address takes over the wire, as a browser asks for it."""
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200, address
        return sum(map(len, answer.iter_raw()))


def first_visit_bytes(client: TestClient, address: str) -> int:
    """A page with all that it brings along, nothing kept from before."""
    files = set(OWN_FILES.findall(client.get(address).text))
    return wire_bytes(client, address) + sum(wire_bytes(client, file) for file in files)


@pytest.mark.parametrize("who", WHO)
def test_a_first_visit_is_light_wherever_it_begins(programme: sa.Engine, who: str | None):
    client = signed_in(programme, who, now=LATER)
    pages = {each.path for each in askings() if each.who == who and is_page(client, each.path)}
    assert pages
    weights = {page: first_visit_bytes(client, page) for page in pages}
    assert {page: weight for page, weight in weights.items() if weight > FIRST_VISIT_MOST} == {}


def is_page(client: TestClient, address: str) -> bool:
    answer = client.get(address)
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


def test_the_sign_in_is_light(programme: sa.Engine):
    assert first_visit_bytes(at_the_door(programme), "/sign-in") < FIRST_VISIT_MOST // 2


def test_the_stylesheet_stays_small():
    assert len(gzip.compress((FOLDER / "partner-cx.css").read_bytes(), 9)) < STYLE_MOST


def test_a_file_is_kept_under_the_address_that_pages_give_it(programme: sa.Engine):
    client = at_the_door(programme)
    (style,) = (file for file in OWN_FILES.findall(client.get("/sign-in").text) if ".css" in file)
    assert client.get(style).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    bare = style.partition("?")[0]
    for changed in (bare, f"{bare}?v=", f"{bare}?v=0123456789ab", f"{bare}?v=%00&v=x"):
        assert client.get(changed).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.css", "", "..%2Fbase.html", "%00", "x" * 3_000])
def test_what_is_no_file_is_not_found(programme: sa.Engine, name: str):
    assert at_the_door(programme).get(f"/static/{name}?v=1").status_code == 404
