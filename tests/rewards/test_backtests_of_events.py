"""A rule on events, back-tested: what was paid for every event, and what another rule would pay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards.backtest import BackTest, backtest
from rewards.budgets import fund
from rewards.events.awards import pay_waiting
from rewards.events.happenings import Happening, happened
from rewards.rulebook import publish
from rewards.rules import FixedPoints, Rule
from rewards.rules.limits import Limit
from tests.harness.backtests import published, told_by_the_backtest, told_by_the_ledger
from tests.harness.intake import SETTINGS
from tests.harness.programme import MANAGER

BEGUN = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
AFTERWARDS = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
QUARTERS = Period.span(Period.parse("2026Q2"), Period.parse("2026Q3"))
INSIGHT = Rule.from_yaml(
    """
code: insight
label: {en: Insight, fr: Signalement}
source: The programme's terms.
on: report_accepted
period: quarter
starts: 2026-01-01
award: {points: 50}
budget: reports
""",
    "insight.yaml",
)


def a_programme(engine: sa.Engine, rule: Rule, points: int = 10_000) -> None:
    def work(session: Session) -> None:
        publish(session, rule, by=MANAGER, why="Terms", now=BEGUN)
        why = Words("For 2026", "Pour 2026")
        fund(session, rule.budget, points, key=f"fund:{points}", why=why, now=BEGUN)

    transact(engine, work)


def reports(engine: sa.Engine, *told: tuple[str, int]) -> None:
    """Reports accepted of partners, on days after the beginning, in the order they are told."""
    for number, (partner, days) in enumerate(told):
        at = BEGUN + timedelta(days=days)
        happening = Happening(
            f"report:{partner}:{days}:{number}", EventKind.REPORT_ACCEPTED, partner, at
        )
        transact(engine, partial(_tell, happening, at + timedelta(hours=1)))


def _tell(happening: Happening, now: datetime, session: Session) -> int:
    return happened(session, happening, now=now, settings=SETTINGS).event_id


MANY = (("R1", 1), ("R2", 2), ("R1", 3), ("R1", 20), ("R2", 40), ("R1", 95), ("R3", 96), ("R1", 97))


def assert_as_the_ledger(engine: sa.Engine) -> BackTest:
    test = published(engine, INSIGHT.code, QUARTERS, now=AFTERWARDS)
    held = told_by_the_ledger(engine, INSIGHT.code)
    assert len(held) == len(MANY)
    assert told_by_the_backtest(test) == held
    return test


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"limits": (Limit(PeriodKind.MONTH, times=2),)},
        {"limits": (Limit(PeriodKind.QUARTER, points=120),)},
        {"cool_down_days": 10},
        {"hold_days": 14},
    ],
    ids=["plain", "times a month", "points a quarter", "cool-down", "held"],
)
def test_it_comes_to_what_every_event_was_paid(
    network: sa.Engine, terms: dict[str, object]
) -> None:
    a_programme(network, replace(INSIGHT, **terms))  # type: ignore[arg-type]
    reports(network, *MANY)
    test = assert_as_the_ledger(network)
    assert test.cost > 0


def test_a_budget_that_ran_short_and_was_funded_again_pays_alike(network: sa.Engine) -> None:
    a_programme(network, INSIGHT, points=120)
    reports(network, *MANY)
    assert assert_as_the_ledger(network).cost == 100
    why = Words("More", "Davantage")
    later = AFTERWARDS - timedelta(days=1)

    def work(session: Session) -> None:
        fund(session, INSIGHT.budget, 110, key="fund:more", why=why, now=later)
        pay_waiting(session, now=later + timedelta(hours=1))

    transact(network, work)
    assert assert_as_the_ledger(network).cost == 200


def test_another_rule_is_tried_on_the_same_events(network: sa.Engine) -> None:
    a_programme(network, INSIGHT)
    reports(network, *MANY)
    draft = replace(INSIGHT, award=FixedPoints(80), limits=(Limit(PeriodKind.QUARTER, times=1),))
    with reading(network) as session:
        test = backtest(
            session, draft, QUARTERS, now=AFTERWARDS, settings=SETTINGS, against=INSIGHT
        )
    assert [run.points for run in test.periods] == [2 * 80, 2 * 80]
    assert [(each.partner_code, each.before, each.after) for each in test.changes] == [
        ("R1", 250, 160),
        ("R2", 100, 80),
        ("R3", 50, 80),
    ]
    assert test.reach == ()
