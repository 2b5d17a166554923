"""What somebody may try to learn of others: single answers, other partners, others' entries."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, a_system
from tests.harness.cast import signed_in, the_cast
from tests.harness.intake import take
from tests.harness.programme import a_network, a_programme, close_it

SCORES = f"{API}/scorecards?period=2026Q2&kpi=csat"
OTHERS_DECISIONS = sa.text(
    "SELECT d.id FROM decisions d JOIN partners p ON p.id = d.partner_id WHERE p.code <> 'R2'"
)


def answered(engine: sa.Engine, partner_code: str, *values: str) -> None:
    rows = (
        {
            "source_id": f"{partner_code}-{number}",
            "survey_code": "relationship",
            "partner_code": partner_code,
            "answered_at": "2026-05-18T09:00:00Z",
            "question_code": "csat",
            "value": value,
            "respondent": f"nosy-{number}@{partner_code.lower()}.example",
        }
        for number, value in enumerate(values)
    )
    _, problems = take(engine, "answers", *rows)
    assert problems == []


@pytest.fixture
def a_few_answers(engine: sa.Engine) -> sa.Engine:
    """R2 was told by one respondent what it is like, R1 by five."""
    a_network(engine)
    the_cast(engine)
    a_programme(engine)
    answered(engine, "R2", "1")
    answered(engine, "R1", "1", "2", "4", "5", "5")
    close_it(engine)
    return engine


def test_what_one_respondent_said_isnt_told_to_the_partner(a_few_answers: sa.Engine):
    page = signed_in(a_few_answers, "reseller").get("/figures?kpi=csat&period=2026Q2").text
    assert "nosy" not in page
    assert "0%" not in page
    scores = a_system(a_few_answers, Scope.READ, partner="R2").get(SCORES).json()["items"]
    assert [(each["subject"], each["value"], each["of"], each["n"]) for each in scores] == [
        ("R2", None, None, 0)
    ]


def test_what_several_said_is_told_to_their_partner(a_few_answers: sa.Engine):
    scores = a_system(a_few_answers, Scope.READ, partner="D1").get(SCORES).json()["items"]
    assert {each["subject"]: each["value"] for each in scores if each["value"]} == {"R1": "0.6"}


def test_whoever_runs_the_network_is_told_all(a_few_answers: sa.Engine):
    scores = a_system(a_few_answers, Scope.READ).get(SCORES).json()["items"]
    assert {each["subject"]: each["value"] for each in scores if each["value"]} == {
        "R1": "0.6",
        "R2": "0",
    }


@pytest.mark.parametrize("who", ["reseller", "rep"])
def test_others_entries_and_decisions_arent_told_by_any_way(closed: sa.Engine, who: str):
    take(closed, "reps", {"rep_email": "rep@brand.example", "partner_code": "R2"})
    client = signed_in(closed, who)
    with closed.connect() as database:
        others = set(database.execute(OTHERS_DECISIONS).scalars())
        keys = set(database.execute(sa.text("SELECT key FROM transfers")).scalars())
    assert others
    for number in others:
        assert client.get(f"/statements/R2?decision={number}").status_code == 404
    for key in keys:
        answer = client.get("/statements/R2", params={"entry": key})
        assert answer.status_code == (200 if key.endswith(":R2") else 404), key
    for path in ("/statements/R1", "/figures/R1", "/partners/R1", "/statements/R2/../R1"):
        for asked in ("", "?format=csv", "?format=xlsx", "?kpi=otif", f"?decision={min(others)}"):
            assert client.get(path + asked).status_code == 404


def test_a_rep_is_shown_of_the_partners_below_those_it_visits(closed: sa.Engine):
    take(
        closed,
        "reps",
        {"rep_email": "rep@brand.example", "partner_code": "D1"},
        {"rep_email": "rep@brand.example", "partner_code": "R2"},
    )
    told = signed_in(closed, "rep").get("/partners/D1").text
    assert re.findall(r'href="/partners/(R\d)"', told) == ["R2"]
    told = signed_in(closed, "distributor").get("/home").text
    assert re.findall(r'href="/partners/(R\d)"', told) == ["R1", "R2", "R3"]
