"""Lots: what is taken is exactly what was asked for, most urgent first."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.errors import Conflict, Invalid
from rewards.ledger.lots import Lot, take

DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 5))
LOTS = st.lists(st.tuples(st.integers(0, 50), DAYS, st.none() | DAYS), max_size=6).map(
    lambda rows: [Lot(number, *row) for number, row in enumerate(rows)]
)


@given(LOTS, st.integers(1, 200))
def test_what_is_taken_is_what_was_asked_for(lots: list[Lot], points: int) -> None:
    there = sum(lot.points for lot in lots)
    if points > there:
        with pytest.raises(Conflict):
            take(lots, points)
        return
    taking = take(lots, points)
    assert sum(taken for _, taken in taking.taken) == points == there - taking.left
    assert all(0 < taken <= lot.points for lot, taken in taking.taken)
    assert take(reversed(lots), points) == taking


@given(LOTS.filter(lambda lots: any(lot.points for lot in lots)))
def test_only_the_last_lot_is_ever_left_in_part(lots: list[Lot]) -> None:
    taking = take(lots, 1 + sum(lot.points for lot in lots) // 2)
    *emptied, _ = taking.taken
    assert all(lot.points == taken for lot, taken in emptied)


def test_of_lots_that_expire_together_the_older_is_spent_first() -> None:
    new = Lot(1, 10, date(2026, 3, 1), date(2026, 12, 31))
    old = Lot(2, 10, date(2026, 2, 1), date(2026, 12, 31))
    assert take([new, old], 15).taken == ((old, 10), (new, 5))


@pytest.mark.parametrize("points", [0, -1, True, 1.0])
def test_only_whole_points_can_be_taken(points: int) -> None:
    with pytest.raises(Invalid):
        take([Lot(1, 10, date(2026, 1, 1))], points)
