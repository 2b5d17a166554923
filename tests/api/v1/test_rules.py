"""Rules over the API: checked, drafted and tried as anywhere else, published by people alone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api.v1.rules import RULE_PLAIN, RULE_YAML
from partner_cx.network.scopes import Scope
from partner_cx.periods import Period
from rewards.backtest import backtest_published
from rewards.ledger import Transfer
from rewards.lint.checking import check
from rewards.rulebook import RuleVersion
from rewards.rules import Rule
from tests.harness.api_clients import API, a_system
from tests.harness.intake import SETTINGS
from tests.harness.programme import BONUS, NOW

DRAFT = f"{API}/drafts/otif_bonus"


def test_a_rule_comes_with_its_versions_and_its_text(everything: TestClient):
    [version] = everything.get(f"{API}/rules/{BONUS.code}").json()["items"]
    assert (version["version"], version["status"], version["points_max"]) == (1, "in_force", 500)
    text = everything.get(f"{API}/rules/{BONUS.code}/versions/1").json()["yaml"]
    assert Rule.from_yaml(text, "rule").digest == version["digest"]


@pytest.mark.parametrize("body", [{"yaml": RULE_YAML}, {"rule": RULE_PLAIN}], ids=["yaml", "json"])
def test_a_rule_is_checked_as_on_the_command_line(
    programme: sa.Engine, everything: TestClient, body: dict[str, Any]
):
    told = everything.post(f"{API}/rules/check", json=body).json()
    with Session(programme) as session:
        rule = Rule.from_yaml(RULE_YAML, "rule")
        concerns = check(session, rule, on=NOW.date())
    assert [each["kind"] for each in told["concerns"]] == [each.kind for each in concerns]
    assert (told["digest"], told["can_be_published"]) == (rule.digest, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"yaml": "code: x\n  y: z"}, "line 2"),
        ({"yaml": "code: 7"}, "yaml"),
        ({"rule": {**RULE_PLAIN, "on": "tuesday"}}, "rule.on"),
        ({"rule": {**RULE_PLAIN, "award": {"points": 1.5}}}, "rule.award.points"),
        ({}, "Give `yaml` or `rule`"),
        ({"yaml": RULE_YAML, "rule": RULE_PLAIN}, "Give `yaml` or `rule`"),
        ({"yaml": RULE_YAML.replace("otif_bonus", "otif\0bonus")}, "yaml"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(
    everything: TestClient, body: dict[str, Any], said: str
):
    answer = everything.post(f"{API}/rules/check", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_a_draft_is_kept_read_and_thrown_away(everything: TestClient):
    kept = everything.put(DRAFT, json={"rule": RULE_PLAIN}).json()
    assert (kept["saved_by"], kept["awaits_approval"]) == ("token:erp", False)
    assert everything.get(DRAFT).json() == kept
    assert everything.get(f"{API}/drafts").json()["items"] == [kept]
    assert everything.delete(DRAFT).status_code == 204
    assert everything.get(DRAFT).status_code == 404


def test_the_first_request_of_a_token_may_write(programme: sa.Engine):
    """That the token was used is noted beside: neither waits for the other."""
    for method, status in (("PUT", 200), ("DELETE", 204)):
        fresh = a_system(programme, Scope.RULES)
        body = {"rule": RULE_PLAIN} if method == "PUT" else None
        assert fresh.request(method, DRAFT, json=body).status_code == status


def test_who_read_another_draft_saves_nothing(everything: TestClient):
    read = everything.put(DRAFT, json={"rule": RULE_PLAIN}).json()["digest"]
    dearer = {**RULE_PLAIN, "award": {"points": 600}}
    assert everything.put(DRAFT, json={"rule": dearer, "read_digest": read}).status_code == 200
    late = {**RULE_PLAIN, "award": {"points": 700}}
    answer = everything.put(DRAFT, json={"rule": late, "read_digest": read})
    assert answer.status_code == 409
    assert "token:erp saved it meanwhile" in answer.json()["detail"]
    assert "600" in everything.get(DRAFT).json()["yaml"]
    everything.delete(DRAFT)


def test_a_draft_goes_under_its_own_name(everything: TestClient):
    assert everything.put(f"{API}/drafts/other", json={"rule": RULE_PLAIN}).status_code == 422


def test_nothing_is_published_over_the_api(programme: sa.Engine, everything: TestClient):
    with Session(programme) as session:
        before = session.scalars(sa.select(RuleVersion.id)).all()
    everything.put(DRAFT, json={"rule": RULE_PLAIN})
    for path in ("/rules", "/rules/otif_bonus", "/drafts/otif_bonus/publish"):
        answer = everything.post(API + path, json={"rule": RULE_PLAIN})
        assert answer.status_code in (404, 405)
    with Session(programme) as session:
        assert session.scalars(sa.select(RuleVersion.id)).all() == before
    everything.delete(DRAFT)


def test_a_published_rule_is_tried_to_the_point_of_the_ledger(
    programme: sa.Engine, everything: TestClient
):
    asked = {"code": BONUS.code, "first": "2026Q2", "last": "2026Q2", "lines": True}
    told = everything.post(f"{API}/backtests", json=asked).json()
    with Session(programme) as session:
        test = backtest_published(
            session, BONUS.code, [Period.parse("2026Q2")], now=NOW, settings=SETTINGS
        )
        assert (told["points"], told["cost"]) == (test.points, test.cost) == (500, 500)
        paid = {
            f"close:2026Q2:{BONUS.code}:{each['partner']}" for each in told["lines"] if each["paid"]
        }
        keys = session.scalars(sa.select(Transfer.key).where(Transfer.decision_id.is_not(None)))
        assert paid == set(keys)


def test_a_draft_is_tried_against_the_rule_in_force(everything: TestClient):
    cheaper = {**RULE_PLAIN, "code": BONUS.code, "award": {"points": 100}}
    asked = {"rule": cheaper, "first": "2026Q2", "last": "2026Q2", "budget_points": 50}
    told = everything.post(f"{API}/backtests", json=asked).json()
    assert (told["as_published"], told["points"], told["cost"]) == (False, 100, 0)
    assert told["short_in"] == "2026Q2"
    assert {each["partner"]: each["change"] for each in told["changes"]}["R1"] == "loses"
    assert told["lines"] is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"code": "none", "first": "2026Q2", "last": "2026Q2"}, 404),
        ({"code": BONUS.code, "first": "2026Q2", "last": "2026Q1"}, 422),
        ({"code": BONUS.code, "first": "2026Q2", "last": "2026"}, 422),
        ({"code": BONUS.code, "first": "2027Q1", "last": "2027Q1"}, 422),
        ({"code": BONUS.code, "first": "1900", "last": "2025"}, 422),
        ({"code": BONUS.code, "first": "2026-05", "last": "2026-05"}, 422),
        ({"code": BONUS.code, "draft": True, "first": "2026Q2", "last": "2026Q2"}, 404),
        ({"code": BONUS.code, "yaml": RULE_YAML, "first": "2026Q2", "last": "2026Q2"}, 422),
        ({"first": "2026Q2", "last": "2026Q2"}, 422),
    ],
)
def test_what_cant_be_tried_is_refused(everything: TestClient, asked: dict[str, Any], status: int):
    answer = everything.post(f"{API}/backtests", json=asked)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
