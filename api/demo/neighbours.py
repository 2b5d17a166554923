"""The demo's neighbours: an Odoo and a receiver of webhooks, in this process and on loopback.

building ─► connected ─► sync ─► worker: cards, notes, webhooks ─► another day ─► sync ─► pages

Nothing of them outlives the demo but rows. Both begin anew at each start: what was written into
the Odoo before is then written once more, under the same keys.
"""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.demo.odoo import DemoOdoo, make_odoo
from api.demo.programme import ACTOR
from api.demo.receiver import Receiver, receiving
from api.measuring import measure_period
from api.wiring import House
from integrations.carrying import Due, Hands
from integrations.handlers import HANDLERS
from integrations.odoo.connection import connect
from integrations.odoo.kept import hang_up
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.state import OdooCursor, OdooLink
from integrations.odoo.sync import SyncReport, sync
from integrations.odoo.writing import activities, cards, notes, programme
from integrations.odoo.writing.companies import CARD, card_code
from integrations.stand_ins.odoo import ADMINISTRATOR, DATABASE, running
from integrations.webhooks.endpoints import WebhookEndpoint, end, in_force
from integrations.webhooks.messages import MESSAGE
from integrations.webhooks.secrets import make_secret
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed, owe
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text, points_text
from partner_cx.settings import WRITE_BACKS, Settings
from partner_cx.words import Words

VERSION = 19
EVENTS = ("period.closed", "entry.posted", "alert.raised")
SHOWN_PARTNER = "LYON-THERMIQUE"
WRITTEN = (programme.KIND, cards.KIND, notes.KIND, activities.KIND)

KINDS: Mapping[str, Words] = {
    "partners": Words("partners", "partenaires"),
    "people": Words("people", "personnes"),
    "portal-events": Words("logins to the portal", "connexions au portail"),
    "order-lines": Words("order lines", "lignes de commande"),
    "receipts": Words("receipts", "réceptions"),
    "tickets": Words("tickets", "tickets"),
}
STREAMS: Mapping[str, Words] = {
    "network": Words("network", "réseau"),
    "portal": Words("portal", "portail"),
    "orders": Words("orders", "commandes"),
    "tickets": Words("tickets", "tickets"),
}
KEPT: Mapping[str, Words] = {
    cards.KIND: Words("cards", "cartes"),
    notes.KIND: Words("notes", "notes"),
    activities.KIND: Words("activities", "activités"),
    MESSAGE: Words("messages to the receiver", "messages au récepteur"),
}

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
        tell(
            _in(
                language,
                "An Odoo 19 and a receiver of webhooks answer on this machine. Both are stand-ins.",
                "Un Odoo 19 et un récepteur de webhooks répondent sur cette machine. Ce sont des "
                "doublures.",
            )
        )
        if self._is_known():
            self._another_day()
            self._write_again()
            _tell_of_reading(self._sync(), language, tell, BEGIN_AGAIN)
            self._carry_out()
        else:
            _tell_of_reading(self._sync(), language, tell, BEGIN)
            self._carry_out()
            self._another_day()
            _tell_of_reading(self._sync(), language, tell, A_DAY_LATER)
        self._measure()
        self._tell_of_writing(language, tell)
        self._tell_what_there_is(language, tell)

    def _is_known(self) -> bool:
        """Whether an earlier start has read this Odoo."""
        with reading(self.house.engine) as session:
            return session.scalar(sa.select(OdooCursor.stream).limit(1)) is not None

    def _sync(self) -> SyncReport:
        settings = self.house.settings
        with connect(settings, clock=self.clock) as odoo:
            mapping = OdooMapping.read(None)
            return sync(self.house.engine, odoo, mapping, settings=settings, now=self.clock())

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
                Effect.kind.in_(WRITTEN), Effect.done_at.is_not(None), Effect.result.is_not(None)
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

    def _tell_of_writing(self, language: str, tell: Tell) -> None:
        rows = self.odoo.stand_in.rows
        told = {
            cards.KIND: len(rows(CARD)),
            notes.KIND: len(rows("mail.message", model="res.partner")),
            activities.KIND: len(rows("mail.activity", res_model="res.partner")),
            MESSAGE: len(self.receiver.messages),
        }
        shown = [
            f"{number_text(count, language)} {KEPT[kind].in_(language)}"
            for kind, count in told.items()
            if count
        ]
        if shown:
            begin = _in(language, "Written and sent by the worker:", "Écrit et envoyé\u202f:")
            tell(f"{begin} {', '.join(shown)}.")

    def _tell_what_there_is(self, language: str, tell: Tell) -> None:
        rows = [*self._card(language), *self._note(language), *self._message(language)]
        width = max((len(what) for what, _ in rows), default=0)
        for what, said in rows:
            tell(f"  {what:{width}}  {said}")

    def _card(self, language: str) -> Iterator[tuple[str, str]]:
        for row in self.odoo.stand_in.rows(CARD, code=card_code(SHOWN_PARTNER)):
            yield (
                _in(language, "card in Odoo", "carte dans Odoo"),
                _in(
                    language,
                    "{partner}: {points}, {lines} lines of history",
                    "{partner}\u202f: {points}, {lines} lignes d’historique",
                ).format(
                    partner=row["partner_id"][1],
                    points=points_text(int(row["points"]), language),
                    lines=len(row["history_ids"]),
                ),
            )

    def _note(self, language: str) -> Iterator[tuple[str, str]]:
        for company in self.odoo.stand_in.rows("res.partner", ref=SHOWN_PARTNER):
            on_thread = {"model": "res.partner", "res_id": company["id"]}
            for note in self.odoo.stand_in.rows("mail.message", **on_thread)[-1:]:
                said = _in(language, "note on its thread", "note sur son fil")
                yield said, _plain(note["body"])

    def _message(self, language: str) -> Iterator[tuple[str, str]]:
        for last in self.receiver.messages[-1:]:
            genuine = _in(language, "signature checked", "signature vérifiée")
            said = f"{last.event}, {last.id}" + (f", {genuine}" if last.is_genuine else "")
            yield _in(language, "last webhook", "dernier webhook"), said


def where_to_look(beside: Neighbours, language: str) -> Iterator[str]:
    """What to type elsewhere while the demo is served."""
    settings = beside.house.settings
    yield ""
    yield _in(
        language,
        "Look behind the scenes in another terminal, while this one runs:",
        "Pour voir les coulisses, dans un autre terminal, pendant que celui-ci tourne\u202f:",
    )
    yield f"  export PARTNER_CX_DATABASE_URL={shlex.quote(settings.database_shown)}"
    yield f"  export PARTNER_CX_ODOO_URL={settings.odoo_url}"
    yield f"  export PARTNER_CX_ODOO_KEY={settings.odoo_key}"
    for command in ("odoo check", "webhooks sent", "effects list --state done --kind odoo.card"):
        yield f"  partner-cx {command}"


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


BEGIN = Words("Read from it for the first time:", "Première lecture\u202f:")
BEGIN_AGAIN = Words(
    "Read from it since the last start:", "Lecture depuis le dernier démarrage\u202f:"
)
A_DAY_LATER = Words(
    "Another day there, and what it brought:", "Un jour de plus, et ses nouvelles\u202f:"
)


def _tell_of_reading(report: SyncReport, language: str, tell: Tell, begin: Words) -> None:
    """One line for each stream that had news."""
    told = {}
    for stream in report.streams:
        counts = {
            kind: count.taken + count.corrected + count.withdrawn
            for kind, count in stream.counts.items()
        }
        shown = [
            f"{number_text(count, language)} {KINDS[kind].in_(language)}"
            for kind, count in counts.items()
            if count
        ]
        if shown:
            told[STREAMS[stream.stream].in_(language)] = ", ".join(shown)
    tell(begin.in_(language))
    width = max(map(len, told), default=0)
    for name, shown_in_words in told.items():
        tell(f"  {name:{width}}  {shown_in_words}")
    if not told:
        tell(_in(language, "  nothing new", "  rien de nouveau"))


def _plain(body: str) -> str:
    """A note's sentences, without our mark at its end."""
    paragraphs = re.findall(r"<p>(.*?)</p>", body)
    said = [html.unescape(re.sub(r"<[^>]+>", "", each)) for each in paragraphs]
    return ". ".join(each.rstrip(".") for each in said if not each.startswith("[")) + "."


def _in(language: str, en: str, fr: str) -> str:
    return Words(en, fr).in_(language)
