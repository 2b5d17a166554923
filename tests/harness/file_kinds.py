"""Kinds of facts as a reader of files sees them: a name and columns, without a database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileKind:
    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


VISITS = FileKind("visits", ("source_id", "partner_code", "visited_on"), ("outcome",))
ORDER_LINES = FileKind(
    "order-lines",
    ("source_id", "order_code", "partner_code", "ordered_qty", "window_end"),
    ("window_start", "status", "cancelled_on", "product_code", "received_qty", "received_on"),
)
