"""Rates: counts that hold across processes, begin anew, and tell what is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from api.rates import (
    EXPORTS,
    UPLOADS,
    WRONG_LINKS,
    Allowance,
    Rate,
    TableCounts,
    api_allowance,
    client_of,
    count_download,
    count_upload,
    counts_over,
    hit,
    peek,
    refuse_if_over,
)
from api.request_scope import Wiring
from partner_cx.database import open_database, reading, transact
from partner_cx.errors import TooMany
from partner_cx.network.tokens import ApiToken
from partner_cx.rates import RateCount, prune_counts
from tests.harness.cast import HOME_ADDRESS, SECRET, fresh_link, the_cast
from tests.harness.counting import counted
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

THRICE = Rate("thrice", 3, 60)
OWN = {"Origin": HOME_ADDRESS}


def request_to(engine: sa.Engine, *, now: datetime = NOW, **settings: Any) -> Any:
    """A request to a process of its own."""
    wired = Wiring(engine, replace(SETTINGS, **settings), SECRET, lambda: now)
    app = SimpleNamespace(state=SimpleNamespace(wiring=wired))
    return SimpleNamespace(app=app, state=SimpleNamespace(), client=None)


def test_a_count_tells_what_is_left_and_refuses_one_too_many(engine: sa.Engine):
    request = request_to(engine)
    left = [hit(request, THRICE, "mia") for _ in range(5)]
    assert [each.remaining for each in left] == [2, 1, 0, 0, 0]
    assert [each.allowed for each in left] == [True, True, True, False, False]
    assert {each.limit for each in left} == {3}
    assert {NOW < each.resets_at <= NOW + timedelta(seconds=60) for each in left} == {True}
    assert hit(request, THRICE, "somebody else").remaining == 2
    assert hit(request, replace(THRICE, name="another"), "mia").remaining == 2


def test_looking_counts_nothing(engine: sa.Engine):
    request = request_to(engine)
    assert [peek(request, THRICE, "mia").remaining for _ in range(5)] == [2] * 5
    for _ in range(3):
        hit(request, THRICE, "mia")
    assert not peek(request, THRICE, "mia").allowed


def test_one_too_many_is_refused_with_when_to_come_again(engine: sa.Engine):
    request = request_to(engine)
    for _ in range(3):
        refuse_if_over(request, THRICE, "mia")
    with pytest.raises(TooMany, match="Try again in") as refused:
        refuse_if_over(request, THRICE, "mia")
    assert 1 <= refused.value.retry_after_seconds <= 60


def test_it_begins_anew_when_its_time_is_over(engine: sa.Engine):
    counts = request_to(engine).app.state
    counts.counts = counts_over(engine, lambda: NOW)
    for seconds, expected in ((0, 2), (1, 1), (61, 2), (62, 1)):
        request = request_to(engine, now=NOW + timedelta(seconds=seconds))
        request.app.state.counts = counts.counts
        assert hit(request, THRICE, "mia").remaining == expected


def test_two_processes_share_a_limit_on_postgresql():
    with fresh_database("postgresql") as url:
        engines = [open_database(url) for _ in range(2)]
        processes = [request_to(engine) for engine in engines]
        rate = Rate("shared", 50, 3600)
        with ThreadPoolExecutor(8) as many:
            allowed = list(
                many.map(lambda turn: hit(processes[turn % 2], rate, "mia").allowed, range(120))
            )
        assert sum(allowed) == 50
        for engine in engines:
            engine.dispose()


def test_one_process_loses_no_count(engine: sa.Engine):
    request = request_to(engine)
    with ThreadPoolExecutor(8) as many:
        allowed = list(many.map(lambda _: hit(request, THRICE, "mia").allowed, range(60)))
    assert sum(allowed) == 3


def test_a_count_is_one_statement_and_names_nobody():
    with fresh_database("postgresql") as url:
        engine = open_database(url)
        request = request_to(engine)
        hit(request, THRICE, "mia@brand.example")
        with counted(engine) as asked:
            hit(request, THRICE, "mia@brand.example")
        assert asked.count == 1
        with reading(engine) as session:
            [key] = session.scalars(sa.select(RateCount.key))
        assert "mia" not in key
        engine.dispose()


def test_counts_whose_time_is_over_are_let_go_of():
    with fresh_database("postgresql") as url:
        engine = open_database(url)
        moments = [NOW]
        counts = TableCounts(engine, lambda: moments[0])
        assert [counts.incr("a", 60), counts.incr("a", 60), counts.incr("b", 3600)] == [1, 2, 1]
        assert counts.get_expiry("b") == NOW.timestamp() + 3600
        moments[0] += timedelta(minutes=5)
        counts.incr("b", 3600)
        assert (counts.get("a"), counts.get("b")) == (2, 2)
        counts.incr("c", 60)
        assert (counts.get("a"), counts.get("b")) == (0, 2)
        later = NOW + timedelta(hours=2)
        assert transact(engine, lambda session: prune_counts(session, now=later)) == 2
        assert counts.check()
        counts.incr("d", 60)
        counts.clear("d")
        assert (counts.get("d"), counts.reset()) == (0, 0)
        engine.dispose()


def test_a_token_has_an_allowance_of_its_own(engine: sa.Engine):
    request = request_to(engine, api_calls_per_minute=2)
    one, two = ApiToken(id=1, name="one"), ApiToken(id=2, name="two")
    assert api_allowance(request, one).remaining == 1
    assert request.state.allowance["RateLimit-Limit"] == "2"
    assert request.state.allowance["RateLimit-Remaining"] == "1"
    assert 1 <= int(request.state.allowance["RateLimit-Reset"]) <= 60
    api_allowance(request, one)
    with pytest.raises(TooMany):
        api_allowance(request, one)
    assert request.state.allowance["RateLimit-Remaining"] == "0"
    assert api_allowance(request, two).remaining == 1


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(timedelta(seconds=30), 30), (timedelta(seconds=29, milliseconds=1), 30), (timedelta(), 1)],
)
def test_seconds_are_rounded_so_that_nobody_comes_too_early(left: timedelta, seconds: int):
    assert Allowance(True, 3, 1, NOW + left).seconds_left(NOW) == seconds


def test_each_person_takes_along_and_hands_in_so_much(engine: sa.Engine):
    request = request_to(engine)
    for count, rate in ((count_download, EXPORTS), (count_upload, UPLOADS)):
        request.state.viewer = SimpleNamespace(person=SimpleNamespace(id=1))
        for _ in range(rate.amount):
            count(request)
        with pytest.raises(TooMany):
            count(request)
        request.state.viewer = SimpleNamespace(person=SimpleNamespace(id=2))
        count(request)
        del request.state.viewer  # a stranger: pages with lists let nobody in without signing in
        count(request)


# --- At the door ----------------------------------------------------------------------------------


@pytest.fixture
def client(engine: sa.Engine) -> TestClient:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
    return TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)


def test_nobody_tries_tokens_without_end(engine: sa.Engine, client: TestClient):
    tried = [client.post(f"/sign-in/x{turn}", headers=OWN) for turn in range(WRONG_LINKS.amount)]
    assert {answer.status_code for answer in tried} == {410}
    link = fresh_link(engine, "manager")
    for language, words in (("en", "Not so fast"), ("fr", "Pas si vite")):
        refused = client.post(f"{link}?lang={language}", headers=OWN)
        assert (refused.status_code, words in refused.text) == (429, True)
        assert 1 <= int(refused.headers["retry-after"]) <= WRONG_LINKS.seconds


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
        ("192.0.2.7", "192.0.2.8", False),
        ("testclient", "", False),
    ],
)
def test_a_network_of_ones_own_makes_nobody_several(one: str, other: str, same: bool):
    first, second = (SimpleNamespace(client=SimpleNamespace(host=host)) for host in (one, other))
    assert (client_of(first) == client_of(second)) is same  # type: ignore[arg-type]


def test_links_that_work_are_no_tries(engine: sa.Engine, client: TestClient):
    for _ in range(3):
        assert client.post(fresh_link(engine, "rep"), headers=OWN).status_code == 303
    request = request_to(engine)
    request.app.state.counts = client.app.state.counts  # type: ignore[attr-defined]
    request.client = SimpleNamespace(host="testclient")
    assert peek(request, WRONG_LINKS, "client testclient").remaining == WRONG_LINKS.amount - 1
