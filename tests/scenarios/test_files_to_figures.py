"""The worked tables of the definitions, through real files: imported, measured, read back as json.

Each table stands here as a channel manager would write it into a sheet, and comes out of the
command line as the figures worked by hand.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.command_line import CommandLine

JULY = ("--now", "2026-07-01")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    """A programme with one partner, for what needs no more."""
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nR1,Riviera,reseller")
    return office


def hits_of(figure: dict[str, Any]) -> tuple[Any, Any, Any]:
    return figure["value"], figure["hits"], figure["of"]


# --- Deliveries -----------------------------------------------------------------------------------

LINES = """
    source_id | order_code | partner_code | ordered_qty | window_start | window_end | status
    O1-1      | O1         | R1           | 100         | 2026-04-09   | 2026-04-10 | done
    O1-2      | O1         | R1           | 50          | 2026-04-09   | 2026-04-10 | done
    O2-1      | O2         | R1           | 20          | 2026-04-14   | 2026-04-15 | done
    O3-1      | O3         | R1           | 10          | 2026-04-20   | 2026-04-21 | done
    O3-2      | O3         | R1           | 10          | 2026-04-20   | 2026-04-21 | cancelled_by_customer
    O4-1      | O4         | R1           | 30          | 2026-04-22   | 2026-04-23 | cancelled_by_supplier
    O5-1      | O5         | R1           | 40          | 2026-04-27   | 2026-04-28 | done
    O6-1      | O6         | R1           | 25          | 2026-04-29   | 2026-04-30 | open
    O7-1      | O7         | R1           | 60          | 2026-05-04   | 2026-05-05 | open
"""  # noqa: E501
RECEIPTS = """
    source_id | order_line_source_id | received_on | qty
    D1        | O1-1                 | 2026-04-10  | 100
    D2        | O1-2                 | 2026-04-10  | 48
    D3        | O1-2                 | 2026-04-13  | 2
    D4        | O2-1                 | 2026-04-13  | 20
    D5        | O3-1                 | 2026-04-21  | 10
    D6        | O5-1                 | 2026-04-28  | 44
"""
END_OF_APRIL = ("--now", "2026-04-30T23:59")


def test_nine_order_lines_of_april(office: CommandLine) -> None:
    office.take("order-lines", LINES)
    office.take("receipts", RECEIPTS)
    april = office.figures("2026-04", *END_OF_APRIL)
    assert hits_of(april["otif"]) == (0.4286, 3, 7)
    assert hits_of(april["otif_order"]) == (0.3333, 2, 6)
    assert april["otif_case"]["value"] == 0.72
    assert (april["otif_case"]["hits"], april["otif_case"]["of"]) == (198, 275)
    assert april["otif"]["as_of"] == "2026-04-30T21:59:00Z"


def test_five_per_cent_under_is_tolerated_where_the_programme_says_so(office: CommandLine) -> None:
    tolerant = {"PARTNER_CX_OTIF_UNDER_TOLERANCE": "5 %"}
    office.take("order-lines", LINES)
    office.take("receipts", RECEIPTS)
    april = office.figures("2026-04", *END_OF_APRIL, **tolerant)
    assert hits_of(april["otif"]) == (0.5714, 4, 7)
    assert hits_of(april["otif_order"]) == (0.5, 3, 6)


def test_a_line_is_counted_once_its_window_has_ended(office: CommandLine) -> None:
    office.take("order-lines", LINES)
    office.take("receipts", RECEIPTS)
    early = office.figures("2026-04", "--kpi", "otif", "--now", "2026-04-08T12:00")
    assert hits_of(early["otif"]) == (None, 0, 0)
    assert early["otif"]["state"] == "no_data"  # and nothing to hold it against
    later = office.figures("2026-05", "--kpi", "otif", "--now", "2026-05-31T12:00")
    assert hits_of(later["otif"]) == (0, 0, 1)  # and never null


def test_late_facts_and_corrections_move_the_figures(office: CommandLine) -> None:
    office.take("order-lines", LINES)
    office.take("receipts", RECEIPTS.replace("D6        | O5-1", "D6        | O6-1"))
    before = office.figures("2026-04", *END_OF_APRIL)["otif"]
    assert hits_of(before) == (0.2857, 2, 7)
    assert office.take("receipts", RECEIPTS) == (0, 5, 1)
    assert hits_of(office.figures("2026-04", *END_OF_APRIL)["otif"]) == (0.4286, 3, 7)
    assert office.take("order-lines", LINES) == (0, 9, 0)
    assert hits_of(office.figures("2026-04", *END_OF_APRIL)["otif"]) == (0.4286, 3, 7)


# --- Tickets --------------------------------------------------------------------------------------

CALENDAR = """
    code   | time_zone    | days    | opens | closes | holidays
    OFFICE | Europe/Paris | mon-fri | 09:00 | 18:00  | FR
"""


def test_clocks_run_in_opening_hours_without_holidays_and_pauses(office: CommandLine) -> None:
    office.take("calendars", CALENDAR)
    office.take("tickets", """
        source_id | partner_code | opened_at        | resolved_at      | calendar | paused
        WEEKEND   | R1           | 2026-06-12T17:30 | 2026-06-15T09:45 | OFFICE   |
        PAUSED    | R1           | 2026-06-08T10:00 | 2026-06-10T12:00 | OFFICE   | 2026-06-08T14:00/2026-06-09T11:00
        BASTILLE  | R1           | 2026-07-13T16:00 | 2026-07-15T10:30 | OFFICE   |
    """)  # fmt: skip # noqa: E501
    later = ("--kpi", "resolution", "--now", "2026-08-01")
    june, july = (office.figures(month, *later)["resolution"] for month in ("2026-06", "2026-07"))
    assert (june["value"], june["n"]) == ((75 + 840) / 2, 2)
    assert (july["value"], july["n"]) == (210, 1)


def test_two_of_four_promises_are_kept(office: CommandLine) -> None:
    office.take("tickets", """
        source_id | partner_code | opened_at            | first_reply_at       | response_target_minutes
        KEPT      | R1           | 2026-06-30T08:00:00Z | 2026-06-30T08:45:00Z | 60
        LATE      | R1           | 2026-06-30T08:00:00Z | 2026-06-30T09:15:00Z | 60
        IN-TIME   | R1           | 2026-06-30T08:00:00Z | 2026-06-30T11:20:00Z | 240
        OVERDUE   | R1           | 2026-06-30T07:00:00Z |                      | 240
        WAITING   | R1           | 2026-06-30T10:20:00Z |                      | 240
        UNTIMED   | R1           | 2026-06-30T08:00:00Z |                      |
    """)  # fmt: skip # noqa: E501
    now = ("--now", "2026-06-30T12:00:00Z")
    assert hits_of(office.figures("2026-06", *now)["sla_response"]) == (0.5, 2, 4)
    # Four hours later the one that was still within its target is overdue as well.
    later = office.figures("2026-06", "--now", "2026-06-30T16:00:00Z")
    assert hits_of(later["sla_response"]) == (0.4, 2, 5)


def test_ten_first_responses(office: CommandLine) -> None:
    minutes = (5, 10, 12, 15, 20, 25, 30, 45, 60, 900)
    rows = [
        f"T{n},R1,2026-06-01T00:00:00Z,2026-06-01T{m // 60:02}:{m % 60:02}:00Z"
        for n, m in enumerate(minutes)
    ]
    office.take("tickets", "\n".join(["source_id,partner_code,opened_at,first_reply_at", *rows]))
    first = office.figures("2026-06", *JULY)["first_response"]
    assert (first["value"], first["n"]) == (112.2, 10)


# --- Visits ---------------------------------------------------------------------------------------


def test_two_of_four_matured_first_visits_fixed_it(office: CommandLine) -> None:
    office.take("visits", """
        source_id | partner_code | asset | visited_on | outcome
        1         | R1           | A     | 2026-05-02 | fixed
        2         | R1           | A     | 2026-05-12 | fixed
        3         | R1           | B     | 2026-05-05 | fixed
        4         | R1           | C     | 2026-05-06 | part_missing
        5         | R1           | C     | 2026-05-09 | fixed
        6         | R1           | D     | 2026-05-30 | fixed
        7         | R1           | E     | 2026-05-08 | fixed
        8         | R1           | F     | 2026-05-10 | no_access
    """)  # fmt: skip
    assert hits_of(office.figures("2026Q2", "--now", "2026-06-05")["ftfr"]) == (0.5, 2, 4)
    # Once D's fourteen days are over, it counts as well.
    assert hits_of(office.figures("2026Q2", "--now", "2026-06-14")["ftfr"]) == (0.6, 3, 5)


# --- Invoices -------------------------------------------------------------------------------------


def test_disputes_and_credits_stand_in_the_invoice_s_period(office: CommandLine) -> None:
    office.take("invoices", """
        source_id | partner_code | on         | value_minor | lines | disputed_lines | credited_minor
        I1        | R1           | 2026-05-10 | 20000000    | 300   | 14             | 420000
        I2        | R1           | 2026-06-10 | 15000000    | 260   | 0              | 0
        I3        | R1           | 2026-07-01 | 900         | 9     | 9              | 900
    """)  # fmt: skip # noqa: E501
    quarter = office.figures("2026Q2", "--now", "2026-08-01")
    assert hits_of(quarter["dispute_rate"]) == (0.025, 14, 560)
    assert hits_of(quarter["credit_rate"]) == (0.012, 420_000, 35_000_000)


# --- Adoption -------------------------------------------------------------------------------------


def test_two_of_five_eligible_accounts_use_the_portal(database_url: str, tmp_path: Path) -> None:
    office = CommandLine(database_url, tmp_path)
    office.take("partners", """
        code     | name     | kind      | joined_on
        THREE    | Three    | reseller  |
        NOBODY   | Nobody   | reseller  |
        STAFF    | Staff    | reseller  |
        NEWCOMER | Newcomer | installer | 2026-06-11
        TWO      | Two      | reseller  | 2026-04-01
        SILENT   | Silent   | installer | 2026-05-02
    """)  # fmt: skip
    office.take("portal-events", """
        source_id | partner_code | at               | kind       | person_email     | internal
        1         | THREE        | 2026-05-04T09:00 | login      | a@three.example  | no
        2         | THREE        | 2026-05-04T09:10 | login      | b@three.example  | no
        3         | THREE        | 2026-06-04T09:10 | sheet_view | c@three.example  | no
        4         | STAFF        | 2026-05-04T09:00 | login      | us@brand.example | yes
        5         | NEWCOMER     | 2026-06-20T09:00 | login      | n@new.example    | no
        6         | TWO          | 2026-06-30T23:59 | login      | a@two.example    | no
        7         | TWO          | 2026-04-01T00:00 | login      | b@two.example    | no
        8         | SILENT       | 2026-07-01T00:00 | login      | s@silent.example | no
    """)  # fmt: skip
    adoption = office.figures("2026Q2", "--now", "2026-07-02")["portal_adoption"]
    assert hits_of(adoption) == (0.4, 2, 5)
    each = office.run(
        "scorecard", "2026Q2", "--level", "partner", "--kpi", "portal_adoption",
        "--now", "2026-07-02", "--format", "json",
    )  # fmt: skip
    assert {row["partner"]: row["value"] for row in each.rows} == {
        "THREE": 1, "NOBODY": 0, "STAFF": 0, "NEWCOMER": None, "TWO": 1, "SILENT": 0,
    }  # fmt: skip


def test_catalogue_completion_is_a_share_of_fields(database_url: str, tmp_path: Path) -> None:
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nA,A,reseller\nB,B,reseller\nC,C,reseller\nD,D,agency")
    office.take("catalogue-status", """
        source_id | partner_code | on         | filled | required
        A-MAY     | A            | 2026-05-01 | 1      | 20
        A-JUNE    | A            | 2026-06-01 | 18     | 20
        B-JUNE    | B            | 2026-06-01 | 12     | 20
        C-JUNE    | C            | 2026-06-01 | 0      | 20
        D-JUNE    | D            | 2026-06-01 | 25     | 25
    """)  # fmt: skip
    assert hits_of(office.figures("2026Q2", *JULY)["catalogue_completion"]) == (0.6471, 55, 85)
    none = office.figures("2026Q2", "--partner", "C", *JULY)["catalogue_completion"]
    assert hits_of(none) == (0, 0, 20)


# --- Perception -----------------------------------------------------------------------------------


def votes(question: str, counts: dict[str, int], *, partner: str = "R1") -> str:
    """A survey's answers: so many of each score; `skipped` were dismissed."""
    rows = [
        f"{partner}-{question}-{score}-{n},Q2,{partner},2026-05-20T10:00,{question},"
        + ("9,yes" if score == "skipped" else f"{score},no")
        for score, times in counts.items()
        for n in range(times)
    ]
    columns = "source_id,survey_code,partner_code,answered_at,question_code,value,dismissed"
    return "\n".join([columns, *rows])


@pytest.mark.parametrize(
    ("given", "value", "hits", "of", "low", "high"),
    [
        ({"9": 60, "8": 25, "0": 15}, 45, 45, 100, 29.3384, 58.0365),
        ({"9": 60, "8": 25, "0": 15, "skipped": 20}, 45, 45, 100, 29.3384, 58.0365),
        ({"10": 5, "7": 1, "6": 2}, 37.5, 3, 8, None, None),
        ({"10": 4}, 100, 4, 4, None, 100),
        ({"0": 3}, -100, -3, 3, -100, None),
        ({"0": 1}, -100, -1, 1, None, None),
        ({"8": 2, "7": 1}, 0, 0, 3, None, None),
        ({"skipped": 5}, None, 0, 0, None, None),
    ],
)
def test_recommendation(
    office: CommandLine,
    given: dict[str, int],
    value: float | None,
    hits: int,
    of: int,
    low: float | None,
    high: float | None,
) -> None:
    office.take("answers", votes("nps", given))
    nps = office.figures("2026Q2", "--kpi", "nps", *JULY)["nps"]
    assert (nps["value"], nps["hits"], nps["of"], nps["n"]) == (value, hits, of, of)
    assert low is None or round(nps["low"], 1) == round(low, 1)
    assert high is None or round(nps["high"], 1) == round(high, 1)


def test_a_zero_is_an_answer_on_every_scale_that_has_one(office: CommandLine) -> None:
    for question in ("nps", "pnps", "dsi.logistics", "dsi.product", "dsi.pricing", "dsi.support",
                     "dsi.training"):  # fmt: skip
        office.take("answers", votes(question, {"0": 6}))
    for question in ("csat", "csat10", "ces", "cxi.effective", "cxi.easy", "cxi.enjoyable"):
        office.take("answers", votes(question, {"1": 6}))
    office.take("answers", votes("ces5", {"5": 6}))
    for options in ((), ("--partner", "R1")):
        told = office.figures("2026Q2", *options, *JULY)
        values = {kpi: told[kpi]["value"] for kpi in told if told[kpi]["n"] and "n" in told[kpi]}
        assert {kpi: values[kpi] for kpi in ("nps", "pnps", "csat", "csat10", "dsi", "cxi")} == {
            "nps": -100, "pnps": -100, "csat": 0, "csat10": 0, "dsi": 0, "cxi": 0,
        }  # fmt: skip
        assert (values["ces"], values["ces5"]) == (1, 5)
    network = office.figures("2026Q2", *JULY)
    assert (network["pnps_by_partner"]["value"], network["pnps_by_partner"]["n"]) == (-100, 1)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_zero_is_printed_and_nothing_is_not(office: CommandLine, form: str) -> None:
    office.take("answers", votes("csat", {"1": 6}))
    zero, nothing = (
        office.run("scorecard", "2026Q2", "--kpi", kpi, "--format", form, *JULY).out
        for kpi in ("csat", "nps")
    )
    expected = {
        "table": ("0.00%", "      –"),
        "csv": (",csat,0,0,6,6,", ",nps,,0,0,0,"),
        "json": ('"value": 0, "hits": 0, "of": 6', '"value": null, "hits": 0, "of": 0'),
    }[form]
    assert expected[0] in zero
    assert expected[1] in nothing


def test_a_target_of_zero_is_reached_by_zero(office: CommandLine) -> None:
    office.take("targets", "kpi,target,from\ndispute_rate,0 %,2026-01-01\nnps,0,2026-01-01")
    office.take("invoices", """
        source_id | partner_code | on         | value_minor | lines | disputed_lines
        I1        | R1           | 2026-05-10 | 1000        | 3     | 0
    """)  # fmt: skip
    office.take("answers", votes("nps", {"9": 1, "0": 1}))
    told = office.figures("2026Q2", *JULY)
    assert (told["dispute_rate"]["value"], told["dispute_rate"]["state"]) == (0, "green")
    assert (told["nps"]["value"], told["nps"]["target"], told["nps"]["state"]) == (0, 0, "green")


def test_satisfaction_ease_and_dealers_factors(office: CommandLine) -> None:
    csat = {"1": 2, "2": 3, "3": 5, "4": 22, "5": 18}
    ease = dict(zip("1234567", (80, 210, 140, 110, 160, 180, 120), strict=True))
    factors = {"logistics": "72", "product": "80", "pricing": "64", "training": "90"}
    office.take("answers", votes("csat", csat))
    office.take("answers", votes("ces", ease))
    for factor, score in factors.items():
        office.take("answers", votes(f"dsi.{factor}", {score: 5}))
    told = office.figures("2026Q2", *JULY)
    assert hits_of(told["csat"]) == (0.8, 40, 50)
    assert (told["csat"]["low"], told["csat"]["high"]) == (0.6696, 0.8876)
    assert (told["ces"]["value"], told["ces"]["n"]) == (4.08, 1000)
    assert (round(told["dsi"]["value"], 2), told["dsi"]["coverage"]) == (75.18, 0.85)


# --- Relationship ---------------------------------------------------------------------------------


def test_nine_in_ten_partners_stayed_and_some_brought_others(
    database_url: str, tmp_path: Path
) -> None:
    office = CommandLine(database_url, tmp_path)
    rows = [f"S{n},Stayed {n},reseller,2020-01-01," for n in range(180)]
    rows += [f"L{n},Left {n},reseller,2020-01-01,2026-05-15" for n in range(20)]
    rows += [f"N{n},New {n},reseller,2026-05-01," for n in range(30)]
    office.take("partners", "\n".join(["code,name,kind,joined_on,left_on", *rows]))
    referrers = [*(f"S{n}" for n in range(15)), "S0", "N0", "N1", "N2", "N2"]
    office.take(
        "referrals",
        "source_id,partner_code,on\n"
        + "\n".join(f"{n},{code},2026-05-10" for n, code in enumerate(referrers)),
    )
    told = office.figures("2026Q2", *JULY)
    assert hits_of(told["retention"]) == (0.9, 180, 200)
    assert hits_of(told["churn"]) == (0.1, 20, 200)
    assert hits_of(told["referral_rate"]) == (round(18 / 210, 4), 18, 210)


# --- Periods --------------------------------------------------------------------------------------


def test_months_add_up_to_their_quarter_and_quarters_to_their_year(office: CommandLine) -> None:
    first = date(2026, 1, 1)
    rows = [
        f"L{n},O{n},R1,10,{first + timedelta(days=n)},10,{first + timedelta(days=n + n % 3 // 2)}"
        for n in range(181)
    ]
    columns = "source_id,order_code,partner_code,ordered_qty,window_end,received_qty,received_on"
    office.take("order-lines", "\n".join([columns, *rows]))
    told = {
        period: office.figures(period, "--kpi", "otif", *JULY)["otif"]
        for period in ("2026-04", "2026-05", "2026-06", "2026Q1", "2026Q2", "2026")
    }
    for whole, parts in (
        ("2026Q2", ("2026-04", "2026-05", "2026-06")),
        ("2026", ("2026Q1", "2026Q2")),
    ):
        for count in ("hits", "of", "n"):
            assert told[whole][count] == sum(told[part][count] for part in parts)
    assert told["2026"]["of"] == 181
