"""Every rule of the demo, back-tested over its closed quarters, comes to what its ledger holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database
from partner_cx.periods import Period
from rewards.frozen import Closing
from rewards.rulebook import RuleVersion
from rewards.rules import Occasion
from tests.harness.backtests import published, told_by_the_backtest, told_by_the_ledger
from tests.harness.built_demo import NOW, a_built_demo
from tests.harness.databases import EACH_KIND
from tests.harness.intake import SETTINGS

AT = datetime.fromisoformat(NOW).replace(tzinfo=SETTINGS.zone)


@pytest.fixture(params=EACH_KIND)
def demo(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with a_built_demo(request.param) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def test_every_published_rule_comes_to_the_ledger_to_the_point(demo: sa.Engine) -> None:
    with Session(demo) as session:
        newest = sa.select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version)
        rules = {version.code: version.rule for version in session.scalars(newest)}
        closed = sorted(Period.parse(each) for each in session.scalars(sa.select(Closing.period)))
    everything = [*closed, closed[-1].next()]  # events are paid while their quarter runs
    assert rules
    for code, rule in rules.items():
        quarters = closed if rule.on is Occasion.CLOSE else everything
        test = published(demo, code, quarters, now=AT)
        assert test.points > 0, code
        assert told_by_the_backtest(test) == told_by_the_ledger(demo, code), code
