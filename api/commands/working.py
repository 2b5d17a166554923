"""The worker, alone or beside the pages, and the schedule it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from datetime import datetime
    from threading import Event

    from api.wiring import House
    from integrations.schedule import Standing
    from partner_cx.settings import Settings

COLUMNS = ("task", "does", "timetable", "last", "state", "next", "catch_up")
IN_TABLE = ("task", "does", "timetable", "last", "state", "next")


def work(
    once: Annotated[
        bool, typer.Option("--once", help="Plan and carry out what is due, then end.")
    ] = False,
    threads: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=4,
            help="How many effects to carry out side by side; long ones have one thread more.",
        ),
    ] = 1,
    database: Database = None,
    now: Now = None,
) -> None:
    """Carry out effects and keep the schedule, until stopped. `serve` does so by itself."""
    from api.wiring import moment, open_house
    from partner_cx.errors import Invalid

    if now is not None and not once:
        raise Invalid("A worker that goes on has no one moment.", remedy="Add --once to --now.")
    with open_house(database) as house:
        if once:
            _work_once(house, None if now is None else moment(now, house.settings))
            return
        _work_until_stopped(house, threads)


def _work_once(house: House, at: datetime | None) -> None:
    from integrations import schedule
    from integrations.carrying import Hands
    from integrations.clocks import shared_clock
    from integrations.worker import carry_out_due
    from partner_cx import effects
    from partner_cx.database import reading

    clock = shared_clock(house.engine) if at is None else lambda: at
    hands = Hands(house.engine, house.settings, clock)
    schedule.plan(house.engine, settings=house.settings, now=hands.clock())
    begun = carry_out_due(hands)
    with reading(house.engine) as session:
        counts = effects.counted(session, now=hands.clock())
    parked = sum(n for (_, state), n in counts.items() if state is effects.State.PARKED)
    waiting = sum(counts.values()) - parked
    say(f"{begun:,} tried; {waiting:,} wait, {parked:,} parked.")
    if parked:
        raise typer.Exit(1)


def _work_until_stopped(house: House, threads: int) -> None:
    with crew_at_work(house, threads) as stop:
        say("Working – stop with Ctrl-C.")
        while not stop.wait(3600):  # a wait without an end isn't woken by signals everywhere
            pass
        say("Stopping: finishing what is at hand …")


@contextmanager
def crew_at_work(house: House, threads: int = 1) -> Iterator[Event]:
    """Workers and the schedule in threads of this process, until the block ends.

    Gives the event that SIGTERM and SIGINT set, instead of ending the process over the worker's
    head; a second signal does. Refuses a schedule that can't be read.
    """
    from threading import Event

    from integrations import schedule
    from integrations.carrying import Hands
    from integrations.clocks import shared_clock
    from integrations.crew import Crew, working

    schedule.timetables(house.settings)
    hands = Hands(house.engine, house.settings, shared_clock(house.engine))
    told = Event()
    with _signals_told_to(told), working(Crew(hands, threads=threads)):
        yield told


@contextmanager
def _signals_told_to(event: Event) -> Iterator[None]:
    import signal

    def stop(number: int, _frame: object) -> None:
        event.set()
        signal.signal(number, signal.SIG_DFL)

    both = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop) for number in both]
    try:
        yield
    finally:
        for number, usual in zip(both, before, strict=True):
            signal.signal(number, usual)


def schedule(
    database: Database = None, now: Now = None, form: Form = Format.TABLE, language: In = None
) -> None:
    """Show what is done by the clock: when it was last due and when it comes next."""
    from api.wiring import moment, open_house
    from integrations.schedule import standings
    from partner_cx.database import reading

    with open_house(database) as house, reading(house.engine) as session:
        at = moment(now, house.settings)
        found = standings(session, settings=house.settings, now=at)
        spoken = language or house.language
        rows = [_row(each, house.settings, spoken) for each in found]
    print_rows(rows, COLUMNS, form=form, in_table=IN_TABLE, language=spoken)


def _row(standing: Standing, settings: Settings, language: str) -> Row:
    planned = standing.planned
    return {
        "task": planned.task.name,
        "does": planned.task.what.in_(language),
        "timetable": planned.written if planned.wanted else "not set up",
        "last": _local(standing.last, settings),
        "state": standing.state,
        "next": _local(standing.coming, settings),
        "catch_up": planned.task.catch_up,
    }


def _local(at: datetime | None, settings: Settings) -> Shown | None:
    """By the programme's clocks for people, in UTC for programs."""
    return None if at is None else Shown(at, f"{at.astimezone(settings.zone):%Y-%m-%d %H:%M}")
