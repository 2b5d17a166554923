"""Plenty: a large Odoo that is made up while it is read, to see how much a sync can take.

Rows are worked out of their ids, so that a million order lines need no memory. Each order has
five lines; a line has one move, and every tenth a second one, for what came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.stand_ins.odoo.tables import Made, Rows

LINES_EACH = 5
PARTNERS = 200
FIRST_DAY = datetime(2025, 1, 6, 9, tzinfo=UTC)
DAYS = 600
WRITTEN = "2026-09-30 12:00:00"
CUSTOMERS, STOCK, UNITS, PRODUCT = 2, 1, 1, 1


def plenty(lines: int, *, version: int) -> dict[str, Rows]:
    """Rows of a network with so many order lines."""
    orders = -(-lines // LINES_EACH)
    second = lines // 10  # moves of what came later: of the lines 10, 20, 30 …
    unit = "product_uom" if version < 19 else "product_uom_id"

    def line(line_id: int) -> dict[str, Any]:
        order = (line_id - 1) // LINES_EACH + 1
        return _kept() | {
            "id": line_id,
            "order_id": [order, f"S{order:07}"],
            "order_partner_id": _customer(order),
            "name": "[PUMP] Pump",
            "sequence": 10,
            "state": "sale",
            "display_type": False,
            "product_id": [PRODUCT, "[PUMP] Pump"],
            "product_type": "consu",
            "product_uom_qty": float(_quantity(line_id)),
            "qty_delivered": float(_quantity(line_id)),
            "qty_delivered_method": "stock_move",
            unit: [UNITS, "Units"],
            "price_unit": 100.0,
            "price_subtotal": 100.0 * _quantity(line_id),
            "price_total": 100.0 * _quantity(line_id),
        }

    def move(move_id: int) -> dict[str, Any]:
        late = move_id > lines
        line_id = (move_id - lines) * 10 if late else move_id
        order = (line_id - 1) // LINES_EACH + 1
        parts = 2 if line_id % 10 == 0 else 1
        quantity = _quantity(line_id) // parts + (_quantity(line_id) % parts if late else 0)
        day = _promised(order) + timedelta(days=2 if late or line_id % 17 == 0 else -1)
        return _kept() | {
            "id": move_id,
            "reference": f"WH/OUT/{order:07}",
            "origin": f"S{order:07}",
            "state": "done",
            "picking_id": [order, f"WH/OUT/{order:07}"],
            "picking_code": "outgoing",
            "sale_line_id": [line_id, f"S{order:07} - [PUMP] Pump"],
            "product_id": [PRODUCT, "[PUMP] Pump"],
            "product_uom": [UNITS, "Units"],
            "product_uom_qty": float(quantity),
            "product_qty": float(quantity),
            "quantity": float(quantity),
            "picked": True,
            "date": _text(day),
            "date_deadline": _text(_promised(order)),
            "location_id": [STOCK, "WH/Stock"],
            "location_dest_id": [CUSTOMERS, "Customers"],
            "location_dest_usage": "customer",
            "location_usage": "internal",
            "origin_returned_move_id": False,
            "scrapped" if version < 19 else "scrap_id": False,
        }

    def moves_of(line_id: int) -> list[int]:
        return [line_id] if line_id % 10 else [line_id, lines + line_id // 10]

    def lines_of(order: int) -> range:
        return range((order - 1) * LINES_EACH + 1, min(order * LINES_EACH, lines) + 1)

    return _around(version) | {
        "sale.order": _made(orders, _order, {}),
        "sale.order.line": _made(lines, line, {"order_id": lines_of}),
        "stock.move": _made(lines + second, move, {"sale_line_id": moves_of}),
    }


def _made(
    count: int,
    row: Callable[[int], dict[str, Any]],
    by: Mapping[str, Callable[[int], Iterable[int]]],
) -> Made:
    return Made(count, row, by=by, written_until=WRITTEN, newest=count)


def _order(order: int) -> dict[str, Any]:
    ordered = _ordered(order)
    return _kept() | {
        "id": order,
        "name": f"S{order:07}",
        "client_order_ref": f"PO-{order}",
        "state": "sale",
        "partner_id": _customer(order),
        "partner_invoice_id": _customer(order),
        "partner_shipping_id": _customer(order),
        "date_order": _text(ordered),
        "commitment_date": _text(_promised(order)),
        "effective_date": _text(_promised(order)),
        "delivery_status": "full",
        "invoice_status": "to invoice",
        "amount_untaxed": 500.0,
        "amount_total": 500.0,
        "currency_id": [1, "EUR"],
        "company_id": [1, "My Company"],
    }


def _around(version: int) -> dict[str, Rows]:
    """What orders stand among: partners with grades, a product, a unit, two places."""
    partners = [
        {
            "id": number,
            "name": f"Partner {number}",
            "ref": f"P{number:04}",
            "active": True,
            "is_company": True,
            "grade_id": [1, "Gold"],
            "commercial_partner_id": [number, f"Partner {number}"],
            "lang": "en_US",
        }
        | _kept()
        for number in range(1, PARTNERS + 1)
    ]
    unit = {"id": UNITS, "name": "Units", "factor": 1.0}
    return {
        "res.partner": partners,
        "res.partner.grade": [{"id": 1, "name": "Gold", "sequence": 1} | _kept()],
        "product.product": [
            {"id": PRODUCT, "name": "Pump", "default_code": "PUMP", "type": "consu"} | _kept()
        ],
        "uom.uom": [unit | ({"factor_inv": 1.0} if version < 19 else {}) | _kept()],
        "stock.location": [
            {"id": STOCK, "name": "Stock", "complete_name": "WH/Stock", "usage": "internal"},
            {
                "id": CUSTOMERS,
                "name": "Customers",
                "complete_name": "Customers",
                "usage": "customer",
            },
        ],
    }


def _kept() -> dict[str, Any]:
    return {"create_date": WRITTEN, "write_date": WRITTEN}


def _customer(order: int) -> list[Any]:
    number = order * 7919 % PARTNERS + 1
    return [number, f"Partner {number}"]


def _quantity(line_id: int) -> int:
    return line_id * 31 % 20 + 2


def _ordered(order: int) -> datetime:
    return FIRST_DAY + timedelta(days=order * 104_729 % DAYS)


def _promised(order: int) -> datetime:
    return _ordered(order) + timedelta(days=14)


def _text(moment: datetime) -> str:
    return moment.isoformat(" ")[:19]
