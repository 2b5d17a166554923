"""Each formula against a slow, obvious reference: one loop over rows, written from the definitions.

A reference gives {(kpi, partner, day): (hits, of, n)}, or how often each value occurred.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_cx.measures.formulas import (
    invoices,
    learning,
    orders,
    perception,
    portal,
    relationship,
    tickets,
    visits,
)
from partner_cx.measures.formulas.seam import PRESENCES, SPREADS
from partner_cx.periods import Period
from partner_cx.quantities import MICRO
from tests.harness.kpi_facts import as_counted, facts

AS_OF_DAY = date(2026, 4, 20)
AS_OF = datetime(2026, 4, 20, 15, 30, tzinfo=UTC)

Rows = list[dict[str, Any]]

often = settings(max_examples=30)  # pandas takes its time even with a few rows

# Few partners and few days, around `AS_OF_DAY`, so that rows meet.
partner_ids = st.integers(1, 3)
some_days = st.integers(-20, 12).map(lambda ahead: AS_OF_DAY + timedelta(days=ahead))
maybe_days = st.none() | some_days
some_instants = st.integers(-15 * 1440, 9 * 1440).map(
    lambda ahead: AS_OF + timedelta(minutes=ahead)
)
maybe_instants = st.none() | some_instants


def rows_of(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    """A few rows, numbered."""
    row = st.fixed_dictionaries({"partner_id": partner_ids, **columns})
    return st.lists(row, max_size=14).map(
        lambda rows: [{"id": number, **row} for number, row in enumerate(rows, start=10)]
    )


def as_spread(frame: pd.DataFrame) -> dict[Any, int]:
    assert dict(frame.dtypes.astype(str)) == SPREADS
    return {
        (row["kpi"], row["partner_id"], row["day"].date(), row["value"]): row["times"]
        for row in frame.to_dict("records")
    }


class Counting:
    """The reference's tally: add one fact at a time."""

    def __init__(self) -> None:
        self.sums: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, kpi: str, partner: int, day: date, hits: int, of: int = 1, n: int = 1) -> None:
        for place, amount in enumerate((int(hits), of, n)):
            self.sums[kpi, partner, day][place] += amount

    def __eq__(self, other: object) -> bool:
        return {key: tuple(sums) for key, sums in self.sums.items()} == other

    __hash__ = None  # type: ignore[assignment]


# --- Orders -------------------------------------------------------------------------------------

LARGEST = 10**9 * MICRO  # a thousand million units
quantities = st.sampled_from([1, 19 * MICRO, 20 * MICRO, 21 * MICRO, LARGEST - 1, LARGEST])
close_days = st.integers(-3, 2).map(lambda ahead: AS_OF_DAY + timedelta(days=ahead))
order_lines = rows_of(
    order_code=st.sampled_from(["A", "B"]),
    ordered=quantities,
    window_start=st.none() | close_days,
    window_end=close_days,
    status=st.sampled_from(["open", "done", "cancelled_by_customer", "cancelled_by_supplier"]),
    cancelled_on=st.none() | close_days,
)
some_receipts = st.lists(
    st.fixed_dictionaries(
        {
            "order_line_id": st.integers(9, 15),
            "received_on": close_days,
            "quantity": quantities | st.just(0),
        }
    ),
    max_size=20,
)
tolerances = st.fractions(0, 1, max_denominator=10**6) | st.just(Fraction(1, 20))


@often
@given(order_lines, some_receipts, tolerances, st.none() | tolerances)
def test_orders_agree_with_the_reference(lines, receipts, under, over):
    counted = orders.counts(
        facts("lines", lines),
        facts("receipts", receipts),
        as_of_day=AS_OF_DAY,
        under=under,
        over=over,
    )
    assert counts_of_orders(lines, receipts, under, over) == as_counted(counted)


def counts_of_orders(lines: Rows, receipts: Rows, under: Fraction, over: Fraction | None):
    counting = Counting()
    by_order = defaultdict(list)
    for line in lines:
        closes, cancelled = line["window_end"], line["cancelled_on"]
        if closes > AS_OF_DAY:
            continue
        if line["status"] == "cancelled_by_customer" and (not cancelled or cancelled <= closes):
            continue
        mine = [
            receipt
            for receipt in receipts
            if receipt["order_line_id"] == line["id"] and receipt["received_on"] <= AS_OF_DAY
        ]
        opens = line["window_start"] or date.min
        inside = [receipt for receipt in mine if opens <= receipt["received_on"] <= closes]
        in_time = sum(receipt["quantity"] for receipt in inside)
        passes = in_time > 0 and in_time >= line["ordered"] * (1 - under)
        if over is not None and in_time > line["ordered"] * (1 + over):
            passes = False
        if line["status"] == "cancelled_by_supplier" and (not cancelled or cancelled <= AS_OF_DAY):
            passes = False
        partner = line["partner_id"]
        counting.add("otif", partner, closes, passes)
        counting.add("on_time", partner, closes, bool(mine) and len(mine) == len(inside))
        complete = sum(receipt["quantity"] for receipt in mine) >= line["ordered"]
        counting.add("in_full", partner, closes, complete)
        served = min(in_time, line["ordered"])
        counting.add("otif_case", partner, closes, served, of=line["ordered"])
        by_order[partner, line["order_code"]].append((closes, passes))
    for (partner, _), judged in by_order.items():
        last = max(closes for closes, _ in judged)
        counting.add("otif_order", partner, last, all(passes for _, passes in judged))
    return counting


@often
@given(quantities, tolerances)
def test_a_tolerance_is_compared_exactly_up_to_the_last_micro_unit(ordered, under):
    enough = -(-ordered * (1 - under).numerator // (1 - under).denominator)
    for quantity, passes in ((enough, enough > 0), (enough - 1, False)):
        line = {"id": 1, "partner_id": 1, "order_code": "A", "ordered": ordered,
                "window_end": AS_OF_DAY, "status": "done"}  # fmt: skip
        receipt = {"order_line_id": 1, "received_on": AS_OF_DAY, "quantity": quantity}
        judged = orders.judged(
            facts("lines", [line]),
            facts("receipts", [receipt]),
            as_of_day=AS_OF_DAY,
            under=under,
        )
        assert judged["otif"].tolist() == [passes]


# --- Tickets ------------------------------------------------------------------------------------

SECONDS = [0, 1, 59, 60, 61, 120, 121, 180]  # around the targets, which are whole minutes
maybe_few = st.none() | st.integers(0, 3)
some_tickets = rows_of(
    opened_at=some_instants,
    first_reply_at=maybe_instants,
    resolved_at=maybe_instants,
    reopened_count=maybe_few,
    response_target_minutes=maybe_few,
    resolution_target_minutes=maybe_few,
    contacts=maybe_few,
    response_due_at=some_instants,
    resolution_due_at=some_instants,
    response_seconds=st.sampled_from(SECONDS),
    resolution_seconds=st.sampled_from(SECONDS),
).map(lambda rows: [as_taken_in(row) for row in rows])


def as_taken_in(row: dict[str, Any]) -> dict[str, Any]:
    """Days and clocks go with their instants, as intake leaves them."""
    row = dict(row)
    pairs = {
        "opened_at": "opened_on",
        "first_reply_at": "replied_on",
        "resolved_at": "resolved_on",
        "response_due_at": "response_due_on",
        "resolution_due_at": "resolution_due_on",
    }
    for promise, done_at in (("response", "first_reply_at"), ("resolution", "resolved_at")):
        if row[f"{promise}_target_minutes"] is None:
            row[f"{promise}_due_at"] = None
        if row[done_at] is None:
            row[f"{promise}_seconds"] = None
    for instant, day in pairs.items():
        row[day] = row[instant] and row[instant].date()
    return row


@often
@given(some_tickets)
def test_ticket_counts_agree_with_the_reference(rows):
    counted = tickets.counts(facts("tickets", rows), as_of=AS_OF)
    counting = Counting()
    for row in rows:
        if row["opened_at"] <= AS_OF:
            count_a_ticket(counting, row)
    assert counting == as_counted(counted)


def count_a_ticket(counting: Counting, row: dict[str, Any]) -> None:
    partner = row["partner_id"]
    for promise, done_at in (("response", "first_reply_at"), ("resolution", "resolved_at")):
        target, due_at = row[f"{promise}_target_minutes"], row[f"{promise}_due_at"]
        if target is None:
            continue
        if row[done_at] and row[done_at] <= AS_OF:
            met = row[f"{promise}_seconds"] <= target * 60
            counting.add(f"sla_{promise}", partner, due_at.date(), met)
        elif due_at < AS_OF:
            counting.add(f"sla_{promise}", partner, due_at.date(), False)
    is_resolved = row["resolved_at"] is not None and row["resolved_at"] <= AS_OF
    reopened = row["reopened_count"] or 0
    counting.add("tickets_opened", partner, row["opened_on"], 1, of=0)
    if is_resolved:
        day = row["resolved_on"]
        counting.add("tickets_resolved", partner, day, 1, of=0)
        counting.add("fcr_known", partner, day, row["contacts"] is not None)
        if row["contacts"] is not None:
            counting.add("fcr", partner, day, row["contacts"] == 1 and not reopened)
    if reopened:
        day = row["resolved_on"] if is_resolved else row["opened_on"]
        counting.add("tickets_reopened", partner, day, reopened, of=0)


@often
@given(some_tickets)
def test_ticket_times_agree_with_the_reference(rows):
    times: Counter[Any] = Counter()
    for row in rows:
        if row["opened_at"] > AS_OF:
            continue
        if row["first_reply_at"] and row["first_reply_at"] <= AS_OF:
            key = ("first_response", row["partner_id"], row["replied_on"])
            times[(*key, row["response_seconds"])] += 1
        if row["resolved_at"] and row["resolved_at"] <= AS_OF:
            key = ("resolution", row["partner_id"], row["resolved_on"])
            times[(*key, row["resolution_seconds"])] += 1
    assert times == as_spread(tickets.spreads(facts("tickets", rows), as_of=AS_OF))


# --- Visits -------------------------------------------------------------------------------------

some_visits = rows_of(
    asset=st.sampled_from(["boiler", "pump"]),
    visited_on=some_days,
    outcome=st.sampled_from(["fixed", "fixed", "part_missing", "not_fixed", "no_access"]),
)


@often
@given(some_visits, st.integers(0, 14))
def test_first_visits_agree_with_the_reference(rows, follow_up_days):
    counting = Counting()
    for asset in ("boiler", "pump"):
        made = sorted(
            (row["visited_on"], row["id"], row["outcome"], row["partner_id"])
            for row in rows
            if row["asset"] == asset
            and row["outcome"] != "no_access"
            and row["visited_on"] <= AS_OF_DAY
        )
        while made:
            first, *rest = made
            follow_ups = [v for v in rest if (v[0] - first[0]).days <= follow_up_days]
            if (AS_OF_DAY - first[0]).days >= follow_up_days:
                fixed = first[2] == "fixed" and not follow_ups
                counting.add("ftfr", first[3], first[0], fixed)
            made = rest[len(follow_ups) :]
    counted = visits.counts(
        facts("visits", rows), as_of_day=AS_OF_DAY, follow_up_days=follow_up_days
    )
    assert counting == as_counted(counted)


# --- Portal -------------------------------------------------------------------------------------

some_events = rows_of(
    on=some_days,
    kind=st.sampled_from(["login", "sheet_view", "media_download", "search", "quote"]),
    person_email=st.none() | st.sampled_from(["Ana@x.example", "ana@x.example", "bo@x.example"]),
    internal=st.booleans(),
)
some_statuses = rows_of(on=some_days, filled=st.integers(0, 5), required=st.integers(5, 9))


@often
@given(some_events, some_statuses)
def test_portal_counts_agree_with_the_reference(events, statuses):
    counting = Counting()
    sessions = set()
    for row in events:
        if row["internal"] or row["on"] > AS_OF_DAY:
            continue
        partner, day = row["partner_id"], row["on"]
        sessions.add((partner, day))
        counting.add("sheet_views", partner, day, row["kind"] == "sheet_view", of=0)
        counting.add("media_downloads", partner, day, row["kind"] == "media_download", of=0)
    for partner, day in sessions:
        counting.add("portal_sessions", partner, day, 1)
    for row in statuses:
        if row["on"] <= AS_OF_DAY:
            required = row["required"]
            counting.add(
                "catalogue_completion",
                row["partner_id"],
                row["on"],
                row["filled"],
                of=required,
                n=required,
            )
    counted = portal.counts(
        facts("events", events), facts("statuses", statuses), as_of_day=AS_OF_DAY
    )
    assert counting == as_counted(counted)


@often
@given(some_events)
def test_people_seen_agree_with_the_reference(events):
    seen = {
        ("portal_depth", row["partner_id"], row["on"].replace(day=1), row["person_email"].lower())
        for row in events
        if row["person_email"] and not row["internal"] and row["on"] <= AS_OF_DAY
    }
    presences = portal.presences(facts("events", events), as_of_day=AS_OF_DAY)
    assert dict(presences.dtypes.astype(str)) == PRESENCES
    assert len(presences) == len(seen)
    assert {
        (row["kpi"], row["partner_id"], row["month"].date(), row["who"])
        for row in presences.to_dict("records")
    } == seen


# --- Invoices, learning, referrals, quotes ------------------------------------------------------

some_invoices = rows_of(
    on=some_days,
    value_minor=st.sampled_from([0, 1, 999, 10**15]),
    currency=st.sampled_from(["EUR", "EUR", "CHF"]),
    lines=st.none() | st.integers(0, 9),
    disputed_lines=st.none() | st.integers(0, 9),
    credited_minor=st.none() | st.integers(0, 999),
)


@often
@given(some_invoices)
def test_invoices_agree_with_the_reference(rows):
    counting = Counting()
    for row in rows:
        if row["on"] > AS_OF_DAY:
            continue
        key = (row["partner_id"], row["on"])
        counting.add("dispute_rate_known", *key, row["lines"] is not None)
        counting.add("credit_rate_known", *key, row["currency"] == "EUR")
        if row["lines"] is not None:
            lines, disputed = row["lines"], row["disputed_lines"] or 0
            counting.add("dispute_rate", *key, disputed, of=lines, n=lines)
        if row["currency"] == "EUR":
            counting.add("credit_rate", *key, row["credited_minor"] or 0, of=row["value_minor"])
    counted = invoices.counts(facts("invoices", rows), as_of_day=AS_OF_DAY, currency="EUR")
    assert counting == as_counted(counted)


@often
@given(rows_of(enrolled_on=some_days, completed_on=maybe_days))
def test_learning_agrees_with_the_reference(rows):
    counting = Counting()
    for row in rows:
        if row["enrolled_on"] <= AS_OF_DAY:
            done = row["completed_on"] is not None and row["completed_on"] <= AS_OF_DAY
            counting.add("learning_completion", row["partner_id"], row["enrolled_on"], done)
    assert counting == as_counted(learning.counts(facts("enrolments", rows), as_of_day=AS_OF_DAY))


@often
@given(rows_of(on=some_days))
def test_referrals_agree_with_the_reference(rows):
    counting = Counting()
    for row in rows:
        if row["on"] <= AS_OF_DAY:
            counting.add("referrals", row["partner_id"], row["on"], 1, of=0)
    counted = relationship.counts(facts("referrals", rows), as_of_day=AS_OF_DAY)
    assert counting == as_counted(counted)


@often
@given(rows_of(requested_at=some_instants, quoted_at=maybe_instants))
def test_quotes_agree_with_the_reference(rows):
    times: Counter[Any] = Counter()
    for row in rows:
        row["quoted_on"] = row["quoted_at"] and row["quoted_at"].date()
        if row["quoted_at"] and row["quoted_at"] <= AS_OF:
            seconds = max(0, int((row["quoted_at"] - row["requested_at"]).total_seconds()))
            times["time_to_quote", row["partner_id"], row["quoted_on"], seconds] += 1
    assert times == as_spread(relationship.spreads(facts("quotes", rows), as_of=AS_OF))


# --- Perception ---------------------------------------------------------------------------------

CODES = ["nps", "pnps", "csat", "csat10", "ces", "ces5", "dsi.product", "cxi.easy", "own.question"]
some_answers = rows_of(
    answered_on=some_days,
    question_code=st.sampled_from(CODES),
    value=st.none() | st.sampled_from([0, 0, 1, 4, 5, 6, 7, 8, 9, 10]).map(MICRO.__mul__),
    dismissed=st.sampled_from([False, False, True]),
)


def given_answers(rows: Rows) -> list[tuple[str, int, date, int]]:
    return [
        (row["question_code"], row["partner_id"], row["answered_on"], row["value"] // MICRO)
        for row in rows
        if row["value"] is not None and not row["dismissed"] and row["answered_on"] <= AS_OF_DAY
    ]


@often
@given(some_answers)
def test_answer_counts_agree_with_the_reference(rows):
    counting = Counting()
    for code, partner, day, score in given_answers(rows):
        if code in ("nps", "pnps"):
            promotes, detracts = score in (9, 10), score in range(7)
            counting.add(code, partner, day, promotes - detracts)
            counting.add(f"{code}_promoters", partner, day, promotes)
            counting.add(f"{code}_detractors", partner, day, detracts)
        if code == "pnps":
            counting.add("pnps_score", partner, day, score)
        if code == "csat":
            counting.add("csat", partner, day, score in (4, 5))
        if code == "csat10":
            counting.add("csat10", partner, day, score in (8, 9, 10))
    counted = perception.counts(facts("answers", rows), as_of_day=AS_OF_DAY)
    assert counting == as_counted(counted)


@often
@given(some_answers)
def test_answer_scores_agree_with_the_reference(rows):
    times = Counter(
        (code, partner, day, score * MICRO)
        for code, partner, day, score in given_answers(rows)
        if code in ("ces", "ces5", "dsi.product", "cxi.easy")
    )
    assert times == as_spread(perception.spreads(facts("answers", rows), as_of_day=AS_OF_DAY))


# --- Partners' standing -------------------------------------------------------------------------

wide_days = st.none() | st.integers(-120, 120).map(lambda n: date(2026, 4, 15) + timedelta(days=n))


@often
@given(
    rows_of(joined_on=wide_days, left_on=wide_days),
    st.sampled_from(["2026-02", "2026-04", "2026Q2", "2026"]),
    st.integers(-120, 200).map(lambda n: date(2026, 4, 15) + timedelta(days=n)),
)
def test_standing_agrees_with_the_reference(rows, period, today):
    span = Period.parse(period)
    stand = relationship.standing(facts("partners", rows), span, as_of_day=today)
    for row in rows:
        assert tuple(stand.loc[row["id"]]) == standing_of(row, span, today)


def standing_of(row: Mapping[str, Any], span: Period, today: date) -> tuple[bool, ...]:
    if today < span.first_day:
        return (False,) * 4
    joined, left = row["joined_on"] or date.min, row["left_on"] or date.max

    def there_on_the_eve_of(day: date) -> bool:
        return joined < day and left >= day

    at_start = there_on_the_eve_of(span.first_day)
    at_end = there_on_the_eve_of(min(span.end_day, today + timedelta(days=1)))
    every_day = [
        span.first_day + timedelta(days=n) for n in range((span.end_day - span.first_day).days)
    ]
    known_left = left if left <= today else date.max
    under_contract = [day for day in every_day if joined <= today and joined <= day < known_left]
    eligible = len(under_contract) >= min(30, len(every_day))
    return at_start, at_start and at_end, at_end, eligible


# --- Nothing at all -----------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [True, False])
def test_every_formula_takes_empty_frames_and_gives_well_typed_ones(typed):
    def empty(kind: str) -> pd.DataFrame:
        return facts(kind) if typed else facts(kind).astype("object")

    day: dict[str, Any] = {"as_of_day": AS_OF_DAY}
    for counts in (
        orders.counts(empty("lines"), empty("receipts"), **day),
        tickets.counts(empty("tickets"), as_of=AS_OF),
        visits.counts(empty("visits"), **day),
        portal.counts(empty("events"), empty("statuses"), **day),
        invoices.counts(empty("invoices"), **day, currency="EUR"),
        learning.counts(empty("enrolments"), **day),
        perception.counts(empty("answers"), **day),
        relationship.counts(empty("referrals"), **day),
    ):
        assert as_counted(counts) == {}
    for spreads in (
        tickets.spreads(empty("tickets"), as_of=AS_OF),
        perception.spreads(empty("answers"), **day),
        relationship.spreads(empty("quotes"), as_of=AS_OF),
    ):
        assert as_spread(spreads) == {}
    presences = portal.presences(empty("events"), **day)
    assert dict(presences.dtypes.astype(str)) == PRESENCES
