"""The edges of promises, cancellations, contacts and contracts, one situation each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from partner_cx.measures.formulas import orders, relationship, tickets, visits
from partner_cx.periods import Period
from partner_cx.quantities import MICRO
from tests.harness.kpi_facts import as_counted, facts

AS_OF_DAY = date(2026, 4, 20)
AS_OF = datetime(2026, 4, 20, 15, 30, tzinfo=UTC)
Rows = list[dict[str, Any]]

YESTERDAY = AS_OF_DAY - timedelta(days=1)


def judged_line(receipts: Rows, **line: Any) -> dict[str, Any]:
    """The verdicts on one line of one unit, whose window closed yesterday; none if it is out."""
    order = {"id": 1, "partner_id": 1, "order_code": "A", "ordered": MICRO}
    lines = facts("lines", [order | {"window_end": YESTERDAY, "status": "done"} | line])
    arrived = [{"order_line_id": 1, "quantity": MICRO} | receipt for receipt in receipts]
    judged = orders.judged(lines, facts("receipts", arrived), as_of_day=AS_OF_DAY)
    verdicts = judged[["otif", "on_time", "in_full"]].to_dict("records")
    return dict(verdicts[0]) if verdicts else {}  # type: ignore[arg-type]


def test_what_comes_after_the_first_window_stays_late_however_complete():
    late = judged_line([{"received_on": AS_OF_DAY}])
    assert late == {"otif": False, "on_time": False, "in_full": True}


@pytest.mark.parametrize(
    ("cancelled_on", "is_counted"),
    [(YESTERDAY, False), (AS_OF_DAY, True), (None, False)],
    ids=["on the window's last day", "a day too late", "nobody knows when"],
)
def test_a_customer_may_cancel_until_the_window_s_last_day(cancelled_on, is_counted):
    verdicts = judged_line([], status="cancelled_by_customer", cancelled_on=cancelled_on)
    assert bool(verdicts) == is_counted


def test_what_the_supplier_cancelled_fails_even_if_it_came():
    assert not judged_line([{"received_on": YESTERDAY}], status="cancelled_by_supplier")["otif"]


@pytest.mark.parametrize(("seconds", "kept"), [(0, 1), (3600, 1), (3601, 0)])
def test_a_reply_at_the_last_second_keeps_the_promise(seconds, kept):
    ticket = {"id": 1, "partner_id": 1, "opened_at": AS_OF - timedelta(hours=5),
              "response_target_minutes": 60, "response_due_at": AS_OF - timedelta(hours=4),
              "response_due_on": AS_OF_DAY, "first_reply_at": AS_OF, "replied_on": AS_OF_DAY,
              "response_seconds": seconds}  # fmt: skip
    counts = tickets.counts(facts("tickets", [ticket]), as_of=AS_OF)
    assert as_counted(counts)["sla_response", 1, AS_OF_DAY] == (kept, 1, 1)


@pytest.mark.parametrize(
    ("contacts", "reopened", "hits"), [(1, None, 1), (1, 0, 1), (0, 0, 0), (2, 0, 0), (1, 1, 0)]
)
def test_first_contact_means_one_contact_and_no_return(contacts, reopened, hits):
    ticket = {"id": 1, "partner_id": 1, "opened_at": AS_OF, "opened_on": AS_OF_DAY,
              "resolved_at": AS_OF, "resolved_on": AS_OF_DAY, "resolution_seconds": 0,
              "contacts": contacts, "reopened_count": reopened}  # fmt: skip
    counts = as_counted(tickets.counts(facts("tickets", [ticket]), as_of=AS_OF))
    assert counts["fcr", 1, AS_OF_DAY] == (hits, 1, 1)
    assert counts["fcr_known", 1, AS_OF_DAY] == (1, 1, 1)


def test_a_visit_to_another_asset_is_no_follow_up():
    made = {"partner_id": 1, "visited_on": AS_OF_DAY - timedelta(days=14), "outcome": "fixed"}
    rows = [made | {"id": 1, "asset": "boiler"}, made | {"id": 2, "asset": "pump"}]
    counts = visits.counts(facts("visits", rows), as_of_day=AS_OF_DAY)
    assert counts[["hits", "of", "n"]].to_numpy().tolist() == [[2, 2, 2]]


@pytest.mark.parametrize(
    ("left_on", "at_start", "at_end", "eligible"),
    [
        (date(2026, 3, 31), False, False, False),  # gone on the eve
        (date(2026, 4, 1), True, False, False),  # there until the eve, gone since
        (date(2026, 4, 30), True, False, False),  # 29 days of contract
        (date(2026, 5, 1), True, False, True),  # 30 days
        (date(2026, 6, 30), True, False, True),
        (date(2026, 7, 1), True, True, True),
    ],
)
def test_the_day_of_leaving_is_the_first_without_a_contract(left_on, at_start, at_end, eligible):
    partners = facts("partners", [{"id": 1, "left_on": left_on}])
    span = Period.parse("2026Q2")
    stand = relationship.standing(partners, span, as_of_day=date(2026, 7, 31)).loc[1]
    assert (stand["at_start"], stand["at_end"], stand["eligible"]) == (at_start, at_end, eligible)


def test_who_will_leave_is_still_there():
    partners = facts("partners", [{"id": 1, "left_on": date(2026, 4, 20)}])
    span = Period.parse("2026Q2")
    before = relationship.standing(partners, span, as_of_day=date(2026, 4, 19)).loc[1]
    after = relationship.standing(partners, span, as_of_day=date(2026, 4, 20)).loc[1]
    assert (before["at_end"], before["eligible"]) == (True, True)
    assert (after["at_end"], after["eligible"]) == (False, False)
