"""The pages for budgets: where points are, giving them once, giving back what was set aside."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.journal import JournalLine
from partner_cx.words import Words
from rewards.budgets import POINTS_MAX, fund, points_left, report
from rewards.budgets.reservations import reserve
from tests.harness.cast import HOME_ADDRESS, signed_in, the_cast
from tests.harness.programme import BONUS, NOW, a_network, a_programme

HERE = {"Origin": HOME_ADDRESS}
PATH = f"/budgets/{BONUS.budget}"


@pytest.fixture
def programme(closed: sa.Engine) -> sa.Engine:
    return closed


def post(client: TestClient, path: str, **fields: str) -> Any:
    return client.post(path, data=fields, headers=HERE)


def left(engine: sa.Engine, code: str = BONUS.budget) -> int:
    with Session(engine) as session:
        return points_left(session, code)


def journal(engine: sa.Engine) -> list[tuple[str, int]]:
    with Session(engine) as session:
        lines = session.scalars(sa.select(JournalLine).where(JournalLine.did == "budget.funded"))
        return [(each.about, each.details["points"]) for each in lines]


def test_a_budgets_page_says_where_its_points_are(programme: sa.Engine):
    page = signed_in(programme, "manager").get(PATH).text
    for said in (
        "500 of 10,000 points used (5%)",
        "9,500",
        "network_quality_bonus",
        "/partners/R1",
    ):
        assert said in page


def test_the_list_and_the_entries_are_taken_along(programme: sa.Engine):
    client = signed_in(programme, "admin")
    listed = client.get("/budgets?format=csv").text
    assert f"{BONUS.budget},10000,500,0,0,9500" in listed
    entries = client.get(f"{PATH}?format=csv").text
    assert "R1,-500" in entries


def test_points_are_given_to_a_budget(programme: sa.Engine):
    client = signed_in(programme, "manager")
    answer = post(client, f"{PATH}/fund", key="k1", points="1,000", why="More for spring")
    assert answer.headers["location"] == f"{PATH}?said=funded"
    assert left(programme) == 10_500
    assert journal(programme) == [(BONUS.budget, 1_000)]
    assert "More for spring" in client.get(PATH).text


def test_a_new_budget_is_made_by_giving_it_points(programme: sa.Engine):
    client = signed_in(programme, "manager")
    answer = post(client, "/budgets", key="k1", code="gestures", points="50", why="Gestures")
    assert answer.headers["location"] == "/budgets/gestures?said=funded"
    assert left(programme, "gestures") == 50


def test_budgets_of_other_pages_are_offered_too(programme: sa.Engine):
    why = Words("More", "Plus")

    def work(session: Session) -> None:
        for number in range(60):
            fund(session, f"b{number:02}", 10, key=f"k{number}", why=why, now=NOW, by="Lea")

    transact(programme, work)
    page = signed_in(programme, "manager").get("/budgets").text
    assert all(f'<option value="b{number:02}">' in page for number in range(60))


def test_a_form_that_is_sent_twice_at_once_gives_once(programme: sa.Engine):
    clients = [signed_in(programme, "manager") for _ in range(3)]
    fields = {"key": "k1", "points": "700", "why": "Once"}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda each: post(each, f"{PATH}/fund", **fields), clients))
    assert {each.status_code for each in answers} == {303}
    assert left(programme) == 10_200
    assert journal(programme) == [(BONUS.budget, 700)]


def test_the_same_form_with_another_amount_is_refused(programme: sa.Engine):
    client = signed_in(programme, "manager")
    post(client, f"{PATH}/fund", key="k1", points="700", why="Once")
    answer = post(client, f"{PATH}/fund", key="k1", points="900", why="Once")
    assert answer.status_code == 422
    assert "sent before with something else" in answer.text
    assert left(programme) == 10_200


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_cant_be_given_says_why_and_keeps_what_was_typed(programme: sa.Engine, language: str):
    client = signed_in(programme, "manager")
    for field, text in (
        ("code", ""),
        ("code", "two words"),
        ("code", "a/b"),
        ("points", ""),
        ("points", "0"),
        ("points", "-5"),
        ("points", "1.5"),
        ("points", "9" * 30),
        ("points", str(POINTS_MAX + 1)),
        ("points", "²"),
        ("why", " "),
        ("why", "a\0b"),
        ("why", "é" * 3_000),
    ):
        fields = {"key": "k", "code": "spring", "points": "5", "why": "Typed"} | {field: text}
        answer = post(client, f"/budgets?lang={language}", **fields)
        assert answer.status_code == 422, (field, text)
        assert f'id="error-{field}"' in answer.text, (field, text)
        assert re.search(r'name="key" value="k"', answer.text)
    assert left(programme, "spring") == 0


def test_more_than_a_budget_may_hold_is_refused(programme: sa.Engine):
    client = signed_in(programme, "manager")
    answer = post(client, f"{PATH}/fund", key="k1", points=str(POINTS_MAX), why="All of it")
    assert answer.status_code == 422
    assert "more than a budget may" in answer.text
    assert left(programme) == 9_500


def test_what_was_set_aside_is_given_back_once(programme: sa.Engine):
    why = Words("A panel", "Un panel")
    transact(
        programme,
        lambda s: reserve(s, BONUS.budget, 400, key="panel-lyon", why=why, now=NOW).key,
    )
    client = signed_in(programme, "manager")
    assert "panel-lyon" in client.get(PATH).text
    refused = post(client, f"{PATH}/release", key="panel-lyon", why="")
    assert refused.status_code == 422
    answer = post(client, f"{PATH}/release", key="panel-lyon", why="Cancelled")
    assert answer.headers["location"] == f"{PATH}?said=released"
    again = post(client, f"{PATH}/release", key="panel-lyon", why="Cancelled")
    assert again.status_code == 422
    assert "already" in again.text
    with Session(programme) as session:
        assert report(session, BONUS.budget).reserved == 0


def test_a_budget_that_a_rule_names_can_be_looked_at_before_it_has_points(engine: sa.Engine):
    a_network(engine)
    the_cast(engine)
    a_programme(engine, points=0)
    client = signed_in(engine, "manager")
    assert "never given any points" in client.get(PATH).text
    assert BONUS.budget in client.get("/budgets").text


@pytest.mark.parametrize("query", ["page=0", "page=x", "format=pdf", "page=99999999999999999999"])
def test_an_address_that_makes_no_sense_is_refused(programme: sa.Engine, query: str):
    assert signed_in(programme, "manager").get(f"{PATH}?{query}").status_code == 422


def test_many_budgets_stand_on_several_pages(programme: sa.Engine):
    why = Words("A pilot", "Un essai")

    def work(session: Session) -> None:
        for number in range(60):
            fund(session, f"pilot-{number:02}", 10, key=f"fund:{number}", why=why, now=NOW)

    transact(programme, work)
    client = signed_in(programme, "manager")
    first, second = (client.get(f"/budgets?page={page}").text for page in (1, 2))
    assert "1 to 50 of 61" in first
    assert "/budgets/pilot-48" in first
    assert "/budgets/pilot-59" not in first
    assert "/budgets/pilot-59" in second
    assert "pilot-59" in client.get("/budgets?format=csv").text
