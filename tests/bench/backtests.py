"""Back-testing one rule over eight closed quarters of a large programme, in a process that is warm.

Measured is what `rules backtest` does between two snapshots: evidence gathered from what was
frozen, every partner judged, the budget played through, the table's rows, its head and every view.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, reading, transact
from partner_cx.periods import PeriodKind
from rewards.awards import award_all
from rewards.backtest import BackTest, backtest, backtest_published, views
from rewards.deciding import decide_all
from rewards.rulebook import versions
from rewards.rules.limits import Limit
from tests.bench.product import fresh_database
from tests.bench.quarters import NOW, SETTINGS, a_large_programme, freeze_quarter, quarter
from tests.bench.report import Bench, Line, as_seconds, section
from tests.bench.timing import median_seconds

QUARTERS = 8
AIM_SECONDS = 1.0
RULE = "rule-00"  # two conditions


@section("backtest")
def back_tests(bench: Bench) -> Iterator[Line]:
    for database in bench.databases:
        engine = open_database(fresh_database(bench, database, "backtest"))
        a_large_programme(engine, bench.share)
        for number in range(QUARTERS):
            transact(engine, lambda session, n=number: _close(session, n))
        for what, act in (
            ("A published rule as it was paid", _published),
            ("A draft with a yearly limit against it", _draft),
        ):
            seconds, test = median_seconds(partial(act, engine), runs=5)
            yield Line(
                f"{what}, {QUARTERS} quarters, {len(list(test.lines)):,} verdicts, {database}",
                as_seconds(seconds),
                aim=f"≤ {as_seconds(AIM_SECONDS)}",
                reached=seconds <= AIM_SECONDS,
            )
        seconds, _ = median_seconds(partial(_draft, engine, drawn=True), runs=3)
        yield Line(f"The same with each partner's nearest way, {database}", as_seconds(seconds))
        engine.dispose()


def _close(session: Session, number: int) -> None:
    period = quarter(number)
    closing = freeze_quarter(session, period)
    decide_all(session, closing=closing, period=period)
    award_all(session, closing=closing, period=period, now=NOW, today=NOW.date())


def _published(engine: sa.Engine) -> BackTest:
    periods = [quarter(number) for number in range(QUARTERS)]
    with reading(engine) as session:
        test = backtest_published(session, RULE, periods, now=NOW, settings=SETTINGS)
    assert test.points == test.cost > 0
    return test


def _draft(engine: sa.Engine, *, drawn: bool = False) -> BackTest:
    """drawn: whether all that a page could draw is made, each partner's nearest way with it."""
    periods = [quarter(number) for number in range(QUARTERS)]
    with reading(engine) as session:
        published = versions(session, RULE)[-1].rule
        draft = replace(published, limits=(Limit(PeriodKind.YEAR, times=2),))
        test = backtest(
            session,
            draft,
            periods,
            now=NOW,
            settings=SETTINGS,
            against=published,
            budget_points=100_000,
        )
        if drawn:
            test.to_plain()
    assert test.changes
    assert test.fairness
    assert list(views.partner_rows(test))
    return test
