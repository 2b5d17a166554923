"""Known orders: what we were told before of the orders that are read again.

Odoo forgets: a cancelled line stands there with no quantity, a deleted one not at all, a moved
commitment with its new date. What it was is in our own facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.state import OdooCursor
from integrations.odoo.streams import SOURCE
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


def known_lines(session: Session, line_ids: Sequence[int]) -> dict[str, KnownLine]:
    """Find the lines with these ids, and those that we know in the same orders, by source_id.

    So a line that was deleted in Odoo is found by another one of its order, as we know it.
    """
    source = session.scalar(sa.select(Source.id).where(Source.code == SOURCE))
    if source is None or not line_ids:
        return {}
    lines = _LINES.where(OrderLine.source == source)
    found = session.execute(lines.where(_named(session, line_ids))).all()
    if not found:  # as in a first reading
        return {}
    orders = {(row.partner_id, row.order_code) for row in found}
    of_orders = sa.tuple_(OrderLine.partner_id, OrderLine.order_code).in_(orders)
    rows = {row.id: row for row in [*found, *session.execute(lines.where(of_orders))]}
    receipts = _receipts(session, source, rows)
    return {
        row.source_id: KnownLine(
            row.ordered,
            row.window_end,
            row.status,
            row.cancelled_on,
            frozenset(receipts.get(row.id, ())),
        )
        for row in rows.values()
    }


def read_last_on(session: Session, stream: str, zone: tzinfo) -> date | None:
    """The day on which a stream was last read to its end."""
    finished_at = session.scalar(
        sa.select(OdooCursor.finished_at).where(OdooCursor.stream == stream)
    )
    return finished_at.astimezone(zone).date() if finished_at else None


def _named(session: Session, line_ids: Sequence[int]) -> sa.TextClause:
    """Which lines, by one parameter however many: a parameter each costs more than the search."""
    ids = [str(number) for number in line_ids]
    if session.get_bind().dialect.name == "sqlite":
        inside = sa.text("order_lines.source_id IN (SELECT value FROM json_each(:ids))")
        return inside.bindparams(ids=json.dumps(ids))
    return sa.text("order_lines.source_id = ANY(:ids)").bindparams(ids=ids)


def _receipts(session: Session, source: int, lines: Iterable[int]) -> Mapping[int, set[str]]:
    known = sa.select(Receipt.order_line_id, Receipt.source_id).where(
        Receipt.source == source, Receipt.order_line_id.in_(lines)
    )
    receipts: dict[int, set[str]] = {}
    for line, source_id in session.execute(known):
        receipts.setdefault(line, set()).add(source_id)
    return receipts


_LINES = sa.select(
    OrderLine.id,
    OrderLine.source_id,
    OrderLine.partner_id,
    OrderLine.order_code,
    OrderLine.ordered,
    OrderLine.window_end,
    OrderLine.status,
    OrderLine.cancelled_on,
)
