"""What orders of Odoo 18 and 19 tell: what stands there, and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams import Told
from integrations.odoo.streams.known_orders import KnownLine
from integrations.odoo.streams.orders import (
    KITS,
    OrdersMapping,
    product_code,
    read_orders,
    tell_order,
    withdraw_the_rest,
)
from partner_cx.quantities import MICRO
from tests.harness.odoo_orders import (
    ACCESS_POINT,
    DOZENS,
    Everyone,
    Network,
    Row,
    cancelled,
    line,
    remark,
    reserved,
    returned,
    sent,
    service,
)

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.directory import Directory

NOTHING_KNOWN: Mapping[str, KnownLine] = {}


def told(
    network: Network,
    known: Mapping[str, KnownLine] = NOTHING_KNOWN,
    mapping: OrdersMapping | None = None,
    zone: str = "Europe/Paris",
    read_on: date | None = None,
) -> Told:
    """What all orders of a network tell. read_on: the day of the sync before."""
    whole = OdooMapping(orders=mapping or OrdersMapping())
    everything = Told()
    ids = [order["id"] for order in network.models["sale.order"]]
    for order in read_orders(cast("Odoo", network), cast("Directory", Everyone()), whole, ids):
        tell_order(order, whole.orders, known, ZoneInfo(zone), everything, read_on=read_on)
    withdraw_the_rest(known, everything)
    return everything


def short(told: Told) -> list[str]:
    """Each line in a few words: what is promised, by when, and what arrived when."""
    arrived: dict[str | None, list[str]] = {}
    for row in told.rows.get("receipts", ()):
        day = str(row["received_on"])[5:]
        arrived.setdefault(row["order_line_source_id"], []).append(f"{row['qty']} on {day}")
    return [
        f"{row['ordered_qty']} by {str(row['window_end'])[5:]} {row['status']}"
        + (f" {str(row['cancelled_on'])[5:]}" if row["cancelled_on"] else "")
        + "".join(f", {each}" for each in arrived.get(row["source_id"], ()))
        for row in told.rows.get("order-lines", ())
    ]


def known_line(**otherwise: Any) -> dict[str, KnownLine]:
    """Line 1 as we were told of it before: 10 by 10 April, open."""
    line: dict[str, Any] = {
        "ordered": 10 * MICRO,
        "window_end": date(2026, 4, 10),
        "status": "open",
        "cancelled_on": None,
    }
    return {"1": KnownLine(**(line | otherwise))}


BY_NOON = "04-10 12:00"
SITUATIONS: dict[str, tuple[list[Row], list[str]]] = {
    "in time": (
        [line(10, sent("04-09 10:00", 10))],
        ["10 by 04-10 done, 10 on 04-09"],
    ),
    "later on the day promised": (
        [line(10, sent("04-10 17:00", 10))],
        ["10 by 04-10 done, 10 on 04-10"],
    ),
    "late": (
        [line(10, sent("04-13 10:00", 10))],
        ["10 by 04-10 done, 10 on 04-13"],
    ),
    "nothing sent, all reserved": (
        [line(10, reserved("04-10 12:00", 10))],
        ["10 by 04-10 open"],
    ),
    "partly, the rest on a back-order that is open": (
        [line(10, sent("04-09 10:00", 6), reserved("04-20 10:00", 4))],
        ["10 by 04-10 open, 6 on 04-09"],
    ),
    "partly, the back-order late": (
        [line(10, sent("04-09 10:00", 6), sent("04-20 10:00", 4))],
        ["10 by 04-10 done, 6 on 04-09, 4 on 04-20"],
    ),
    "short, and the supplier dropped the rest": (
        [line(10, sent("04-09 10:00", 6))],
        ["10 by 04-10 open, 6 on 04-09"],
    ),
    "short, and the customer gave up the rest": (
        [line(6, sent("04-09 10:00", 6), cancelled("04-10 12:00"))],
        ["6 by 04-10 done, 6 on 04-09"],
    ),
    "too much": (
        [line(10, sent("04-09 10:00", 12))],
        ["10 by 04-10 done, 12 on 04-09"],
    ),
    "returned later": (
        [line(10, sent("04-09 10:00", 10), returned("04-15 10:00", 10))],
        ["10 by 04-10 done, 10 on 04-09"],
    ),
    "exchanged": (
        [
            line(
                10,
                sent("04-09 10:00", 10),
                returned("04-15 10:00", 4),
                sent("04-17 10:00", 4),
            )
        ],
        ["10 by 04-10 done, 10 on 04-09, 4 on 04-17"],
    ),
    "two dozen in pieces": (
        [line(2, sent("04-09 10:00", 20), sent("04-13 10:00", 4), unit=DOZENS)],
        ["24 by 04-10 done, 20 on 04-09, 4 on 04-13"],
    ),
    "two dozen moved by the dozen": (
        [line(2, sent("04-09 10:00", 2, product_uom=[DOZENS, "Dozens"]), unit=DOZENS)],
        ["24 by 04-10 done, 24 on 04-09"],
    ),
    "one and a half": (
        [line(1.5, sent("04-09 10:00", 0.75))],
        ["1.5 by 04-10 open, 0.75 on 04-09"],
    ),
    "goods, a service and a remark": (
        [line(10, sent("04-09 10:00", 10)), service(), remark()],
        ["10 by 04-10 done, 10 on 04-09"],
    ),
    "two lines": (
        [line(10, sent("04-09 10:00", 10)), line(3, reserved("04-10 12:00", 1))],
        ["10 by 04-10 done, 10 on 04-09", "3 by 04-10 open"],
    ),
    "a line that came without a quantity": (
        [line(0, cancelled("04-10 12:00"))],
        [],
    ),
    "goods that come back as a negative line": (
        [line(-2)],
        [],
    ),
    "nothing moved yet": (
        [line(10)],
        ["10 by 04-10 open"],
    ),
    "a move emptied afterwards": (
        [line(10, sent("04-09 10:00", 0))],
        ["10 by 04-10 open"],
    ),
}


@pytest.mark.parametrize("major", [18, 19])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_confirmed_order(major: int, situation: str) -> None:
    lines, expected = SITUATIONS[situation]
    network = Network(major)
    network.order(*lines)
    assert short(told(network)) == expected


def test_all_that_is_told_of_a_line_and_its_delivery() -> None:
    network = Network()
    network.order(line(2, sent("04-09 10:00", 2), product=ACCESS_POINT))
    everything = told(network)
    assert everything.rows == {
        "order-lines": [
            {
                "source_id": "1",
                "order_code": "S00001",
                "partner_code": "R1",
                "ordered_qty": "2",
                "window_end": "2026-04-10",
                "status": "done",
                "cancelled_on": None,
                "product_code": "AP-06",
                "value": "840.000000",
                "currency": "USD",
            }
        ],
        "receipts": [
            {
                "source_id": "1",
                "order_line_source_id": "1",
                "received_on": "2026-04-09",
                "qty": "2",
            }
        ],
    }


@pytest.mark.parametrize(
    ("otherwise", "why"),
    [
        ({"state": "draft"}, "a quotation, though it has a commitment date"),
        ({"state": "sent"}, "a quotation that was sent"),
        ({"promised": None}, "nothing was promised"),
        ({"customer": 99}, "a customer outside the network"),
        ({"state": "cancel"}, "a quotation that was cancelled: nothing was ever to move"),
    ],
)
def test_an_order_that_promises_a_partner_nothing_tells_nothing(
    otherwise: dict[str, Any], why: str
) -> None:
    network = Network()
    network.order(line(10), **otherwise)
    assert told(network).rows == {}, why


def test_lines_we_know_are_withdrawn_when_nothing_is_promised_any_more() -> None:
    network = Network()
    network.order(line(10), state="draft")
    known = known_line()
    assert told(network, known).withdrawn == {"order-lines": ["1"]}


def test_a_deleted_line_is_withdrawn() -> None:
    network = Network()
    network.order(line(10), line(5))
    known = known_line() | {"3": known_line()["1"]}
    everything = told(network, known)
    assert everything.withdrawn == {"order-lines": ["3"]}
    assert len(everything.rows["order-lines"]) == 2


def test_a_delivery_that_is_none_any_more_is_withdrawn_and_its_line_stays() -> None:
    network = Network()
    network.order(line(10, sent("04-09 10:00", 0), sent("04-10 10:00", 4)))
    everything = told(network, known_line(receipts=frozenset({"1", "2"})))
    assert everything.withdrawn == {"receipts": ["1"]}
    assert short(everything) == ["10 by 04-10 open, 4 on 04-10"]


# --- Cancelled ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["customer", "supplier"])
def test_a_cancelled_order_was_cancelled_by_whom_the_mapping_says(by: Any) -> None:
    network = Network()
    network.order(
        line(10, cancelled("04-10 12:00", written="04-05 10:00"), written="04-05 10:00"),
        state="cancel",
        written="04-05 10:00",
    )
    everything = told(network, mapping=OrdersMapping(cancelled_by=by))
    assert short(everything) == [f"10 by 04-10 cancelled_by_{by} 04-05"]


def test_the_day_of_a_cancellation_is_the_earliest_that_odoo_leaves_open() -> None:
    """The order was touched in May; its move wasn't since it was cancelled on 5 April."""
    network = Network()
    network.order(
        line(10, cancelled("04-10 12:00", written="04-05 10:00"), written="05-20 10:00"),
        state="cancel",
        written="05-20 10:00",
    )
    assert short(told(network)) == ["10 by 04-10 cancelled_by_customer 04-05"]


def test_the_day_of_a_cancellation_stays_as_it_was_learned() -> None:
    network = Network()
    network.order(
        line(10, cancelled("04-10 12:00", written="05-20 10:00"), written="05-20 10:00"),
        state="cancel",
        written="05-20 10:00",
    )
    known = known_line(status="cancelled_by_customer", cancelled_on=date(2026, 4, 5))
    assert short(told(network, known)) == ["10 by 04-10 cancelled_by_customer 04-05"]


def test_a_line_emptied_after_we_knew_it_is_cancelled_with_what_it_was() -> None:
    network = Network()
    network.order(line(0, cancelled("04-10 12:00", written="04-06 09:20"), written="04-06 09:20"))
    assert short(told(network, known_line())) == ["10 by 04-10 cancelled_by_customer 04-06"]


def test_an_order_taken_up_again_after_its_cancellation_is_open() -> None:
    network = Network()
    network.order(line(10, cancelled("04-10 12:00"), reserved("04-10 12:00", 0)))
    known = known_line(status="cancelled_by_customer", cancelled_on=date(2026, 4, 5))
    assert short(told(network, known)) == ["10 by 04-10 open"]


# --- Moved commitments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "delivery", "mapping", "expected"),
    [
        ("04-08 10:00", "04-19 10:00", {}, "10 by 04-20 done, 10 on 04-19"),
        ("04-11 10:00", "04-19 10:00", {}, "10 by 04-10 done, 10 on 04-19"),
        ("04-11 10:00", "04-09 10:00", {}, "10 by 04-20 done, 10 on 04-09"),
        (
            "04-11 10:00",
            "04-19 10:00",
            {"moved_after_a_miss": "counts anew"},
            "10 by 04-20 done, 10 on 04-19",
        ),
    ],
    ids=["before the day", "after a miss", "after a delivery in time", "as the mapping forgives"],
)
def test_a_commitment_moved(
    written: str, delivery: str, mapping: dict[str, Any], expected: str
) -> None:
    """We knew 10 April; now Odoo says 20 April. A new date after a miss repairs nothing."""
    network = Network()
    network.order(line(10, sent(delivery, 10)), promised="04-20 12:00", written=written)
    assert short(told(network, known_line(), OrdersMapping(**mapping))) == [expected]


@pytest.mark.parametrize(
    ("read_on", "expected"),
    [
        (None, "10 by 04-20 done, 10 on 04-19"),
        (date(2026, 4, 9), "10 by 04-20 done, 10 on 04-19"),
        (date(2026, 4, 10), "10 by 04-20 done, 10 on 04-19"),
        (date(2026, 4, 11), "10 by 04-10 done, 10 on 04-19"),
    ],
)
def test_a_commitment_moved_and_kept_between_two_syncs_was_missed_only_if_the_first_saw_it(
    read_on: date | None, expected: str
) -> None:
    """The delivery wrote the order, too: that doesn't tell when its commitment was moved."""
    network = Network()
    at = "04-19 10:00"
    network.order(line(10, sent(at, 10)), promised="04-20 12:00", written=at)
    assert short(told(network, known_line(), read_on=read_on)) == [expected]


def test_a_day_before_the_order_itself_was_mistyped_and_is_mended() -> None:
    network = Network()
    network.order(line(10), promised="04-20 12:00", ordered="04-12 09:00", written="04-12 10:00")
    assert short(told(network, known_line())) == ["10 by 04-20 open"]


def test_a_commitment_moved_nearer_holds() -> None:
    network = Network()
    network.order(line(10), promised="04-08 12:00", written="04-12 10:00")
    assert short(told(network, known_line())) == ["10 by 04-08 open"]


# --- Days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "10 by 06-30 done, 10 on 07-01"),
        ("Europe/Paris", "10 by 07-01 done, 10 on 07-01"),
        ("America/New_York", "10 by 06-30 done, 10 on 06-30"),
    ],
)
def test_days_are_the_programmes_own(zone: str, expected: str) -> None:
    network = Network()
    network.order(line(10, sent("07-01 00:20", 10)), promised="06-30 22:30")
    assert short(told(network, zone=zone)) == [expected]


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "expected"), [("PO-7", "PO-7"), (None, "S00001"), ("  ", "S00001")]
)
def test_an_order_may_be_called_as_the_customer_calls_it(
    reference: str | None, expected: str
) -> None:
    network = Network()
    network.order(line(10), reference=reference)
    everything = told(network, mapping=OrdersMapping(order_code="client_order_ref"))
    assert everything.rows["order-lines"][0]["order_code"] == expected


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ([6, "[SW-24] Switch"], "SW-24"),
        ([6, "Switch"], None),
        ([6, "[ ] Switch"], None),
        ([6, "[half"], None),
        (False, None),
    ],
)
def test_a_products_code_is_what_its_name_begins_with(product: Any, expected: str | None) -> None:
    assert product_code(product) == expected


def test_the_noise_of_floats_isnt_told() -> None:
    network = Network()
    network.order(line(0.1 + 0.2, price_subtotal=0.1 + 0.2))
    row = told(network).rows["order-lines"][0]
    assert (row["ordered_qty"], row["value"]) == ("0.3", "0.300000")


def test_a_value_without_a_known_currency_isnt_told() -> None:
    network = Network()
    network.order(line(10), currency="Points")
    row = told(network).rows["order-lines"][0]
    assert (row["value"], row["currency"]) == (None, None)


def test_kits_are_noted_and_left_out() -> None:
    network = Network()
    network.order(line(10, sent("04-09 10:00", 20, product_id=[70, "[SC-1] Screw"])))
    everything = told(network)
    assert everything.rows == {}
    assert everything.notes == [KITS]


def test_a_page_of_orders_takes_three_requests() -> None:
    network = Network()
    for _ in range(50):
        network.order(line(10, sent("04-09 10:00", 10)), line(5))
    assert len(short(told(network))) == 100
    assert network.asked == ["sale.order", "sale.order.line", "stock.move"]
