"""A close that is killed, wherever it is, and run again leaves exactly the undisturbed ledger.

A short form runs with the other tests; `PARTNER_CX_TRIALS=full` kills at fifty points per
database: half of them spread over every statement and commit, half at random moments.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from partner_cx.database import open_database
from tests.harness import killed_close
from tests.harness.databases import EACH_KIND, copied_database, fresh_database
from tests.harness.programme import a_network, a_programme, close_it, ledger
from tests.harness.trials import FULL

AT_STATEMENTS, AT_MOMENTS = (25, 25) if FULL else (4, 2)
KILLS = random.Random(2026)


@pytest.mark.parametrize("kind", EACH_KIND)
def test_a_close_killed_anywhere_and_run_again_pays_as_if_undisturbed(kind: str) -> None:
    with fresh_database(kind) as before:
        with opened(before) as engine:
            a_network(engine)
            a_programme(engine)
        with copied_database(before) as url:
            started = time.monotonic()
            points = killed_close.count_points(url)
            seconds = time.monotonic() - started
            undisturbed = of(url)
        for point in spread(points, AT_STATEMENTS):
            with copied_database(before) as url:
                killed_close.die_at(url, point)
                assert run_again(url) == undisturbed, f"killed at point {point} of {points}"
        for _ in range(AT_MOMENTS):
            with copied_database(before) as url:
                moment = KILLS.uniform(0, 1.2 * seconds)
                killed_close.die_after(url, moment)
                assert run_again(url) == undisturbed, f"killed after {moment:.4f} s"


def spread(points: int, wanted: int) -> list[int]:
    """Points all over the close: each once where they suffice, and always the very last."""
    wanted = min(wanted, points)
    return [points - (points - 1) * place // max(wanted - 1, 1) for place in range(wanted)]


def run_again(url: str) -> dict[str, list[object]]:
    with opened(url) as engine:
        close_it(engine)
        return ledger(engine)


def of(url: str) -> dict[str, list[object]]:
    with opened(url) as engine:
        return ledger(engine)


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()
