"""What nobody's page asks for isn't repeated in its links: a short request has no long answer."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from tests.harness.cast import closed_programme, signed_in

LISTS = (
    *("/partners", "/network/2026Q2", "/statements/R1", "/journal", "/budgets", "/closes"),
    *("/groups?period=2026Q2&kpi=otif&by=tier", "/rules", "/kpis", "/me"),
)
SOMETHING = ("lang", "en")


@pytest.fixture(scope="module")
def manager() -> Iterator[TestClient]:
    with closed_programme("sqlite") as engine:
        yield signed_in(engine, "manager")


def longer(path: str, *pairs: tuple[str, str]) -> str:
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs)}"


@pytest.mark.parametrize("path", LISTS)
def test_what_is_too_long_or_too_much_isnt_repeated(manager: TestClient, path: str):
    usual = len(manager.get(longer(path, SOMETHING)).text)
    unread = ("unread", "x" * 5_000), ("y" * 5_000, "x")
    for pairs in (unread, [(f"unread{n}", "zzzz") for n in range(500)]):
        answer = manager.get(longer(path, SOMETHING, *pairs))
        assert answer.status_code == 200
        assert not any(each * 100 in answer.text for each in "xy")
        assert answer.text.count("zzzz") <= 30 * 10
        assert len(answer.text) < usual + 10_000


def test_the_longest_key_of_an_entry_is_repeated(manager: TestClient):
    key = f"close:2026Q2:{'r' * 200}:{'x' * 200}:{'p' * 200}"
    assert f"{'r' * 200}%3A{'x' * 200}" in manager.get(f"/partners?entry={key}").text


def test_what_is_asked_for_is_repeated(manager: TestClient):
    page = manager.get("/partners?q=" + "é" * 200 + "&sort=name&period=2026Q2").text
    assert f"q={'%C3%A9' * 200}" in page
    assert "sort=name" in page
