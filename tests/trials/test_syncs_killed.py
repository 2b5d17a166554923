"""A sync that is killed, wherever it is, and run again leaves exactly the undisturbed facts.

A short form runs with the other tests; `PARTNER_CX_TRIALS=full` kills at fifty points of a first
sync and of an increment, per database and version of Odoo.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from partner_cx.database import open_database
from tests.harness import killed_sync
from tests.harness.databases import EACH_KIND, copied_database, fresh_database
from tests.harness.odoo_sync import ALDER, ANNA_USER, BIRCH, CEDAR, GOLD, World, a_world, facts
from tests.harness.trials import FULL

AT_STATEMENTS, AT_MOMENTS = (40, 10) if FULL else (2, 1)
FIRST, SECOND = "04-20 09:00", "04-21 09:00"
KILLS = random.Random(2026)


@pytest.mark.parametrize("kind", EACH_KIND)
@pytest.mark.parametrize("version", [18, 19])
def test_a_sync_killed_anywhere_and_run_again_leaves_what_an_undisturbed_one_does(
    kind: str, version: int
) -> None:
    with fresh_database(kind) as empty, a_world_at(empty, version) as world:
        play_the_beginning(world)
        kill_and_compare(world, empty, FIRST)
        with copied_database(empty) as half:
            run(half, world, FIRST)
            play_the_rest(world)
            kill_and_compare(world, half, SECOND)


def kill_and_compare(world: World, before: str, now: str) -> None:
    with copied_database(before) as url:
        points = killed_sync.count_points(url, world.settings, now)
        undisturbed = of(url)
    for point in spread(points, AT_STATEMENTS):
        with copied_database(before) as url:
            killed_sync.die_at(url, world.settings, now, point)
            assert run(url, world, now) == undisturbed, f"killed at point {point} of {points}"
    for _ in range(AT_MOMENTS):
        with copied_database(before) as url:
            seconds = KILLS.uniform(1, 4)
            killed_sync.die_after(url, world.settings, now, seconds)
            assert run(url, world, now) == undisturbed, f"killed after {seconds:.3f} s"


def play_the_beginning(world: World) -> None:
    for day in range(10, 22):
        world.at("04-01 09:00").order(
            (ALDER, BIRCH)[day % 2],
            promised=f"04-{day}",
            quantity=day,
            delivered=f"04-{day - 1:02}",
        )
    world.order(CEDAR, promised="04-25", quantity=5, delivered="04-24")
    for hour in range(10, 16):
        world.log_in(ANNA_USER, f"04-02 {hour}:00")
    world.at(FIRST)


def play_the_rest(world: World) -> None:
    """What changes before the increment: a new partner, an order cancelled, a grade, a login."""
    world.at("04-20 10:00").change("res.partner", CEDAR, grade_id=GOLD)
    world.change("sale.order", 3, state="cancel")
    world.change("res.partner", BIRCH, grade_id=GOLD)
    world.order(BIRCH, promised="05-02", quantity=7, delivered=None)
    world.log_in(ANNA_USER, "04-20 11:00")


def a_world_at(url: str, version: int) -> Any:
    return a_world(open_database(url), version)


def spread(points: int, wanted: int) -> list[int]:
    """Points all over the sync: each once where they suffice, and always the very last."""
    wanted = min(wanted, points)
    return [points - (points - 1) * place // max(wanted - 1, 1) for place in range(wanted)]


def run(url: str, world: World, now: str) -> dict[str, list[Any]]:
    """Sync to the end; the facts then."""

    def work(engine: Any) -> dict[str, list[Any]]:
        assert not killed_sync.sync_it(engine, world.settings, now).has_problems
        return facts(engine)

    return on(url, work)


def of(url: str) -> dict[str, list[Any]]:
    return on(url, facts)


def on(url: str, work: Callable[[Any], dict[str, list[Any]]]) -> dict[str, list[Any]]:
    engine = open_database(url)
    try:
        return work(engine)
    finally:
        engine.dispose()
