"""Restating holds one lock, not one for each proposal: a database has room for a few thousand."""

from __future__ import annotations

import sqlalchemy as sa

from rewards.restating import Difference, restate
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, take
from tests.harness.programme import MANAGER, NOW, OTIF_BONUS, QUARTER, a_programme, close_it, lines


def test_restating_holds_as_few_locks_however_many_proposals_are_open(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS)
    close_it(network)
    late = [{**line, "received_on": "2026-05-20"} for line in lines("R1", 20)[:3]]
    take(network, "order-lines", *late, now=NOW)
    with counted(network) as none_open:
        assert len(_restated(network)) == 1
    with counted(network) as one_open:
        assert len(_restated(network)) == 1
    few, many = (
        sum("pg_advisory" in each for each in asked.statements) for asked in (none_open, one_open)
    )
    assert few == many


def _restated(engine: sa.Engine) -> tuple[Difference, ...]:
    return restate(engine, QUARTER, now=NOW, by=MANAGER, settings=SETTINGS).proposed
