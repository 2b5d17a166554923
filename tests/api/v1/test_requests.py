"""What a request must be like, and what it is answered where it isn't."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, a_system
from tests.harness.cast import at_the_door

FACTS = f"{API}/facts/partners"
JSON = {"Content-Type": "application/json"}
BATCH = '{"source": "erp", "rows": [{"code": "P9", "name": "P", "kind": "reseller"}]}'


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["type"], told["status"]) == ("about:blank", status)
    return told


def test_a_parameter_that_nobody_asks_for_is_refused_with_the_nearest(everything: TestClient):
    told = refused(everything.get(f"{API}/scorecards?period=2026Q2&kpj=otif"), 422)
    assert told["errors"] == [
        {"field": "query.kpj", "reason": "This isn't a parameter here. Did you mean kpi?"}
    ]


def test_a_parameter_that_is_given_twice_is_refused(everything: TestClient):
    told = refused(everything.get(f"{API}/partners?tier=gold&tier=silver"), 422)
    assert told["errors"][0]["field"] == "query.tier"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/partners?limit=0", "query.limit"),
        ("/partners?limit=201", "query.limit"),
        ("/partners?after=nonsense", "query.after"),
        ("/partners?after=WzFd", "query.after"),
        ("/statements?partner=R1&after=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OV0", "query.after"),
        ("/scorecards", "query.period"),
        ("/scorecards?period=2026Q5", "query.period"),
        ("/scorecards?period=2026Q2&kpi=otiff", "query.kpi"),
        ("/scorecards?period=2026Q2&level=planet", "query.level"),
        ("/partners?kind=shop", "query.kind"),
        ("/partners?tier=%00", "query.tier"),
        ("/kpis?lang=de", "query.lang"),
        ("/statements", "query.partner"),
        ("/statements?partner=R1&person=remy@r2.example", "query.partner"),
        ("/rules/x/versions/0", "path.version"),
    ],
)
def test_each_wrong_part_is_named(everything: TestClient, path: str, field: str):
    told = refused(everything.get(API + path), 422)
    assert [each["field"] for each in told["errors"]] == [field]


@pytest.mark.parametrize(
    "path",
    [
        "/partners/by-code?code=XX",
        "/people/by-email?email=nobody@x.example",
        "/entries/by-key?key=none",
        "/rules/none",
        "/rules/network_quality_bonus/versions/2",
        "/drafts/none",
        "/statements?partner=XX",
        "/scorecards?period=2026Q2&subject=XX",
        "/nowhere",
    ],
)
def test_what_isnt_there_is_not_found(everything: TestClient, path: str):
    refused(everything.get(API + path), 404)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"source": ', "line 1, column 12"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"source": NaN}', "NaN is no number"),
        (b'{"source": ' + b"9" * 5_000 + b"}", "number that nobody can mean"),
        (b"[" * 100_000, "nested"),
        (b'{"source": "\\ud800"}', "surrogate"),
    ],
    ids=["cut off", "not UTF-8", "NaN", "endless number", "endless depth", "half a sign"],
)
def test_what_isnt_json_is_refused_in_words(everything: TestClient, body: bytes, said: str):
    told = refused(everything.post(FACTS, content=body, headers=JSON), 400)
    assert said in told["detail"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/json; charset=latin-1"]
)
def test_another_kind_of_body_is_refused(everything: TestClient, kind: str):
    refused(everything.post(FACTS, content=BATCH, headers={"Content-Type": kind}), 415)


def test_a_body_of_more_than_a_megabyte_is_refused(everything: TestClient):
    large = BATCH.replace("P9", "P" * 1_000_000)
    refused(everything.post(FACTS, content=large, headers=JSON), 413)


def test_a_body_that_says_no_size_is_read_to_the_limit_and_no_further(everything: TestClient):
    read = []

    def pieces():
        for _ in range(1_000):
            read.append(1)
            yield b" " * 10_000

    refused(everything.post(FACTS, content=pieces(), headers=JSON), 413)


def test_a_missing_or_unknown_part_of_a_body_is_named(everything: TestClient):
    told = refused(everything.post(FACTS, json={"sauce": "erp", "rows": []}), 422)
    assert {each["field"] for each in told["errors"]} == {
        "body.source",
        "body.sauce",
        "body.rows",
    }


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_a_wrong_method_is_told_which_are_right(everything: TestClient, method: str):
    answer = everything.request(method, f"{API}/partners")
    refused(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_texts_come_in_the_language_that_is_asked_for(everything: TestClient):
    def spoken(path: str, accepted: str = "") -> str:
        answer = everything.get(API + path, headers={"Accept-Language": accepted})
        return answer.headers["content-language"]

    assert spoken("/kpis", "fr-CA,en;q=0.5") == "fr"
    assert spoken("/kpis", "fr;q=0.3, en;q=0.8, de") == "en"
    assert spoken("/kpis?lang=fr", "en") == "fr"
    french = everything.get(f"{API}/periods?lang=fr").json()["items"][0]["label"]
    assert french == "T2 2026"


def test_asking_in_a_language_leaves_no_cookie(everything: TestClient):
    assert "set-cookie" not in everything.get(f"{API}/kpis?lang=fr").headers


def test_a_page_says_where_the_list_goes_on_with_its_filters(programme: sa.Engine):
    client = a_system(programme, Scope.READ)
    page = client.get(f"{API}/partners?limit=1&kind=reseller")
    assert page.json()["next"].startswith(f"{API}/partners?limit=1&kind=reseller&after=")
    assert page.headers["link"] == f'<{page.json()["next"]}>; rel="next"'


def test_head_is_answered_like_get(everything: TestClient):
    answer = everything.head(f"{API}/partners")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_a_stranger_learns_nothing_of_what_there_is(programme: sa.Engine):
    client = at_the_door(programme)
    answers = [
        client.get(f"{API}/partners/by-code", params={"code": code}).text for code in ("R1", "XX")
    ]
    assert answers[0] == answers[1]
