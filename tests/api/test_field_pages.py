"""The rep's pages: the partners they visit, those to look after first, and their own points."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from tests.harness.cast import CAST, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.intake import partner, take
from tests.harness.many_partners import many_partners


@pytest.fixture
def programme(closed: sa.Engine) -> sa.Engine:
    """A closed programme whose rep visits R1 and R2."""
    visits(closed, "R1", "R2")
    return closed


def visits(engine: sa.Engine, *codes: str) -> None:
    take(engine, "reps", *({"rep_email": CAST["rep"], "partner_code": code} for code in codes))


def words(client: TestClient, address: str = "/field") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


def partners(client: TestClient, address: str = "/field") -> list[str]:
    return re.findall(r'<h3><a href="/partners/([^"]+)"', client.get(address).text)


def test_a_rep_sees_the_partners_they_visit_and_no_others(programme: sa.Engine):
    rep = signed_in(programme, "rep")
    assert sorted(partners(rep)) == ["R1", "R2"]
    assert "R3" not in rep.get("/field").text


def test_those_to_look_after_come_first_and_are_told_in_words(programme: sa.Engine):
    rep = signed_in(programme, "rep")
    assert partners(rep) == ["R2", "R1"]
    said = words(rep, "/field?lang=en")
    assert "R2 1 target missed" in said
    assert "R1 all targets reached" in said
    assert "OTIF 85.00% ✕ missed" in said
    assert "Figures of Q2 2026, closed 0 days ago." in said


def test_no_balance_of_a_partner_is_shown(programme: sa.Engine):
    assert "500" not in words(signed_in(programme, "rep"), "/field?lang=en")


def test_a_partner_is_found_by_a_part_of_its_name(programme: sa.Engine):
    take(programme, "partners", partner("R1", name="Énergie du Rhône", parent_code="D1"))
    rep = signed_in(programme, "rep")
    assert partners(rep, "/field?q=energie") == ["R1"]
    assert "Nobody you visit is called that" in words(rep, "/field?q=R3&lang=en")


def test_a_partner_taken_away_is_gone_from_the_page(programme: sa.Engine):
    rep = signed_in(programme, "rep")
    row = {"rep_email": CAST["rep"], "partner_code": "R2", "visits": "no"}
    take(programme, "reps", row)
    assert partners(rep) == ["R1"]
    assert rep.get("/partners/R2").status_code == 404


def test_own_points_stand_with_their_reasons(programme: sa.Engine):
    said = words(signed_in(programme, "rep"), "/field?lang=en")
    assert "My points 0 points to spend No points yet." in said


def test_without_partners_or_figures_the_page_says_so(engine: sa.Engine):
    take(engine, "partners", partner("D1"), partner("R2"))
    the_cast(engine)
    rep = signed_in(engine, "rep")
    assert "No partner is entrusted to you yet" in words(rep, "/field?lang=en")
    visits(engine, "R2")
    assert partners(rep) == ["R2"]
    assert "nothing to judge by" in words(rep, "/field?lang=en")


@pytest.mark.parametrize("who", ["manager", "admin", "distributor"])
def test_only_reps_have_this_page(programme: sa.Engine, who: str):
    assert signed_in(programme, who).get("/field").status_code == 403


@pytest.mark.parametrize("asked", ["page=0", "page=x", "page=99999999999999999999"])
def test_an_odd_page_is_refused(programme: sa.Engine, asked: str):
    assert signed_in(programme, "rep").get(f"/field?{asked}").status_code == 422


def test_the_page_speaks_french(programme: sa.Engine):
    said = words(signed_in(programme, "rep"), "/field?lang=fr")
    assert "Mes partenaires" in said
    assert "1 objectif manqué" in said


def test_the_database_is_asked_as_often_for_many_partners_as_for_a_few(engine: sa.Engine):
    many_partners(engine, 60)
    take(engine, "people", {"email": CAST["rep"], "name": "Rep", "role": "rep"})
    visits(engine, "P0001", "P0002")
    rep = signed_in(engine, "rep")
    with counted(engine) as few:
        assert len(partners(rep)) == 2
    visits(engine, *(f"P{number:04}" for number in range(60)))
    with counted(engine) as many:
        assert len(partners(rep)) == 50
    assert few.count == many.count <= 10
