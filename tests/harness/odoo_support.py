"""A small network that asks for help, learns and answers surveys, in a stand-in Odoo.

Ida works at Bakke and Jon at Dal, both partners; Strand is a customer outside the network. Sigrid
and Per are the brand's own. Everything happens in 2026 and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from integrations.odoo.connection import Odoo, Patience, connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SyncReport, sync
from integrations.stand_ins.odoo import (
    ADMINISTRATOR,
    DATABASE,
    SERVICE_GROUPS,
    StandIn,
    User,
    running,
)
from integrations.stand_ins.odoo.playing import Play
from partner_cx.settings import Settings
from tests.harness.odoo_sync import table

STREAMS = ("network", "tickets", "helpdesk", "learning", "surveys")
SEES_TRACKING = User(5, "service", "key-of-the-service", SERVICE_GROUPS | {"base.group_system"})
SEES_NONE = User(5, "service", "key-of-the-service", SERVICE_GROUPS)


class Asking(Play):
    """The cast, and the way to sync with it."""

    def __init__(
        self, engine: sa.Engine, version: int, account: User = SEES_TRACKING, **how: Any
    ) -> None:
        self.clock = moment("01-05 08:00")
        users = [ADMINISTRATOR, account]
        super().__init__(StandIn(version, users=users, clock=lambda: self.clock, **how))
        self.engine = engine
        self.odoo: Odoo | None = None
        self.settings = Settings(time_zone="UTC")
        self.mapping = OdooMapping()
        self.sigrid, self.per = self.network.staff("Sigrid"), self.network.staff("Per")
        self.bakke = self.network.company("BAKKE", "Bakke", grade="Gold")
        self.dal = self.network.company("DAL", "Dal", grade="Gold")
        self.strand = self.network.company("STRAND", "Strand")
        self.ida = self.network.contact(self.bakke, "Ida", email="ida@bakke.example")
        self.jon = self.network.contact(self.dal, "Jon", email="jon@dal.example")
        self.guest = self.network.contact(self.strand, "Guest")

    def sync(self, at: str, **how: Any) -> SyncReport:
        """Sync at a moment such as 04-10 12:00."""
        assert isinstance(self.odoo, Odoo)
        self.clock = moment(at)
        report = sync(
            self.engine,
            self.odoo,
            self.mapping,
            settings=self.settings,
            now=self.clock,
            only=STREAMS,
            **how,
        )
        assert [f"{each.stream}: {each.stopped}" for each in report.stopped] == []
        assert [str(row) for stream in report.streams for row in stream.refused] == []
        return report

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds, as text."""
        return table(self.engine, query)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def on(text: str) -> str:
    """A moment as acts take it."""
    return f"2026-{text}"


@contextmanager
def an_asking_network(
    engine: sa.Engine, version: int, account: User = SEES_TRACKING, **how: Any
) -> Iterator[Asking]:
    play = Asking(engine, version, account, **how)
    with running(play.stand_in) as address:
        play.settings = Settings(
            time_zone="UTC",
            odoo_url=address,
            odoo_database=DATABASE,
            odoo_login=account.login,
            odoo_key=account.key,
            odoo_timeout_seconds=5,
        )
        patience = Patience(tries=1, first_wait_seconds=0, wait_seconds_max=0)
        with connect(play.settings, patience=patience) as odoo:
            play.odoo = odoo
            yield play
