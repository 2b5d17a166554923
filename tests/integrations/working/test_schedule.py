"""The schedule: each moment owed once, caught up with, and refused where it can't be meant."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from integrations import schedule
from integrations.schedule import SchedulePlan, plan, standings
from integrations.worker import carry_out_due
from partner_cx.database import open_database, reading
from partner_cx.effects import Effect, Owed, State
from partner_cx.errors import Invalid
from partner_cx.settings import Settings
from rewards.frozen import Closing
from tests.harness.owed import Clock, hands, owed, rows, standing

SETTINGS = Settings.read({})
ODOO = replace(SETTINGS, odoo_url="https://odoo.example", odoo_key="k" * 40)
HOUSE = ("tallies", "holds", "alerts", "uploads")


def at(text: str) -> datetime:
    """An instant by the clocks of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=SETTINGS.zone).astimezone(UTC)


def only(settings: Settings = SETTINGS, **timetables: str) -> Settings:
    """These tasks alone."""
    off = dict.fromkeys(schedule.TASKS, "off")
    return replace(settings, schedule={**off, **timetables})


def planned(engine: sa.Engine, settings: Settings, *moments: str) -> list[str]:
    """Plan at each moment in turn; the keys of what is owed then."""
    for moment in moments:
        plan(engine, settings=settings, now=at(moment))
    return sorted(rows(engine))


def test_the_first_time_nothing_is_made_up_for(engine):
    assert planned(engine, ODOO, "2026-07-01T12:00") == []


def test_a_moment_that_has_come_is_owed_once(engine):
    keys = planned(
        engine,
        only(tallies="daily 01:30"),
        *("2026-07-01T12:00", "2026-07-02T01:29", "2026-07-02T01:30", "2026-07-02T01:31"),
    )
    assert keys == ["tallies:2026-07-01T23:30Z"]
    owed = rows(engine)[keys[0]]
    assert owed.payload == {"moment": "2026-07-01T23:30:00+00:00"}
    assert (owed.due_at, owed.owed_at) == (at("2026-07-02T01:30"), at("2026-07-02T01:30"))


@pytest.mark.parametrize(
    ("timetable", "from_", "until", "expected"),
    [
        # over 29 March 2026, when Paris skips the hour from two to three
        ("daily 02:30", "2026-03-28T12:00", "2026-03-30T12:00",
         ["close:2026-03-29T01:00Z", "close:2026-03-30T00:30Z"]),
        # over 25 October 2026, when Paris has that hour twice
        ("daily 02:30", "2026-10-24T12:00", "2026-10-26T12:00",
         ["close:2026-10-25T00:30Z", "close:2026-10-26T01:30Z"]),
        ("every 30 minutes", "2026-10-25T02:00", "2026-10-25T03:00",
         [f"close:2026-10-25T{time}Z" for time in ("00:30", "01:00", "01:30", "02:00")]),
        # over the leap day
        ("daily 06:00", "2028-02-28T12:00", "2028-03-01T12:00",
         ["close:2028-02-29T05:00Z", "close:2028-03-01T05:00Z"]),
        ("monthly 29 06:00", "2028-02-01T12:00", "2028-03-01T12:00", ["close:2028-02-29T05:00Z"]),
    ],
)  # fmt: skip
def test_each_moment_comes_once_however_often_one_looks(
    engine, timetable: str, from_: str, until: str, expected: list[str]
):
    settings = only(close=timetable)  # a task that makes up for each of its moments
    now, end = at(from_), at(until)
    while now <= end:
        plan(engine, settings=settings, now=now)
        now += timedelta(minutes=10)
    plan(engine, settings=settings, now=end)
    assert sorted(rows(engine)) == expected


def test_after_a_night_off_the_newest_moment_is_made_up_for(engine):
    settings = only(ODOO, odoo_sync="every 15 minutes", holds="daily 05:30")
    assert planned(engine, settings, "2026-07-01T20:00", "2026-07-02T08:07") == [
        "holds:2026-07-02T03:30Z",
        "odoo.sync:2026-07-02T06:00Z",
    ]


def test_after_a_year_off_each_close_is_made_up_for(engine):
    settings = only(close="quarterly 5 06:00")
    assert planned(engine, settings, "2026-01-01T12:00", "2026-12-24T12:00") == [
        "close:2026-01-05T05:00Z",
        "close:2026-04-05T04:00Z",
        "close:2026-07-05T04:00Z",
        "close:2026-10-05T04:00Z",
    ]


def test_while_a_neighbour_is_waited_for_its_moments_dont_pile_up(engine):
    settings = only(ODOO, odoo_sync="every 15 minutes")
    first, *later = (f"2026-07-01T12:{minute}" for minute in ("00", "15", "30", "45"))
    assert planned(engine, settings, first, *later) == ["odoo.sync:2026-07-01T10:15Z"]
    with engine.begin() as connection:
        connection.execute(sa.update(Effect).values(done_at=at("2026-07-01T12:50")))
    assert len(planned(engine, settings, "2026-07-01T13:00", "2026-07-01T13:01")) == 2


def test_a_parked_one_doesnt_stop_its_task_and_the_next_one_stands_for_it(engine):
    settings = only(ODOO, odoo_sync="every 15 minutes")
    planned(engine, settings, "2026-07-01T12:00", "2026-07-01T12:15")
    park(engine, "odoo.sync:2026-07-01T10:15Z")
    owed(engine, Owed("odoo.sync", "by hand"))
    park(engine, "by hand")
    assert len(planned(engine, settings, "2026-07-01T12:30")) == 3
    former = standing(engine, "odoo.sync:2026-07-01T10:15Z")
    assert (former.state, former.why, former.done_at) == (
        State.DROPPED,
        "odoo.sync:2026-07-01T10:30Z does its work, too.",
        at("2026-07-01T12:30"),
    )
    assert rows(engine)[former.key].result == {"dropped_by": "schedule"}
    assert standing(engine, "by hand").state is State.PARKED


def test_what_is_for_a_moment_of_its_own_stays_parked(engine):
    settings = only(close="quarterly 5 06:00")
    planned(engine, settings, "2026-01-01T12:00", "2026-01-06T12:00")
    park(engine, "close:2026-01-05T05:00Z")
    planned(engine, settings, "2026-04-06T12:00")
    assert standing(engine, "close:2026-01-05T05:00Z").state is State.PARKED


def park(engine: sa.Engine, key: str) -> None:
    parked = {"parked_at": at("2026-07-01T12:16"), "parked_because": "No."}
    with engine.begin() as connection:
        connection.execute(sa.update(Effect).where(Effect.key == key).values(parked))


def test_a_changed_timetable_is_planned_anew_from_now_on(engine):
    planned(engine, only(close="daily 05:30"), "2026-07-01T12:00")
    changed = only(close="daily 04:00")
    assert planned(engine, changed, "2026-07-03T12:00", "2026-07-04T03:59") == []
    assert planned(engine, changed, "2026-07-04T12:00") == ["close:2026-07-04T02:00Z"]


def test_processes_with_other_settings_keep_both_timetables(engine):
    one, other, none = only(close="daily 05:30"), only(close="daily 06:00"), only()
    now = at("2026-07-02T05:29")
    while now <= at("2026-07-02T06:01"):
        for seconds, settings in ((0, one), (5, other), (7, none)):
            plan(engine, settings=settings, now=now + timedelta(seconds=seconds))
        now += timedelta(seconds=30)
    assert sorted(rows(engine)) == ["close:2026-07-02T03:30Z", "close:2026-07-02T04:00Z"]


def test_a_clock_that_was_ahead_by_years_stops_nothing(engine):
    settings = only(close="daily 05:30")
    keys = planned(
        engine,
        settings,
        *("2036-07-01T12:00", "2036-07-02T12:00"),
        *("2026-07-01T12:00", "2026-07-02T12:00"),
    )
    assert keys == ["close:2026-07-02T03:30Z", "close:2036-07-02T03:30Z"]


def test_what_was_owed_by_a_clock_that_was_ahead_stops_no_task(engine):
    settings = only(holds="daily 05:30")
    planned(engine, settings, "2036-07-01T12:00", "2036-07-02T12:00")
    keys = planned(engine, settings, "2026-07-01T12:00", "2026-07-02T12:00")
    assert keys == ["holds:2026-07-02T03:30Z", "holds:2036-07-02T03:30Z"]


def test_a_clock_that_goes_back_a_little_plans_nothing_twice(engine):
    settings = only(close="every 15 minutes")
    day = ("2026-07-01T12:00", "2026-07-01T12:31", "2026-07-01T11:40", "2026-07-01T12:31")
    keys = planned(engine, settings, *day)
    assert keys == ["close:2026-07-01T10:15Z", "close:2026-07-01T10:30Z"]


def test_another_time_zone_doubles_no_moment_and_loses_none(engine):
    settings = only(close="daily 05:30")
    planned(engine, settings, "2026-07-01T12:00", "2026-07-02T12:00")
    abroad = replace(settings, time_zone="America/Montreal")
    assert planned(engine, abroad, "2026-07-02T12:01", "2026-07-03T12:00") == [
        "close:2026-07-02T03:30Z",
        "close:2026-07-02T09:30Z",
        "close:2026-07-03T09:30Z",
    ]


def test_a_task_that_was_off_for_a_while_makes_up_for_nothing(engine):
    planned(engine, only(close="daily 05:30"), "2026-07-01T12:00")
    planned(engine, only(close="off"), "2026-07-02T01:00")
    on_again = only(close="daily 05:30")
    assert planned(engine, on_again, "2026-07-05T12:00", "2026-07-05T12:01") == []


def test_what_isnt_set_up_isnt_planned(engine):
    day = ("2026-07-01T12:00", "2026-07-02T12:00")
    kinds = {key.partition(":")[0] for key in planned(engine, SETTINGS, *day)}
    assert kinds == set(HOUSE)
    with reading(engine) as session:
        assert set(session.scalars(sa.select(SchedulePlan.task))) == {*HOUSE, "close"}


def test_comparing_is_a_sync_of_its_own(engine):
    settings = only(ODOO, odoo_compare="weekly sunday 03:30", odoo_sync="every 15 minutes")
    planned(engine, settings, "2026-07-04T12:00", "2026-07-05T03:31")
    kept = rows(engine)
    assert sorted(kept) == ["odoo.compare:2026-07-05T01:30Z", "odoo.sync:2026-07-05T01:30Z"]
    assert {row.kind for row in kept.values()} == {"odoo.sync"}
    assert kept["odoo.compare:2026-07-05T01:30Z"].payload["compare"] is True


@pytest.mark.parametrize(
    ("timetables", "told"),
    [
        ({"odo_sync": "every 5 minutes"}, "Did you mean odoo_sync?"),
        ({"breakfast": "daily 07:00"}, "There are: odoo_sync, odoo_compare, tallies"),
        ({"close": "quarterley 5 06:00"}, "The schedule of close: “quarterley 5 06:00” isn't"),
    ],
)
def test_a_schedule_that_cant_be_meant_is_refused(engine, timetables: Mapping[str, Any], told: str):
    settings = replace(SETTINGS, schedule=timetables)
    with pytest.raises(Invalid) as refusal:
        plan(engine, settings=settings, now=at("2026-07-01T12:00"))
    assert told in str(refusal.value)
    assert rows(engine) == {}


def test_three_processes_at_once_plan_each_moment_once(engine, database_url):
    settings = only(close="every 15 minutes", holds="daily 05:30")
    plan(engine, settings=settings, now=at("2026-07-01T20:00"))
    forks = multiprocessing.get_context("forkserver")
    with forks.Pool(3) as processes:
        made = processes.starmap(_plan_a_night, [(database_url, settings)] * 3)
    assert len(rows(engine)) == sum(made) == 12 * 4 + 1
    with reading(engine) as session:
        assert session.get_one(SchedulePlan, "close").planned_until == at("2026-07-02T08:00")


def _plan_a_night(url: str, settings: Settings) -> int:
    engine = open_database(url)
    moments = [at("2026-07-01T20:00") + timedelta(minutes=5 * step) for step in range(145)]
    made = sum(plan(engine, settings=settings, now=moment) for moment in moments)
    engine.dispose()
    return made


def test_the_schedule_tells_what_was_last_and_what_comes(engine):
    clock = Clock(at("2026-07-01T12:00"))
    plan(engine, settings=SETTINGS, now=clock.at)
    clock.at = at("2026-07-02T02:00")
    plan(engine, settings=SETTINGS, now=clock.at)
    carry_out_due(hands(engine, clock))
    with reading(engine) as session:
        found = standings(session, settings=SETTINGS, now=clock.at)
    told = {each.planned.task.name: each for each in found}
    tallies = told["tallies"]
    assert (tallies.last, tallies.state) == (at("2026-07-02T01:30"), State.DONE)
    assert tallies.coming == at("2026-07-03T01:30")
    assert (told["holds"].last, told["holds"].coming) == (None, at("2026-07-02T05:30"))
    assert (told["odoo_sync"].planned.wanted, told["odoo_sync"].coming) == (False, None)


def test_the_house_does_its_own_tasks(network: sa.Engine):
    clock = Clock(at("2026-07-04T12:00"))
    settings = only(
        close="quarterly 5 06:00",
        tallies="daily 01:30",
        uploads="daily 03:15",
        holds="daily 05:30",
        alerts="daily 06:00",
    )
    for moment in ("2026-07-04T12:00", "2026-07-05T12:00"):
        clock.at = at(moment)
        plan(network, settings=settings, now=clock.at)
    carry_out_due(hands(network, clock, settings))
    done = {row.kind: row for row in rows(network).values()}
    assert {kind: done[kind].done_at for kind in (*HOUSE, "close")} == dict.fromkeys(
        (*HOUSE, "close"), clock.at
    )
    assert done["close"].result is not None
    assert done["close"].result["period"] == "2026Q2"
    with reading(network) as session:
        closing = session.scalars(sa.select(Closing)).one()
        assert (closing.period, closing.closed_by) == ("2026Q2", "schedule")
