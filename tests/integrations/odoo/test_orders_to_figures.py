"""Odoo's orders through the intake to OTIF: a quarter worked by hand, read twice, then as it went.

What is known of a line between two readings, such as what a cancelled one had promised, comes
from our own facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.streams import SOURCE, Reading, Told
from integrations.odoo.streams.orders import OrdersMapping, tell
from partner_cx.database import transact
from partner_cx.kinds import KINDS
from partner_cx.operations.intake import Kind
from partner_cx.operations.withdrawing import withdraw
from partner_cx.settings import Settings
from tests.harness.intake import counts, partner, take
from tests.harness.odoo_orders import (
    DOZENS,
    Everyone,
    Network,
    cancelled,
    line,
    moment,
    remark,
    reserved,
    returned,
    sent,
    service,
)
from tests.journeys.command_line import CommandLine

NOW = datetime(2026, 7, 2, 12, tzinfo=UTC)


@pytest.fixture
def network(engine: sa.Engine) -> Network:
    take(engine, "partners", partner("R1"), partner("R2"))
    return Network()


def read(
    engine: sa.Engine,
    network: Network,
    *ids: int,
    mapping: OrdersMapping | None = None,
) -> Told:
    """Read orders of a network as a sync does, all or some, and take in what they tell."""
    ids = ids or tuple(order["id"] for order in network.models["sale.order"])
    with Session(engine) as session:
        reading = SimpleNamespace(
            odoo=network,
            directory=Everyone(),
            mapping=SimpleNamespace(orders=mapping or OrdersMapping()),
            session=session,
            settings=Settings.read({}),
        )
        told = tell(cast("Reading", reading), ids)
    for kind, rows in told.rows.items():
        _, problems = take(engine, kind, *rows, source=SOURCE, now=NOW)
        assert problems == []
    for kind, gone in told.withdrawn.items():
        transact(engine, partial(_withdraw, KINDS[kind], gone))
    return told


def _withdraw(kind: Kind, gone: Sequence[str], session: Session) -> int:
    return withdraw(session, kind, gone, source=SOURCE, now=NOW)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(database_url, tmp_path)


def otif(office: CommandLine, *, partner: str | None = None) -> tuple[int, int]:
    """hits and of in the second quarter of 2026."""
    only = ("--partner", partner) if partner else ()
    figures: Mapping[str, Any] = office.figures("2026Q2", "--now", "2026-07-02T12:00Z", *only)
    return figures["otif"]["hits"], figures["otif"]["of"]


def quarter(network: Network) -> None:
    """Nine lines of R1, of which five pass and one doesn't count, and three of R2: two pass."""
    r1, r2 = 11, 12
    network.order(line(10, sent("04-09 10:00", 10)), customer=r1)  # in time
    network.order(line(10, sent("04-13 10:00", 10)), customer=r1)  # late: fails
    network.order(  # partly, its back-order late: fails
        line(10, sent("04-09 10:00", 6), sent("04-20 10:00", 4)), customer=r1
    )
    network.order(  # in time although returned, with a service and a remark beside
        line(10, sent("04-09 10:00", 10), returned("04-15 10:00", 10)),
        service(),
        remark(),
        customer=r1,
    )
    network.order(  # two dozen in two deliveries, both in time
        line(2, sent("04-08 10:00", 20), sent("04-10 10:00", 4), unit=DOZENS), customer=r1
    )
    network.order(  # more than ordered, in time
        line(10, sent("04-09 10:00", 12)), customer=r1
    )
    network.order(  # cancelled in April, promised for May: doesn't count
        line(10, cancelled("05-10 12:00", written="04-05 10:00")),
        customer=r1,
        promised="05-10 12:00",
        state="cancel",
        written="04-05 10:00",
    )
    network.order(line(10, sent("04-09 10:00", 6)), customer=r1)  # the rest was dropped: fails
    network.order(  # exchanged after it had come in time
        line(10, sent("04-09 10:00", 10), returned("04-15 10:00", 4), sent("04-17 10:00", 4)),
        customer=r1,
    )
    network.order(  # 23:30 in Paris on the last day: in time, and in the quarter
        line(3, sent("06-30 21:30", 3)), customer=r2, promised="06-30 10:00"
    )
    network.order(  # 00:30 in Paris on the next day: late
        line(3, sent("06-30 22:30", 3)), customer=r2, promised="06-30 10:00"
    )
    network.order(line(3, sent("06-29 10:00", 3)), customer=r2, promised="06-30 10:00")
    network.order(  # promised for 00:30 in Paris on 1 July: the next quarter's
        line(3, reserved("06-30 22:30", 3)), customer=r2, promised="06-30 22:30"
    )
    network.order(line(3), customer=r2, state="draft", promised="06-20 10:00")
    network.order(line(3, sent("06-20 10:00", 3)), customer=r2, promised=None)
    network.order(line(3, sent("06-20 10:00", 3)), customer=99)


def test_a_quarter_worked_by_hand(engine: sa.Engine, network: Network, office: CommandLine) -> None:
    quarter(network)
    read(engine, network)
    assert otif(office, partner="R1") == (5, 8)
    assert otif(office, partner="R2") == (2, 3)


def test_read_again_it_changes_nothing(engine: sa.Engine, network: Network) -> None:
    quarter(network)
    told = read(engine, network)
    again = [take(engine, kind, *rows, source=SOURCE)[0] for kind, rows in told.rows.items()]
    assert [counts(taken) for taken in again] == [(0, 13, 0, 0), (0, 14, 0, 0)]
    assert read(engine, network).withdrawn == {}
    assert read(engine, network).rows == told.rows


def test_an_order_followed_as_it_goes(
    engine: sa.Engine, network: Network, office: CommandLine
) -> None:
    """Each step is read: a delivery that splits its move, a cancelled line, a deleted one."""
    order = network.order(line(10, reserved("04-10 12:00", 10)), line(5), line(2))
    read(engine, network)
    assert otif(office) == (0, 3)

    # Six go in time; Odoo makes the move one of six, and a new one for the rest.
    network.change("stock.move", 1, **sent("04-09 10:00", 6))
    network.move(1, reserved("04-20 10:00", 4))
    network.change("sale.order.line", 2, product_uom_qty=0.0, write_date=moment("04-06 09:00"))
    network.delete("sale.order.line", 3)
    assert read(engine, network).withdrawn == {"order-lines": ["3"]}
    assert otif(office) == (0, 1)

    network.change("stock.move", 2, **sent("04-10 15:00", 4))
    read(engine, network)
    assert otif(office) == (1, 1)

    network.change("stock.move", 2, quantity=3.0)  # counted again: it was one less
    read(engine, network)
    assert otif(office) == (0, 1)

    network.change("sale.order", order, commitment_date=moment("04-30 12:00"))
    network.change("sale.order", order, write_date=moment("04-25 12:00"))
    network.change("stock.move", 2, quantity=4.0, date=moment("04-29 15:00"))
    read(engine, network)
    assert otif(office) == (0, 1), "a new date after a miss repairs nothing"

    network.change("sale.order", order, commitment_date=False)
    assert read(engine, network).withdrawn == {"order-lines": ["1", "2"]}
    assert otif(office) == (0, 0)


def test_two_orders_that_the_customer_calls_the_same_leave_each_other_alone(
    engine: sa.Engine, network: Network, office: CommandLine
) -> None:
    theirs = OrdersMapping(order_code="client_order_ref")
    first = network.order(line(10), line(5), reference="PO-7")
    network.order(line(10), reference="PO-7")
    read(engine, network, mapping=theirs)
    assert read(engine, network, first, mapping=theirs).withdrawn == {}
    network.delete("sale.order.line", 2)
    assert read(engine, network, first, mapping=theirs).withdrawn == {"order-lines": ["2"]}
    assert otif(office) == (0, 2)


def test_an_order_that_goes_over_to_another_partner_leaves_the_first(
    engine: sa.Engine, network: Network, office: CommandLine
) -> None:
    order = network.order(line(10, sent("04-09 10:00", 10)), customer=11)
    read(engine, network)
    network.change("sale.order", order, partner_id=[12, "Another"])
    read(engine, network)
    assert otif(office, partner="R1") == (0, 0)
    assert otif(office, partner="R2") == (1, 1)


def test_an_order_that_goes_to_nobody_we_know_is_withdrawn_with_its_deliveries(
    engine: sa.Engine, network: Network, office: CommandLine
) -> None:
    order = network.order(line(10, sent("04-09 10:00", 10)), customer=11)
    read(engine, network)
    network.change("sale.order", order, partner_id=[99, "Somebody"])
    assert read(engine, network).withdrawn == {"order-lines": ["1"]}
    assert otif(office, partner="R1") == (0, 0)
    with Session(engine) as session:
        assert session.scalar(sa.text("SELECT count(*) FROM receipts")) == 0
