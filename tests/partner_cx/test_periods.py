from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from partner_cx.periods import Period, PeriodKind, zone_named

PARIS = ZoneInfo("Europe/Paris")

days = st.dates(date(1901, 1, 1), date(2198, 12, 31))
periods = st.builds(Period.of, days, st.sampled_from(PeriodKind))


@pytest.mark.parametrize(
    ("text", "first_day", "last_day"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-05", date(2026, 5, 1), date(2026, 5, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        (" 2026q2 ", date(2026, 4, 1), date(2026, 6, 30)),
    ],
)
def test_a_period_is_read_from_its_name(text: str, first_day: date, last_day: date) -> None:
    period = Period.parse(text)
    assert (period.first_day, period.last_day) == (first_day, last_day)
    assert str(period) == text.strip().upper()


@pytest.mark.parametrize("text", ["", "26", "2026Q5", "2026Q0", "2026-13", "2026-5", "Q2", "0000"])
def test_what_is_not_a_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match="2026Q2"):
        Period.parse(text)


@given(periods)
def test_a_period_survives_being_written_down(period: Period) -> None:
    assert Period.parse(str(period)) == period


@given(periods)
def test_periods_follow_each_other_without_gap_or_overlap(period: Period) -> None:
    assert period.next().first_day == period.end_day
    assert period.next().previous() == period
    assert period.first_day in period
    assert period.last_day in period
    assert period.end_day not in period


@given(days, st.sampled_from(PeriodKind))
def test_a_day_lies_in_its_period(day: date, kind: PeriodKind) -> None:
    assert day in Period.of(day, kind)


@given(periods)
def test_months_cover_the_period_exactly(period: Period) -> None:
    months = period.months()
    assert months[0].first_day == period.first_day
    assert months[-1].end_day == period.end_day
    assert len(months) == period.kind.months
    assert all(earlier.next() == later for earlier, later in pairwise(months))


def test_a_year_has_four_quarters_and_a_month_has_none() -> None:
    assert [str(q) for q in Period.parse("2026").quarters()] == [
        "2026Q1",
        "2026Q2",
        "2026Q3",
        "2026Q4",
    ]
    assert Period.parse("2026Q2").quarters() == [Period.parse("2026Q2")]
    assert Period.parse("2026-05").quarters() == []


def test_periods_sort_by_day_and_the_shorter_one_comes_first() -> None:
    shuffled = ["2026Q2", "2026", "2025Q4", "2026-01", "2026Q1", "2026-04"]
    ordered = ["2025Q4", "2026-01", "2026Q1", "2026", "2026-04", "2026Q2"]
    assert [str(p) for p in sorted(map(Period.parse, shuffled))] == ordered


def test_a_span_includes_both_ends() -> None:
    span = Period.span(Period.parse("2025Q3"), Period.parse("2026Q2"))
    assert [str(p) for p in span] == ["2025Q3", "2025Q4", "2026Q1", "2026Q2"]


def test_a_span_of_different_kinds_or_backwards_is_refused() -> None:
    with pytest.raises(Invalid, match="2026Q1 is a quarter and 2026-06 a month"):
        Period.span(Period.parse("2026Q1"), Period.parse("2026-06"))
    with pytest.raises(Invalid, match="earlier period first"):
        Period.span(Period.parse("2026Q2"), Period.parse("2026Q1"))


def test_the_quarter_in_which_clocks_change_is_an_hour_short() -> None:
    quarter = Period.parse("2026Q1")
    assert quarter.starts_at(PARIS) == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert quarter.ends_at(PARIS) == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert quarter.ends_at(PARIS) - quarter.starts_at(PARIS) == timedelta(days=90, hours=-1)


def test_a_day_without_midnight_starts_when_the_clocks_jump() -> None:
    # In Asunción, 1 October 2017 began at 01:00: midnight was skipped.
    october = Period.parse("2017-10")
    start = october.starts_at(ZoneInfo("America/Asuncion"))
    assert start == datetime(2017, 10, 1, 4, tzinfo=UTC)


def test_an_instant_is_not_a_day() -> None:
    with pytest.raises(TypeError):
        assert datetime(2026, 5, 1, tzinfo=UTC) in Period.parse("2026")


@pytest.mark.parametrize(
    ("text", "english", "french"),
    [
        ("2026", "2026", "2026"),
        ("2026Q2", "Q2 2026", "T2 2026"),
        ("2026-05", "May 2026", "mai 2026"),
        ("2026-08", "August 2026", "août 2026"),
    ],
)
def test_a_period_is_named_in_both_languages(text: str, english: str, french: str) -> None:
    period = Period.parse(text)
    assert (period.label("en"), period.label("fr")) == (english, french)


def test_a_time_zone_is_known_by_its_name() -> None:
    assert zone_named("Europe/Paris") == PARIS


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Europe/Pari", "Europe/Paris"),
        ("Europe", "Did you mean"),
        ("", "IANA"),
        ("../zone", "IANA"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_a_suggestion(name: str, remedy: str) -> None:
    with pytest.raises(Invalid, match=remedy):
        zone_named(name)
