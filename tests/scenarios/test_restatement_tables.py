"""Putting right what later facts call for, as tables a channel manager can read.

What a decision has brought, what it would come to today, and what is proposed under the
programme's policy. Minus is taken back, plus is given after all.
"""

from __future__ import annotations

from datetime import date

import pytest

from rewards.restatements import Given, Policy

CLOSED = date(2026, 7, 3)

# A decision that earned, was paid and was put right by so much; what it would be; what is asked.
OWED = [
    # earned  paid  put right  would be  asked  because
    (500, 500, 0, 500, 0),  # nothing has changed
    (500, 500, 0, 0, -500),  # it was never earned
    (500, 500, 0, 300, -200),  # a lower step of the scale
    (300, 300, 0, 500, 200),  # a higher one
    (0, 0, 0, 500, 500),  # missed then, reached in truth
    (500, 500, -500, 0, 0),  # taken back already
    (500, 500, -500, 500, 500),  # and the facts changed back
    (500, 500, -500, 300, 300),
    (0, 0, 500, 0, -500),  # given after all, and wrongly so
    (0, 0, 500, 500, 0),
    (500, 0, 0, 500, 0),  # not paid yet: the budget owes it, nobody else
    (500, 0, 0, 0, 0),  # not paid, and so there is nothing to take back
    (500, 0, 0, 700, 200),  # what is unpaid of it is still owed; the rest comes on top
    (500, 300, 0, 500, 0),  # a shared budget paid 300: that was final
    (500, 300, 0, 0, -300),  # only what was paid is taken back
    (500, 300, 0, 400, 0),  # less was paid than it would be today
    (500, 300, 0, 200, -100),
]


@pytest.mark.parametrize(("earned", "paid", "put_right", "would_be", "asked"), OWED)
def test_only_the_difference_is_put_right(
    earned: int, paid: int, put_right: int, would_be: int, asked: int
) -> None:
    assert Given(earned, paid, put_right).owed(would_be) == asked


@pytest.mark.parametrize(("earned", "paid", "put_right", "would_be", "asked"), OWED)
def test_once_it_is_put_right_nothing_is_asked_again(
    earned: int, paid: int, put_right: int, would_be: int, asked: int
) -> None:
    assert Given(earned, paid, put_right + asked).owed(would_be) == 0


STRICT = Policy(window_days=90, points_min=50)
LENIENT = Policy(window_days=90, points_min=50, take_back=False)
NO_LIMITS = Policy(window_days=10_000)

# Under which policy, so many points, on a day: whether it is proposed, or why not.
PROPOSED = [
    (STRICT, -500, date(2026, 7, 10), ""),
    (STRICT, -500, date(2026, 10, 1), ""),  # the last day of the window
    (STRICT, -500, date(2026, 10, 2), "could be put right until 1 October 2026"),
    (STRICT, 500, date(2026, 10, 2), "could be put right until 1 October 2026"),
    (STRICT, -50, date(2026, 7, 10), ""),  # the least that is worth it
    (STRICT, -49, date(2026, 7, 10), "less than 50 points"),
    (STRICT, 49, date(2026, 7, 10), "less than 50 points"),
    (LENIENT, -500, date(2026, 7, 10), "points once given stay given"),
    (LENIENT, 500, date(2026, 7, 10), ""),  # upwards is always welcome
    (LENIENT, 49, date(2026, 7, 10), "less than 50 points"),
    (NO_LIMITS, -1, date(2030, 1, 1), ""),
    (Policy(window_days=0), -500, CLOSED, ""),  # on the day of the close itself
    (Policy(window_days=0), -500, date(2026, 7, 4), "could be put right until 3 July 2026"),
]


@pytest.mark.parametrize(("policy", "points", "day", "objection"), PROPOSED)
def test_a_policy_says_what_is_proposed(
    policy: Policy, points: int, day: date, objection: str
) -> None:
    told = policy.objection(points, closed_on=CLOSED, today=day)
    assert (told.en.partition(": ")[2] if told else "") in (objection, f"it {objection}")
