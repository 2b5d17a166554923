"""What was promised and what arrived, as files tell it: order lines and receipts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx import bulk
from partner_cx.operations import facts
from partner_cx.operations.drafts import Draft, refuse_disorder
from partner_cx.operations.fields import (
    amount,
    choice,
    currency,
    day,
    quantity,
    text,
)
from partner_cx.operations.intake import Desk, Kind, name_partners
from partner_cx.quantities import MICRO, exponent
from partner_cx.words import Words


def _finish_order_lines(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    refuse_disorder(
        draft,
        "window_start",
        "window_end",
        shown="window_start",
        reason=Words("The window starts after it ends.", "La fenêtre commence après sa fin."),
        remedy=Words("Mend one of the two days.", "Corrigez l’un des deux jours."),
    )
    half = pc.xor(draft["received"].is_null(), draft["received_on"].is_null())
    draft.refuse(
        np.asarray(half),
        "received_qty",
        Words(
            "A receipt needs both its quantity and its day.",
            "Une réception exige sa quantité et son jour.",
        ),
        Words(
            "Fill received_qty and received_on, or empty both.",
            "Remplissez received_qty et received_on, ou videz les deux.",
        ),
    )
    draft["value_minor"], draft["currency"] = _in_minor_units(draft)


def _in_minor_units(draft: Draft) -> tuple[pa.Array, pa.Array]:
    """Values rounded half-even to their currency's smallest unit; no currency without a value."""
    micro = np.asarray(pc.fill_null(draft["value"], 0))
    codes = draft["currency"].dictionary_encode()
    smallest = [MICRO // 10 ** exponent(code) for code in codes.dictionary.to_pylist()]
    unit = np.asarray(pa.array(smallest, pa.int64()).take(codes.indices))
    whole, rest = np.divmod(micro, unit)
    up = (rest * 2 > unit) | ((rest * 2 == unit) & (whole % 2 == 1))
    missing = draft["value"].is_null()
    minor = pc.if_else(missing, pa.scalar(None, pa.int64()), pa.array(whole + up))
    return minor, pc.if_else(missing, pa.scalar(None, pa.string()), draft["currency"])


def _finish_receipts(draft: Draft, desk: Desk) -> None:
    """Find the order line of each receipt: of the same source, or the only one with its id."""
    lines = _order_lines_named(draft, desk)
    draft["order_line_id"] = lines["id"]
    draft["touched_partner_id"] = lines["partner_id"]
    draft["touched_on"] = lines["window_end"]
    draft.refuse(
        np.asarray(lines["id"].is_null()),
        "order_line_source_id",
        Words("No order line has this source_id.", "Aucune ligne de commande n’a ce source_id."),
        Words(
            "Import the order lines first, or mend the id.",
            "Importez d’abord les lignes de commande, ou corrigez l’identifiant.",
        ),
    )


def _order_lines_named(draft: Draft, desk: Desk) -> dict[str, pa.Array]:
    wanted = pa.table({"source_id": draft["order_line_source_id"]})
    staged = bulk.stage(desk.session, facts.OrderLine.__table__, wanted, name="wanted_lines")
    found = (
        desk.session.connection()
        .exec_driver_sql(
            f"SELECT w.staged_row, l.id, l.partner_id, l.window_end, l.source FROM {staged} w "
            # Crossed in this order: else SQLite indexes all lines anew for each batch.
            "CROSS JOIN sources s CROSS JOIN order_lines l "
            "WHERE l.source = s.id AND l.source_id = w.source_id"
        )
        .fetchall()
    )
    rows = pd.DataFrame(
        [tuple(row) for row in found], columns=["row", "id", "partner_id", "window_end", "source"]
    )
    rows["elsewhere"] = rows["source"] != desk.source
    rows = rows.sort_values(["row", "elsewhere"])
    nearest = rows.groupby("row").agg(
        id=("id", "first"),
        partner_id=("partner_id", "first"),
        window_end=("window_end", "first"),
        elsewhere=("elsewhere", "first"),
        several=("id", "size"),
    )
    nearest = nearest[~(nearest["elsewhere"] & (nearest["several"] > 1))]
    nearest = nearest.reindex(range(len(draft)))
    days = pd.to_datetime(nearest["window_end"])
    return {
        "id": pa.array(nearest["id"].astype("Int64"), pa.int64()),
        "partner_id": pa.array(nearest["partner_id"].astype("Int64"), pa.int64()),
        "window_end": pa.array(days.dt.date, pa.date32(), from_pandas=True),
    }


RECEIPTS = Kind(
    name="receipts",
    table=facts.Receipt.__table__,
    fields=(
        text("source_id", required=True, longest=200),
        text("order_line_source_id", required=True, longest=200),
        day("received_on", required=True),
        quantity("qty", column="quantity", required=True),
    ),
    finish=_finish_receipts,
    family="orders",
    days=("touched_on",),
    marked_partner="touched_partner_id",
    events=("received_on",),
    left_behind=(
        "SELECT l.partner_id, l.window_end FROM order_lines l JOIN former f "
        "ON l.id = f.order_line_id"
    ),
)


ORDER_LINES = Kind(
    name="order-lines",
    table=facts.OrderLine.__table__,
    fields=(
        text("source_id", required=True, longest=200),
        text("order_code", required=True, longest=200),
        text("partner_code", column="", required=True, longest=200),
        quantity("ordered_qty", column="ordered", required=True, above_zero=True),
        day("window_end", required=True),
        day("window_start"),
        choice(
            "status",
            ["open", "done", "cancelled_by_customer", "cancelled_by_supplier"],
            default="open",
        ),
        day("cancelled_on"),
        text("product_code", longest=200),
        amount("value", column="value"),
        currency("currency"),
        quantity("received_qty", column="received"),
        day("received_on"),
    ),
    finish=_finish_order_lines,
    family="orders",
    days=("window_end",),
    events=("received_on", "cancelled_on"),
    kept=(
        (("product_code",), ("product_code",)),
        (("value_minor", "currency"), ("value",)),
        (("received", "received_on"), ("received_qty", "received_on")),
        (("status", "cancelled_on"), ("status", "cancelled_on")),
    ),
    left_behind=(
        "SELECT l.partner_id, l.window_end FROM order_lines l JOIN former f "
        "ON l.partner_id = f.partner_id AND l.order_code = f.order_code"
    ),
    parts=((RECEIPTS, "order_line_id"),),
)
