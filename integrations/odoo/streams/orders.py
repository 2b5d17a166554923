"""Orders: what was promised and what was delivered, as Odoo's orders, lines and moves tell it.

A line of a confirmed order with a commitment date, of a partner of the network, is an order line;
each done move of it that goes to the customer is a receipt. What Odoo sums up for itself isn't
used: the order's date of delivery is its first one, the line's delivered quantity is net of
returns, and a back-order rewrites what a move had demanded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from integrations.odoo.section import Section, said
from integrations.odoo.streams import Reading, Row, Stream, Telling, Told, Watched
from integrations.odoo.streams.known_orders import KnownLine, known_lines, read_last_on
from integrations.odoo.streams.whole import by_id, read_whole
from integrations.odoo.values import (
    currency_of,
    day_text,
    id_of,
    local_day,
    micro_of,
    name_of,
    quantity_text,
    text_of,
)

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.directory import Directory
    from integrations.odoo.mapping import OdooMapping

CONFIRMED = ("sale", "done")  # `done` is a locked order, up to Odoo 16
# Of lines: no notes, no sections, no services, of which nothing is delivered.
GOODS = (("display_type", "=", False), ("qty_delivered_method", "=", "stock_move"))
# Of moves: no returns, which come from the customer, and no steps on the way. An exchange goes.
TO_CUSTOMER = (("location_dest_usage", "=", "customer"), ("location_usage", "!=", "customer"))
KITS = (
    "Some order lines are kits: Odoo moves their parts, so that no delivery can be told of the "
    "line itself. They aren't counted."
)


@dataclass(frozen=True)
class OrdersMapping(Section):
    """What an installation decides of orders."""

    NAME: ClassVar[str] = "orders"
    ABOUT: ClassVar[str] = "Orders and their deliveries, for OTIF."

    order_code: Literal["name", "client_order_ref"] = said(
        "name", "What an order is called with us: Odoo's own name (S00012) or the customer's."
    )
    cancelled_by: Literal["customer", "supplier"] = said(
        "customer",
        "Who is taken to have cancelled, which Odoo doesn't know. What the customer cancelled in "
        "time isn't counted; what the supplier cancelled fails.",
    )
    moved_after_a_miss: Literal["stays missed", "counts anew"] = said(
        "stays missed",
        "What becomes of a line whose commitment date is moved after it was missed.",
    )


@dataclass(frozen=True)
class Order:
    """An order with its lines, as Odoo has them.

    partner_code: None is a customer outside the network. moves: by the id of their line.
    factors: pieces in one of a unit, by the unit's id, where it isn't one. unit_field: of lines,
    by Odoo's version.
    """

    row: Row
    code: str
    partner_code: str | None
    lines: Sequence[Row] = ()
    moves: Mapping[int, Sequence[Row]] = field(default_factory=dict)
    factors: Mapping[int, Fraction] = field(default_factory=dict)
    unit_field: str = "product_uom_id"


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read orders with their lines and moves, in three requests, and tell them."""
    return ahead(reading.odoo, reading.directory, reading.mapping, ids)(reading)


def ahead(odoo: Odoo, directory: Directory, mapping: OdooMapping, ids: Sequence[int]) -> Telling:
    """Read orders, for telling them later."""
    return partial(tell_orders, orders=read_orders(odoo, directory, mapping, ids))


def tell_orders(reading: Reading, orders: Sequence[Order]) -> Told:
    """Tell orders that were read, by what we know of them."""
    told = Told()
    line_ids = [line["id"] for order in orders for line in order.lines]
    known = known_lines(reading.session, line_ids)
    others = sorted(int(each) for each in known.keys() - {str(number) for number in line_ids})
    if others:  # deleted, or of another order that the customer calls the same
        for number in reading.odoo.search("sale.order.line", [("id", "in", others)]):
            del known[str(number)]
    zone = reading.settings.zone
    read_on = read_last_on(reading.session, ORDERS.name, zone) if known else None
    for order in orders:
        tell_order(order, reading.mapping.orders, known, zone, told, read_on=read_on)
    withdraw_the_rest(known, told)
    return told


def tell_order(
    order: Order,
    mapping: OrdersMapping,
    known: Mapping[str, KnownLine],
    zone: tzinfo,
    told: Told,
    *,
    read_on: date | None = None,
) -> None:
    """Tell what an order promised to a partner, and what arrived of it.

    read_on: the day on which what is known was so still.
    """
    if order.partner_code is None or not order.row["commitment_date"]:
        return
    for row in order.lines:
        moves = order.moves.get(row["id"], ())
        product = id_of(row["product_id"])
        if moves and not any(id_of(move["product_id"]) == product for move in moves):
            if KITS not in told.notes:
                told.notes.append(KITS)
            continue
        line = _Line(order, row, moves, mapping, known.get(str(row["id"])), zone, read_on)
        if (promise := line.promise()) is not None:
            told.add("order-lines", promise)
            for receipt in line.receipts():
                told.add("receipts", receipt)


def withdraw_the_rest(known: Mapping[str, KnownLine], told: Told) -> None:
    """Withdraw what we know of these orders and Odoo doesn't say any more."""
    lines = {row["source_id"] for row in told.rows.get("order-lines", ())}
    receipts = {row["source_id"] for row in told.rows.get("receipts", ())}
    for source_id, line in known.items():
        if source_id not in lines:
            told.withdraw("order-lines", source_id)
            continue
        for gone in sorted(line.receipts - receipts):
            told.withdraw("receipts", gone)


class _Line:
    """A line of an order on its way to being told."""

    def __init__(
        self,
        order: Order,
        row: Row,
        moves: Sequence[Row],
        mapping: OrdersMapping,
        known: KnownLine | None,
        zone: tzinfo,
        read_on: date | None,
    ) -> None:
        self.order, self.row, self.moves, self.mapping = order, row, moves, mapping
        self.known, self.zone, self.read_on = known, zone, read_on
        self.deliveries = [
            (move["id"], day, quantity)
            for move in moves
            if move["state"] == "done"
            and (day := local_day(move["date"], zone)) is not None
            and (quantity := self._micro(move["quantity"], move["product_uom"])) > 0
        ]

    def promise(self) -> dict[str, str | None] | None:
        """The row of the order line; None when nothing is promised."""
        ordered = self._micro(self.row["product_uom_qty"], self.row[self.order.unit_field])
        status = self._status(ordered)
        if status is None:
            return None
        if ordered <= 0 and self.known:  # cancelled: it keeps what it was
            ordered = self.known.ordered
        cancelled_on = self._cancelled_on() if status.startswith("cancelled") else None
        currency = currency_of(self.order.row["currency_id"])
        return {
            "source_id": str(self.row["id"]),
            "order_code": self.order.code,
            "partner_code": self.order.partner_code,
            "ordered_qty": quantity_text(ordered),
            "window_end": self._window_end().isoformat(),
            "status": status,
            "cancelled_on": day_text(cancelled_on),
            "product_code": product_code(self.row["product_id"]),
            "value": f"{self.row['price_subtotal']:.6f}" if currency else None,
            "currency": currency,
        }

    def receipts(self) -> list[dict[str, str | None]]:
        line = str(self.row["id"])
        return [
            {
                "source_id": str(move),
                "order_line_source_id": line,
                "received_on": day.isoformat(),
                "qty": quantity_text(quantity),
            }
            for move, day, quantity in self.deliveries
        ]

    def _status(self, ordered: int) -> str | None:
        """None when the line promises nothing, and hasn't promised anything before."""
        state = self.order.row["state"]
        cancelled = f"cancelled_by_{self.mapping.cancelled_by}"
        if state in CONFIRMED and ordered > 0:
            arrived = sum(quantity for _, _, quantity in self.deliveries)
            return "done" if arrived >= ordered else "open"
        if state in CONFIRMED:
            return cancelled if self.known else None
        if state == "cancel" and (self.known or (ordered > 0 and self.moves)):
            return cancelled  # a quotation that was never confirmed has no moves
        return None

    def _window_end(self) -> date:
        """The day promised; the first one, where it was missed before it was moved."""
        day = local_day(self.order.row["commitment_date"], self.zone)
        assert day is not None, "an order without a commitment date promises nothing"
        known = self.known
        if known is None or self.mapping.moved_after_a_miss == "counts anew":
            return day
        if day <= known.window_end or not self._was_missed(known):
            return day
        return known.window_end

    def _was_missed(self, known: KnownLine) -> bool:
        """Whether the known day had passed, short of goods, when it was moved.

        It had when the last sync found it still there, or else when the order was changed after
        it, and not just by a delivery. A day before the order itself was mistyped, and nothing was
        missed.
        """
        ordered_on = local_day(self.order.row["date_order"], self.zone)
        if not any(day and day > known.window_end for day in (self.read_on, self._changed_on())):
            return False
        in_time = sum(qty for _, day, qty in self.deliveries if day <= known.window_end)
        mistyped = ordered_on is not None and known.window_end < ordered_on
        return in_time < known.ordered and not mistyped

    def _changed_on(self) -> date | None:
        """The day on which people last changed the order; None where a delivery wrote it later."""
        written = self.order.row["write_date"]
        moves = (move for line in self.order.lines for move in self.order.moves.get(line["id"], ()))
        if any(move["state"] == "done" and move["write_date"] == written for move in moves):
            return None
        return local_day(written, self.zone)

    def _cancelled_on(self) -> date | None:
        """The day we learned first; else the latest day it can have been.

        Odoo keeps no day of it. Cancelling writes the order, its lines and their moves, and
        whatever was written least since comes nearest.
        """
        if self.known and self.known.status.startswith("cancelled"):
            return self.known.cancelled_on
        written = [self.row["write_date"]]
        written += [move["write_date"] for move in self.moves if move["state"] == "cancel"]
        if self.order.row["state"] == "cancel":
            written.append(self.order.row["write_date"])
        return local_day(min(written), self.zone)

    def _micro(self, quantity: float, unit: object) -> int:
        factors = self.order.factors
        return micro_of(quantity, factors.get(id_of(unit) or 0) if factors else None)


def product_code(product: object) -> str | None:
    """The internal reference that a product's name begins with: `[SW-24] Managed switch`."""
    name = name_of(product) or ""
    return name[1 : name.index("]")].strip() or None if name[:1] == "[" and "]" in name else None


def read_orders(
    odoo: Odoo, directory: Directory, mapping: OdooMapping, ids: Sequence[int]
) -> list[Order]:
    """Orders with all their lines and moves, and whose they are."""
    unit = "product_uom_id"
    if not odoo.has_field("sale.order.line", unit):
        unit = "product_uom"  # up to Odoo 18
    orders = odoo.read("sale.order", list(ids), _ORDER)
    lines = read_whole(
        odoo, "sale.order.line", [("order_id", "in", list(ids)), *GOODS], [*_LINE, unit]
    )
    of_lines = ("sale_line_id", "in", [line["id"] for line in lines])
    moves = read_whole(odoo, "stock.move", [of_lines, *TO_CUSTOMER], _MOVE) if lines else []
    directory.learn(id_of(order["partner_id"]) for order in orders)
    lines_of, moves_of = by_id(lines, "order_id"), by_id(moves, "sale_line_id")
    units = {id_of(line[unit]) for line in lines} | {id_of(move["product_uom"]) for move in moves}
    factors = {each: directory.factor(each) for each in units if each}
    factors = {each: factor for each, factor in factors.items() if factor != 1}
    naming = mapping.orders.order_code
    return [
        Order(
            row,
            text_of(row[naming]) or row["name"],
            directory.partner_code(id_of(row["partner_id"])),
            lines_of.get(row["id"], ()),
            moves_of,
            factors,
            unit,
        )
        for row in orders
    ]


_ORDER = [
    *("name", "client_order_ref", "state", "partner_id", "commitment_date", "date_order"),
    *("currency_id", "write_date"),
]
_LINE = ["order_id", "product_id", "product_uom_qty", "price_subtotal", "write_date"]
_MOVE = ["sale_line_id", "state", "product_id", "product_uom", "quantity", "date", "write_date"]

ORDERS = Stream(
    name="orders",
    watched=(
        Watched("sale.order"),
        Watched("sale.order.line", field="order_id"),
        Watched(
            "stock.move",
            field="sale_line_id",
            domain=(("sale_line_id", "!=", False),),
            through="sale.order.line.order_id",
        ),
    ),
    tell=tell,
    ahead=ahead,
    identified={"order-lines": "sale.order.line", "receipts": "stock.move"},
    kpis=("otif", "otif_order", "otif_case", "on_time", "in_full"),
    modules=("sale_stock",),
)
