"""Measuring on demand, while others measure too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from api.measuring import measure_period
from api.wiring import House
from partner_cx.database import reading
from partner_cx.measures import refreshing
from partner_cx.measures.scorecards import NETWORK, scorecard_of
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW, QUARTER, a_network

LONG_AGO = datetime(2026, 4, 2, tzinfo=UTC)


def test_figures_hold_for_their_moment_though_somebody_asks_for_another_at_once(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_network(engine)
    refresh = refreshing.refresh

    def overtaken(database: Any, **given: Any) -> object:
        done = refresh(database, **given)
        if database is engine:
            refresh(engine, now=LONG_AGO, settings=SETTINGS)
        return done

    monkeypatch.setattr(refreshing, "refresh", overtaken)
    measure_period(House(SETTINGS, engine), QUARTER, now=NOW)
    with reading(engine) as session:
        otif = scorecard_of(session, QUARTER, NETWORK, NETWORK)["otif"]
    assert (otif.hits, otif.of) == (37, 40)
