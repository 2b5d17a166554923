"""Budget at risk, against every possible outcome counted one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from rewards.risk import Chance, add_up

CHANCES = st.lists(
    st.builds(Chance, st.fractions(0, 1, max_denominator=10), st.integers(0, 4)), max_size=6
)


@given(CHANCES, st.integers(0, 25))
def test_the_distribution_is_that_of_all_outcomes(chances: list[Chance], limit: int) -> None:
    above = Fraction(0)
    for wins in product((True, False), repeat=len(chances)):
        won = sum(chance.points for chance, win in zip(chances, wins, strict=True) if win)
        likely = prod(
            (c.probability if win else 1 - c.probability)
            for c, win in zip(chances, wins, strict=True)
        )
        above += likely if won > limit else 0
    risk = add_up(chances)
    assert sum(risk.amounts.values()) == 1
    assert risk.chance_above(limit) == above
    assert risk.expected == sum(c.probability * c.points for c in chances)


@given(CHANCES, st.fractions(Fraction(1, 100), 1))
def test_enough_is_enough_and_no_more(chances: list[Chance], confidence: Fraction) -> None:
    risk = add_up(chances)
    amount = risk.enough_with(confidence)
    assert risk.chance_above(amount) <= 1 - confidence
    assert amount == 0 or risk.chance_above(amount - 1) > 1 - confidence


def test_no_chances_cost_nothing() -> None:
    assert add_up([]).enough_with(Fraction(1)) == 0


def test_a_network_under_two_rules_is_added_up_at_once() -> None:
    chances = [Chance(Fraction(7, 10), 500)] * 1000 + [Chance(Fraction(1, 5), 2000)] * 200
    risk = add_up(chances)
    assert risk.expected == 430_000
    assert 430_000 < risk.enough_with(Fraction(19, 20)) < 460_000


@pytest.mark.parametrize(("probability", "points"), [("1.1", 5), ("-0.1", 5), ("0.5", -1)])
def test_an_impossible_chance_is_refused(probability: str, points: int) -> None:
    with pytest.raises(Invalid):
        Chance(Fraction(probability), points)
