"""A small network in a stand-in Odoo that changes from day to day, and syncs with it.

North supplies Alder; Birch stands alone; Cedar is a customer without a grade. Everything happens in
2026; Odoo's clock goes only when it is set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from integrations.odoo.connection import Odoo, Patience, connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SyncReport, sync
from integrations.stand_ins.odoo import ADMINISTRATOR, DATABASE, StandIn, User, running
from partner_cx.database import Base
from partner_cx.settings import Settings

NORTH, ALDER, BIRCH, CEDAR = 10, 11, 12, 13
ANNA, BEN, NINA = 20, 21, 22  # at Alder, at Birch, at North
SALLY_PARTNER, SALLY = 30, 7  # the brand's own
ANNA_USER = 8
GOLD, SILVER = 1, 2
BORN = "2026-01-05 09:00:00"
SERVICE = User(5, "service", "key-of-the-service")
IMPATIENT = Patience(tries=1, first_wait_seconds=0, wait_seconds_max=0)


def moment(text: str) -> datetime:
    """Such as 04-10 12:00."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def company(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "is_company": True,
        "active": True,
        "lang": "en_US",
        "commercial_partner_id": [number, name],
        "create_date": BORN,
        "write_date": BORN,
        **more,
    }


def person(number: int, name: str, of: int, email: str | bool, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "active": True,
        "lang": "en_US",
        "type": "contact",
        "email": email,
        "parent_id": [of, "its company"],
        "commercial_partner_id": [of, "its company"],
        "create_date": BORN,
        "write_date": BORN,
        **more,
    }


def user(number: int, login: str, of: int, *, share: bool, **more: Any) -> dict[str, Any]:
    made = {"active": True, "create_date": BORN, "write_date": BORN}
    return {"id": number, "login": login, "partner_id": [of, login], "share": share, **made, **more}


def the_rows() -> dict[str, list[dict[str, Any]]]:
    grades = [
        {"id": number, "name": name, "create_date": BORN, "write_date": BORN}
        for number, name in ((GOLD, "Gold"), (SILVER, "Silver"))
    ]
    return {
        "res.country": [{"id": 75, "name": "France", "code": "FR"}],
        "res.partner.grade": grades,
        "res.partner.category": [],
        "res.partner": [
            company(NORTH, "North", ref="D01", grade_id=[GOLD, "Gold"], country_id=[75, "France"]),
            company(
                ALDER,
                "Alder",
                ref="R01",
                grade_id=[SILVER, "Silver"],
                parent_id=[NORTH, "North"],
                lang="fr_FR",
                user_id=[SALLY, "Sally"],
            ),
            company(BIRCH, "Birch", grade_id=[SILVER, "Silver"], lang="de_DE"),
            company(CEDAR, "Cedar", email="desk@cedar.example"),
            person(ANNA, "Anna", ALDER, "Anna@Alder.example", lang="fr_FR"),
            person(BEN, "Ben", BIRCH, "ben@birch.example"),
            person(NINA, "Nina", NORTH, False),
            company(SALLY_PARTNER, "Sally", is_company=False, email="sally@brand.example"),
        ],
        "res.users": [
            user(SERVICE.id, SERVICE.login, SALLY_PARTNER, share=False, active=False),
            user(SALLY, "sally@brand.example", SALLY_PARTNER, share=False),
            user(ANNA_USER, "anna@alder.example", ANNA, share=True),
        ],
        "res.users.log": [],
        "uom.uom": [
            {"id": 1, "name": "Units", "factor": 1.0, "create_date": BORN, "write_date": BORN}
        ],
    }


@dataclass
class World:
    """An Odoo, our database beside it, and the days going by.

    ours: what our clock differs by from Odoo's.
    """

    stand_in: StandIn
    engine: sa.Engine
    odoo: Odoo
    settings: Settings
    clock: dict[str, datetime]
    mapping: OdooMapping = field(default_factory=OdooMapping)

    def at(self, text: str) -> World:
        """Let Odoo's clock show a moment."""
        self.clock["now"] = moment(text)
        return self

    def add(self, model: str, **values: Any) -> int:
        return self.stand_in.add(model, values)

    def change(self, model: str, number: int, **values: Any) -> None:
        self.stand_in.change(model, number, values)

    def sync(self, *, now: str | None = None, **how: Any) -> SyncReport:
        return sync(
            self.engine,
            self.odoo,
            self.mapping,
            settings=self.settings,
            now=moment(now) if now else self.clock["now"],
            **how,
        )

    def order(self, customer: int, *, promised: str, quantity: int, delivered: str | None) -> int:
        """An order of one line, delivered whole on a day or not at all. Answers its id."""
        add = self.add
        order = add(
            "sale.order",
            name=f"S{len(self.stand_in.rows('sale.order')) + 1:05}",
            partner_id=customer,
            state="sale",
            commitment_date=f"2026-{promised} 12:00:00",
            date_order=self.clock["now"].strftime("%Y-%m-%d %H:%M:%S"),
        )
        unit = "product_uom_id" if self.stand_in.version >= 19 else "product_uom"
        line = add(
            "sale.order.line",
            order_id=order,
            name="[SW-24] Switch",
            product_uom_qty=float(quantity),
            qty_delivered_method="stock_move",
            product_id=6,
            **{unit: 1},
        )
        move = add(
            "stock.move",
            sale_line_id=line,
            state="assigned",
            product_id=6,
            quantity=float(quantity),
            product_uom=1,
            location_id=1,
            location_dest_id=2,
            **({"name": "Switch"} if self.stand_in.version < 19 else {}),
        )
        if delivered:
            self.deliver(move, delivered)
        return order

    def deliver(self, move: int, day: str) -> None:
        self.change("stock.move", move, state="done", date=f"2026-{day} 10:00:00")

    def log_in(self, user_id: int, text: str) -> None:
        """A user signs in to the portal."""
        by = User(user_id, "someone", "no-key")
        self.at(text).stand_in.add("res.users.log", {}, by=by)


@contextmanager
def a_world(
    engine: sa.Engine, version: int, *, rows: Mapping[str, Sequence[Any]] | None = None, **how: Any
) -> Iterator[World]:
    """An Odoo with the network in it, and a connection to it."""
    clock = {"now": moment("03-01 08:00")}
    products = [{"id": 6, "name": "Switch", "default_code": "SW-24", "uom_id": [1, "Units"]}]
    places = [
        {"id": 1, "name": "Stock", "usage": "internal"},
        {"id": 2, "name": "Customers", "usage": "customer"},
    ]
    held = {"product.product": products, "stock.location": places, **the_rows(), **(rows or {})}
    stand_in = StandIn(
        version, held, users=[SERVICE, ADMINISTRATOR], clock=lambda: clock["now"], **how
    )
    with running(stand_in) as address:
        settings = Settings(
            time_zone="UTC",
            odoo_url=address,
            odoo_database=DATABASE,
            odoo_login=SERVICE.login,
            odoo_key=SERVICE.key,
            odoo_timeout_seconds=5,
        )
        with connect(settings, patience=IMPATIENT) as odoo:
            yield World(stand_in, engine, odoo, settings, clock)


# What is told of the facts, whichever way they came in.
LEFT_OUT = {"id", "import_id", "source"}
DUMPED = (
    *("partners", "people", "order_lines", "receipts", "portal_events", "invoices", "tickets"),
    *("quotes", "enrolments", "answers"),
)


def facts(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every fact, without the numbers that hang on when it came in."""
    with engine.connect() as connection:
        codes: dict[str, dict[int, str]] = {}
        for name, code in (("partners", "code"), ("order_lines", "source_id")):
            known = connection.execute(sa.text(f"SELECT id, {code} FROM {name}"))
            codes[name] = {row.id: row[1] for row in known}
        told = {}
        for name in DUMPED:
            table = Base.metadata.tables[name]
            rows = connection.execute(sa.select(table)).mappings()
            told[name] = sorted((tuple(_plain(dict(row), codes)) for row in rows), key=repr)
    return told


def _plain(row: Mapping[str, Any], codes: Mapping[str, Mapping[int, str]]) -> Iterator[Any]:
    for column, value in row.items():
        if column in ("partner_id", "parent_id"):
            yield column, codes["partners"].get(value)
        elif column == "order_line_id":
            yield column, codes["order_lines"].get(value)
        elif column not in LEFT_OUT:
            yield column, value


def table(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    """What a query finds, days as text."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query)).all()
    return [tuple(str(each) if each is not None else None for each in row) for row in rows]
