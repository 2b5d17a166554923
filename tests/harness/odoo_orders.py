"""Orders as Odoo 18 and 19 hold them, from a few readable words, and an Odoo that reads them.

Everything happens in 2026: a moment is `04-09 10:00` in UTC. Quantities of moves are pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

UNITS, DOZENS = 1, 2
SWITCH, ACCESS_POINT = (6, "[SW-24] Switch"), (7, "[AP-06] Access point")
USD = [1, "USD"]
LONG_AGO = "01-02 09:00"

Row = dict[str, Any]


def moment(text: str | None) -> str | bool:
    """A date-time as Odoo writes it; False for none."""
    return f"2026-{text}:00" if text else False


@dataclass
class Network:
    """What one Odoo holds: models with their rows, ids counted up. asked: the models read."""

    major: int = 19
    models: dict[str, list[Row]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def order(
        self,
        *lines: Row,
        promised: str | None = "04-10 12:00",
        state: str = "sale",
        customer: int = 11,
        written: str = LONG_AGO,
        ordered: str = LONG_AGO,
        reference: str | None = None,
        currency: str = "USD",
    ) -> int:
        """An order with its lines and their moves; answers its id."""
        number = self._next("sale.order")
        row = {
            "id": number,
            "name": f"S{number:05}",
            "client_order_ref": reference or False,
            "state": state,
            "partner_id": [customer, "A customer"],
            "currency_id": [1, currency],
            "commitment_date": moment(promised),
            "date_order": moment(ordered),
            "write_date": moment(written),
        }
        self.models["sale.order"].append(row)
        for line in lines:
            self.line(number, line)
        return number

    def line(self, order: int, line: Row) -> int:
        """One more line of an order; answers its id."""
        number = self._next("sale.order.line")
        moves = line.get("moves", ())
        row = {"id": number, "order_id": [order, "An order"], **line}
        row["product_uom_id" if self.major >= 19 else "product_uom"] = row.pop("unit")
        row.pop("moves", None)
        self.models["sale.order.line"].append(row)
        for move in moves:
            self.move(number, move)
        return number

    def move(self, line: int, move: Row) -> int:
        number = self._next("stock.move")
        product = next(row for row in self.models["sale.order.line"] if row["id"] == line)
        row = {"id": number, "sale_line_id": [line, "A line"], "product_id": product["product_id"]}
        self.models["stock.move"].append(row | move)
        return number

    def change(self, model: str, number: int, **values: Any) -> None:
        """Write some fields of a record."""
        row = next(row for row in self.models[model] if row["id"] == number)
        row.update(values)

    def delete(self, model: str, number: int) -> None:
        self.models[model] = [row for row in self.models[model] if row["id"] != number]

    def _next(self, model: str) -> int:
        rows = self.models.setdefault(model, [])
        return max((row["id"] for row in rows), default=0) + 1

    # What streams ask of a connection.

    def has_field(self, model: str, name: str) -> bool:
        rows = self.models.get(model)
        return name in rows[0] if rows else name != "product_uom_id" or self.major >= 19

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        return self.search_read(model, [("id", "in", list(ids))], fields)

    def search(self, model: str, domain: Sequence[Any]) -> list[int]:
        return [row["id"] for row in self.search_read(model, domain, [])]

    def search_read(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], **_: Any
    ) -> list[Row]:
        self.asked.append(model)
        rows = (row for row in self.models.get(model, []) if all(_fits(row, t) for t in domain))
        return [{name: row[name] for name in ("id", *fields)} for row in rows]


def _fits(row: Row, term: tuple[str, str, Any]) -> bool:
    name, operator, wanted = term
    value = row[name][0] if isinstance(row[name], list) else row[name]
    if operator in ("=", "!="):
        return bool(value == wanted) is (operator == "=")
    return bool(value in wanted if operator == "in" else value > wanted)


class Everyone:
    """A directory in which customer 11 is R1's contact, 12 R2's; others are of no partner."""

    def learn(self, ids: Any) -> None:
        list(ids)

    def partner_code(self, number: int | None) -> str | None:
        return {11: "R1", 12: "R2"}.get(number or 0)

    def factor(self, unit: int | None) -> Fraction:
        return Fraction(12 if unit == DOZENS else 1)


# --- Lines and what moved for them ----------------------------------------------------------------


def line(
    quantity: float,
    *moves: Row,
    unit: int = UNITS,
    product: tuple[int, str] = SWITCH,
    written: str = LONG_AGO,
    **otherwise: Any,
) -> Row:
    """A line of goods with its moves."""
    return {
        "product_uom_qty": float(quantity),
        "unit": [unit, "Dozens" if unit == DOZENS else "Units"],
        "product_id": list(product),
        "display_type": False,
        "qty_delivered_method": "stock_move",
        "price_subtotal": 420.0 * quantity,
        "write_date": moment(written),
        "moves": moves,
        **otherwise,
    }


def sent(at: str, quantity: float, **otherwise: Any) -> Row:
    """A done delivery."""
    return {
        "state": "done",
        "quantity": float(quantity),
        "product_uom": [UNITS, "Units"],
        "date": moment(at),
        "location_usage": "internal",
        "location_dest_usage": "customer",
        "write_date": moment(at),
        **otherwise,
    }


def returned(at: str, quantity: float) -> Row:
    return sent(at, quantity, location_usage="customer", location_dest_usage="internal")


def reserved(at: str, quantity: float) -> Row:
    """Goods set aside, not sent: Odoo counts them as the move's quantity already."""
    return sent(at, quantity, state="assigned")


def cancelled(at: str, written: str = LONG_AGO) -> Row:
    return sent(at, 0, state="cancel", write_date=moment(written))


def service(quantity: float = 1) -> Row:
    return line(quantity, qty_delivered_method="manual")


def remark() -> Row:
    return line(
        0, product_id=False, unit=False, display_type="line_note", qty_delivered_method="manual"
    )
