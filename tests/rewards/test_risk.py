"""Budget at risk, against every possible outcome counted one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from rewards.budgets.risk import Chance, NearRisk, add_up, spread

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


def test_the_worked_example_is_exact() -> None:
    chances = [
        Chance(Fraction(9, 10), 500),
        Chance(Fraction(6, 10), 500),
        Chance(Fraction(5, 10), 1_000),
        Chance(Fraction(2, 10), 2_000),
    ]
    risk = spread(chances)
    assert risk.expected == 1_650
    assert risk.enough_with(Fraction(19, 20)) == 4_000
    assert risk.chance_above(2_500) == Fraction(154, 1_000)


def test_what_is_too_much_to_compute_is_told_nearly() -> None:
    chances = [Chance(Fraction(p, 20), 500) for p in range(1, 20)] * 50
    exact, near = add_up(chances), spread(chances * 1)
    assert near.expected == exact.expected
    large = spread(chances * 20)
    assert isinstance(large, NearRisk)
    assert large.expected == 20 * exact.expected
    mean, variance = (
        exact.expected,
        sum((c.points**2 * c.probability * (1 - c.probability) for c in chances), Fraction(0)),
    )
    approximate = NearRisk(mean, variance, most=500 * len(chances))
    for confidence in (Fraction(1, 2), Fraction(19, 20), Fraction(99, 100)):
        true = exact.enough_with(confidence)
        assert abs(approximate.enough_with(confidence) - true) <= 500  # one award of 950
    for limit in (230_000, 240_000, 250_000):
        assert abs(approximate.chance_above(limit) - exact.chance_above(limit)) < Fraction(3, 100)


def test_a_whole_network_under_fifty_rules_is_told_at_once() -> None:
    chances = [Chance(Fraction(p, 20), 100 * rule) for rule in range(1, 51) for p in range(1, 20)]
    risk = spread(chances * 105)
    assert risk.expected < risk.enough_with(Fraction(19, 20)) < risk.enough_with(Fraction(1))
    assert risk.chance_above(risk.enough_with(Fraction(1))) == 0
    assert risk.chance_above(-1) == 1


def test_what_is_certain_spreads_over_nothing() -> None:
    risk = NearRisk(Fraction(500), Fraction(0), most=500)
    assert risk.enough_with(Fraction(19, 20)) == 500
    assert risk.chance_above(499) == 1
