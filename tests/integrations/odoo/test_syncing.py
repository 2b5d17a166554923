"""Syncs that the schedule owes and the worker carries out, over hours in which Odoo isn't well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from integrations.carrying import Hands
from integrations.odoo.connection import connect
from integrations.odoo.sync import syncing
from integrations.schedule import TASKS, plan
from integrations.worker import carry_out_due
from partner_cx.effects import Effect
from tests.harness.odoo_sync import (
    ALDER,
    IMPATIENT,
    SERVICE,
    World,
    a_world,
    facts,
    moment,
    table,
)
from tests.harness.owed import rows

LINES = "SELECT source_id, window_end FROM order_lines ORDER BY 1"


@pytest.fixture
def world(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(syncing, "connect", partial(connect, patience=IMPATIENT))
    with a_world(engine, 18) as world:
        off = dict.fromkeys(TASKS, "off")
        timetables = {**off, "odoo_sync": "every 15 minutes"}
        world.settings = replace(world.settings, schedule=timetables)
        yield world


def work(world: World, from_: str, until: str) -> None:
    """A worker's day, at one look a minute."""
    now, end = moment(from_), moment(until)
    while now <= end:
        world.clock["now"] = now
        plan(world.engine, settings=world.settings, now=now)
        carry_out_due(Hands(world.engine, world.settings, partial(same, now)))
        now += timedelta(minutes=1)


def same(now: datetime) -> datetime:
    return now


def syncs(world: World) -> list[Effect]:
    return [row for _, row in sorted(rows(world.engine).items())]


@pytest.mark.parametrize("kind", ["closed", "bad_gateway", "html", "half"])
def test_an_hour_without_odoo_is_caught_up_with_and_nothing_is_doubled(
    world: World, kind: str
) -> None:
    work(world, "04-02 09:00", "04-02 09:20")
    world.at("04-02 09:21").order(ALDER, promised="04-10", quantity=5, delivered="04-09")
    world.stand_in.fault(kind, after=2, times=None)
    work(world, "04-02 09:22", "04-02 10:20")

    waiting = syncs(world)[-1]
    assert (waiting.done_at, waiting.parked_at) == (None, None)
    assert len(syncs(world)) == 2, "one that waits does the work of all that come meanwhile"
    assert waiting.last_error

    world.at("04-02 10:21").order(ALDER, promised="04-12", quantity=3, delivered=None)
    world.stand_in.heal()
    work(world, "04-02 10:22", "04-02 10:46")

    assert all(each.done_at for each in syncs(world))
    assert [day for _, day in table(world.engine, LINES)] == ["2026-04-10", "2026-04-12"]
    before = facts(world.engine)
    work(world, "04-02 10:47", "04-02 11:16")
    assert facts(world.engine) == before


def test_a_right_that_is_missing_for_hours_is_one_parked_sync(world: World) -> None:
    work(world, "04-02 09:00", "04-02 09:20")
    world.at("04-02 09:21").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.stand_in.users[0] = replace(SERVICE, closed=frozenset({"sale.order"}))
    work(world, "04-02 09:22", "04-02 11:20")

    parked = [each for each in syncs(world) if each.parked_at]
    assert [each.key for each in parked] == ["odoo.sync:2026-04-02T11:15Z"]
    assert "sale.order" in str(parked[0].parked_because)
    folded = [each for each in syncs(world) if each.dropped_because]
    assert len(folded) == 7
    assert "sale.order" in str(folded[0].last_error), "what was told is kept"

    world.stand_in.users[0] = SERVICE
    work(world, "04-02 11:21", "04-02 11:31")
    assert all(each.done_at for each in syncs(world))
    assert [day for _, day in table(world.engine, LINES)] == ["2026-04-10"]


def test_told_to_stop_it_leaves_between_two_pages_and_goes_on_where_it_was(world: World) -> None:
    for day in range(10, 20):
        world.order(ALDER, promised=f"04-{day}", quantity=5, delivered=None)
    world.settings = replace(world.settings, odoo_page_rows=3)
    work(world, "04-02 09:00", "04-02 09:14")
    now = moment("04-02 09:15")
    plan(world.engine, settings=world.settings, now=now)
    for _ in range(2):  # each time it takes in one page more
        told_to_stop = Hands(world.engine, world.settings, partial(same, now), lambda: True)
        assert carry_out_due(told_to_stop) == 1
        [sync] = syncs(world)
        assert (sync.done_at, sync.parked_at, sync.last_error, sync.tries) == (None, None, None, 0)
        now += timedelta(minutes=1)
    work(world, "04-02 09:17", "04-02 09:18")
    [sync] = syncs(world)
    assert sync.done_at == moment("04-02 09:17")
    assert len(table(world.engine, LINES)) == 10
