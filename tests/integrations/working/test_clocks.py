"""Clocks: machines whose own differ by minutes, or jump, don't take each other's work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from integrations.clocks import own_clock, shared_clock
from integrations.leasing import lease
from partner_cx.database import open_database
from tests.harness.databases import fresh_database
from tests.harness.owed import Clock, note, owed

ABOUT = timedelta(seconds=30)  # what passes in a test at most


@pytest.fixture
def postgresql() -> Iterator[sa.Engine]:
    with fresh_database("postgresql") as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.postgresql
@pytest.mark.parametrize("minutes", [-300, -5, 5, 300])
def test_whatever_a_machines_own_clock_shows_the_database_is_right(postgresql, minutes: int):
    clock = shared_clock(postgresql, lambda: now() + timedelta(minutes=minutes))
    assert abs(clock() - now()) < ABOUT


@pytest.mark.postgresql
def test_a_clock_that_jumps_is_put_right_at_once(postgresql):
    own = Clock(now())
    clock = shared_clock(postgresql, own)
    clock()
    for jump in (timedelta(hours=2), -timedelta(hours=5)):
        own.at += jump
        assert abs(clock() - now()) < ABOUT


@pytest.mark.postgresql
def test_a_worker_whose_clock_is_ahead_takes_over_nothing(postgresql):
    owed(postgresql, note("a"), now=now() - timedelta(hours=1))
    lasting = timedelta(minutes=2)
    right, ahead = (
        shared_clock(postgresql, own) for own in (now, lambda: now() + timedelta(minutes=5))
    )
    assert len(lease(postgresql, by="one", now=right(), lasting=lasting, limit=5)) == 1
    assert lease(postgresql, by="two", now=ahead(), lasting=lasting, limit=5) == []


def test_while_the_database_is_away_the_clock_goes_on():
    clock = shared_clock(open_database("postgresql://nobody@127.0.0.1:9/nothing"))
    assert abs(clock() - now()) < ABOUT


def test_with_sqlite_it_is_the_machines_own(tmp_path):
    assert shared_clock(open_database(f"sqlite:///{tmp_path}/network.sqlite3")) is own_clock
