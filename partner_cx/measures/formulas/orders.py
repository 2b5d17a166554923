"""Orders: were they delivered on time, in full, and both?

A line is judged on the day its window ends, by the first accepted window: promising a new date
after a miss repairs nothing. A line cancelled by the customer before the window's end (that day
included, and also when nobody knows when) doesn't count; one cancelled by the supplier, or overdue
with nothing received, counts and fails. Sources: SCOR RL.1.1, Walmart's OTIF.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, together, whole

STRICT = Fraction(0)


def counts(
    lines: pd.DataFrame,
    receipts: pd.DataFrame,
    *,
    as_of_day: date,
    under: Fraction = STRICT,
    over: Fraction | None = None,
) -> pd.DataFrame:
    """Count `otif`, `on_time`, `in_full`, `otif_case` and `otif_order`.

    lines: id, partner_id, order_code, ordered (micro-units), window_start (NaT: early is on
        time), window_end, status, cancelled_on. For otif_order an order's lines come together.
    receipts: order_line_id, received_on, quantity (micro-units).
    under, over: the tolerances; without `over` any surplus passes.
    Returns counts on the day of the window's end; otif_case is in micro-units, n are lines, and
    for otif_order orders, on the day of their last due line.
    """
    due = judged(lines, receipts, as_of_day=as_of_day, under=under, over=over)
    in_case = np.minimum(whole(due["received_in_window"]), whole(due["ordered"]))
    return together(
        [
            count("otif", due, day="window_end", hits=due["otif"], of=1),
            count("on_time", due, day="window_end", hits=due["on_time"], of=1),
            count("in_full", due, day="window_end", hits=due["in_full"], of=1),
            count("otif_case", due, day="window_end", hits=in_case, of=due["ordered"]),
            _orders(due),
        ]
    )


def judged(
    lines: pd.DataFrame,
    receipts: pd.DataFrame,
    *,
    as_of_day: date,
    under: Fraction = STRICT,
    over: Fraction | None = None,
) -> pd.DataFrame:
    """Judge each line that is due and counts: the rows behind a miss.

    Returns the due lines as they came, with received_in_window and received (micro-units, up to
    the day), and the verdicts otif, on_time and in_full.
    """
    due = lines[_is_due(lines, as_of_day)].reset_index(drop=True)
    line, quantity, in_window = _matched(due, receipts, as_of_day)
    ordered = whole(due["ordered"])
    in_time = _sum_per_line(due, line[in_window], quantity[in_window])
    received = _sum_per_line(due, line, quantity)
    arrived = _sum_per_line(due, line, np.ones_like(line)) > 0
    astray = _sum_per_line(due, line[~in_window], np.ones_like(line[~in_window])) > 0

    passed = (in_time > 0) & (in_time >= _ceil_times(ordered, 1 - under))
    if over is not None:
        passed &= in_time <= _floor_times(ordered, 1 + over)
    passed &= ~_is_cancelled_by_supplier(due, as_of_day)
    return due.assign(
        received_in_window=in_time,
        received=received,
        otif=passed,
        on_time=arrived & ~astray,
        in_full=received >= ordered,
    )


def _is_due(lines: pd.DataFrame, as_of_day: date) -> pd.Series:
    window_end, cancelled_on = days(lines["window_end"]), days(lines["cancelled_on"])
    cancelled_in_time = (lines["status"] == "cancelled_by_customer") & (
        cancelled_on.isna() | (cancelled_on <= window_end)
    )
    return (window_end <= as_day(as_of_day)) & ~cancelled_in_time.astype("bool")


def _is_cancelled_by_supplier(due: pd.DataFrame, as_of_day: date) -> np.ndarray[Any, Any]:
    not_yet = days(due["cancelled_on"]) > as_day(as_of_day)
    return np.asarray((due["status"] == "cancelled_by_supplier") & ~not_yet, dtype="bool")


def _matched(
    due: pd.DataFrame, receipts: pd.DataFrame, as_of_day: date
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Per receipt so far: the place of its due line, its quantity, and whether it was in time."""
    line = pd.Index(whole(due["id"])).get_indexer(pd.Index(whole(receipts["order_line_id"])))
    received_on = days(receipts["received_on"]).to_numpy()
    relevant = (line >= 0) & (received_on <= np.datetime64(as_of_day))
    line, received_on = line[relevant], received_on[relevant]
    opens = days(due["window_start"]).to_numpy()[line]
    closes = days(due["window_end"]).to_numpy()[line]
    in_window = (received_on <= closes) & ~(received_on < opens)  # no start: NaT, never before it
    return line, whole(receipts["quantity"])[relevant], in_window


def _sum_per_line(
    due: pd.DataFrame, line: np.ndarray[Any, Any], quantity: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    sums = np.zeros(len(due), dtype="int64")
    np.add.at(sums, line, quantity)
    return sums


def _orders(due: pd.DataFrame) -> pd.DataFrame:
    """An order is good when all its due lines are; a line not due yet doesn't hold it up."""
    lines = pd.DataFrame(
        {
            "partner_id": due["partner_id"],
            "order_code": due["order_code"],
            "day": days(due["window_end"]),
            "otif": whole(due["otif"]),
        }
    )
    orders = lines.groupby(["partner_id", "order_code"], sort=False, as_index=False).agg(
        day=("day", "max"), otif=("otif", "min")
    )
    return count("otif_order", orders, day="day", hits=orders["otif"], of=1)


def _floor_times(ordered: np.ndarray[Any, Any], factor: Fraction) -> np.ndarray[Any, Any]:
    """Multiply whole numbers by a fraction, exactly, rounding down.

    Quotient and rest are multiplied apart, so that a thousand million units in micro-units times
    a fine tolerance still fit in 64 bits.
    """
    above, below = factor.numerator, factor.denominator
    assert above * below < 2**63, f"a tolerance as fine as {factor} can't be compared exactly"
    quotient, rest = np.divmod(ordered, below)
    return np.asarray(quotient * above + rest * above // below)


def _ceil_times(ordered: np.ndarray[Any, Any], factor: Fraction) -> np.ndarray[Any, Any]:
    return -_floor_times(-ordered, factor)
