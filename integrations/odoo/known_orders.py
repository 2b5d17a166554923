"""Known orders: what we were told before of the orders that are read again.

Odoo forgets: a cancelled line stands there with no quantity, a deleted one not at all, a moved
commitment with its new date. What it was is in our own facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.streams import SOURCE
from partner_cx.network.partners import Partner
from partner_cx.operations.facts import OrderLine, Receipt
from partner_cx.operations.imports import Source


@dataclass(frozen=True)
class KnownLine:
    """An order line as we know it; `ordered` in micro-units. `receipts`: their source_ids."""

    ordered: int
    window_end: date
    status: str
    cancelled_on: date | None
    receipts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KnownOrders:
    """The known lines of some orders, by their source_id."""

    lines: dict[str, KnownLine] = field(default_factory=dict)


def known_orders(
    session: Session, line_ids: Sequence[int], orders: Sequence[tuple[str, str]]
) -> KnownOrders:
    """Find the lines with these ids, and those of these orders, each as (partner_code, order_code).

    A line that was deleted in Odoo is found by its order.
    """
    source = session.scalar(sa.select(Source.id).where(Source.code == SOURCE))
    if source is None:
        return KnownOrders()
    found = {
        row.id: row
        for which in _which(session, line_ids, orders)
        for row in session.execute(_LINES.where(OrderLine.source == source, which))
    }
    receipts: dict[int, set[str]] = {}
    if found:
        known = sa.select(Receipt.order_line_id, Receipt.source_id).where(
            Receipt.source == source, Receipt.order_line_id.in_(found)
        )
        for line, source_id in session.execute(known):
            receipts.setdefault(line, set()).add(source_id)
    return KnownOrders(
        {
            row.source_id: KnownLine(
                row.ordered,
                row.window_end,
                row.status,
                row.cancelled_on,
                frozenset(receipts.get(row.id, ())),
            )
            for row in found.values()
        }
    )


_LINES = sa.select(
    OrderLine.id,
    OrderLine.source_id,
    OrderLine.ordered,
    OrderLine.window_end,
    OrderLine.status,
    OrderLine.cancelled_on,
)


def _which(
    session: Session, line_ids: Sequence[int], orders: Sequence[tuple[str, str]]
) -> list[sa.ColumnElement[bool]]:
    codes = {code for code, _ in orders}
    named = session.execute(sa.select(Partner.code, Partner.id).where(Partner.code.in_(codes)))
    ids = {code: number for code, number in named}  # noqa: C416
    of_orders = [(ids[code], order) for code, order in orders if code in ids]
    which: list[sa.ColumnElement[bool]] = [OrderLine.source_id.in_([str(n) for n in line_ids])]
    if of_orders:
        pair = sa.tuple_(OrderLine.partner_id, OrderLine.order_code)
        which.append(pair.in_(of_orders))
    return which
