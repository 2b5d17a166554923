"""Lists: page by page everything once, whatever is added meanwhile, at a fixed price."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, a_system
from tests.harness.counting import counted
from tests.harness.intake import partner, take
from tests.harness.programme import BONUS, NOW, close_it, lines
from tests.harness.programme import a_programme as fund_more

LISTS = [
    "/partners",
    "/people",
    "/kpis",
    "/periods",
    "/scorecards?period=2026Q2",
    "/scorecards?period=2026Q2&level=group",
    "/balances",
    "/statements?partner=R1",
    "/decisions",
    "/budgets",
    "/closings",
    "/rules",
    "/drafts",
    "/facts",
]


def whole(client: TestClient, path: str, limit: int) -> list[dict[str, Any]]:
    """A list read page by page, as `next` says."""
    mark = "&" if "?" in path else "?"
    found, next_ = [], f"{API}{path}{mark}limit={limit}"
    while next_:
        page = client.get(next_).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        next_ = page["next"]
    return found


@pytest.mark.parametrize("path", LISTS)
def test_page_by_page_a_list_holds_the_same_as_at_once(everything: TestClient, path: str):
    at_once = whole(everything, path, 200)
    assert whole(everything, path, 2) == at_once
    assert at_once or path == "/drafts"


def test_what_is_added_meanwhile_neither_repeats_nor_hides_anything(engine: sa.Engine):
    take(engine, "partners", *(partner(f"P{number:02}") for number in range(0, 20, 2)))
    client = a_system(engine, Scope.READ)
    first = client.get(f"{API}/partners?limit=5").json()
    take(engine, "partners", *(partner(f"P{number:02}") for number in range(1, 20, 2)))
    rest = client.get(first["next"].replace("limit=5", "limit=200")).json()
    codes = [each["code"] for each in first["items"] + rest["items"]]
    assert codes == sorted(set(codes))
    assert {f"P{number:02}" for number in range(0, 20, 2)} <= set(codes)


def test_what_came_since_is_asked_for_by_the_last_cursor(closed: sa.Engine):
    client = a_system(closed, Scope.READ)
    seen = client.get(f"{API}/statements?partner=R1").json()
    asked = {"partner": "R1", "after": seen["last"]}
    nothing = client.get(f"{API}/statements", params=asked).json()
    assert (nothing["items"], nothing["last"]) == ([], seen["last"])
    take(closed, "order-lines", *lines("R1", 20, "2026-08-18"))
    close_it(closed, "2026-05", now=NOW)
    again = client.get(f"{API}/statements", params=asked).json()
    assert all(each["entry"] > seen["items"][-1]["entry"] for each in again["items"])


def test_filters_narrow_a_list(everything: TestClient):
    def codes(query: str) -> list[str]:
        items = everything.get(f"{API}/partners?{query}").json()["items"]
        return [each["code"] for each in items]

    assert codes("kind=distributor") == ["D1"]
    assert codes("tier=gold&parent=D1") == ["R1", "R2", "R3"]
    assert codes("tier=silver") == []
    met = everything.get(f"{API}/decisions?period=2026Q2&verdict=met").json()["items"]
    assert [(each["partner"], each["points"]) for each in met] == [("R1", 500)]


def test_a_partners_code_may_hold_any_sign(engine: sa.Engine):
    odd = ["A/B", "../x", "50 %", "Côté?&=#", "a+b", "mia@x.example"]
    take(engine, "partners", *(partner(code) for code in odd))
    client = a_system(engine, Scope.READ)
    for code in odd:
        found = client.get(f"{API}/partners/by-code", params={"code": code})
        assert found.json()["code"] == code
    limited = a_system(engine, Scope.READ, partner="A/B")
    assert [each["code"] for each in whole(limited, "/partners", 1)] == ["A/B"]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_asks_the_database_as_often_however_much_it_holds(closed: sa.Engine, path: str):
    client = a_system(closed, *Scope)
    mark = "&" if "?" in path else "?"
    times = []
    for limit in (1, 1, 3):  # the first may note that the token was used
        with counted(closed) as asked:
            assert client.get(f"{API}{path}{mark}limit={limit}").status_code == 200
        times.append(asked.count)
    assert times[1] == times[2]
    assert times[2] <= 9


def test_balances_add_up_to_the_statement(closed: sa.Engine):
    fund_more(closed, BONUS, points=5)
    client = a_system(closed, Scope.READ)
    for each in whole(client, "/balances", 200):
        entries = whole(client, f"/statements?partner={each['partner']}", 1)
        assert sum(entry["points"] for entry in entries) == each["points"] + each["pending"]
        if entries:
            assert entries[-1]["balance"] == each["points"]


def test_figures_come_exactly_and_never_as_floats(everything: TestClient):
    asked = {"period": "2026Q2", "subject": "R2", "kpi": "otif"}
    answer = everything.get(f"{API}/scorecards", params=asked, headers={"Accept-Encoding": ""})
    [figure] = answer.json()["items"]
    assert (figure["hits"], figure["of"]) == (17, 20)
    assert (figure["value"], figure["exact"]) == ("0.85", "17/20")
    assert (figure["state"], figure["short"], figure["target"]["value"]) == ("red", 2, "0.95")
    assert answer.json()["closed_at"] == "2026-07-03T09:00:00Z"


def test_no_answer_holds_a_float(everything: TestClient):
    def floats(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [found for each in value.values() for found in floats(each)]
        if isinstance(value, list):
            return [found for each in value for found in floats(each)]
        return [value] if isinstance(value, float) else []

    for path in (*LISTS, "/explanations?partner=R2", "/partners/by-code?code=R2"):
        assert floats(everything.get(API + path).json()) == [], path


def test_each_point_and_each_missing_one_is_explained_down_to_the_row(everything: TestClient):
    asked = {"partner": "R2", "period": "2026Q2"}
    told = everything.get(f"{API}/explanations", params=asked).json()
    [why] = told["explanations"]
    decision = why["decision"]
    assert (decision["verdict"], decision["points"], decision["agrees"]) == ("not_met", 0, True)
    missed = {row["source_id"] for each in decision["reasons"] for row in each["missed"]["rows"]}
    assert missed == {"R2-wrong-1", "R2-wrong-2", "R2-wrong-3"}
    [entry] = everything.get(f"{API}/statements?partner=R1").json()["items"]
    reason = everything.get(entry["explanation"]).json()["explanations"][0]
    assert (reason["subject"], reason["points"]) == ("R1", 500)
