"""Patience: how long a neighbour is waited for, and when an effect is given up and parked.

Waits double from one try to the next, up to a longest one, and each is drawn a little shorter than
that, so that a thousand effects that failed together don't come back together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

SHORTEST_SHARE = 0.75  # of a wait, at the luckiest draw


@dataclass(frozen=True)
class Patience:
    """How long to go on.

    first: the wait after the first try; each later one is twice the one before, up to `longest`.
    given_up_after: what all waits may come to. It is waiting that counts, so that a night in which
        no worker ran gives nothing up.
    """

    first: timedelta
    longest: timedelta
    given_up_after: timedelta

    def wait(self, tries: int) -> timedelta | None:
        """How long to wait at most after so many tries, at least one; None: not any more."""
        wait, waited = self.first, timedelta()
        for _ in range(tries - 1):
            waited += wait
            wait = min(2 * wait, self.longest)
        return wait if waited + wait <= self.given_up_after else None

    def drawn(self, tries: int, draw: Callable[[], float]) -> timedelta | None:
        """The same wait, shortened by chance. draw: a number from 0 up to 1."""
        wait = self.wait(tries)
        return None if wait is None else wait * (1 - (1 - SHORTEST_SHARE) * draw())


# A neighbour that is down for an hour is caught up with within a quarter of an hour.
WITH_NEIGHBOURS = Patience(timedelta(seconds=15), timedelta(minutes=15), timedelta(days=3))
# A bug doesn't mend itself, but what looked like one may have been a passing state.
WITH_OURSELVES = Patience(timedelta(seconds=30), timedelta(minutes=5), timedelta(minutes=8))
# What kills its worker each time is kept from killing them all.
WITH_DEATHS = Patience(timedelta(minutes=1), timedelta(hours=1), timedelta(hours=12))
# While machines are brought to a new version, an older worker may meet a kind it doesn't know.
WITH_OLD_VERSIONS = Patience(timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=6))
