"""Awards at a close: limits, holds, and what happens when a budget can't pay everyone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import given
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards.awards import award_key
from rewards.budgets import fund
from rewards.budgets.shares import Due, shared_out
from rewards.conditions import KpiAtLeast
from rewards.ledger import Account, Transfer
from rewards.rules import FixedPoints, PointsPerUnit, Rule, Shortage
from rewards.rules.limits import Limit
from tests.harness.intake import take
from tests.harness.programme import (
    BONUS,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    ledger,
    lines,
)

MONTHLY = replace(OTIF_BONUS, code="monthly", period=PeriodKind.MONTH, award=FixedPoints(100))
LATER = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


def balances(engine: sa.Engine, kind: str = "wallet") -> dict[str, int]:
    with Session(engine) as session:
        held = sa.select(Account.owner, Account.balance_points).where(Account.kind == kind)
        return {owner.removeprefix("partner:"): points for owner, points in session.execute(held)}


def whys(engine: sa.Engine) -> dict[str, str]:
    with Session(engine) as session:
        told = sa.select(Transfer.key, Transfer.why_en).where(Transfer.decision_id.is_not(None))
        return {key.rpartition(":")[2]: why for key, why in session.execute(told)}


def fund_more(engine: sa.Engine, points: int) -> None:
    why = Words("More", "Encore")
    transact(
        engine,
        lambda session: fund(session, BONUS.budget, points, key="more", why=why, now=NOW).id,
    )


def two_winners(engine: sa.Engine, rule: Rule, *, points: int) -> None:
    """R1 and R3 earn the rule's award."""
    take(engine, "order-lines", *lines("R3", 20))
    a_programme(engine, rule, points=points)


# --- Sharing out --------------------------------------------------------------------------------

EARNED = [Due("a", 500), Due("b", 300), Due("c", 200)]


@pytest.mark.parametrize(
    ("policy", "left", "paid"),
    [
        (Shortage.REFUSE_WHOLE, 1_000, [500, 300, 200]),
        (Shortage.REFUSE_WHOLE, 999, [0, 0, 0]),
        (Shortage.PRO_RATA, 1_000, [500, 300, 200]),
        (Shortage.PRO_RATA, 500, [250, 150, 100]),
        (Shortage.PRO_RATA, 999, [499, 300, 200]),  # of 499.5, 299.7, 199.8
        (Shortage.PRO_RATA, 1, [1, 0, 0]),
        (Shortage.PRO_RATA, 0, [0, 0, 0]),
        (Shortage.FIRST_COME, 1_000, [500, 300, 200]),
        (Shortage.FIRST_COME, 700, [0, 300, 200]),  # the lots: b, then c, then a
        (Shortage.FIRST_COME, 299, [0, 0, 200]),  # b doesn't fit, c does
        (Shortage.FIRST_COME, 199, [0, 0, 0]),
    ],
)
def test_a_budget_is_shared_out_as_the_rule_says(
    policy: Shortage, left: int, paid: list[int]
) -> None:
    assert shared_out(EARNED, left, policy) == paid


@given(
    points=st.lists(st.integers(1, 10**9), max_size=30),
    left=st.integers(0, 10**10),
    policy=st.sampled_from(Shortage),
)
def test_no_budget_pays_more_than_it_holds_nor_anybody_more_than_was_earned(
    points: list[int], left: int, policy: Shortage
) -> None:
    earned = [Due(str(place), each) for place, each in enumerate(points)]
    paid = shared_out(earned, left, policy)
    assert sum(paid) <= left
    assert all(0 <= given <= due.points for given, due in zip(paid, earned, strict=True))
    if policy is Shortage.PRO_RATA:
        assert sum(paid) == min(left, sum(points))  # not a point is left behind
        total = sum(points)
        for given, due in zip(paid, earned, strict=True):
            assert total <= left or abs(given - Fraction(due.points * left, total)) < 1


def test_lots_depend_on_period_rule_and_partner_alone() -> None:
    """So anybody can draw them again: `printf 'close:2026Q2:otif_bonus:R1' | sha256sum`."""
    due = Due(award_key(QUARTER, "otif_bonus", "R1"), 500)
    assert due.key == "close:2026Q2:otif_bonus:R1"
    assert due.lot == Due(due.key, 7).lot
    assert due.lot != Due(award_key(QUARTER.next(), "otif_bonus", "R1"), 500).lot


def test_whoever_the_lots_leave_out_waits_until_the_budget_is_funded(network: sa.Engine) -> None:
    two_winners(network, replace(OTIF_BONUS, when_short=Shortage.FIRST_COME), points=900)
    closed = close_it(network)
    (outcome,) = closed.outcomes
    assert (outcome.points_awarded, outcome.points_unfunded, outcome.points_missing) == (
        500,
        500,
        100,
    )
    first = min(("R1", "R3"), key=lambda code: Due(award_key(QUARTER, "otif_bonus", code), 1).lot)
    assert [code for code, points in balances(network).items() if points] == [first]
    fund_more(network, 100)
    assert close_it(network).points_unfunded == 0
    assert balances(network) == {"R1": 500, "R3": 500}


def test_a_budget_shared_in_proportion_is_shared_once_for_all(network: sa.Engine) -> None:
    two_winners(network, replace(OTIF_BONUS, when_short=Shortage.PRO_RATA), points=641)
    closed = close_it(network)
    (outcome,) = closed.outcomes
    assert (outcome.points_awarded, outcome.points_cut, outcome.points_unfunded) == (641, 359, 0)
    assert sorted(balances(network).values()) == [320, 321]
    assert any(
        "320 of 500 points: the budget couldn't pay everyone in full." in why
        for why in whys(network).values()
    )
    assert "Budget network-quality was shared out in proportion: 359 points less than earned." in (
        closed.sentences[1].en
    )
    fund_more(network, 1_000)
    before = ledger(network)
    again = close_it(network)
    assert (again.points_awarded, again.outcomes[0].points_cut) == (641, 359)
    assert ledger(network) == before


def test_an_empty_budget_shares_nothing_and_everybody_waits(network: sa.Engine) -> None:
    two_winners(network, replace(OTIF_BONUS, when_short=Shortage.PRO_RATA), points=0)
    assert close_it(network).points_unfunded == 1_000
    fund_more(network, 1_000)
    assert close_it(network).points_awarded == 1_000


# --- Limits -------------------------------------------------------------------------------------


def test_a_limit_counts_what_earlier_closes_awarded(network: sa.Engine) -> None:
    take(
        network,
        "order-lines",
        *(line for month in "4567" for line in lines("R1", 20, f"2026-0{month}-10")),
    )
    a_programme(network, replace(MONTHLY, limits=(Limit(PeriodKind.YEAR, points=250),)))
    awarded = {}
    for month in ("2026-04", "2026-05", "2026-06", "2026-07"):
        closed = close_it(network, month, now=LATER)
        awarded[month] = closed.points_awarded
    assert awarded == {"2026-04": 100, "2026-05": 100, "2026-06": 50, "2026-07": 0}
    (outcome,) = closed.outcomes
    assert (outcome.met, outcome.limited, outcome.points_unfunded) == (1, 1, 0)
    assert "a limit of the rule being reached: 1" in closed.sentences[1].en
    assert balances(network) == {"R1": 250}
    assert close_it(network, "2026-06", now=LATER).points_awarded == 50


def test_the_order_of_the_closes_decides_not_that_of_the_periods(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R1", 20, "2026-04-10"))
    a_programme(network, replace(MONTHLY, limits=(Limit(PeriodKind.YEAR, times=1),)))
    assert close_it(network, "2026-05", now=LATER).points_awarded == 100
    assert close_it(network, "2026-04", now=LATER).points_awarded == 0


def test_a_cool_down_spares_the_month_after_an_award(network: sa.Engine) -> None:
    take(
        network,
        "order-lines",
        *(line for month in "467" for line in lines("R1", 20, f"2026-0{month}-10")),
    )
    a_programme(network, replace(MONTHLY, cool_down_days=32))
    awarded = [
        close_it(network, month, now=LATER).points_awarded
        for month in ("2026-04", "2026-05", "2026-06", "2026-07")
    ]
    assert awarded == [100, 0, 100, 0]


# --- Holds --------------------------------------------------------------------------------------


def test_a_held_award_waits_in_its_partners_pending_account(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, hold_days=14))
    closed = close_it(network)
    assert (closed.points_awarded, closed.outcomes[0].points_held) == (500, 500)
    assert "500 points of it wait for their day or for approval." in closed.sentences[1].en
    assert balances(network) == {}
    assert balances(network, "pending") == {"R1": 500}
    assert balances(network, "budget") == {BONUS.budget: 9_500}
    with Session(network) as session:
        held = session.scalars(sa.select(Transfer).where(Transfer.decision_id.is_not(None))).one()
        assert held.held_until == date(2026, 7, 17)  # closed on the 3rd
        assert not held.needs_approval
    assert close_it(network).outcomes[0].points_held == 500


def test_a_hold_begins_on_the_day_of_the_close_in_the_programmes_zone(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, hold_days=1))
    close_it(network, now=datetime(2026, 7, 3, 22, 30, tzinfo=UTC))  # the 4th in Paris
    with Session(network) as session:
        held = sa.select(Transfer.held_until).where(Transfer.decision_id.is_not(None))
        assert session.scalars(held).one() == date(2026, 7, 5)


def test_an_award_that_needs_approval_waits_without_a_day(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, needs_approval=True))
    close_it(network)
    with Session(network) as session:
        held = session.scalars(sa.select(Transfer).where(Transfer.decision_id.is_not(None))).one()
        assert (held.held_until, held.needs_approval) == (None, True)


def test_an_award_paid_late_is_held_from_the_day_it_is_paid(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, hold_days=14), points=0)
    close_it(network)
    fund_more(network, 500)
    close_it(network, now=NOW + timedelta(days=10))
    with Session(network) as session:
        held = sa.select(Transfer.held_until).where(Transfer.decision_id.is_not(None))
        assert session.scalars(held).one() == date(2026, 7, 27)


# --- Scales -------------------------------------------------------------------------------------


def test_awards_of_several_sizes_are_paid_each_with_its_own_reason(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R3", 10), *lines("R3", 1, "2026-05-19"))
    anything = KpiAtLeast("otif", Fraction(0))
    scale = PointsPerUnit("otif", Fraction(3, 4), Fraction(1, 100), 10)
    a_programme(network, replace(OTIF_BONUS, conditions=(anything,), award=scale))
    close_it(network)
    assert balances(network) == {"R1": 250, "R2": 100, "R3": 250}
    assert whys(network)["R2"] == "Network quality bonus, Q2 2026: 100 points."


def test_every_period_has_keys_of_its_own() -> None:
    assert award_key(Period.parse("2026"), "a:b", "c") == "close:2026:a%3Ab:c"
