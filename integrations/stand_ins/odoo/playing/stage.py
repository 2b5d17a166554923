"""The stage: what stands in an Odoo before anything happens, and how acts are written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.rights import User
from integrations.stand_ins.odoo.stand_in import StandIn
from integrations.stand_ins.odoo.tables import record_of

Moment = str | datetime
BORN = "2020-01-06 08:00:00"


class Stage:
    """The brand's own Odoo: its company, users, units, places and stages, and products by code."""

    def __init__(self, stand_in: StandIn, *, brand: str, domain: str) -> None:
        self.stand_in = stand_in
        self.version = stand_in.version
        self.brand = brand
        self.domain = domain
        self._written = 0
        self.products: dict[str, int] = {}
        self.units: dict[str, int] = {}
        for name, pieces in (("Units", 1), ("Dozens", 12)):
            self.units[name] = self._unit(name, pieces)
        self._company()
        self._places()

    # --- Acts -------------------------------------------------------------------------------

    def add(self, model: str, at: Moment, /, **values: Any) -> int:
        """A record made. by: the user who did it; the administrator unless told."""
        by = values.pop("by", None)
        who = User(by, "", "") if by else None
        return self.stand_in.add(model, values, at=self.moment(at), by=who)

    def change(self, model: str, record_id: int, at: Moment, /, **values: Any) -> None:
        self.stand_in.change(model, record_id, values, at=self.moment(at))

    def row(self, model: str, record_id: int) -> Row:
        """A record as it is kept, many2ones as ids."""
        found = self.stand_in.tables[model].get(record_id)
        assert found is not None, f"there is no {model} {record_id}"
        return found

    def one(self, model: str, /, **equal: Any) -> int:
        """The id of the first record whose fields are as given."""
        table = self.stand_in.tables[model]
        for record_id in table.ids():
            row = table.get(record_id) or {}
            if all(record_of(row.get(name)) == wish for name, wish in equal.items()):
                return record_id
        raise KeyError(f"no {model} with {equal}")

    def moment(self, at: Moment) -> datetime:
        """A moment with a fraction of its own, as the database keeps it when it writes."""
        self._written += 1
        return read(at) + timedelta(microseconds=self._written * 7919 % 999_983 + 1)

    # --- What stands there ------------------------------------------------------------------

    def product(self, code: str, name: str, *, price: float = 100.0, service: bool = False) -> int:
        self.products[code] = self.add(
            "product.product",
            BORN,
            name=name,
            default_code=code,
            list_price=price,
            type="service" if service else "consu",
            is_storable=not service,
            uom_id=self.units["Units"],
        )
        return self.products[code]

    def pieces(self, unit: int) -> int:
        """How many pieces there are in a unit."""
        return 12 if unit == self.units["Dozens"] else 1

    def _unit(self, name: str, pieces: int) -> int:
        if self.version < 19:
            factors = {"factor": 1 / pieces, "factor_inv": float(pieces), "category_id": 1}
            kind = "reference" if pieces == 1 else "bigger"
            return self.add("uom.uom", BORN, name=name, uom_type=kind, **factors)
        above = self.units["Units"] if pieces > 1 else False
        return self.add(
            "uom.uom",
            BORN,
            name=name,
            factor=float(pieces),
            relative_factor=float(pieces),
            relative_uom_id=above,
        )

    def _company(self) -> None:
        partner = self.add("res.partner", BORN, name=self.brand, is_company=True)
        self.change("res.company", 1, BORN, name=self.brand, partner_id=partner)
        self.user("OdooBot", "__system__", user_id=1, active=False)
        for user in self.stand_in.users:
            self.user(user.login.capitalize(), user.login, user_id=user.id)

    def user(self, name: str, login: str, *, user_id: int | None = None, **values: Any) -> int:
        """Somebody of the brand's. Answers the user's id."""
        email = login if "@" in login else f"{login.strip('_')}@{self.domain}"
        active = values.get("active", True)
        partner = self.add(
            "res.partner", BORN, name=name, email=email, active=active, partner_share=False
        )
        given = {"id": user_id} if user_id else {}
        return self.add(
            "res.users", BORN, login=login, partner_id=partner, share=False, **given, **values
        )

    def _places(self) -> None:
        def place(name: str, usage: str, above: str = "") -> int:
            whole = f"{above}/{name}" if above else name
            return self.add("stock.location", BORN, name=name, complete_name=whole, usage=usage)

        partners = "Partners" if self.version < 19 else ""
        self.stock = place("Stock", "internal", "WH")
        self.customers = place("Customers", "customer", partners)
        self.vendors = place("Vendors", "supplier", partners)
        self.receipts = self.add(
            "stock.picking.type", BORN, name="Receipts", code="incoming", sequence_code="IN"
        )
        self.deliveries = self.add(
            "stock.picking.type",
            BORN,
            name="Delivery Orders",
            code="outgoing",
            sequence_code="OUT",
            return_picking_type_id=self.receipts,
        )


def read(at: Moment) -> datetime:
    """A moment in UTC, from a text such as 2026-04-14 10:15."""
    if isinstance(at, datetime):
        return at.astimezone(UTC)
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def seconds(at: Moment) -> str:
    """A moment as a field shows it."""
    return read(at).strftime("%Y-%m-%d %H:%M:%S")


def day(at: Moment) -> str:
    return read(at).strftime("%Y-%m-%d")
