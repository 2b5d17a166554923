"""The demo's neighbours: an Odoo and a receiver of webhooks, in this process and on loopback.

building ─► connected ─► sync ─► worker: cards, notes, webhooks ─► another day ─► sync ─► pages

Nothing of them outlives the demo but rows. Both begin anew at each start: what was written into
the Odoo before is then written once more, under the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.demo import sights
from api.demo.odoo import DemoOdoo, make_odoo
from api.demo.programme import ACTOR
from api.demo.receiver import Receiver, receiving
from api.measuring import measure_period
from api.wiring import House
from integrations.carrying import Due, Hands
from integrations.handlers import HANDLERS
from integrations.odoo.connection import connect
from integrations.odoo.connection.kept import hang_up
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.state import OdooCursor, OdooLink
from integrations.odoo.sync import sync
from integrations.odoo.writing import activities, cards, notes, programme
from integrations.odoo.writing.companies import CARD
from integrations.stand_ins.odoo import ADMINISTRATOR, DATABASE, running
from integrations.webhooks.endpoints import WebhookEndpoint, end, in_force
from integrations.webhooks.secrets import make_secret
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed, owe
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import WRITE_BACKS, Settings
from partner_cx.words import Words

VERSION = 19
EVENTS = ("period.closed", "entry.posted", "alert.raised")
WRITTEN = (programme.KIND, cards.KIND, notes.KIND, activities.KIND)

Tell = Callable[[str], None]
Clock = Callable[[], datetime]


def alone(settings: Settings, language: str) -> Settings:
    """The settings without any neighbour: the demo never speaks to those of a user."""
    return replace(
        settings,
        language=language,
        odoo_url=None,
        odoo_mapping=None,
        mail_host=None,
        bounce_host=None,
    )


@dataclass(frozen=True)
class Neighbours:
    """The demo with those beside it. house: with the settings that lead to them."""

    house: House
    odoo: DemoOdoo
    receiver: Receiver
    built_at: datetime
    clock: Clock

    @property
    def hands(self) -> Hands:
        return Hands(self.house.engine, self.house.settings, self.clock)

    def come_to_life(self, language: str, tell: Tell) -> None:
        """Read what Odoo knows, carry out what is owed, and let another day pass."""
        tell("")
        tell(sights.ANSWERING.in_(language))
        if self._is_known():
            self._another_day()
            self._write_again()
            self._read(sights.BEGIN_AGAIN, language, tell)
            self._carry_out()
        else:
            self._read(sights.BEGIN, language, tell)
            self._carry_out()
            self._another_day()
            self._read(sights.A_DAY_LATER, language, tell)
        self._measure()
        for line in sights.written(self.odoo.stand_in, self.receiver, language):
            tell(line)

    def _is_known(self) -> bool:
        """Whether an earlier start has read this Odoo."""
        with reading(self.house.engine) as session:
            return session.scalar(sa.select(OdooCursor.stream).limit(1)) is not None

    def _read(self, begin: Words, language: str, tell: Tell) -> None:
        settings, mapping, now = self.house.settings, OdooMapping.read(None), self.clock()
        with connect(settings, clock=self.clock) as odoo:
            report = sync(self.house.engine, odoo, mapping, settings=settings, now=now)
        tell(begin.in_(language))
        for line in sights.read(report, language):
            tell(line)

    def _another_day(self) -> None:
        self.odoo.another_day(at=min(self.odoo.until + timedelta(hours=9), self.built_at))

    def _carry_out(self) -> None:
        # The cards' programme comes first, so that no card has to wait for it.
        name = OdooMapping.read(None).writing.programme
        making = Owed(programme.KIND, f"{programme.KIND}:{name}", {"name": name})
        now = self.clock()
        transact(self.house.engine, lambda session: owe(session, making, now=now))
        carry_out_due(self.hands)

    def _write_again(self) -> None:
        """Carry out again what was written into the Odoo of an earlier start."""

        def forget_cards(session: Session) -> list[Due]:
            session.execute(sa.delete(OdooLink).where(OdooLink.model == CARD))
            done = sa.select(Effect).where(
                Effect.kind.in_(WRITTEN),
                Effect.done_at.is_not(None),
                Effect.dropped_because.is_(None),
            )
            return [
                Due(each.id, each.kind, each.key, each.subject, each.payload, each.owed_at, 1)
                for each in session.scalars(done.order_by(Effect.id))
            ]

        for due in transact(self.house.engine, forget_cards):
            HANDLERS[due.kind](due, self.hands)

    def _measure(self) -> None:
        now = self.clock()
        today = now.astimezone(self.house.settings.zone).date()
        for kind in (PeriodKind.QUARTER, PeriodKind.YEAR):
            measure_period(self.house, Period.of(today, kind), now=now)


@contextmanager
def neighbours_of(house: House, *, built_at: datetime, clock: Clock) -> Iterator[Neighbours]:
    """The demo's neighbours at work, and the house connected to them, until the block ends.

    built_at: when the network was built. The Odoo is the same at each start.
    """
    day = built_at.astimezone(house.settings.zone).date()
    first_day = Period.of(day, PeriodKind.QUARTER).first_day
    odoo = make_odoo(VERSION, until=max(day - timedelta(days=1), first_day))
    odoo.stand_in.clock = clock
    with running(odoo.stand_in) as address, receiving() as receiver:
        settings = replace(
            house.settings,
            odoo_url=address,
            odoo_database=DATABASE,
            odoo_login=ADMINISTRATOR.login,
            odoo_key=ADMINISTRATOR.key,
            odoo_write_back=WRITE_BACKS,
            webhook_private_addresses=True,
        )
        connected = replace(house, settings=settings)
        _subscribe(connected, receiver, clock())
        try:
            yield Neighbours(connected, odoo, receiver, built_at, clock)
        finally:
            hang_up()
            transact(house.engine, lambda session: _end_endpoints(session, clock()))


def _subscribe(house: House, receiver: Receiver, now: datetime) -> None:
    """Tell the receiver from now on, and none of an earlier start."""

    def work(session: Session) -> str:
        _end_endpoints(session, now)
        endpoint = WebhookEndpoint(
            url=receiver.url, events=list(EVENTS), made_at=now, made_by=ACTOR
        )
        session.add(endpoint)
        session.flush()
        return make_secret(session, endpoint.id, house.settings, now=now)

    receiver.secret = transact(house.engine, work)


def _end_endpoints(session: Session, now: datetime) -> None:
    for endpoint in in_force(session):
        if endpoint.made_by == ACTOR:
            end(session, endpoint.id, now=now)
