"""When: which periods and days a rule is decided for, what it compares with, how long it holds."""

from __future__ import annotations

from datetime import date

import pytest

from partner_cx.periods import Period
from rewards.evidence import Earlier
from tests.harness.situations import a_rule, decided, figure, known, situations

# --- Holds: the first day on which an award may be spent -----------------------------------------

# situation                                     days   won on          may be spent from
HOLDS = [
    ("not held at all", 0, "2026-06-30", None),
    ("held for a day", 1, "2026-06-30", "2026-07-01"),
    ("held for two weeks", 14, "2026-06-30", "2026-07-14"),
    ("held over the end of February", 14, "2026-02-20", "2026-03-06"),
    ("held over a leap day", 14, "2028-02-20", "2028-03-05"),
    ("held until a leap day", 9, "2028-02-20", "2028-02-29"),
    ("held over New Year", 30, "2026-12-15", "2027-01-14"),
    ("held over the night in which clocks go forward", 1, "2026-03-28", "2026-03-29"),
    ("held over the night in which clocks go back", 7, "2026-10-24", "2026-10-31"),
    ("held for a year of 365 days", 365, "2026-01-01", "2027-01-01"),
    ("held for 365 days of a leap year", 365, "2028-01-01", "2028-12-31"),
]


@pytest.mark.parametrize(("days", "won_on", "spent_from"), situations(HOLDS))
def test_how_long_an_award_is_held(days: int, won_on: str, spent_from: str | None) -> None:
    held_until = a_rule(hold_days=str(days)).held_until(date.fromisoformat(won_on))
    assert held_until == (date.fromisoformat(spent_from) if spent_from else None)


# --- Which periods a close decides ---------------------------------------------------------------

# situation                                period     starts        ends          asked    decided
PERIODS = [
    ("its first quarter", "quarter", "2026Q1", None, "2026Q1", True),
    ("the quarter before", "quarter", "2026Q1", None, "2025Q4", False),
    ("any quarter later", "quarter", "2026Q1", None, "2031Q3", True),
    ("its last quarter", "quarter", "2026Q1", "2026Q4", "2026Q4", True),
    ("the quarter after its last", "quarter", "2026Q1", "2026Q4", "2027Q1", False),
    ("a quarter that it ends within", "quarter", "2026Q1", "2026-12-30", "2026Q4", False),
    ("a quarter that it starts within", "quarter", "2026-01-02", None, "2026Q1", False),
    ("the quarter after it started", "quarter", "2026-01-02", None, "2026Q2", True),
    ("a month of a quarterly rule", "quarter", "2026Q1", None, "2026-01", False),
    ("a year of a quarterly rule", "quarter", "2026Q1", None, "2026", False),
    ("a month of a monthly rule", "month", "2026-02", None, "2026-02", True),
    ("February of a leap year to its last day", "month", "2028-02", "2028-02-29", "2028-02", True),
    ("February of a leap year less a day", "month", "2028-02", "2028-02-28", "2028-02", False),
    ("the month in which clocks change", "month", "2026-03", "2026-03-31", "2026-03", True),
    ("a year to its last day", "year", "2026", "2026-12-31", "2026", True),
    ("a year begun on its second day", "year", "2026-01-02", None, "2026", False),
    ("a one-quarter rule", "quarter", "2026Q2", "2026Q2", "2026Q2", True),
]


@pytest.mark.parametrize(("kind", "starts", "ends", "asked", "comes"), situations(PERIODS))
def test_which_periods_a_rule_is_decided_for(
    kind: str, starts: str, ends: str | None, asked: str, comes: bool
) -> None:
    rule = a_rule(period=kind, starts=starts, ends=ends)
    assert rule.holds_in(Period.parse(asked)) is comes


# --- Which days a rule on events is decided for --------------------------------------------------

# situation                                     starts        ends          the day       decided
DAYS = [
    ("its first day", "2026-04-01", None, "2026-04-01", True),
    ("the day before", "2026-04-01", None, "2026-03-31", False),
    ("its last day", "2026Q2", "2026Q2", "2026-06-30", True),
    ("the day after its last", "2026Q2", "2026Q2", "2026-07-01", False),
    ("a rule of one day, on it", "2028-02-29", "2028-02-29", "2028-02-29", True),
    ("a rule of one day, after it", "2028-02-29", "2028-02-29", "2028-03-01", False),
    ("many years on", "2026", None, "2040-12-31", True),
    ("the last day of a year named whole", "2026", "2026", "2026-12-31", True),
]


@pytest.mark.parametrize(("starts", "ends", "day", "comes"), situations(DAYS))
def test_which_days_a_rule_on_events_is_decided_for(
    starts: str, ends: str | None, day: str, comes: bool
) -> None:
    rule = a_rule(on="report_accepted", period=None, starts=starts, ends=ends)
    assert rule.holds_on(date.fromisoformat(day)) is comes
    assert not rule.holds_in(Period.of(date.fromisoformat(day), "quarter"))


def test_a_rule_on_a_close_is_decided_on_no_event() -> None:
    assert not a_rule().holds_on(date(2026, 5, 18))


# --- What a period is compared with --------------------------------------------------------------

# situation                                     period      compared with        is
EARLIER = [
    ("the quarter before the first", "2026Q1", "previous_period", "2025Q4"),
    ("the same quarter a year before", "2026Q1", "year_before", "2025Q1"),
    ("the month before January", "2026-01", "previous_period", "2025-12"),
    ("the month before March of a leap year", "2028-03", "previous_period", "2028-02"),
    ("February a year before a leap year's", "2028-02", "year_before", "2027-02"),
    ("February a year after a leap year's", "2029-02", "year_before", "2028-02"),
    ("the year before, either way", "2026", "year_before", "2025"),
    ("the year before, by its other name", "2026", "previous_period", "2025"),
    ("the quarter before one in the middle", "2026Q3", "previous_period", "2026Q2"),
]


@pytest.mark.parametrize(("period", "earlier", "is_"), situations(EARLIER))
def test_which_period_a_period_is_compared_with(period: str, earlier: str, is_: str) -> None:
    assert Earlier(earlier).of(Period.parse(period)) == Period.parse(is_)


# period        compared with          what the partner reads
TOLD_EARLIER = [
    ("a quarter", "2026Q1", "previous_period", "in Q4 2025", "au T4 2025"),
    ("a month", "2026-05", "year_before", "in May 2025", "en mai 2025"),
    ("a year", "2026", "previous_period", "in 2025", "en 2025"),
]


@pytest.mark.parametrize(("period", "earlier", "english", "french"), situations(TOLD_EARLIER))
def test_the_period_compared_with_is_named(
    period: str, earlier: str, english: str, french: str
) -> None:
    kind = Period.parse(period).kind.value
    rule = a_rule(period=kind, conditions=f"[{{kpi_improved: {{kpi: otif, since: {earlier}}}}}]")
    before = {Earlier(earlier): figure("otif", "95 %")}
    evidence = known(figure("otif", "96 %"), period=period, earlier=before)
    sentence = decided(rule, evidence).sentence
    assert english in sentence.en
    assert french in sentence.fr
