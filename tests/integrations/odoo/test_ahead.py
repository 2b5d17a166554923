"""Asking ahead: the same steps in the same order, one request at a time, and always an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import pytest

from integrations.odoo.connection.errors import NoAnswer
from integrations.odoo.streams import Telling, Told
from integrations.odoo.sync.ahead import STEPS_AHEAD, asked_ahead
from integrations.odoo.sync.course import Place, Step

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def steps(*units: Sequence[int]) -> Iterator[Step]:
    return (Step(tuple(each), Place(("all",), each[-1] if each else 0, NOW)) for each in units)


def noted(units: Sequence[int]) -> Telling:
    """What tells units by noting them."""
    return lambda _reading: Told(notes=[str(units)])


def told(asked: Iterator[Any]) -> list[tuple[tuple[int, ...], list[str]]]:
    reading: Any = None
    return [
        (step.units, [note for _, telling in tellings for note in telling(reading).notes])
        for step, tellings in asked
    ]


def test_steps_come_in_their_order_with_what_tells_them_a_request_at_a_time() -> None:
    assert told(asked_ahead(steps([1, 2, 3], [], [4]), noted, at_once=2)) == [
        ((1, 2, 3), ["(1, 2)", "(3,)"]),
        ((), []),
        ((4,), ["(4,)"]),
    ]


def test_everything_is_asked_by_one_after_the_other() -> None:
    askers, under_way, most = set(), [0], [0]

    def ask(units: Sequence[int]) -> Telling:
        askers.add(threading.get_ident())
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        under_way[0] -= 1
        return noted(units)

    assert len(told(asked_ahead(steps(*([n] for n in range(50))), ask, at_once=1))) == 50
    assert (len(askers), most[0]) == (1, 1)
    assert threading.get_ident() not in askers


def test_no_more_is_asked_ahead_than_a_few_steps() -> None:
    asked: list[int] = []

    def ask(units: Sequence[int]) -> Telling:
        asked.extend(units)
        return noted(units)

    coming = asked_ahead(steps(*([n] for n in range(1000))), ask, at_once=1)
    for _ in range(3):
        next(coming)
    coming.close()
    assert len(asked) <= 3 + STEPS_AHEAD


def test_what_was_asked_before_a_fault_is_still_told() -> None:
    def ask(units: Sequence[int]) -> Telling:
        if units == (3,):
            raise NoAnswer("Odoo didn't answer.")
        return noted(units)

    coming = asked_ahead(steps([1], [2], [3], [4]), ask, at_once=1)
    assert [step.units for step, _ in islice(coming, 2)] == [(1,), (2,)]
    with pytest.raises(NoAnswer):
        next(coming)


def test_whoever_stops_listening_leaves_no_thread_behind() -> None:
    endless = (Step((n,), Place(("all",), n, NOW)) for n in count())
    coming = asked_ahead(endless, noted, at_once=1)
    next(coming)
    coming.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("odoo")]
