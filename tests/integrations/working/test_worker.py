"""The worker: what becomes of an effect, in order, once, whatever goes wrong."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import structlog

from integrations import leasing
from integrations.carrying import Due, Hands, Later
from integrations.leasing import Lane, lease
from integrations.patience import WITH_NEIGHBOURS, Patience
from integrations.worker import AT_ONCE, ENDS_MAX, Worker, carry_out_due
from partner_cx.database import open_database, transact
from partner_cx.effects import State, retry
from partner_cx.errors import Conflict, Refused, Unreachable
from tests.harness.databases import fresh_database
from tests.harness.owed import START, Clock, Neighbour, hands, note, owed, rows, standing

ODD = "sk_live_do_not_show_me"


def nobody_answers() -> Exception:
    """What one gets from a PostgreSQL that isn't there."""
    gone = open_database("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(sa.exc.OperationalError) as met, gone.connect():
        pass
    return met.value


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def neighbour() -> Neighbour:
    return Neighbour()


def carry_out(engine: sa.Engine, neighbour: Neighbour, clock: Clock, **more: int) -> int:
    return carry_out_due(hands(engine, clock), handlers=neighbour.handlers, **more)


def test_what_is_due_is_carried_out_once_oldest_first(engine, neighbour, clock):
    owed(engine, note("b", due_at=START - timedelta(hours=1)), note("a"), note("c"))
    owed(engine, note("tomorrow", due_at=START + timedelta(days=1)))
    assert carry_out(engine, neighbour, clock) == 3
    assert neighbour.told == ["b", "a", "c"]
    assert carry_out(engine, neighbour, clock) == 0
    done = rows(engine)["a"]
    assert (done.done_at, done.tries, done.result, done.leased_by) == (START, 1, {"tries": 1}, None)
    assert standing(engine, "tomorrow").state is State.WAITING


def test_more_than_one_batch_is_carried_out_to_the_end(engine, neighbour, clock):
    keys = [f"k{number:03}" for number in range(2 * AT_ONCE + 1)]
    owed(engine, *map(note, keys))
    assert carry_out(engine, neighbour, clock, limit=3) == 3
    assert carry_out(engine, neighbour, clock) == len(keys) - 3
    assert neighbour.told == keys


def test_a_neighbour_that_is_away_is_tried_again_later_and_later(engine, neighbour, clock):
    owed(engine, note("a"))
    neighbour.fails["a"] = Unreachable("Odoo didn't answer.", remedy="Check that it runs.")
    waits = []
    for _ in range(5):
        carry_out(engine, neighbour, clock)
        waiting = standing(engine, "a", clock())
        assert waiting.state is State.WAITING
        assert waiting.why == "Odoo didn't answer. Check that it runs."
        waits.append((waiting.due_at - clock()).total_seconds())
        clock.at = waiting.due_at
    for wait, most in zip(waits, (15, 30, 60, 120, 240), strict=True):
        assert 0.75 * most <= wait <= most
    del neighbour.fails["a"]
    carry_out(engine, neighbour, clock)
    assert rows(engine)["a"].result == {"tries": 6}


def test_waits_grow_to_a_longest_one_and_end():
    patience = Patience(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20))
    waits = [patience.wait(tries) for tries in range(1, 8)]
    minutes = [None if wait is None else wait.total_seconds() / 60 for wait in waits]
    assert minutes == [1, 2, 4, 5, 5, None, None]


def test_after_days_of_silence_an_effect_is_parked(engine, neighbour, clock):
    owed(engine, note("a"))
    neighbour.fails["a"] = Unreachable("Odoo didn't answer.")
    waits = [WITH_NEIGHBOURS.wait(tries) for tries in range(1, 400)]
    tries_max = waits.index(None)
    assert sum(filter(None, waits), timedelta()) > timedelta(days=2, hours=23)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE effects SET tries = :n"), {"n": tries_max - 1})
    carry_out(engine, neighbour, clock)
    assert standing(engine, "a").state is State.WAITING
    clock.pass_by(minutes=15)
    carry_out(engine, neighbour, clock)
    parked = standing(engine, "a")
    assert parked.why == f"Odoo didn't answer. Given up after {tries_max + 1} tries."


@pytest.mark.parametrize("refusal", [Refused, Conflict])
def test_a_refusal_is_parked_at_once_with_its_words(engine, neighbour, clock, refusal):
    owed(engine, note("a"), note("b"))
    neighbour.fails["a"] = refusal("The key was revoked.", remedy="Make a new one.")
    assert carry_out(engine, neighbour, clock) == 2
    parked = standing(engine, "a")
    assert (parked.state, parked.why) == (State.PARKED, "The key was revoked. Make a new one.")
    assert standing(engine, "b").state is State.DONE


def test_a_network_that_fails_is_a_neighbour_that_is_away(engine, neighbour, clock):
    owed(engine, note("a"))
    neighbour.fails["a"] = ConnectionRefusedError(111, "Connection refused")
    carry_out(engine, neighbour, clock)
    waiting = standing(engine, "a")
    assert waiting.state is State.WAITING
    assert waiting.why == "ConnectionRefusedError: Connection refused."


def test_our_own_mistake_is_tried_a_few_times_then_parked_and_never_repeats_what_it_said(
    engine, neighbour, clock
):
    owed(engine, note("a", payload={"token": ODD}))
    neighbour.fails["a"] = KeyError(ODD)
    with structlog.testing.capture_logs() as logs:
        while standing(engine, "a", clock()).state is State.WAITING:
            clock.at = max(clock.at, standing(engine, "a", clock()).due_at)
            carry_out(engine, neighbour, clock)
    parked = standing(engine, "a", clock())
    assert parked.why is not None
    assert parked.why.startswith("This is our mistake, not yours (KeyError in owed.py:")
    assert 3 <= parked.tries <= 6
    assert clock.at - START < timedelta(minutes=10)
    assert ODD not in parked.why
    assert ODD not in str(logs)
    assert any("owed.py" in line for line in logs[0]["way"])


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(nobody_answers, id="our database is down"),
        pytest.param(psycopg.OperationalError("the connection is lost"), id="lost during a COPY"),
        pytest.param(
            sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked")),
            id="a long import has it",
        ),
        pytest.param(
            sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError("disk is full")),
            id="its disk is full",
        ),
    ],
)
def test_our_database_that_is_away_is_waited_for_and_is_nobodys_mistake(
    engine, neighbour, clock, error
):
    owed(engine, note("a"))
    with engine.begin() as connection:  # for hours already its neighbour was away
        connection.execute(sa.text("UPDATE effects SET tries = 50"))
    neighbour.fails["a"] = error() if callable(error) else error
    carry_out(engine, neighbour, clock)
    waiting = standing(engine, "a")
    assert (waiting.state, waiting.why) == (State.WAITING, "Our database was away.")


@pytest.mark.parametrize("words", ["It said \x00.", "It said \ud800.", "It said \U0001f600."])
def test_whatever_a_neighbour_says_can_be_noted(engine, neighbour, clock, words):
    owed(engine, note("a"), note("b"))
    neighbour.fails["a"] = Unreachable(words)
    neighbour.fails["b"] = Refused(words)
    assert carry_out(engine, neighbour, clock) == 2
    noted = [standing(engine, key) for key in "ab"]
    assert [each.state for each in noted] == [State.WAITING, State.PARKED]
    assert all(str(each.why).startswith("It said ") for each in noted)


@pytest.mark.parametrize("result", [{"a": float("nan")}, {"a": "\x00"}, {("a", 1): 2}, {1: b"x"}])
def test_whatever_a_handler_answers_can_be_kept(engine, clock, result):
    owed(engine, note("a"))
    carry_out_due(hands(engine, clock), handlers={"note": lambda _due, _hands: result})
    assert rows(engine)["a"].done_at == START


def test_something_may_ask_for_a_later_moment_and_its_tries_dont_count(engine, neighbour, clock):
    owed(engine, note("a"))
    neighbour.fails["a"] = Later(START + timedelta(hours=2))
    carry_out(engine, neighbour, clock)
    waiting = standing(engine, "a")
    assert (waiting.due_at, waiting.tries, waiting.why) == (START + timedelta(hours=2), 0, None)


def test_later_than_a_moment_ago_is_no_endless_loop(engine, neighbour, clock):
    owed(engine, note("a"))
    neighbour.fails["a"] = Later(START - timedelta(hours=2))
    assert carry_out(engine, neighbour, clock) == 1


def test_a_kind_that_nothing_carries_out_waits_for_a_newer_version(engine, clock):
    owed(engine, note("a"))
    assert carry_out_due(hands(engine, clock), handlers={}) == 1
    waiting = standing(engine, "a")
    assert waiting.state is State.WAITING
    assert waiting.why == (
        "Nothing here carries out effects of the kind note: is this version too old?"
    )


def test_a_result_that_json_doesnt_know_is_kept_as_text(engine, clock):
    owed(engine, note("a"))
    carry_out_due(hands(engine, clock), handlers={"note": lambda _due, _hands: {"at": START}})
    assert rows(engine)["a"].result == {"at": str(START)}


# --- one subject at a time --------------------------------------------------------------------


def test_effects_of_one_subject_are_carried_out_in_the_order_in_which_they_were_owed(
    engine, neighbour, clock
):
    later = START + timedelta(hours=1)
    owed(engine, note("first", "R1", due_at=later), note("second", "R1"), note("other", "R2"))
    carry_out(engine, neighbour, clock)
    assert neighbour.told == ["other"]
    held = standing(engine, "second")
    assert (held.state, held.behind) == (State.HELD_BACK, "first")
    clock.at = later
    carry_out(engine, neighbour, clock)
    assert neighbour.told == ["other", "first", "second"]


@pytest.mark.parametrize("trouble", [Refused("No."), Unreachable("Nobody there.")])
def test_one_that_is_parked_or_tried_again_holds_the_later_ones_back(
    engine, neighbour, clock, trouble
):
    owed(engine, *(note(key, "R1") for key in "abc"), note("z", "R2"))
    neighbour.fails["b"] = trouble
    carry_out(engine, neighbour, clock)
    assert sorted(neighbour.told) == ["a", "b", "z"]
    assert standing(engine, "c").behind == "b"


def test_no_two_of_a_subject_are_under_way_at_once(engine, clock):
    owed(engine, note("second", "R1"))
    taken = partial(lease, engine, lasting=timedelta(minutes=1), now=START, limit=10)
    [held] = taken(by="one")
    # As if what was owed first had been committed last: it is due, and begins only afterwards.
    owed(engine, note("first", "R1"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE effects SET id = 0 WHERE key = 'first'"))
    assert held.due.key == "second"
    assert taken(by="two") == []


def test_many_workers_at_once_keep_the_order_of_each_subject(engine, clock):
    told: list[tuple[str, str]] = []
    busy: set[str | None] = set()

    def slow(due: Due, _hands: Hands) -> None:
        assert due.subject not in busy, "two of a subject at once"
        busy.add(due.subject)
        told.append((str(due.subject), due.key))
        busy.remove(due.subject)

    owed(engine, *(note(f"{number:03}", f"R{number % 7}") for number in range(84)))
    workers = [Worker(hands(engine, clock), {"note": slow}, at_once=3) for _ in range(4)]
    in_parallel([worker.run_dry for worker in workers])
    while carry_out_due(hands(engine, clock), handlers={"note": slow}):
        pass
    for subject in {subject for subject, _ in told}:
        keys = [key for each, key in told if each == subject]
        assert keys == sorted(keys)
    assert len(told) == 84


# --- leases -----------------------------------------------------------------------------------


def test_what_is_leased_is_nobody_elses_until_the_lease_runs_out(engine, clock):
    owed(engine, note("a"))
    lasting = timedelta(minutes=2)
    assert len(lease(engine, by="one", now=START, lasting=lasting, limit=5)) == 1
    assert lease(engine, by="two", now=START, lasting=lasting, limit=5) == []
    assert standing(engine, "a").state is State.UNDER_WAY
    later = START + lasting
    [taken_over] = lease(engine, by="two", now=later, lasting=lasting, limit=5)
    assert taken_over.taken_over
    assert rows(engine)["a"].leased_by == "two"


def test_a_worker_whose_lease_was_taken_over_settles_nothing(engine, neighbour, clock):
    owed(engine, note("a"))

    def overtaken(due: Due, _hands: Hands) -> None:
        """While the first one is at it, its lease runs out, and another does the work."""
        clock.pass_by(minutes=10)
        assert carry_out(engine, neighbour, clock) == 1
        raise Refused("The first one came too late to say this.")

    with structlog.testing.capture_logs() as logs:
        carry_out_due(hands(engine, clock), handlers={"note": overtaken})
    done = rows(engine)["a"]
    assert (done.done_at, done.parked_at, done.tries) == (clock.at, None, 2)
    assert "an effect was taken over" in [log["event"] for log in logs]


def test_what_is_retried_after_its_worker_hung_is_not_settled_by_that_one(engine, neighbour, clock):
    owed(engine, note("a"))

    def hangs(_due: Due, _hands: Hands) -> None:
        clock.pass_by(minutes=10)
        transact(engine, lambda session: retry(session, now=clock(), keys=["a"]))

    carry_out_due(hands(engine, clock), handlers={"note": hangs}, limit=1)
    assert standing(engine, "a", clock()).state is State.WAITING
    carry_out(engine, neighbour, clock)
    assert (rows(engine)["a"].tries, neighbour.told) == (1, ["a"])


def test_a_long_effect_keeps_its_lease_while_its_worker_lives(engine, neighbour, clock):
    owed(engine, note("a"), note("b"))
    begun, end = threading.Event(), threading.Event()

    def long(_due: Due, _hands: Hands) -> None:
        begun.set()
        assert end.wait(20)

    worker = Worker(hands(engine, clock), {"note": long}, lasting=timedelta(seconds=0.2))
    thread = threading.Thread(target=worker.run_dry)
    thread.start()
    assert begun.wait(20)
    clock.pass_by(seconds=30)  # longer than the lease: only a heart-beat can have kept it
    for _ in range(200):
        if rows(engine)["b"].leased_until == clock.at + worker.lasting:
            break
        threading.Event().wait(0.05)
    assert carry_out(engine, neighbour, clock) == 0
    end.set()
    thread.join(20)
    assert {key: row.tries for key, row in rows(engine).items()} == {"a": 1, "b": 1}


def test_what_hangs_beyond_all_patience_loses_its_lease(engine, clock, monkeypatch):
    monkeypatch.setattr("integrations.worker.LONGEST", {"note": timedelta(0)})
    owed(engine, note("a"))
    before: list[object] = []

    def hangs(_due: Due, _hands: Hands) -> None:
        before.append(rows(engine)["a"].leased_until)
        clock.pass_by(seconds=30)
        threading.Event().wait(0.5)
        before.append(rows(engine)["a"].leased_until)

    Worker(hands(engine, clock), {"note": hangs}, lasting=timedelta(seconds=0.2)).run_dry()
    assert before[0] == before[1]


def test_what_ends_its_worker_every_time_is_left_alone_for_a_while(engine, neighbour, clock):
    owed(engine, note("a"))
    with engine.begin() as connection:  # as workers left it that were killed over it
        connection.execute(
            sa.text("UPDATE effects SET tries = :ends, leased_by = 'gone', leased_until = :at"),
            {"ends": ENDS_MAX, "at": "2026-07-01 08:00:00"},
        )
    assert carry_out(engine, neighbour, clock) == 1
    assert neighbour.told == []
    waiting = standing(engine, "a")
    assert waiting.why is not None
    assert "ended before it was done" in waiting.why
    clock.at = waiting.due_at
    carry_out(engine, neighbour, clock)
    assert neighbour.told == ["a"]


def test_told_to_stop_it_finishes_what_is_at_hand_and_gives_the_rest_back(engine, clock):
    owed(engine, *map(note, "abcd"))
    told: list[str] = []

    def stops_after_two(due: Due, _hands: Hands) -> None:
        told.append(due.key)
        if len(told) == 2:
            worker.stopping.set()

    worker = Worker(hands(engine, clock), {"note": stops_after_two})
    assert worker.run_dry() == 2
    left = rows(engine)
    assert [key for key, row in left.items() if row.done_at] == ["a", "b"]
    assert {(left[key].leased_by, left[key].tries) for key in "cd"} == {(None, 0)}


def test_a_worker_that_ends_once_after_days_of_waiting_gives_nothing_up(engine, neighbour, clock):
    owed(engine, note("a"))
    with engine.begin() as connection:  # Odoo is down since yesterday, and a worker was killed
        connection.execute(
            sa.text(
                "UPDATE effects SET tries = 100, leased_by = 'dead', leased_until = due_at, "
                "last_error = 'Odoo didn''t answer.'"
            )
        )
    carry_out(engine, neighbour, clock)
    assert neighbour.told == []
    waiting = standing(engine, "a")
    assert waiting.state is State.WAITING
    assert waiting.due_at <= START + timedelta(minutes=1)
    clock.pass_by(minutes=1)
    carry_out(engine, neighbour, clock)
    assert neighbour.told == ["a"]


def test_each_lane_takes_its_kinds_alone(engine, neighbour, clock):
    owed(engine, note("a"))
    nothing = Worker(
        hands(engine, clock), neighbour.handlers, lane=Lane(without=frozenset({"note"}))
    )
    assert nothing.run_dry() == 0
    long = Worker(hands(engine, clock), neighbour.handlers, lane=Lane(only=frozenset({"note"})))
    assert long.run_dry() == 1


def test_an_outcome_is_noted_though_the_database_is_away_for_a_minute(
    engine, neighbour, clock, monkeypatch
):
    owed(engine, note("a"))
    noted, down = leasing.Notes.note, nobody_answers()
    waited: list[float] = []

    def fails_at_first(*arguments, **more):
        if sum(waited) < 60:
            raise down
        return noted(*arguments, **more)

    monkeypatch.setattr(leasing.Notes, "note", fails_at_first)
    monkeypatch.setattr("integrations.worker.time.sleep", waited.append)
    assert carry_out(engine, neighbour, clock) == 1
    assert rows(engine)["a"].done_at == START
    assert neighbour.told == ["a"]


@pytest.mark.sqlite
def test_a_long_import_that_has_sqlite_to_itself_doubles_nothing(neighbour, clock, monkeypatch):
    monkeypatch.setattr("partner_cx.database.BUSY_SECONDS", 0)
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        owed(engine, note("a"))
        with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as imports:

            def busy_from_now_on(due: Due, given: Hands) -> Mapping[str, Any] | None:
                imports.execute("BEGIN IMMEDIATE")
                return neighbour(due, given)

            monkeypatch.setattr(
                "integrations.worker.time.sleep", lambda _seconds: imports.execute("COMMIT")
            )
            carry_out_due(hands(engine, clock), handlers={"note": busy_from_now_on})
        assert rows(engine)["a"].done_at == START
        assert neighbour.told == ["a"]
        engine.dispose()


def test_a_database_that_stays_away_is_not_waited_for_longer_than_the_lease(
    engine, neighbour, clock, monkeypatch
):
    owed(engine, note("a"))
    down = nobody_answers()

    def fails(*_arguments, **_more):
        raise down

    monkeypatch.setattr(leasing.Notes, "note", fails)
    worker = Worker(hands(engine, clock), neighbour.handlers, lasting=timedelta(seconds=0.3))
    with pytest.raises(sa.exc.OperationalError):
        worker.run_dry()
    assert neighbour.told == ["a"]


def in_parallel(acts: Sequence[Callable[[], object]]) -> None:
    """Do each in a thread of its own; what one raises, this raises."""
    with ThreadPoolExecutor(len(acts)) as threads:
        for ended in [threads.submit(act) for act in acts]:
            ended.result(60)
