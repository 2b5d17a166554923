"""Outlook: what the rules in force may still ask of a budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import sqlalchemy as sa

from partner_cx.database import reading
from rewards.budgets.outlook import drawn_by_rules, outlook
from rewards.rules import FixedPoints
from tests.harness.programme import OTIF_BONUS, a_programme, close_it

NOW = datetime(2026, 7, 3, 9, 0, tzinfo=UTC)
IN_THE_QUARTER_AFTER = date(2026, 8, 1)
BUDGET = OTIF_BONUS.budget


def test_a_budget_that_no_rule_rests_on_has_nothing_before_it(network: sa.Engine) -> None:
    with reading(network) as session:
        told = outlook(session, "panels", IN_THE_QUARTER_AFTER)
    assert told.open_awards == 0
    assert told.likely_most == 0
    assert told.chance_short == 0


def test_chances_follow_what_was_paid_before(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS)
    close_it(network)
    with reading(network) as session:
        told = outlook(session, BUDGET, IN_THE_QUARTER_AFTER)
    # One of three won once: the rule's share is 2 in 5. R1: 7 in 10; R2 and R3: 1 in 5 each.
    assert told.open_awards == 3
    assert told.expected == 500 * (Fraction(7, 10) + 2 * Fraction(1, 5))
    assert told.likely_most == 1_000
    assert told.left == 9_500
    assert told.chance_short == 0


def test_a_thin_budget_may_not_last(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS, points=900)
    close_it(network)
    with reading(network) as session:
        told = outlook(session, BUDGET, IN_THE_QUARTER_AFTER)
    lost_by_all = Fraction(3, 10) * Fraction(4, 5) ** 2
    assert told.left == 400
    assert told.chance_short == 1 - lost_by_all


def test_before_the_first_close_everyone_has_an_even_chance_in_each_open_period(
    network: sa.Engine,
) -> None:
    a_programme(network, OTIF_BONUS)
    with reading(network) as session:
        told = outlook(session, BUDGET, date(2026, 6, 1))
    assert told.expected == 2 * 500 * Fraction(3, 2)  # the first quarter isn't closed either


def test_rules_that_drew_on_a_budget_are_told_with_their_sums(network: sa.Engine) -> None:
    second = replace(OTIF_BONUS, code="second", award=FixedPoints(700))
    a_programme(network, OTIF_BONUS, second)
    close_it(network)
    with reading(network) as session:
        assert drawn_by_rules(session, BUDGET) == [("second", 1, 700), (OTIF_BONUS.code, 1, 500)]
