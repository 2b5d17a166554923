"""Whether the service lives, whether it may be asked, and how it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.database import open_database, transact
from partner_cx.effects import Owed, owe
from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, PLENTY, a_system, a_token
from tests.harness.cast import a_closed_programme, at_the_door
from tests.harness.counting import counted
from tests.harness.databases import unmigrated_database
from tests.harness.programme import NOW


def samples(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_service_over_a_current_database_is_ready(engine: sa.Engine):
    answer = at_the_door(engine).get("/ready")
    assert (answer.status_code, answer.text) == (200, "ready\n")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_over_another_schema_it_isnt(kind: str):
    with unmigrated_database(kind) as url:
        engine = open_database(url)
        answer = at_the_door(engine).get("/ready")
        engine.dispose()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "partner-cx migrate" in answer.text


def test_without_its_database_it_lives_and_isnt_ready_and_says_nothing_secret():
    engine = open_database("postgresql://someone:secret-word@127.0.0.1:1/nowhere")
    client = TestClient(make_app(engine, PLENTY))
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (
        503,
        "not ready: the database doesn't answer\n",
    )


def test_metrics_need_their_own_scope(engine: sa.Engine):
    assert at_the_door(engine).get("/metrics").status_code == 401
    assert a_system(engine, Scope.READ).get("/metrics").status_code == 403
    answer = a_system(engine, Scope.METRICS).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")


def test_answers_are_counted_by_the_routes_pattern(engine: sa.Engine):
    a_closed_programme(engine)
    client = a_system(engine, *Scope)
    for path in ("/partners/by-code?code=R1", "/rules/network_quality_bonus", "/rules/none"):
        client.get(API + path)
    client.get("/nowhere/at/all/remy@r2.example")
    client.request("BREW", f"{API}/kpis")
    told = client.get("/metrics").text
    found = samples(told)
    route = 'partner_cx_requests_total{method="GET",route="/api/v1/rules/{code}"'
    assert found[f'{route},status="200"}}'] == 1
    assert found[f'{route},status="404"}}'] == 1
    assert found['partner_cx_requests_total{method="GET",route="none",status="404"}'] == 1
    assert 'method="other"' in told
    assert "network_quality_bonus" not in told
    assert "remy" not in told


def test_each_service_counts_for_itself(engine: sa.Engine):
    one, other = (a_system(engine, Scope.METRICS) for _ in range(2))
    one.get(f"{API}/")
    assert 'route="/api/v1/"' in one.get("/metrics").text
    assert 'route="/api/v1/"' not in other.get("/metrics").text


def test_metrics_tell_what_is_owed_closed_and_held(engine: sa.Engine):
    a_closed_programme(engine)
    client = a_system(engine, Scope.METRICS)
    before = samples(client.get("/metrics").text)
    transact(engine, lambda session: owe(session, Owed("mail.test", "one"), now=NOW))
    after = samples(client.get("/metrics").text)
    assert after["partner_cx_effects_waiting"] == before["partner_cx_effects_waiting"] + 1
    assert after["partner_cx_closings_recorded"] == 1
    assert after['partner_cx_points{account="wallet"}'] == 500
    assert after['partner_cx_points{account="funding"}'] == -10_000


def test_metrics_ask_the_database_a_fixed_number_of_times(engine: sa.Engine):
    a_closed_programme(engine)
    client = a_system(engine, Scope.METRICS)
    client.get("/metrics")
    with counted(engine) as asked:
        client.get("/metrics")
    assert asked.count <= 11


def test_no_token_is_written_to_the_log(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    """Neither of a request that is refused nor of one that fails by our own fault."""
    token = a_token(engine, Scope.READ)
    app = make_app(engine, replace(PLENTY, secret="s" * 40), clock=lambda: NOW)
    client = TestClient(app)
    client.headers["Authorization"] = f"Bearer {token}"

    def fail(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr("api.v1.programme.reports", fail)
    with structlog.testing.capture_logs() as logs:
        assert client.get(f"{API}/budgets").status_code == 500
        assert client.get(f"{API}/partners?after=x").status_code == 422
        client.headers["Authorization"] = f"Bearer {token}x"
        assert client.get(f"{API}/partners").status_code == 401
    assert logs
    assert token not in repr(logs)
