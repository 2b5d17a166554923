"""Pruning: what came by the clock and is long done goes, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from integrations.pruning import prune
from integrations.schedule import TASKS, plan
from partner_cx.database import transact
from partner_cx.effects import Effect, Owed
from partner_cx.errors import Invalid
from tests.harness.owed import SETTINGS, START, owed, rows

DAY = timedelta(days=1)


def by_clock(engine: sa.Engine, task: str, *days_ago: int, done: bool = True) -> None:
    for days in days_ago:
        settled(engine, TASKS[task].owed_at(START - days * DAY), START - days * DAY, done=done)


def settled(engine: sa.Engine, effect: Owed, at: datetime, *, done: bool = True) -> None:
    owed(engine, effect, now=at)
    if done:
        with engine.begin() as connection:
            settling = sa.update(Effect).where(Effect.key == effect.key).values(done_at=at)
            connection.execute(settling)


def pruned(engine: sa.Engine, before: datetime) -> int:
    return transact(engine, lambda session: prune(session, before=before, now=START))


def test_what_the_schedule_had_done_goes_but_for_the_newest(engine):
    by_clock(engine, "holds", 400, 300, 90)
    by_clock(engine, "alerts", 500, 400)
    by_clock(engine, "odoo_sync", 300, done=False)
    by_clock(engine, "odoo_sync", 301, 100)
    by_clock(engine, "close", 400, 300)
    settled(engine, Owed("mail.letter", "mail.letter:1"), START - 400 * DAY)
    settled(engine, Owed("holds", "by hand"), START - 400 * DAY)

    assert pruned(engine, START - 200 * DAY) == 4
    left = set(rows(engine))
    assert {key for key in left if key.startswith("holds:")} == {
        TASKS["holds"].key_at(START - 90 * DAY)
    }
    assert TASKS["alerts"].key_at(START - 400 * DAY) in left, "the newest is what `schedule` tells"
    assert TASKS["odoo_sync"].key_at(START - 300 * DAY) in left, "it isn't done"
    assert {"mail.letter:1", "by hand"} <= left
    assert sum(key.startswith("close:") for key in left) == 2, "each is for a moment of its own"
    assert pruned(engine, START - 200 * DAY) == 0


def test_what_is_pruned_isnt_owed_again(engine):
    plan(engine, settings=SETTINGS, now=START - 30 * DAY)
    for days in range(29, 0, -1):
        plan(engine, settings=SETTINGS, now=START - days * DAY)
        with engine.begin() as connection:
            open_ones = sa.update(Effect).where(Effect.done_at.is_(None))
            connection.execute(open_ones.values(done_at=START - days * DAY))
    assert pruned(engine, START - 8 * DAY) > 0
    left = set(rows(engine))
    plan(engine, settings=SETTINGS, now=START - DAY)
    assert set(rows(engine)) == left


def test_the_last_week_is_kept(engine):
    with pytest.raises(Invalid, match=r"Name a day until 2026-06-24\."):
        pruned(engine, START - 3 * DAY)
