"""Intervals and correlations at their edges; the worked numbers stand in the scenario tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.measures.statistics import (
    Votes,
    between_waves,
    nps_interval,
    pearson,
    spearman,
    wilson,
)

Z = 1.959963984540054


@given(st.integers(0, 400), st.integers(1, 400))
def test_a_share_s_bounds_are_those_it_just_fails_to_refute(hits, of):
    """Wilson's bounds are the shares p with |share − p| = z √(p (1 − p) / n)."""
    hits = min(hits, of)
    low, high = wilson(hits, of)
    for bound in (float(low), float(high)):
        assert abs(hits / of - bound) == pytest.approx(
            Z * math.sqrt(bound * (1 - bound) / of), abs=1e-7
        )
    assert low <= hits / of <= high


def test_none_and_all_are_bounded_exactly():
    assert wilson(0, 7)[0] == 0
    assert wilson(7, 7)[1] == 1


def test_nothing_counted_has_no_interval():
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(nps_interval(0, 0, 0)).all()


@given(st.tuples(*[st.integers(0, 50)] * 3).filter(any))
def test_an_nps_interval_stays_within_the_scale_and_turns_round_with_the_votes(votes):
    promoters, _, detractors = votes
    low, high = nps_interval(promoters, detractors, sum(votes))
    assert -100 <= low <= high <= 100
    turned_low, turned_high = nps_interval(detractors, promoters, sum(votes))
    assert (float(turned_low), float(turned_high)) == pytest.approx((float(-high), float(-low)))


def test_a_wave_without_answers_or_without_spread_has_no_significance():
    assert between_waves(Votes(0, 0, 0), Votes(5, 1, 1)).difference is None
    same = between_waves(Votes(4, 0, 0), Votes(9, 0, 0))
    assert (same.difference, same.p, same.is_significant) == (0, None, False)


def test_a_large_change_among_many_is_significant():
    assert between_waves(Votes(300, 350, 350), Votes(400, 350, 250)).is_significant


def test_a_series_that_never_moves_goes_with_nothing():
    assert pearson([3, 3, 3, 3], [1, 2, 3, 4]).coefficient is None
    assert spearman([1], [2]).coefficient is None


def test_few_pairs_have_no_interval_and_a_perfect_line_no_width():
    assert pearson([1, 2, 4], [1, 2, 3]).low is None
    perfect = pearson([1, 2, 3, 4], [2, 4, 6, 8])
    assert perfect.coefficient == pytest.approx(1)


def test_equals_share_the_mean_of_their_ranks():
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    assert spearman([1, 5, 5, 9], [1, 2, 3, 4]).coefficient == pytest.approx(0.9486833)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30))
def test_pearson_agrees_with_numpy(pairs):
    left, right = zip(*pairs, strict=True)
    found = pearson(left, right).coefficient
    if len(set(left)) == 1 or len(set(right)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(left, right)[0, 1])
