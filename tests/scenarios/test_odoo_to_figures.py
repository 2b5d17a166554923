"""A quarter played in Odoo 18 and 19, synced in two steps, against a table worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from integrations.odoo.connection import connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SyncReport, sync
from integrations.stand_ins.odoo import DATABASE, running
from partner_cx.settings import Settings
from tests.harness.odoo_network import (
    FIRST_SYNC,
    LAST_SYNC,
    LOGGED_IN,
    OTIF,
    SERVICE,
    SLA_RESPONSE,
    VERSIONS,
    FjordNetwork,
)
from tests.harness.odoo_sync import facts
from tests.journeys.command_line import CommandLine

Figures = Mapping[str, Any]


class Synced:
    """The network beside our database, synced whenever asked."""

    def __init__(self, play: FjordNetwork, engine: sa.Engine, address: str) -> None:
        self.play = play
        self.engine = engine
        self.settings = Settings(
            time_zone="UTC",
            odoo_url=address,
            odoo_database=DATABASE,
            odoo_login=SERVICE.login,
            odoo_key=SERVICE.key,
        )

    def sync(self, now: datetime) -> SyncReport:
        self.play.clock = now
        with connect(self.settings) as odoo:
            return sync(self.engine, odoo, OdooMapping(), settings=self.settings, now=now)


@pytest.fixture(params=VERSIONS)
def synced(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[Synced]:
    """After the first sync and the last, months apart."""
    play = FjordNetwork(request.param).spring()
    with running(play.stand_in) as address:
        world = Synced(play, engine, address)
        world.sync(FIRST_SYNC)
        play.summer()
        world.sync(LAST_SYNC)
        yield world


def figures(office: CommandLine, partner: str) -> Figures:
    return office.figures("2026Q2", "--now", "2026-07-03T12:00Z", "--partner", partner)


def counted(found: Figures, kpi: str) -> tuple[int, int] | None:
    figure = found.get(kpi) or {}
    return (figure["hits"], figure["of"]) if figure.get("of") else None


def test_a_quarter_synced_in_two_steps_gives_the_figures_worked_out_by_hand(
    synced: Synced, database_url: str, tmp_path: Path
) -> None:
    office = CommandLine(database_url, tmp_path)
    told = {partner: figures(office, partner) for partner in OTIF}

    assert {code: counted(found, "otif") for code, found in told.items()} == OTIF
    assert {code: counted(found, "sla_response") for code, found in told.items()} == SLA_RESPONSE
    active = {code for code, found in told.items() if counted(found, "portal_adoption") == (1, 1)}
    assert active == set(LOGGED_IN)


def test_synced_again_it_tells_nothing_new(synced: Synced) -> None:
    before = facts(synced.engine)
    again = synced.sync(LAST_SYNC)
    assert facts(synced.engine) == before
    assert not again.has_problems
