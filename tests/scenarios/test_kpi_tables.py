"""The worked numbers of the KPI definitions, as tables that a channel manager can read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pandas as pd
import pytest

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
from partner_cx.measures.formulas.seam import together
from partner_cx.measures.statistics import Votes, between_waves, pearson, spearman
from partner_cx.quantities import MICRO, percent, round_half_even
from tests.harness.kpi_facts import (
    counts_of,
    facts,
    figure,
    measured,
    network_of,
    spread_of,
)

# --- OTIF ---------------------------------------------------------------------------------------

ORDERS = """
    line | ordered | window      | receipts      | status
    O1-1 |     100 | 04-09 04-10 | 04-10: 100    | done
    O1-2 |      50 | 04-09 04-10 | 04-10: 48, 04-13: 2 | done
    O2-1 |      20 | 04-14 04-15 | 04-13: 20     | done
    O3-1 |      10 | 04-20 04-21 | 04-21: 10     | done
    O3-2 |      10 | 04-20 04-21 |               | cancelled_by_customer
    O4-1 |      30 | 04-22 04-23 |               | cancelled_by_supplier
    O5-1 |      40 | 04-27 04-28 | 04-28: 44     | done
    O6-1 |      25 | 04-29 04-30 |               | open
    O7-1 |      60 | 05-04 05-05 |               | open
"""
FIVE_PER_CENT = Fraction(1, 20)


def _cells(table: str) -> list[dict[str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _day(month_and_day: str) -> date:
    return date.fromisoformat(f"2026-{month_and_day}")


def _order_facts(table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    lines, receipts = [], []
    for number, row in enumerate(_cells(table), start=1):
        opens, closes = row["window"].split()
        lines.append(
            {
                "id": number,
                "partner_id": 1,
                "order_code": row["line"].split("-")[0],
                "ordered": int(row["ordered"]) * MICRO,
                "window_start": _day(opens),
                "window_end": _day(closes),
                "status": row["status"],
            }
        )
        for receipt in filter(None, row["receipts"].split(",")):
            day, quantity = receipt.split(":")
            quantity_micro = int(quantity) * MICRO
            receipts.append(
                {"order_line_id": number, "received_on": _day(day.strip()),
                 "quantity": quantity_micro}
            )  # fmt: skip
    return facts("lines", lines), facts("receipts", receipts)


def _otif(kpi, *, as_of_day=date(2026, 4, 30), under=Fraction(0), over=None):
    lines, receipts = _order_facts(ORDERS)
    counts = orders.counts(lines, receipts, as_of_day=as_of_day, under=under, over=over)
    return figure(kpi, counts=counts, period="2026-04", as_of_day=as_of_day)


@pytest.mark.parametrize(
    ("kpi", "under", "hits", "of", "printed"),
    [
        ("otif", Fraction(0), 3, 7, "42.86%"),
        ("otif_order", Fraction(0), 2, 6, "33.33%"),
        ("otif_case", Fraction(0), 198 * MICRO, 275 * MICRO, "72.00%"),
        ("otif", FIVE_PER_CENT, 4, 7, "57.14%"),
        ("otif_order", FIVE_PER_CENT, 3, 6, "50.00%"),
        ("on_time", Fraction(0), 3, 7, "42.86%"),
        ("in_full", Fraction(0), 5, 7, "71.43%"),
    ],
)
def test_april_deliveries_are_counted_by_line_order_and_quantity(kpi, under, hits, of, printed):
    otif = _otif(kpi, under=under)
    assert (otif.hits, otif.of) == (hits, of)
    assert percent(otif.value, "en") == printed


def test_an_over_tolerance_fails_the_over_delivered_line():
    assert (_otif("otif", over=FIVE_PER_CENT).hits, _otif("otif", over=Fraction(1, 10)).hits) == (
        2,
        3,
    )


def test_without_a_due_line_there_is_no_value():
    otif = _otif("otif", as_of_day=date(2026, 4, 8))
    assert (otif.value, otif.of, otif.n) == (None, 0, 0)


# --- Tickets ------------------------------------------------------------------------------------

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def _ticket(number: int, **columns: object) -> dict[str, object]:
    opened = NOON - timedelta(days=10)
    return {"id": number, "partner_id": 1, "opened_at": opened, "opened_on": opened.date(),
            **columns}  # fmt: skip


def _promised(number: int, target: int | None, elapsed: int, *, is_open: bool) -> dict[str, object]:
    if target is None:
        return _ticket(number)
    due_at = NOON + timedelta(minutes=target - elapsed)
    due = {"response_target_minutes": target, "response_due_at": due_at,
           "response_due_on": due_at.date()}  # fmt: skip
    if is_open:
        return _ticket(number, **due)
    replied = NOON - timedelta(days=1)
    return _ticket(number, **due, first_reply_at=replied, replied_on=replied.date(),
                   response_seconds=elapsed * 60)  # fmt: skip


def test_two_of_four_promises_are_kept():
    promises = [
        # target, elapsed, still open
        (60, 45, False),
        (60, 75, False),
        (240, 200, False),
        (240, 300, True),  # overdue: broken
        (240, 100, True),  # within its target: not counted yet
        (None, 0, True),  # nothing promised
    ]
    rows = [
        _promised(number, target, elapsed, is_open=is_open)
        for number, (target, elapsed, is_open) in enumerate(promises)
    ]
    counts = tickets.counts(facts("tickets", rows), as_of=NOON)
    sla = figure("sla_response", counts=counts)
    assert (sla.hits, sla.of, percent(sla.value, "en")) == (2, 4, "50.00%")


def test_ten_first_responses_have_a_mean_a_median_and_a_90th_percentile():
    minutes = [5, 10, 12, 15, 20, 25, 30, 45, 60, 900]
    replied = NOON - timedelta(days=1)
    rows = [
        _ticket(number, first_reply_at=replied, replied_on=replied.date(), response_seconds=60 * m)
        for number, m in enumerate(minutes)
    ]
    first = figure("first_response", spreads=tickets.spreads(facts("tickets", rows), as_of=NOON))
    assert (first.value, first.n) == (Fraction("112.2"), 10)
    assert first.details == {"median": 22.5, "p90": 60}


def test_four_resolutions_take_300_minutes_on_average():
    resolved = NOON - timedelta(days=1)
    rows = [
        _ticket(number, resolved_at=resolved, resolved_on=resolved.date(),
                resolution_seconds=60 * minutes)
        for number, minutes in enumerate([120, 300, 60, 720])
    ]  # fmt: skip
    art = figure("resolution", spreads=tickets.spreads(facts("tickets", rows), as_of=NOON))
    assert (art.value, art.hits, art.of) == (300, 72_000, 4)


def test_the_backlog_is_what_was_there_and_came_less_what_was_solved():
    assert tickets.backlog_end(start=42, created=118, reopened=7, solved=125) == 42
    before = counts_of("tickets_opened", 42, 0) | {"day": date(2026, 3, 31), "n": 42}
    within = [
        counts_of("tickets_opened", 118, 0) | {"n": 118},
        counts_of("tickets_resolved", 118, 0) | {"n": 118},
        counts_of("tickets_reopened", 7, 0) | {"n": 7},
    ]
    backlog = figure("backlog", counts=facts("counts", [before, *within]))
    assert backlog.value == 42
    assert backlog.details == {"start": 42, "created": 118, "reopened": 7, "solved": 125}
    assert tickets.backlog_end(**backlog.details) == backlog.value


# --- Visits -------------------------------------------------------------------------------------


def test_two_of_four_matured_first_visits_fixed_it():
    made = """
        asset | on    | outcome
        A     | 05-02 | fixed
        A     | 05-12 | fixed
        B     | 05-05 | fixed
        C     | 05-06 | part_missing
        C     | 05-09 | fixed
        D     | 05-30 | fixed
        E     | 05-08 | fixed
        F     | 05-10 | no_access
    """
    rows = [
        {"id": number, "partner_id": 1, "asset": row["asset"], "visited_on": _day(row["on"]),
         "outcome": row["outcome"]}
        for number, row in enumerate(_cells(made))
    ]  # fmt: skip
    ftfr = figure("ftfr", counts=visits.counts(facts("visits", rows), as_of_day=date(2026, 6, 5)))
    assert (ftfr.hits, ftfr.of, percent(ftfr.value, "en")) == (2, 4, "50.00%")


# --- Invoices -----------------------------------------------------------------------------------


def test_disputes_and_credits_are_shares_of_lines_and_of_value():
    rows = [
        {"partner_id": 1, "on": _day("05-10"), "value_minor": 20_000_000, "currency": "EUR",
         "lines": 300, "disputed_lines": 14, "credited_minor": 420_000},
        {"partner_id": 1, "on": _day("06-10"), "value_minor": 15_000_000, "currency": "EUR",
         "lines": 260},
    ]  # fmt: skip
    counts = invoices.counts(facts("invoices", rows), as_of_day=_day("06-30"), currency="EUR")
    dispute, credit = (figure(kpi, counts=counts) for kpi in ("dispute_rate", "credit_rate"))
    assert (dispute.hits, dispute.of, percent(dispute.value, "en")) == (14, 560, "2.50%")
    assert (credit.hits, credit.of) == (420_000, 35_000_000)
    assert percent(credit.value, "en") == "1.20%"


# --- Adoption -----------------------------------------------------------------------------------


def test_two_of_five_eligible_accounts_use_the_portal():
    accounts = [
        # contract days in the quarter, users seen, internal only
        (91, 3, False),
        (91, 0, False),
        (91, 1, True),
        (20, 1, False),
        (91, 2, False),
        (60, 0, False),
    ]
    end = date(2026, 7, 1)
    partners = facts("partners", [
        {"id": number, "joined_on": end - timedelta(days=length)}
        for number, (length, _, _) in enumerate(accounts)
    ])  # fmt: skip
    events = facts("events", [
        {"partner_id": number, "on": _day("06-20"), "kind": "login",
         "person_email": f"user{user}@account{number}.example", "internal": internal}
        for number, (_, users, internal) in enumerate(accounts)
        for user in range(users)
    ])  # fmt: skip
    counts = portal.counts(events, facts("statuses"), as_of_day=_day("06-30"))
    scorecards = measured("portal_adoption", counts=counts, network=network_of(partners))
    adoption = scorecards["network"]["portal_adoption"]
    assert (adoption.hits, adoption.of, percent(adoption.value, "en")) == (2, 5, "40.00%")
    assert [scorecards[f"P{i}"]["portal_adoption"].value for i in range(6)] == [
        1, 0, 0, None, 1, 0,
    ]  # fmt: skip


def test_catalogue_completion_is_a_share_of_fields_not_a_mean_of_shares():
    rows = [
        {"partner_id": partner, "on": _day("06-01"), "filled": filled, "required": required}
        for partner, (filled, required) in enumerate([(18, 20), (12, 20), (0, 20), (25, 25)])
    ]
    earlier = {"partner_id": 0, "on": _day("05-01"), "filled": 1, "required": 20}
    counts = portal.counts(
        facts("events"), facts("statuses", [earlier, *rows]), as_of_day=_day("06-30")
    )
    everyone = network_of(facts("partners", [{"id": i} for i in range(4)]))
    completion = figure("catalogue_completion", counts=counts, network=everyone)
    assert (completion.hits, completion.of) == (55, 85)
    assert percent(completion.value, "en") == "64.71%"


def test_learning_is_completed_out_of_enrolled():
    rows = [
        {"partner_id": 1, "enrolled_on": _day("05-01"), "completed_on": _day("06-15")},
        {"partner_id": 1, "enrolled_on": _day("05-01"), "completed_on": _day("07-15")},
        {"partner_id": 1, "enrolled_on": _day("05-01")},
    ]
    counts = learning.counts(facts("enrolments", rows), as_of_day=_day("06-30"))
    completion = figure("learning_completion", counts=counts)
    assert (completion.hits, completion.of) == (1, 3)


# --- Perception ---------------------------------------------------------------------------------


def _answers(code, votes, dismissed):
    """So many answers of each score."""
    told = {"partner_id": 1, "answered_on": _day("05-20"), "question_code": code}
    rows = [told | {"value": score * MICRO} for score, times in votes.items() for _ in range(times)]
    return facts("answers", rows + [told | {"dismissed": True}] * dismissed)


def _perceived(kpi, votes, dismissed=0):
    answers = _answers(kpi, votes, dismissed)
    return figure(
        kpi,
        counts=perception.counts(answers, as_of_day=_day("06-30")),
        spreads=perception.spreads(answers, as_of_day=_day("06-30")),
    )


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "dismissed", "nps", "low", "high"),
    [
        (60, 25, 15, 0, Fraction(45), 29.34, 58.04),
        (5, 1, 2, 0, Fraction("37.5"), -22.11, 76.66),
        (4, 0, 0, 0, Fraction(100), 6.94, 100),
        (60, 25, 15, 20, Fraction(45), 29.34, 58.04),
    ],
)
def test_nps_stands_in_its_interval_and_dismissals_are_no_answers(
    promoters, passives, detractors, dismissed, nps, low, high
):
    for kpi in ("nps", "pnps"):
        score = _perceived(kpi, {9: promoters, 8: passives, 0: detractors}, dismissed)
        assert (score.value, score.n) == (nps, promoters + passives + detractors)
        assert (round(score.low, 2), round(score.high, 2)) == (low, high)


def test_two_waves_may_differ_by_chance():
    change = between_waves(Votes(30, 35, 35), Votes(40, 35, 25))
    assert change.difference == pytest.approx(20.0)
    assert change.z == pytest.approx(1.771, abs=5e-4)
    assert change.p == pytest.approx(0.0765, abs=5e-5)
    assert not change.is_significant


def test_csat_is_the_share_of_the_two_best_boxes():
    csat = _perceived("csat", {1: 2, 2: 3, 3: 5, 4: 22, 5: 18})
    assert (csat.hits, csat.of, percent(csat.value, "en")) == (40, 50, "80.00%")
    assert (round(100 * csat.low, 2), round(100 * csat.high, 2)) == (66.96, 88.76)


def test_ease_out_of_seven_is_a_mean_a_share_and_an_index():
    votes = dict(enumerate([80, 210, 140, 110, 160, 180, 120], start=1))
    ces = _perceived("ces", votes)
    assert (ces.value, ces.n) == (Fraction("4.08"), 1000)
    assert ces.details["easy_share"] == 0.46
    assert round(ces.details["index"], 2) == 51.33


def test_effort_out_of_five_is_told_as_ease():
    ces = _perceived("ces5", dict(enumerate([20, 15, 8, 5, 2], start=1)))
    assert ces.value == Fraction("2.08")
    assert round(ces.details["index"], 2) == 73.00


def test_dealer_satisfaction_leaves_out_the_factor_nobody_rated():
    rated = {"logistics": 72, "product": 80, "pricing": 64, "training": 90}
    spreads = [spread_of(f"dsi.{factor}", score, times=5) for factor, score in rated.items()]
    dsi = figure("dsi", spreads=facts("spreads", spreads))
    assert f"{round_half_even(dsi.value, 2)}" == "75.18"
    assert dsi.coverage == Fraction(85, 100)
    assert dsi.details["support"] is None


def test_dealer_satisfaction_isn_t_published_below_70_per_cent_of_the_weights():
    rated = {"logistics": 72, "product": 80, "support": 90}  # 65 of 100
    spreads = [spread_of(f"dsi.{factor}", score) for factor, score in rated.items()]
    dsi = figure("dsi", spreads=facts("spreads", spreads))
    assert (dsi.value, dsi.coverage) == (None, Fraction(65, 100))


def test_the_experience_index_weighs_its_three_items():
    means = {"effective": (4, 5, 4, 4, 4), "easy": (3, 4, 4, 3, 4), "enjoyable": (3.5, 4, 4, 4, 4)}
    spreads = [
        spread_of(f"cxi.{item}", score) for item, scores in means.items() for score in scores
    ]
    cxi = figure("cxi", spreads=facts("spreads", spreads))
    assert (cxi.value, cxi.n) == (Fraction("73.25"), 5)


# --- Relationship -------------------------------------------------------------------------------


def test_nine_in_ten_partners_stayed():
    stayed: list[dict[str, object]] = [{"id": i} for i in range(180)]
    left = [{"id": i, "left_on": _day("05-15")} for i in range(180, 200)]
    new = [{"id": i, "joined_on": _day("05-01")} for i in range(200, 230)]
    passing = [{"id": 230, "joined_on": _day("05-01"), "left_on": _day("06-01")}]
    network = network_of(facts("partners", stayed + left + new + passing))
    retention, churn = (figure(kpi, network=network) for kpi in ("retention", "churn"))
    assert (retention.hits, retention.of, percent(retention.value, "en", 1)) == (180, 200, "90.0%")
    assert (churn.hits, churn.of, percent(churn.value, "en", 1)) == (20, 200, "10.0%")


def test_eighteen_of_240_active_partners_referred_someone():
    staying: list[dict[str, object]] = [{"id": i} for i in range(240)]
    partners = [*staying, {"id": 240, "left_on": _day("05-15")}]
    referrers = [*range(18), 0, 0, 240]  # one of them three times, and one that has left since
    referrals = facts("referrals", [{"partner_id": i, "on": _day("05-10")} for i in referrers])
    rate = figure(
        "referral_rate",
        counts=relationship.counts(referrals, as_of_day=_day("06-30")),
        network=network_of(facts("partners", partners)),
    )
    assert (rate.hits, rate.of, percent(rate.value, "en")) == (18, 240, "7.50%")


def test_the_time_to_a_quote_is_the_median():
    rows = [
        {"partner_id": 1, "requested_at": NOON - timedelta(days=5), "quoted_on": _day("06-29"),
         "quoted_at": NOON - timedelta(days=5) + timedelta(hours=hours)}
        for hours in (2, 4, 5, 48)
    ]  # fmt: skip
    quote = figure("time_to_quote", spreads=relationship.spreads(facts("quotes", rows), as_of=NOON))
    assert (quote.value, quote.n) == (Fraction("4.5"), 4)


# --- Correlation --------------------------------------------------------------------------------


def test_recommending_and_buying_again_go_together():
    recommending = [52, 35, 61, 20, 44, 70, 15, 58]
    buying_again = [81, 74, 88, 62, 79, 91, 65, 80]
    line, ranks = pearson(recommending, buying_again), spearman(recommending, buying_again)
    assert line.n == 8
    assert line.coefficient == pytest.approx(0.9691, abs=5e-5)
    assert line.low == pytest.approx(0.834, abs=5e-4)
    assert line.high == pytest.approx(0.995, abs=5e-4)
    assert ranks.coefficient == pytest.approx(0.9524, abs=5e-5)


def test_a_group_s_share_is_total_hits_over_total_of():
    counts = together(
        [facts("counts", [counts_of("otif", 1, 1)]),
         facts("counts", [counts_of("otif", 0, 3, partner_id=2)])]
    )  # fmt: skip
    network = network_of(
        facts("partners", [{"id": 1}, {"id": 2}, {"id": 3}]), groups={"tier:gold": [1, 2]}
    )
    cards = measured("otif", counts=counts, network=network)
    assert cards["tier:gold"]["otif"].value == Fraction(1, 4)  # and not the mean, a half
    assert cards["P3"]["otif"].value is None
