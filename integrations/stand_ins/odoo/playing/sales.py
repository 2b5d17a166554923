"""Orders, deliveries in parts, returns, exchanges, cancellations, as Odoo's stock leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.playing.stage import Moment, Stage, seconds
from integrations.stand_ins.odoo.tables import record_of

OPEN = ("draft", "waiting", "confirmed", "partially_available", "assigned")
Line = Sequence[Any]  # (product code, quantity), (code, quantity, "Dozens"), ("note", text)


class Sales:
    """Orders by their ids; lines of an order by their place, from 1."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._unit = "product_uom" if stage.version < 19 else "product_uom_id"
        self._numbers = {"S": 0, "OUT": 0, "IN": 0}

    # --- Ordering ---------------------------------------------------------------------------

    def order(
        self,
        customer: int,
        lines: Sequence[Line],
        *,
        at: Moment,
        promised: Moment | None = None,
        ref: str = "",
        confirmed: bool = True,
        **values: Any,
    ) -> int:
        """An order, or a quotation while it isn't confirmed. promised: its commitment date."""
        given = {
            "name": f"S{self._next('S'):05}",
            "client_order_ref": ref or False,
            "partner_id": customer,
            "partner_invoice_id": customer,
            "partner_shipping_id": customer,
            "user_id": 2,
            "date_order": seconds(at),
            "commitment_date": seconds(promised) if promised else False,
        }
        order = self._stage.add("sale.order", at, **(given | values))
        for place, line in enumerate(lines, start=1):
            self._line(order, line, place, at)
        self._total(order, at)
        if confirmed:
            self.confirm(order, at=at)
        return order

    def confirm(self, order: int, *, at: Moment) -> None:
        self._stage.change("sale.order", order, at, state="sale", invoice_status="no")
        for line in self.lines(order):
            self._stage.change("sale.order.line", line, at, state="sale")
        goods = [line for line in self.lines(order) if self._is_goods(line)]
        if goods:
            picking = self._outgoing(order, at)
            for line in goods:
                self._move(picking, line, self._pieces(line), at)
            self._stage.change("sale.order", order, at, delivery_status="pending")

    def recommit(self, order: int, promised: Moment, *, at: Moment) -> None:
        """Promise another day. Deadlines follow it, scheduled dates don't."""
        self._stage.change("sale.order", order, at, commitment_date=seconds(promised))
        for picking in self._open_pickings(order):
            self._stage.change("stock.picking", picking, at, date_deadline=seconds(promised))
            for move in self._moves_of(picking):
                self._stage.change("stock.move", move, at, date_deadline=seconds(promised))

    def set_quantity(self, order: int, line: int, quantity: float, *, at: Moment) -> None:
        """Order less or more of a line that isn't all delivered; nothing cancels it."""
        line_id = self.lines(order)[line - 1]
        before = self._pieces(line_id)
        self._stage.change("sale.order.line", line_id, at, product_uom_qty=quantity)
        self._price(line_id, at)
        less = before - self._pieces(line_id)
        for move in self._moves_by("sale_line_id", line_id):
            row = self._stage.row("stock.move", move)
            if row["state"] in OPEN:
                rest = max(row["product_uom_qty"] - less, 0.0)
                self._demand(move, rest, at)
        self._settle(order, at)

    def cancel(self, order: int, *, at: Moment) -> None:
        """Cancel an order. Quantities stay; what isn't delivered is cancelled with it."""
        for picking in self._open_pickings(order):
            self._cancel_picking(picking, at)
        for line in self.lines(order):
            self._stage.change("sale.order.line", line, at, state="cancel", qty_to_invoice=0.0)
        self._stage.change(
            "sale.order", order, at, state="cancel", delivery_status=False, invoice_status="no"
        )

    def delete(self, order: int) -> None:
        """Delete an order with all that belongs to it, as an administrator may."""
        remove = self._stage.stand_in.remove
        for picking in self._pickings(order):
            remove("stock.move", *self._moves_of(picking))
            remove("stock.picking", picking)
        remove("sale.order.line", *self.lines(order))
        remove("sale.order", order)

    # --- Delivering -------------------------------------------------------------------------

    def reserve(self, order: int, *, at: Moment) -> None:
        """Put goods aside: the moves tell quantities though nothing has left."""
        for picking in self._open_pickings(order):
            for move in self._moves_of(picking):
                row = self._stage.row("stock.move", move)
                self._stage.change(
                    "stock.move", move, at, state="assigned", quantity=row["product_uom_qty"]
                )
            self._stage.change("stock.picking", picking, at, state="assigned")

    def deliver(
        self,
        order: int,
        *,
        at: Moment,
        pieces: Mapping[int, float] | None = None,
        drop_rest: bool = False,
    ) -> int:
        """Send what is open, or some pieces of some lines. Answers the picking.

        What is left goes into a back-order: the move then asks only for what was sent, and a new
        move asks for the rest. With drop_rest nothing more comes and the move keeps its demand.
        """
        picking = self._open_pickings(order)[0]
        sent = {self.lines(order)[place - 1]: count for place, count in (pieces or {}).items()}
        left: list[tuple[int, float]] = []
        for move in self._moves_of(picking):
            row = self._stage.row("stock.move", move)
            if row["state"] not in OPEN:
                continue
            line = record_of(row["sale_line_id"])
            demand = row["product_uom_qty"]
            count = float(sent.get(line, 0.0) if pieces is not None else demand)
            if count:
                self._done(move, count, at, shrink=count < demand and not drop_rest)
            elif drop_rest:
                self._stage.change("stock.move", move, at, state="cancel", quantity=0.0)
            if count < demand and not drop_rest:
                left.append((move, demand - count))
        if left:
            self._back_order(order, picking, left, at)
        self._stage.change("stock.picking", picking, at, state="done", date_done=seconds(at))
        self._settle(order, at)
        return picking

    def give_back(self, order: int, pieces: Mapping[int, float], *, at: Moment) -> int:
        """Goods come back: an incoming picking on the same lines. Answers it."""
        out = next(each for each in self._pickings(order) if self._state(each) == "done")
        picking = self._picking(
            order, "IN", at, origin=f"Return of {self._name(out)}", return_id=out
        )
        for place, count in pieces.items():
            line = self.lines(order)[place - 1]
            sent = next(
                each
                for each in self._moves_by("sale_line_id", line)
                if self._stage.row("stock.move", each)["state"] == "done"
            )
            move = self._move(picking, line, count, at, origin_returned_move_id=sent)
            self._done(move, count, at)
        self._stage.change("stock.picking", picking, at, state="done", date_done=seconds(at))
        self._settle(order, at)
        return picking

    def exchange(
        self, order: int, pieces: Mapping[int, float], *, at: Moment, sent_at: Moment
    ) -> None:
        """Goods come back and others leave for them, by a plain delivery on the same lines."""
        self.give_back(order, pieces, at=at)
        picking = self._picking(order, "OUT", at)
        for place, count in pieces.items():
            move = self._move(picking, self.lines(order)[place - 1], count, at, date_deadline=False)
            self._done(move, count, sent_at)
        self._stage.change(
            "stock.picking", picking, sent_at, state="done", date_done=seconds(sent_at)
        )
        self._settle(order, sent_at)

    # --- What belongs to an order -----------------------------------------------------------

    def lines(self, order: int) -> list[int]:
        return self._stage.stand_in.tables["sale.order.line"].pointing_to("order_id", order)

    def _pickings(self, order: int) -> list[int]:
        return self._stage.stand_in.tables["stock.picking"].pointing_to("sale_id", order)

    def _open_pickings(self, order: int) -> list[int]:
        return [each for each in self._pickings(order) if self._state(each) in OPEN]

    def _state(self, picking: int) -> str:
        return str(self._stage.row("stock.picking", picking)["state"])

    def _name(self, picking: int) -> str:
        return str(self._stage.row("stock.picking", picking)["name"])

    def _moves_of(self, picking: int) -> list[int]:
        return self._moves_by("picking_id", picking)

    def _moves_by(self, name: str, target: int) -> list[int]:
        return list(self._stage.stand_in.tables["stock.move"].pointing_to(name, target))

    def _next(self, series: str) -> int:
        self._numbers[series] += 1
        return self._numbers[series]

    # --- Lines ------------------------------------------------------------------------------

    def _line(self, order: int, said: Line, place: int, at: Moment, **values: Any) -> int:
        given: Row = {"order_id": order, "sequence": 10 + place} | values
        if said[0] == "note":
            given |= {"display_type": "line_note", "name": said[1], "product_uom_qty": 0.0}
            return self._stage.add("sale.order.line", at, **given)
        product = self._stage.products[said[0]]
        goods = self._stage.row("product.product", product)
        unit = self._stage.units[said[2] if len(said) > 2 else "Units"]
        given |= {
            "product_id": product,
            "name": f"[{said[0]}] {goods['name']}",
            "product_uom_qty": float(said[1]),
            self._unit: unit,
            "price_unit": goods["list_price"] * self._stage.pieces(unit),
            "qty_delivered_method": "manual" if goods["type"] == "service" else "stock_move",
        }
        line = self._stage.add("sale.order.line", at, **given)
        self._price(line, at)
        return line

    def _price(self, line: int, at: Moment) -> None:
        row = self._stage.row("sale.order.line", line)
        total = row["product_uom_qty"] * row["price_unit"]
        self._stage.change("sale.order.line", line, at, price_subtotal=total, price_total=total)

    def _total(self, order: int, at: Moment) -> None:
        rows = [self._stage.row("sale.order.line", line) for line in self.lines(order)]
        total = sum(row.get("price_subtotal", 0.0) for row in rows)
        self._stage.change("sale.order", order, at, amount_untaxed=total, amount_total=total)

    def _is_goods(self, line: int) -> bool:
        row = self._stage.row("sale.order.line", line)
        return bool(row.get("product_id")) and row["qty_delivered_method"] == "stock_move"

    def _pieces(self, line: int) -> float:
        row = self._stage.row("sale.order.line", line)
        return float(row["product_uom_qty"] * self._stage.pieces(row[self._unit]))

    # --- Pickings and moves -----------------------------------------------------------------

    def _outgoing(self, order: int, at: Moment, **values: Any) -> int:
        promised = self._stage.row("sale.order", order)["commitment_date"]
        return self._picking(order, "OUT", at, date_deadline=promised, **values)

    def _picking(self, order: int, series: str, at: Moment, **values: Any) -> int:
        row = self._stage.row("sale.order", order)
        ref = row["client_order_ref"]
        origin = f"{row['name']} - {ref}" if ref and self._stage.version < 19 else row["name"]
        places = (self._stage.stock, self._stage.customers)
        given = {
            "name": f"WH/{series}/{self._next(series):05}",
            "state": "confirmed",
            "origin": origin,
            "picking_type_id": self._stage.deliveries,
            "partner_id": row["partner_shipping_id"],
            "sale_id": order,
            "scheduled_date": row["commitment_date"] or seconds(at),
            "location_id": places[0],
            "location_dest_id": places[1],
        }
        if series == "IN":
            given |= {
                "picking_type_id": self._stage.receipts,
                "scheduled_date": seconds(at),
                "location_id": places[1],
                "location_dest_id": places[0],
            }
        return self._stage.add("stock.picking", at, **(given | values))

    def _move(self, picking: int, line: int, count: float, at: Moment, **values: Any) -> int:
        above = self._stage.row("stock.picking", picking)
        row = self._stage.row("sale.order.line", line)
        named = {"name": row["name"]} if self._stage.version < 19 else {}
        given = {
            "reference": above["name"],
            "origin": above["origin"],
            "state": "confirmed",
            "picking_id": picking,
            "sale_line_id": line,
            "product_id": row["product_id"],
            "product_uom": self._stage.units["Units"],
            "product_uom_qty": float(count),
            "product_qty": float(count),
            "date": above["scheduled_date"],
            "date_deadline": above.get("date_deadline", False),
            "location_id": above["location_id"],
            "location_dest_id": above["location_dest_id"],
            "partner_id": above["partner_id"],
        }
        return self._stage.add("stock.move", at, **(given | named | values))

    def _demand(self, move: int, count: float, at: Moment) -> None:
        state = {} if count else {"state": "cancel", "quantity": 0.0}
        self._stage.change(
            "stock.move", move, at, product_uom_qty=count, product_qty=count, **state
        )

    def _done(self, move: int, count: float, at: Moment, *, shrink: bool = False) -> None:
        if shrink:
            self._demand(move, count, at)
        self._stage.change(
            "stock.move", move, at, state="done", quantity=count, picked=True, date=seconds(at)
        )

    def _back_order(
        self, order: int, picking: int, left: Sequence[tuple[int, float]], at: Moment
    ) -> None:
        """A picking for what is left: untouched moves go over to it, the others get a new one."""
        rest = self._outgoing(order, at, backorder_id=picking)
        for move, count in left:
            row = self._stage.row("stock.move", move)
            if row["state"] == "done":
                self._move(rest, record_of(row["sale_line_id"]), count, at)
            else:
                self._stage.change(
                    "stock.move", move, at, picking_id=rest, reference=self._name(rest)
                )

    def _cancel_picking(self, picking: int, at: Moment) -> None:
        for move in self._moves_of(picking):
            if self._stage.row("stock.move", move)["state"] in OPEN:
                self._stage.change("stock.move", move, at, state="cancel", quantity=0.0)
        self._stage.change("stock.picking", picking, at, state="cancel")

    def _settle(self, order: int, at: Moment) -> None:
        """What follows for the order and its lines from what was moved."""
        for picking in self._open_pickings(order):
            states = {
                self._stage.row("stock.move", each)["state"] for each in self._moves_of(picking)
            }
            if states == {"cancel"}:
                self._stage.change("stock.picking", picking, at, state="cancel")
        for line in self.lines(order):
            self._count_delivered(line, at)
        done = [
            row
            for row in (self._stage.row("stock.picking", each) for each in self._pickings(order))
            if row["state"] == "done" and row["picking_type_id"] == self._stage.deliveries
        ]
        status = "pending" if not done else "partial" if self._open_pickings(order) else "full"
        first = min((row["date_done"] for row in done), default=False)
        self._total(order, at)
        self._stage.change("sale.order", order, at, effective_date=first, delivery_status=status)

    def _count_delivered(self, line: int, at: Moment) -> None:
        """Net of returns, in the unit of the line."""
        if not self._is_goods(line):
            return
        pieces = 0.0
        for move in self._moves_by("sale_line_id", line):
            row = self._stage.row("stock.move", move)
            if row["state"] == "done":
                leaves = row["location_dest_id"] == self._stage.customers
                pieces += row["quantity"] if leaves else -row["quantity"]
        row = self._stage.row("sale.order.line", line)
        count = round(pieces / self._stage.pieces(row[self._unit]), 2)
        if count != row.get("qty_delivered", 0.0):
            self._stage.change("sale.order.line", line, at, qty_delivered=count)
