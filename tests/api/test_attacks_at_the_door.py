"""What a stranger may try at the door: floods, forged origins, misleading ways on, look-alikes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from api.bodies import BODY_BYTES_MAX
from partner_cx.database import reading
from partner_cx.network.sign_in_links import person_at
from tests.harness.cast import HOME_ADDRESS, SECRET, at_the_door, signed_in, the_cast
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW, a_network

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": HOME_ADDRESS}
FILES = {"Content-Type": "multipart/form-data; boundary=b", "Origin": HOME_ADDRESS}
A_FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'


@pytest.fixture
def door(engine: sa.Engine) -> sa.Engine:
    a_network(engine)
    the_cast(engine)
    return engine


# --- Floods ---------------------------------------------------------------------------------------


class Flood:
    """A body that goes on and on, and remembers how much of it was taken."""

    def __init__(self, first: bytes, pieces: int) -> None:
        self.first, self.pieces, self.taken = first, pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.first
        for _ in range(self.pieces):
            self.taken += 1
            yield b"z" * 100_000 + b"&"


@pytest.mark.parametrize("headers", [FORM, FILES], ids=["form", "file"])
@pytest.mark.parametrize("path", ["/sign-in", "/letters/stop/x", "/rules/new", "/admin/people/new"])
def test_nobody_fills_the_memory_or_the_disk_by_a_form(door: sa.Engine, path: str, headers: dict):
    flood = Flood(A_FILE, pieces=1_000)
    answer = at_the_door(door).post(path, content=flood, headers=headers)
    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_what_is_declared_too_large_isnt_read_at_all(door: sa.Engine):
    headers = {**FORM, "Content-Length": str(BODY_BYTES_MAX + 1)}
    answer = at_the_door(door).post("/sign-in", content=iter([b"email=a"]), headers=headers)
    assert answer.status_code == 413


def test_what_is_just_small_enough_is_read(door: sa.Engine):
    body = b"said=" + b"z" * (BODY_BYTES_MAX - 5)
    assert at_the_door(door).post("/sign-out", content=body, headers=FORM).status_code == 303


def test_a_form_in_pieces_is_told_to_be_one_in_words(door: sa.Engine):
    headers = {**FORM, "Content-Type": "multipart/form-data"}
    answer = at_the_door(door).post("/sign-in", content=b"--b", headers=headers)
    assert answer.status_code == 400
    assert "on our side" not in answer.text


def test_a_file_from_a_stranger_isnt_read(door: sa.Engine):
    flood = Flood(A_FILE, pieces=100)
    answer = at_the_door(door).post("/admin/uploads", content=flood, headers=FILES)
    assert answer.status_code == 401


# --- Forged origins -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["null", "", "//", "http://", "http://[", "file://", "testserver"]
)
@pytest.mark.parametrize("host", ["", "testserver"])
def test_an_origin_that_names_no_site_is_none_of_ours(door: sa.Engine, origin: str, host: str):
    headers = {"Origin": origin, "Host": host}
    assert signed_in(door, "reseller").post("/sign-out", headers=headers).status_code == 403


# --- Ways on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/partners-cx"])
def test_a_slash_too_many_leads_to_the_same_site(door: sa.Engine, prefix: str):
    settings = replace(SETTINGS, secret=SECRET, base_url=f"https://brand.example{prefix}")
    app = make_app(door, settings, clock=lambda: NOW)
    client = TestClient(app, base_url="http://inside:8000", follow_redirects=False)
    answer = client.get("/me/?lang=fr", headers={"Host": "elsewhere.example"})
    assert answer.headers["location"] == f"{prefix}/me?lang=fr"


# --- Look-alikes ----------------------------------------------------------------------------------


def test_an_address_that_only_looks_like_somebodys_is_nobodys(door: sa.Engine):
    with reading(door) as session:
        assert person_at(session, " MIA@Brand.Example ") is not None
        kelvin = "mia@brand.example".replace("a", "\N{FULLWIDTH LATIN SMALL LETTER A}")
        assert person_at(session, kelvin) is None
        assert person_at(session, "mia@brand.example\u200b") is None


def test_a_sign_whose_small_letter_is_another_opens_nothing(door: sa.Engine):
    from tests.harness.intake import take

    take(door, "people", {"email": "kim@brand.example", "name": "Kim", "role": "admin"})
    with reading(door) as session:
        assert person_at(session, "KIM@brand.example") is not None
        assert person_at(session, "\N{KELVIN SIGN}IM@brand.example") is None
