"""Closing by pages: a period guided from its data to its awards, corrections, awards that wait."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api.pages.journal import WORDS
from integrations.asked import HANDLERS, Work, ask, last_asked
from integrations.carrying import Hands
from integrations.leasing import Lane
from integrations.worker import Worker
from partner_cx.database import transact
from partner_cx.effects import State
from partner_cx.journal import Did, JournalLine
from tests.harness.cast import HOME_ADDRESS, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, order_line, take
from tests.harness.programme import (
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_network,
    a_programme,
    close_it,
)

HOME = {"Origin": HOME_ADDRESS}
HELD = replace(OTIF_BONUS, needs_approval=True)


@pytest.fixture
def ready(engine: sa.Engine) -> sa.Engine:
    """The small programme, its quarter over and not closed."""
    a_network(engine)
    the_cast(engine)
    a_programme(engine)
    return engine


def work(engine: sa.Engine) -> None:
    """Let a worker carry out what was asked for."""
    hands = Hands(engine, SETTINGS, lambda: NOW)
    Worker(hands, HANDLERS, lane=Lane(only=frozenset(HANDLERS))).run_dry()


def post(client: TestClient, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, headers=HOME, data=data)
    return answer.status_code, answer.headers.get("location", "") or answer.text


def test_a_quarter_is_closed_by_pages_alone(ready: sa.Engine):
    manager = signed_in(ready, "manager")
    assert "Q2 2026" in manager.get("/closes").text
    assert "hasn’t been measured yet" in manager.get("/closes/2026Q2").text
    assert post(manager, "/closes/2026Q2/measure")[0] == 303
    assert "waiting for a worker" in manager.get("/closes/2026Q2").text
    work(ready)
    page = manager.get("/closes/2026Q2").text
    assert "What it would come to" in page
    assert "enough" in page
    assert post(manager, "/closes/2026Q2", agreed="yes")[1].endswith(
        "/closes/2026Q2?said=close_period"
    )
    work(ready)
    page = manager.get("/closes/2026Q2").text
    assert "Closed on" in page
    assert 'data-label="Awards">1</td>' in manager.get("/closes").text
    assert "closed a period" in manager.get("/journal").text


def test_what_was_previewed_is_what_the_close_awards(ready: sa.Engine):
    manager = signed_in(ready, "manager")
    post(manager, "/closes/2026Q2/measure")
    work(ready)
    before = cells(manager.get("/closes/2026Q2").text, "preview")
    post(manager, "/closes/2026Q2", agreed="yes")
    work(ready)
    assert cells(manager.get("/closes/2026Q2").text, "awards") == before


def cells(page: str, section: str) -> list[str]:
    """The figures of a section's table: met, missed, left open, points."""
    body = re.search(rf'aria-labelledby="{section}".*?<tbody.*?>(.*?)</tbody>', page, re.DOTALL)
    assert body, section
    found = re.findall(r'class="amount"[^>]*>(?:<span>)?([\d,]+)', body[1])
    return found[:4]


def test_a_close_that_isnt_meant_is_refused_and_nothing_happens(ready: sa.Engine):
    status, text = post(signed_in(ready, "manager"), "/closes/2026Q2")
    assert status == 422
    assert "Say that you mean it" in text
    with Session(ready) as session:
        assert last_asked(session, Work.CLOSE, QUARTER, now=NOW) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [("/closes/2026Q3", 422), ("/closes/2026Q2/restate", 422), ("/closes/x", 422)],
)
def test_what_cant_be_done_yet_says_why(ready: sa.Engine, path: str, status: int):
    assert post(signed_in(ready, "manager"), path, agreed="yes")[0] == status


def test_asked_for_twice_it_is_done_once(ready: sa.Engine):
    def twice(session: Session) -> set[str]:
        return {
            ask(session, Work.CLOSE, QUARTER, by=by, now=NOW + timedelta(seconds=seconds))
            for seconds, by in enumerate(("mia", "max"))
        }

    assert len(transact(ready, twice)) == 1
    work(ready)
    with Session(ready) as session:
        asked = last_asked(session, Work.CLOSE, QUARTER, now=NOW)
    assert asked is not None
    assert (asked.state, asked.by) == (State.DONE, "mia")
    assert "closed" in asked.told[0].en


def test_a_correction_is_approved_by_pages_and_only_once(closed: sa.Engine):
    late = {"received_on": "2026-05-29", "order_code": "O-R1-2026-05-18-0"}
    corrected = [
        order_line(f"R1-2026-05-18-{n:02}", partner_code="R1", window_end="2026-05-18", **late)
        for n in range(5)
    ]
    take(closed, "order-lines", *corrected)
    manager = signed_in(closed, "manager")
    post(manager, "/closes/2026Q2/restate")
    work(closed)
    listed = manager.get("/restatements").text
    [path] = re.findall(r'href="(/restatements/\d+)"', listed)
    assert "R1-2026-05-18-00" in manager.get(path).text
    assert post(manager, f"{path}/refuse")[0] == 422
    assert post(manager, f"{path}/approve")[1] == f"{path}?said=approved"
    assert post(manager, f"{path}/approve")[0] == 303
    assert post(manager, f"{path}/refuse", why="No")[0] == 409
    with Session(closed) as session:
        notes = list(session.scalars(sa.select(JournalLine.did)))
    assert notes.count(Did.RESTATEMENT_APPROVED) == 1


def test_an_award_that_waits_is_approved_or_taken_back(ready: sa.Engine):
    a_programme(ready, HELD, points=0)
    close_it(ready)
    manager = signed_in(ready, "manager")
    page = manager.get("/holds").text
    [key] = set(re.findall(r'name="key" value="([^"]+)"', page))
    assert post(manager, "/holds/refuse", key=key)[0] == 422
    assert post(manager, "/holds/approve", key=key, why="Checked")[1] == "/holds?said=approved"
    assert post(manager, "/holds/approve", key=key)[0] == 409
    assert "Nothing waits" in manager.get("/holds").text


@pytest.mark.parametrize("path", ["/holds/approve", "/holds/refuse"])
def test_an_award_that_isnt_there_is_refused_in_words(ready: sa.Engine, path: str):
    status, text = post(signed_in(ready, "manager"), path, key="x\x00y", why="why")
    assert status in (404, 422), text


@pytest.mark.parametrize(
    "path", ["/closes", "/closes/2026Q2", "/restatements", "/holds", "/journal"]
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_speak_both_languages(ready: sa.Engine, path: str, language: str):
    answer = signed_in(ready, "manager").get(path, params={"lang": language})
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text


def test_the_journal_is_filtered_and_taken_along(closed: sa.Engine):
    manager = signed_in(closed, "manager")
    assert 'href="/closes/2026Q2"' in manager.get("/journal?did=period.closed").text
    published = manager.get("/journal?did=rule.published&lang=fr").text
    assert 'href="/rules/' in published
    assert "pourquoi\u202f: " in published
    assert "Nothing like that" in manager.get("/journal?by=nobody&lang=en").text
    assert "2026Q2" in manager.get("/journal?format=csv").text
    assert manager.get("/journal?page=0").status_code == 422


def test_every_act_has_its_words():
    assert set(WORDS) == set(Did)


def test_the_pages_of_closes_ask_a_fixed_number_of_times(ready: sa.Engine):
    close_it(ready, "2026-04")
    manager = signed_in(ready, "manager")
    with counted(ready) as few:
        manager.get("/closes")
    for month in ("2026-05", "2026-06", "2026Q2"):
        close_it(ready, month)
    with counted(ready) as more:
        manager.get("/closes")
    assert more.count == few.count
