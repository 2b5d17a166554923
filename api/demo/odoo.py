"""The demo's Odoo: what Aubrelle's own would hold of the running quarter, to show a sync with.

It stands beside the files of `network`: the same partners under the same codes, with orders,
tickets and logins that no file tells. Nothing in it falls into a quarter that is over, so a sync
moves figures of the running one only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from api.demo.cast import BRAND_DOMAIN, HEADQUARTERS, MEMBERS, Member, rep_of
from api.demo.network import network_days
from integrations.stand_ins.odoo import ADMINISTRATOR, StandIn
from integrations.stand_ins.odoo.playing import Play
from integrations.stand_ins.odoo.playing.stage import BORN
from partner_cx.periods import Period, PeriodKind

SHOWN = (
    *("SANITHERMIE", "BENEWARM", "ALPINA", "CHAUFFAGE-PARIS", "VERSAILLES-ENERGIE", "MARNE-CLIM"),
    *("THERMO-LILLE", "RHIN-ENERGIE", "LYON-THERMIQUE", "CHALEUR-ALPES", "SAVOIE-PAC"),
    *("TOULOUSE-PAC", "ATELIER-KERBRAT", "CLIMAT-LOIRE", "WARMTE-GENT", "LUX-CONFORT"),
    *("LEMAN-ENERGIE", "ZURI-WAERME", "KOELN-HEIZUNG"),
)
CONTACTS = {
    "fr": ("Inès Caron", "Rémi Vasseur", "Maud Tessier"),
    "en": ("Robin Aerts", "Kim Sauter", "Noa Keller"),
}
_PRODUCTS = (
    ("PAC-AIR-08", "Pompe à chaleur air-eau 8 kW", 4_120.0, 2),
    ("PAC-SOL-10", "Pompe à chaleur géothermique 10 kW", 7_690.0, 1),
    ("BALLON-200", "Ballon 200 l", 1_185.0, 4),
    ("THERMOSTAT-R2", "Thermostat R2", 129.0, 20),
    ("VANNE-3V", "Vanne 3 voies", 58.9, 15),
    ("KIT-MISE-EN-SERVICE", "Kit de mise en service", 99.0, 6),
)
_ASKED = {
    "fr": (
        ("Code défaut E14", "L’unité extérieure s’arrête avec le code E14 au dégivrage."),
        ("Manque un kit de fixation", "Le colis est arrivé sans le kit de fixation."),
        ("Facture en double", "Nous avons reçu deux fois la facture de la semaine dernière."),
    ),
    "en": (
        ("Thermostat loses its Wi-Fi", "The R2 forgets the network after each power cut."),
        ("Wrong valve in the box", "We ordered the three-way valve and got a two-way one."),
        ("Delivery on site?", "Can the next delivery go to the building site directly?"),
    ),
}
_ANSWERED = {
    "fr": "Merci pour ces détails. Nous envoyons ce qu’il faut aujourd’hui.",
    "en": "Thank you, that is clear. What you need leaves our warehouse today.",
}


@dataclass
class DemoOdoo:
    """The stand-in, and what is under way in it for the next day to bring."""

    play: Play
    until: datetime
    open_orders: list[int] = field(default_factory=list)
    open_tickets: list[int] = field(default_factory=list)

    @property
    def stand_in(self) -> StandIn:
        return self.play.stand_in

    def another_day(self, *, at: datetime) -> None:
        """What happens next: open orders arrive, the oldest with a return; tickets are answered.

        After a first sync this gives the second one something to find.
        """
        for order in self.open_orders:
            self.play.sales.deliver(order, at=at)
        if self.open_orders:
            later = at + timedelta(minutes=30)
            self.play.sales.give_back(self.open_orders[0], {1: 1}, at=later)
        for ticket in self.open_tickets:
            self.play.desk.reply(ticket, self._answering, at=at, text=_ANSWERED["en"])
            self.play.desk.close(ticket, at=at + timedelta(hours=1))
        self.open_orders, self.open_tickets = [], []

    @property
    def _answering(self) -> int:
        return self.play.stage.one("res.users", login=f"nadia.belkacem@{BRAND_DOMAIN}")


def make_odoo(version: int, *, until: date, seed: int = 7) -> DemoOdoo:
    """Play the running quarter up to `until`, of which nothing has happened yet.

    The same version, day and seed give the same rows.
    """
    rng = np.random.default_rng([seed, 20])
    stand_in = StandIn(version, users=[ADMINISTRATOR])
    play = Play(stand_in, brand="Aubrelle", domain=BRAND_DOMAIN)
    for code, name, price, _ in _PRODUCTS:
        play.stage.product(code, name, price=price)
    staff = {
        login: play.network.staff(name, lang=_spoken(language))
        for login, name, role, language in HEADQUARTERS
        if role in ("rep", "manager")
    }
    end = datetime(until.year, until.month, until.day, tzinfo=UTC)
    start = datetime.combine(Period.of(until, PeriodKind.QUARTER).first_day, end.timetz())
    odoo = DemoOdoo(play, end)
    members = [member for member in MEMBERS if member.code in SHOWN]
    joined_on = network_days(until, seed=seed)["joined_on"]
    known = _companies(play, members, staff, joined_on)
    for member in members:
        people = _people(play, member, known[member.code])
        _orders(odoo, known[member.code], start, rng)
        _tickets(odoo, member, people, [*staff.values()], start, rng)
        _logins(odoo, people, start, rng)
    return odoo


def _companies(
    play: Play, members: list[Member], staff: dict[str, int], joined_on: pd.Series
) -> dict[str, int]:
    """Partners by their codes, those above others first, as the cast has them."""
    known: dict[str, int] = {}
    regions: dict[str, int] = {}
    for member in members:
        known[member.code] = play.network.company(
            member.code,
            member.name,
            grade=member.tier,
            under=known.get(member.parent_code),
            tags=(member.kind.capitalize(),),
            country=member.country,
            language=_spoken(member.language),
            salesperson=staff[rep_of(member)],
            email=f"contact@{member.domain}",
            state_id=_region(play, member, regions),
            date_partnership=joined_on[member.code].date().isoformat(),
        )
    return known


def _region(play: Play, member: Member, regions: dict[str, int]) -> int:
    """A region as Odoo has it, a state of its country; each made once."""
    if member.region not in regions:
        country = play.network.country(member.country)
        regions[member.region] = play.stage.add(
            "res.country.state", BORN, name=member.region, country_id=country
        )
    return regions[member.region]


def _spoken(language: str) -> str:
    return "fr_FR" if language == "fr" else "en_US"


def _people(play: Play, member: Member, company: int) -> list[int]:
    return [
        play.network.contact(company, name, email=f"{_login(name)}@{member.domain}")
        for name in CONTACTS[member.language][: 2 if member.size in ("M", "S") else 3]
    ]


def _login(name: str) -> str:
    plain = name.lower().replace(" ", ".")
    return plain.translate(str.maketrans("èéàç", "eeac"))


def _orders(odoo: DemoOdoo, company: int, start: datetime, rng: np.random.Generator) -> None:
    """An order every other week, promised in this quarter; not all of them come as they should."""
    promised = start + timedelta(days=int(rng.integers(1, 8)), hours=10)
    while promised < odoo.until + timedelta(weeks=3):
        ordered = promised - timedelta(days=int(rng.integers(10, 18)), hours=1)
        if ordered < odoo.until:
            _order(odoo, company, ordered, promised, rng)
        promised += timedelta(days=int(rng.integers(9, 19)))


def _order(
    odoo: DemoOdoo, company: int, ordered: datetime, promised: datetime, rng: np.random.Generator
) -> None:
    chosen = rng.choice(len(_PRODUCTS), size=int(rng.integers(1, 4)), replace=False)
    lines = [
        (_PRODUCTS[place][0], max(1, int(_PRODUCTS[place][3] * rng.lognormal(0, 0.4))))
        for place in chosen
    ]
    sales = odoo.play.sales
    order = sales.order(company, lines, at=ordered, promised=promised)
    late = timedelta(days=int(rng.integers(2, 6))) if rng.random() < 0.12 else timedelta()
    came = promised + late - timedelta(hours=int(rng.integers(1, 6)))
    if came >= odoo.until:
        odoo.open_orders.append(order)
        return
    in_parts = rng.random() < 0.2 and lines[0][1] > 1
    if in_parts:
        first = came - timedelta(days=1)
        sales.deliver(order, at=first, pieces={1: lines[0][1] // 2})
        came += timedelta(days=int(rng.integers(0, 5)))
        if came >= odoo.until:
            odoo.open_orders.append(order)
            return
    sales.deliver(order, at=came)
    back = came + timedelta(days=int(rng.integers(3, 9)))
    if rng.random() < 0.1 and back < odoo.until:
        sales.give_back(order, {1: 1}, at=back)


def _tickets(
    odoo: DemoOdoo,
    member: Member,
    people: list[int],
    reps: list[int],
    start: datetime,
    rng: np.random.Generator,
) -> None:
    desk = odoo.play.desk
    if member.size == "L" and odoo.until - start > timedelta(days=1):
        title, words = _ASKED[member.language][0]  # asked last night, for tomorrow to answer
        asked = odoo.until - timedelta(hours=int(rng.integers(2, 9)))
        odoo.open_tickets.append(desk.ticket(people[-1], title, at=asked, asks=words))
    for title, words in _ASKED[member.language][1:]:
        asked = start + timedelta(days=int(rng.integers(1, 75)), hours=int(rng.integers(7, 15)))
        if asked >= odoo.until or rng.random() < 0.35:
            continue
        by_mail = bool(rng.random() < 0.5)
        ticket = desk.ticket(people[0], title, at=asked, asks=words, by_mail=by_mail)
        answered = asked + timedelta(minutes=int(rng.integers(20, 700)))
        solved = answered + timedelta(hours=int(rng.integers(2, 50)))
        if solved >= odoo.until:
            odoo.open_tickets.append(ticket)
            continue
        somebody = reps[int(rng.integers(len(reps)))]
        desk.note(ticket, somebody, at=asked + timedelta(minutes=10))
        desk.reply(ticket, somebody, at=answered, text=_ANSWERED[member.language])
        desk.close(ticket, at=solved)


def _logins(odoo: DemoOdoo, people: list[int], start: datetime, rng: np.random.Generator) -> None:
    for person in people[: int(rng.integers(1, len(people) + 1))]:
        user = odoo.play.network.portal_user(person)
        days = max((odoo.until - start).days, 1)
        for _ in range(int(rng.integers(1, 9))):
            at = start + timedelta(
                days=int(rng.integers(0, days)), minutes=int(rng.integers(480, 1080))
            )
            if at < odoo.until:
                odoo.play.network.log_in(user, at)
