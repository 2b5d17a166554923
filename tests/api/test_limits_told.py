"""What a limit leaves, as a partner's home tells it."""

from __future__ import annotations

import pytest

from api.pages.partner.progress import repeated_card
from partner_cx.periods import PeriodKind
from rewards.progress import Left, Repeated
from rewards.rules.limits import Limit
from tests.harness.programme import OTIF_BONUS, QUARTER


@pytest.mark.parametrize(
    ("times", "points", "said"),
    [
        (2, None, "2 more times can still be earned in Q2 2026"),
        (None, 40, "40 points more can still be earned in Q2 2026"),
        (0, None, "The limit of Q2 2026 is reached"),
        (3, 0, "The limit of Q2 2026 is reached"),
    ],
)
def test_a_limit_says_what_is_left_or_that_nothing_is(
    times: int | None, points: int | None, said: str
):
    limit = Limit(PeriodKind.QUARTER, points=100, times=5)
    left = Left(limit, QUARTER, times, points)
    card = repeated_card(Repeated(OTIF_BONUS, QUARTER, 1, 20, (left,)), "en")
    assert card["left"] == [said]
