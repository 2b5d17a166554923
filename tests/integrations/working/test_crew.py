"""The crew of a process: short and long work side by side, the schedule, troubles, the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from integrations.carrying import Due, Hands
from integrations.crew import Crew, working
from integrations.worker import Worker
from partner_cx.effects import Owed
from tests.harness.owed import SETTINGS, START, Clock, hands, note, owed, rows


@pytest.fixture
def clock() -> Clock:
    return Clock()


def crew(engine: sa.Engine, clock: Clock, monkeypatch, handlers) -> Crew:
    """A crew in a hurry, with handlers of its own."""
    monkeypatch.setattr("integrations.crew.PLANNING_SECONDS", 0.05)
    monkeypatch.setattr("integrations.crew.TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr("integrations.crew.Worker", partial(Worker, handlers=handlers))
    return Crew(hands(engine, clock), pause_seconds=0.05)


def soon(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


def done(engine: sa.Engine, key: str) -> bool:
    return key in rows(engine) and rows(engine)[key].done_at is not None


def test_short_work_doesnt_wait_behind_long_work(engine, clock, monkeypatch):
    end = threading.Event()

    def long(_due: Due, _hands: Hands) -> None:
        assert end.wait(30)

    owed(engine, Owed("odoo.sync", "first reading"), note("letter"))
    handlers = {"odoo.sync": long, "note": lambda _due, _hands: None}
    with working(crew(engine, clock, monkeypatch, handlers)):
        assert soon(lambda: done(engine, "letter"))
        assert not done(engine, "first reading")
        end.set()
    assert done(engine, "first reading")


HOUSE = ("tallies", "holds", "alerts", "uploads")


def test_what_comes_by_the_clock_is_planned_and_carried_out(engine, clock, monkeypatch):
    handlers = {kind: (lambda _due, _hands: None) for kind in HOUSE}
    at_work = crew(engine, clock, monkeypatch, handlers)
    with working(at_work):
        assert soon(lambda: len(planned(engine)) == 5)
        clock.pass_by(days=1)
        assert soon(lambda: done(engine, "alerts:2026-07-02T04:00Z"))


def planned(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT task FROM schedule_plans")))


def test_a_handler_learns_that_it_is_to_end(engine, clock, monkeypatch):
    begun = threading.Event()

    def until_stopped(_due: Due, given: Hands) -> None:
        begun.set()
        assert soon(given.stopping)

    owed(engine, Owed("odoo.sync", "first reading"))
    with working(crew(engine, clock, monkeypatch, {"odoo.sync": until_stopped})):
        assert begun.wait(30)
    assert done(engine, "first reading")


def test_trouble_with_the_database_passes(engine, clock, monkeypatch):
    times: list[int] = []

    def in_trouble(self: Worker, limit: int | None = None) -> int:
        times.append(1)
        if len(times) < 4:
            raise sa.exc.OperationalError("SELECT", {}, Exception("the server is restarting"))
        if len(times) == 5:
            raise ZeroDivisionError
        return run_dry(self, limit)

    run_dry = Worker.run_dry
    monkeypatch.setattr(Worker, "run_dry", in_trouble)
    owed(engine, note("letter"))
    with working(crew(engine, clock, monkeypatch, {"note": lambda _due, _hands: None})):
        assert soon(lambda: done(engine, "letter"))


def test_what_doesnt_end_within_the_grace_is_left_to_be_taken_over(engine, clock, monkeypatch):
    begun, end = threading.Event(), threading.Event()

    def hangs(_due: Due, _hands: Hands) -> None:
        begun.set()
        assert end.wait(30)

    owed(engine, note("a"))
    at_work = crew(engine, clock, monkeypatch, {"note": hangs})
    at_work.start()
    assert begun.wait(30)
    assert at_work.stop(grace_seconds=0.1) is False
    assert rows(engine)["a"].leased_by is not None
    end.set()
    assert at_work.stop() is True
    assert done(engine, "a")


def test_another_takes_the_place_of_one_that_hangs(engine, clock, monkeypatch):
    monkeypatch.setattr("integrations.worker.LONGEST", {"note": timedelta(seconds=0.1)})
    begun, end = threading.Event(), threading.Event()

    def hangs(due: Due, _hands: Hands) -> None:
        if due.key == "hangs":
            begun.set()
            assert end.wait(30)

    owed(engine, note("hangs"))
    at_work = crew(engine, clock, monkeypatch, {"note": hangs})
    with working(replace(at_work, scheduled=False, lasting=timedelta(seconds=0.4))):
        assert begun.wait(30)
        owed(engine, note("after it"))
        assert soon(lambda: done(engine, "after it"))
        end.set()
    assert done(engine, "hangs")


def test_one_that_plans_nothing_only_works(engine, clock, monkeypatch):
    owed(engine, note("a"))
    handlers = {"note": lambda _due, _hands: None}
    with working(replace(crew(engine, clock, monkeypatch, handlers), scheduled=False)):
        assert soon(lambda: done(engine, "a"))
    assert planned(engine) == []
    assert (SETTINGS.schedule, rows(engine)["a"].done_at) == ({}, START)
