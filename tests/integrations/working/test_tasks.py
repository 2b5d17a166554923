"""The house's own tasks, carried out by workers on a real programme: once, whoever meets them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from integrations.worker import carry_out_due
from partner_cx.effects import Effect, Owed, State
from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.owed import Clock, hands, owed, rows, standing
from tests.harness.programme import a_closed_quarter, a_network, a_programme, ledger

HOUSE = ("tallies", "holds", "alerts", "close")
AFTER = datetime(2026, 7, 5, 6, 0, tzinfo=UTC)


@pytest.fixture(params=EACH_KIND)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The network with its rules and budget, its quarter over and not closed."""
    with prepared_engine(request.param, "network_and_rules", a_network_and_rules) as engine:
        yield engine


def a_network_and_rules(engine: sa.Engine) -> None:
    a_network(engine)
    a_programme(engine)


def due_at(moment: datetime, *kinds: str, key: str = "by hand") -> list[Owed]:
    return [Owed(kind, f"{kind}:{key}", {"moment": moment.isoformat()}) for kind in kinds]


def work_all(engine: sa.Engine, clock: Clock, workers: int) -> int:
    with ThreadPoolExecutor(workers) as threads:
        begun = [
            threads.submit(carry_out_due, hands(engine, clock), limit=2) for _ in range(workers)
        ]
        total = sum(each.result(120) for each in begun)
    return total + carry_out_due(hands(engine, clock))


def test_two_workers_close_as_one_person_does(programme: sa.Engine) -> None:
    owed(programme, *due_at(AFTER, *HOUSE), *due_at(AFTER, *HOUSE, key="again"), now=AFTER)
    # Others wait for a close; what lost a race or found the house busy comes again.
    clock = Clock(AFTER)
    work_all(programme, clock, workers=3)
    for _ in range(10):
        clock.pass_by(minutes=1)
        carry_out_due(hands(programme, clock))
    assert {key: row.last_error for key, row in rows(programme).items() if not row.done_at} == {}
    with prepared_engine(programme.dialect.name, "closed", a_closed_quarter) as other:
        ours, theirs = ledger(programme), ledger(other)
    assert ours["decisions"] == theirs["decisions"]
    assert ours["accounts"] == theirs["accounts"]


def test_a_close_that_refuses_is_parked_with_its_words_and_closes_on_another_try(
    programme: sa.Engine,
) -> None:
    # A machine's clock is far behind what planned the moment.
    owed(programme, *due_at(AFTER, "close"), now=AFTER - timedelta(days=10))
    clock = Clock(AFTER - timedelta(days=10))
    assert carry_out_due(hands(programme, clock)) == 1
    parked = standing(programme, "close:by hand", clock())
    assert parked.state is State.PARKED
    assert str(parked.why).startswith("2026Q2 isn't over yet. Close it from 2026-07-01 00:00")
    clock.at = AFTER
    with programme.begin() as connection:
        anew = {"parked_at": None, "parked_because": None, "due_at": AFTER}
        connection.execute(sa.update(Effect).values(anew))
    carry_out_due(hands(programme, clock))
    done = rows(programme)["close:by hand"]
    assert done.result is not None
    assert done.result["points_awarded"] > 0
