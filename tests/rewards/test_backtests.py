"""Back-tests: a published rule comes to what the ledger holds; another one to what it would."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Invalid, NotFound
from partner_cx.measures import measuring, refreshing
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards.backtest import BackTest, backtest, cut
from rewards.backtest.lines import Basis
from rewards.budgets import fund
from rewards.conditions import KpiAtLeast
from rewards.rulebook import publish
from rewards.rules import FixedPoints, Rule, Shortage
from rewards.rules.limits import Limit
from tests.harness.backtests import published, told_by_the_backtest, told_by_the_ledger
from tests.harness.intake import SETTINGS, take
from tests.harness.programme import (
    BONUS,
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_network,
    a_programme,
    close_it,
    lines,
)

YEAR = Period.span(Period.parse("2026Q1"), Period.parse("2026Q4"))
AFTERWARDS = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)
DAYS = ("2026-02-10", "2026-05-18", "2026-08-10", "2026-11-10")  # one in each quarter
OTIF = replace(OTIF_BONUS, conditions=(KpiAtLeast("otif", Fraction(9, 10)),))


@pytest.fixture
def year(engine: sa.Engine) -> sa.Engine:
    """Four quarters: R1 delivers well in all, R2 not in the second, R3 only in the last two."""
    a_network(engine)
    for day in DAYS:
        if day != "2026-05-18":
            take(engine, "order-lines", *lines("R1", 20, day), *lines("R2", 20, day))
        if day > "2026-06":
            take(engine, "order-lines", *lines("R3", 5, day))
    return engine


def close_the_year(engine: sa.Engine, *periods: Period) -> None:
    for period in periods or YEAR:
        close_it(engine, period, now=AFTERWARDS)


def funded(engine: sa.Engine, points: int, key: str = "more") -> None:
    why = Words("More", "Davantage")
    later = AFTERWARDS + timedelta(hours=1)
    transact(
        engine, lambda session: fund(session, OTIF.budget, points, key=key, why=why, now=later).id
    )


def put_in_force(engine: sa.Engine, *rules: Rule) -> None:
    def work(session: Session) -> None:
        for rule in rules:
            publish(session, rule, by=MANAGER, why="A change", now=NOW)

    transact(engine, work)


def assert_as_the_ledger(engine: sa.Engine, code: str = OTIF.code) -> BackTest:
    test = published(engine, code, YEAR, now=AFTERWARDS)
    held = told_by_the_ledger(engine, code)
    assert held
    assert told_by_the_backtest(test) == held
    assert test.points == sum(points for *_, points, _ in held)
    assert test.cost == sum(paid for *_, paid in held)
    return test


def tried(engine: sa.Engine, rule: Rule, *periods: Period, **given: object) -> BackTest:
    with reading(engine) as session:
        test = backtest(
            session,
            rule,
            periods or YEAR,
            now=AFTERWARDS,
            settings=SETTINGS,
            **given,  # type: ignore[arg-type]
        )
        assert test.reach is not None  # drawn while the snapshot can still be read
        return test


# --- a published rule comes to what the ledger holds -------------------------------------------


def test_a_published_rule_comes_to_the_ledger_to_the_point(year: sa.Engine) -> None:
    a_programme(year, OTIF, BONUS)
    close_the_year(year)
    test = assert_as_the_ledger(year)
    assert test.cost == 9 * 500  # R1 four times, R2 three times, R3 twice
    assert_as_the_ledger(year, BONUS.code)


@pytest.mark.parametrize(
    "terms",
    [
        {"limits": (Limit(PeriodKind.YEAR, points=1_200),)},
        {"limits": (Limit(PeriodKind.YEAR, times=2),)},
        {"cool_down_days": 100},
        {"hold_days": 30},
        {"needs_approval": True},
    ],
    ids=["points a year", "times a year", "cool-down", "held", "to be approved"],
)
def test_limits_cool_downs_and_holds_are_simulated_alike(
    year: sa.Engine, terms: dict[str, object]
) -> None:
    a_programme(year, replace(OTIF, **terms))  # type: ignore[arg-type]
    close_the_year(year)
    assert_as_the_ledger(year)


@pytest.mark.parametrize("policy", Shortage)
@pytest.mark.parametrize("points", [0, 700, 1_100, 2_900])
def test_a_budget_that_runs_short_pays_alike(
    year: sa.Engine, policy: Shortage, points: int
) -> None:
    a_programme(year, replace(OTIF, when_short=policy), points=points)
    close_the_year(year)
    assert_as_the_ledger(year)


@pytest.mark.parametrize("policy", Shortage)
def test_a_close_run_again_after_its_budget_was_funded_pays_alike(
    year: sa.Engine, policy: Shortage
) -> None:
    a_programme(year, replace(OTIF, when_short=policy), points=700)
    close_the_year(year)
    funded(year, 1_300)
    for period in YEAR[1:]:
        close_it(year, period, now=AFTERWARDS + timedelta(days=1))
    assert_as_the_ledger(year)


@pytest.mark.parametrize("policy", Shortage)
def test_a_budget_shared_with_another_rule_pays_alike(year: sa.Engine, policy: Shortage) -> None:
    before = replace(OTIF, code="a_rule_before", award=FixedPoints(300))
    after = replace(OTIF, code="z_rule_after", award=FixedPoints(200))
    rules = [replace(rule, when_short=policy) for rule in (before, OTIF, after)]
    a_programme(year, *rules, points=4_100)
    close_the_year(year)
    for rule in rules:
        assert_as_the_ledger(year, rule.code)


def test_each_period_is_decided_by_the_version_that_was_in_force(year: sa.Engine) -> None:
    a_programme(year, OTIF)
    put_in_force(year, replace(OTIF, starts=date(2026, 7, 1), award=FixedPoints(800)))
    close_the_year(year)
    test = assert_as_the_ledger(year)
    assert [run.version for run in test.periods] == [1, 1, 2, 2]


def test_a_version_published_after_a_close_does_not_reach_back(year: sa.Engine) -> None:
    a_programme(year, OTIF)
    close_the_year(year, *YEAR[:3])
    put_in_force(year, replace(OTIF, award=FixedPoints(800)))
    close_the_year(year, YEAR[3])
    test = assert_as_the_ledger(year)
    assert [run.version for run in test.periods] == [1, 1, 1, 2]


def test_periods_closed_out_of_order_are_decided_in_that_order(year: sa.Engine) -> None:
    a_programme(year, replace(OTIF, limits=(Limit(PeriodKind.YEAR, times=1),)))
    close_the_year(year, YEAR[2], YEAR[0], YEAR[3], YEAR[1])
    test = assert_as_the_ledger(year)
    assert {line.candidate.code for line in test.lines if line.points} == {"R1", "R2", "R3"}
    assert {str(line.period) for line in test.lines if line.points} == {"2026Q3"}


def test_a_correction_after_the_close_does_not_change_what_it_comes_to(year: sa.Engine) -> None:
    a_programme(year, OTIF)
    close_the_year(year)
    before = assert_as_the_ledger(year)
    late = [{**line, "received_on": "2026-12-30"} for line in lines("R1", 20, DAYS[0])]
    take(year, "order-lines", *late, now=AFTERWARDS)
    refreshing.refresh(year, now=AFTERWARDS, settings=SETTINGS)
    assert assert_as_the_ledger(year).points == before.points
    assert tried(year, OTIF).points == before.points


def test_a_range_that_begins_midway_knows_what_was_won_before(year: sa.Engine) -> None:
    a_programme(year, replace(OTIF, limits=(Limit(PeriodKind.YEAR, times=2),)))
    close_the_year(year)
    held = [row for row in told_by_the_ledger(year, OTIF.code) if row[0] >= "2026Q3"]
    test = published(year, OTIF.code, YEAR[2:], now=AFTERWARDS)
    assert told_by_the_backtest(test) == held


# --- a rule nobody has published ---------------------------------------------------------------


def test_a_draft_is_one_rule_for_all_periods_whatever_its_dates(year: sa.Engine) -> None:
    close_the_year(year)
    draft = replace(OTIF, starts=date(2030, 1, 1))
    test = tried(year, draft)
    assert [run.points for run in test.periods] == [1_000, 500, 1_500, 1_500]
    assert [run.running_cost for run in test.periods] == [1_000, 1_500, 3_000, 4_500]
    assert {run.basis for run in test.periods} == {Basis.CLOSED}
    assert test.budget_points is None  # its budget was never funded, so nothing ends it


def test_what_is_not_closed_is_tried_on_what_was_measured(year: sa.Engine) -> None:
    close_the_year(year, *YEAR[:2])
    now = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)

    def measure(session: Session) -> None:
        refreshing.refresh(session, now=now, settings=SETTINGS)
        for period in YEAR[2:]:
            measuring.measure(session, period, now=now, settings=SETTINGS)

    transact(year, measure)
    with reading(year) as session:
        test = backtest(session, OTIF, YEAR, now=now, settings=SETTINGS)
    assert [run.basis.value for run in test.periods] == ["closed", "closed", "measured", "so_far"]
    assert test.points == 4_500


def test_a_given_budget_says_when_it_would_have_run_out(year: sa.Engine) -> None:
    close_the_year(year)
    test = tried(year, OTIF, budget_points=2_500)
    assert [run.paid for run in test.periods] == [1_000, 500, 0, 0]
    assert [run.left for run in test.periods] == [1_500, 1_000, 1_000, 1_000]
    assert test.short is not None
    assert str(test.short.period) == "2026Q3"
    english, french = (
        [sentence.in_(language) for sentence in test.sentences] for language in ("en", "fr")
    )
    assert english == [
        (
            f"{OTIF.label.en}, Q1 2026 to Q4 2026: 9 awards to 3 partners, 4,500 points earned, "
            "1,500 points paid."
        ),
        "The budget would have run out in Q3 2026, on 30 September 2026: 1,500 points unpaid.",
    ]
    assert "épuisé" in french[1]


def test_a_budget_that_lasts_says_what_is_left(year: sa.Engine) -> None:
    close_the_year(year)
    test = tried(year, OTIF, budget_points=10_000)
    assert test.short is None
    assert test.sentences[1].en == "The budget would have lasted: 5,500 points left."


def test_a_draft_is_paid_from_what_its_budget_was_ever_funded(year: sa.Engine) -> None:
    a_programme(year, OTIF, points=2_000)
    close_the_year(year)
    test = tried(year, replace(OTIF, award=FixedPoints(600)))
    assert test.budget_points == 2_000
    assert [run.paid for run in test.periods] == [1_200, 600, 0, 0]


def test_limits_count_what_the_draft_itself_would_have_paid(year: sa.Engine) -> None:
    a_programme(year, OTIF)
    close_the_year(year)
    draft = replace(OTIF, limits=(Limit(PeriodKind.YEAR, times=2),))
    won = [
        (str(line.period), line.candidate.code) for line in tried(year, draft).lines if line.points
    ]
    assert won == [
        ("2026Q1", "R1"),
        ("2026Q1", "R2"),
        ("2026Q2", "R1"),
        ("2026Q3", "R2"),
        ("2026Q3", "R3"),
        ("2026Q4", "R3"),
    ]


def test_winners_and_losers_against_another_rule(year: sa.Engine) -> None:
    close_the_year(year)
    stricter = replace(OTIF, conditions=(KpiAtLeast("otif", Fraction(9, 10), n_min=10),))
    richer = replace(stricter, award=FixedPoints(600))
    test = tried(year, richer, against=OTIF)
    assert [(c.partner_code, c.before, c.after, c.direction.value) for c in test.changes] == [
        ("R3", 1_000, 0, "loses"),
        ("R2", 1_500, 1_800, "gains"),
        ("R1", 2_000, 2_400, "gains"),
    ]
    assert test.sentences[-1].en.startswith("Against version 1 of")


def test_who_came_near_comes_first(network: sa.Engine) -> None:
    close_it(network)
    strict = replace(OTIF, conditions=(KpiAtLeast("otif", Fraction(19, 20)),))
    near, far = tried(network, strict, QUARTER).reach
    assert (near.candidate.code, near.verdict.value, near.gap) == ("R2", "not_met", Fraction(2, 19))
    assert near.sentence.en == "OTIF at 95%: 2 more lines on time."
    assert (far.candidate.code, far.verdict.value) == ("R3", "unknown")


def test_every_kind_of_partner_is_told_with_its_share(year: sa.Engine) -> None:
    close_the_year(year)
    test = tried(year, OTIF)
    told = {(share.by, share.group): share for share in test.fairness}
    gold = told["tier", "gold"]
    assert (gold.members, gold.could_win, gold.won, gold.points) == (3, 3, 3, 4_500)
    assert gold.share == 1
    assert gold.small
    assert told["size", "no order lines"].members == 1
    assert sum(share.points for share in test.fairness if share.by == "size") == 4_500


def test_everything_is_data_that_a_page_can_draw(year: sa.Engine) -> None:
    close_the_year(year)
    plain = tried(year, OTIF, against=OTIF, budget_points=2_500).to_plain()
    assert plain["short_in"] == "2026Q3"
    assert [point["running_cost"] for point in plain["periods"]] == [1_000, 1_500, 1_500, 1_500]
    assert {change["change"] for change in plain["changes"]} == {"same"}
    assert set(plain["sentence"]) == {"en", "fr"}


def test_a_back_test_writes_nothing(year: sa.Engine) -> None:
    a_programme(year, OTIF)
    close_the_year(year)
    before = told_by_the_ledger(year, OTIF.code)
    tried(year, replace(OTIF, award=FixedPoints(9_999)))
    assert told_by_the_ledger(year, OTIF.code) == before


# --- periods -----------------------------------------------------------------------------------


def test_years_are_cut_into_the_periods_of_the_rule() -> None:
    asked = [Period.parse("2026"), Period.parse("2026Q2")]
    assert cut(asked, PeriodKind.QUARTER) == YEAR


def test_a_month_says_nothing_about_a_rule_of_quarters() -> None:
    with pytest.raises(Invalid, match="2026-05 is a month; the rule is decided for each quarter"):
        cut([Period.parse("2026-05")], PeriodKind.QUARTER)


def test_a_rule_nobody_published_is_not_found(engine: sa.Engine) -> None:
    with pytest.raises(NotFound, match="No rule is called nothing"):
        published(engine, "nothing", YEAR, now=AFTERWARDS)
