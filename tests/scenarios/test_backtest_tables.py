"""A changed rule, tried before it is published, as tables a channel manager can check by hand.

In force: 500 points for OTIF of at least 95 % in a quarter. Proposed: 90 %, with at least ten
lines, at most 1,000 points a year. Four partners, three closed quarters; each cell says how many
of how many lines came on time and in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
import sqlalchemy as sa

from partner_cx.database import open_database, reading
from partner_cx.periods import Period, PeriodKind
from rewards.backtest import BackTest, backtest
from rewards.closings import close
from rewards.conditions import KpiAtLeast
from rewards.rules.limits import Limit
from tests.harness.databases import EACH_KIND, prepared_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import MANAGER, OTIF_BONUS, lines

NOW = datetime(2027, 1, 15, 9, 0, tzinfo=UTC)
QUARTERS = {"2026Q1": "2026-02-10", "2026Q2": "2026-05-18", "2026Q3": "2026-08-10"}
DELIVERED = """
    partner | tier   | 2026Q1 | 2026Q2 | 2026Q3
    ALPHA   | gold   | 20/20  | 19/20  | 20/20
    BRAVO   | gold   | 18/20  | 18/20  | 19/20
    CHARLIE | silver | 5/5    | 5/5    | 17/20
    DELTA   | silver |        | 9/10   | 8/10
"""
IN_FORCE = replace(OTIF_BONUS, conditions=(KpiAtLeast("otif", Fraction(95, 100)),))
PROPOSED = replace(
    OTIF_BONUS,
    conditions=(KpiAtLeast("otif", Fraction(90, 100), n_min=10),),
    limits=(Limit(PeriodKind.YEAR, points=1_000),),
)

WON_BY_THE_RULE_IN_FORCE = """
    partner | 2026Q1  | 2026Q2  | 2026Q3
    ALPHA   | 500     | 500     | 500
    BRAVO   | -       | -       | 500
    CHARLIE | 500     | 500     | -
    DELTA   | ?       | -       | -
"""
WON_BY_THE_PROPOSED_RULE = """
    partner | 2026Q1  | 2026Q2  | 2026Q3
    ALPHA   | 500     | 500     | 0
    BRAVO   | 500     | 500     | 0
    CHARLIE | ?       | ?       | -
    DELTA   | ?       | 500     | -
"""
CHANGES = """
    partner | before | after | change
    CHARLIE | 1000   | 0     | loses
    ALPHA   | 1500   | 1000  | loses
    BRAVO   | 500    | 1000  | gains
    DELTA   | 0      | 500   | gains
"""
NEAREST_TO_THE_PROPOSED_RULE_IN_2026Q3 = """
    partner | steps | way
    CHARLIE | 1     | OTIF at 90%: 1 more line on time.
    DELTA   | 1     | OTIF at 90%: 1 more line on time.
"""
SHARES_OF_THE_PROPOSED_RULE = """
    by   | group            | members | could_win | won | points
    tier | gold             | 2       | 2         | 2   | 2000
    tier | silver           | 2       | 2         | 1   | 500
    size | smallest quarter | 1       | 1         | 1   | 500
    size | second quarter   | 1       | 1         | 0   | 0
    size | third quarter    | 1       | 1         | 1   | 1000
    size | largest quarter  | 1       | 1         | 1   | 1000
"""


def rows_of(table: str) -> list[list[str]]:
    """A table's rows below its head, cell by cell."""
    return [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()][1:]


def _prepare(engine: sa.Engine) -> None:
    delivered = rows_of(DELIVERED)
    take(engine, "partners", *(partner(code, tier=tier) for code, tier, *_ in delivered))
    for code, _, *cells in delivered:
        for cell, day in zip(cells, QUARTERS.values(), strict=True):
            if cell:
                hits, of = map(int, cell.split("/"))
                good, late = lines(code, of, day)[:hits], lines(code, of, day)[hits:]
                take(engine, "order-lines", *good, *({**row, "received_qty": "0"} for row in late))
    for quarter in QUARTERS:
        close(engine, Period.parse(quarter), now=NOW, by=MANAGER, settings=SETTINGS)


@pytest.fixture(params=EACH_KIND)
def tried(request: pytest.FixtureRequest) -> Iterator[BackTest]:
    """The proposed rule, beside the one in force."""
    with prepared_database(request.param, "three-quarters", _prepare) as url:
        engine = open_database(url)
        with reading(engine) as session:
            yield backtest(
                session,
                PROPOSED,
                [Period.parse(quarter) for quarter in QUARTERS],
                now=NOW,
                settings=SETTINGS,
                against=IN_FORCE,
            )
        engine.dispose()


def won(test: BackTest) -> list[list[str]]:
    """Each partner's quarters: points where it met the rule, - where it didn't, ? where unknown."""
    signs = {"not_met": "-", "unknown": "?"}
    cells: dict[str, list[str]] = {}
    for line in test.lines:
        sign = signs.get(line.verdict.value, str(line.points))
        cells.setdefault(line.candidate.code, []).append(sign)
    return [[code, *of_partner] for code, of_partner in cells.items()]


def test_the_rule_in_force_wins_whom_the_table_says(tried: BackTest) -> None:
    assert tried.against is not None
    assert won(tried.against) == rows_of(WON_BY_THE_RULE_IN_FORCE)


def test_the_proposed_rule_wins_whom_the_table_says(tried: BackTest) -> None:
    assert won(tried) == rows_of(WON_BY_THE_PROPOSED_RULE)


def test_exactly_those_gain_and_lose_whom_the_table_says(tried: BackTest) -> None:
    assert told(tried.changes, "partner_code", "before", "after", "direction") == rows_of(CHANGES)


def test_whoever_came_near_has_the_way_that_the_table_says(tried: BackTest) -> None:
    found = [[w.candidate.code, str(len(w.way.steps)), w.sentence.en] for w in tried.reach]
    assert {code for code, *_ in found} == {"ALPHA", "BRAVO", "CHARLIE", "DELTA"}  # two: the limit
    assert [row for row in found if row[0] in ("CHARLIE", "DELTA")] == rows_of(
        NEAREST_TO_THE_PROPOSED_RULE_IN_2026Q3
    )


def test_each_group_has_the_share_that_the_table_says(tried: BackTest) -> None:
    shares = [share for share in tried.fairness if share.by in ("tier", "size")]
    assert told(shares, "by", "group", "members", "could_win", "won", "points") == rows_of(
        SHARES_OF_THE_PROPOSED_RULE
    )


def told(found: Sequence[object], *names: str) -> list[list[str]]:
    return [[str(getattr(each, name)) for name in names] for each in found]
