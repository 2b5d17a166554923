"""Back-tests: what a rule would have done and cost in past periods. Decides and pays nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.measuring import measure_period
from api.request_scope import Clock, Wiring, wiring
from api.v1.asking import PERIOD_FORM, Spoken
from api.v1.doorway import Doorway
from api.v1.holders import WritesRules
from api.v1.problems import documented, wrong_value
from api.v1.rules import RuleText
from api.v1.told import Decimals, PeriodCode, decimals
from api.wiring import House
from partner_cx.database import reading
from partner_cx.periods import Period
from rewards.backtest import BackTest, backtest, backtest_published, cut, views
from rewards.backtest.changes import Direction
from rewards.backtest.lines import Basis
from rewards.budgets import POINTS_MAX
from rewards.conditions import Verdict
from rewards.rulebook import newest, versions
from rewards.rulebook.drafts import draft_of
from rewards.rules import Occasion, Rule

router = APIRouter(prefix="/api/v1", tags=["rules"], route_class=Doorway)

PERIODS_MAX = 24
LINES_MAX = 50_000


class BacktestAsked(RuleText):
    """Which rule to try, and on which periods. Name a rule by its code, or give its text."""

    code: str | None = Field(
        default=None,
        max_length=80,
        description="A published rule: each closed period is decided by the version of then.",
        examples=["network_quality_bonus"],
    )
    draft: bool = Field(False, description="Try the code's draft instead.")
    first: str = Field(pattern=PERIOD_FORM, description="The first period.", examples=["2026Q1"])
    last: str = Field(pattern=PERIOD_FORM, description="The last one.", examples=["2026Q2"])
    against: str | None = Field(
        default=None,
        max_length=80,
        description="The code of a published rule to compare with.",
        examples=[None],
    )
    budget_points: int | None = Field(
        default=None,
        ge=0,
        le=POINTS_MAX,
        description="What there is to pay; null: what the rule's budget was given.",
        examples=[10_000],
    )
    lines: bool = Field(False, description="Whether to tell each partner in each period, too.")


class PeriodResult(BaseModel):
    """What a period comes to."""

    period: PeriodCode
    basis: Basis = Field(examples=["closed"])
    version: int | None = Field(examples=[1])
    partners: int = Field(description="For how many the rule was.", examples=[3])
    met: int = Field(examples=[1])
    not_met: int = Field(examples=[1])
    unknown: int = Field(examples=[1])
    points: int = Field(examples=[500])
    paid: int = Field(description="What the budget had for it.", examples=[500])
    running_cost: int = Field(examples=[500])
    left: int | None = Field(description="Null where no budget was set.", examples=[9_500])


class LineResult(BaseModel):
    """What a period comes to for a partner."""

    period: PeriodCode
    day: date = Field(examples=["2026-06-30"])
    partner: str = Field(examples=["R1"])
    verdict: Verdict = Field(examples=["met"])
    points: int = Field(examples=[500])
    paid: int = Field(examples=[500])
    running_cost: int = Field(examples=[500])


class ChangeResult(BaseModel):
    """What a partner would gain or lose against the other rule."""

    partner: str = Field(examples=["R2"])
    before: int = Field(examples=[0])
    after: int = Field(examples=[500])
    difference: int = Field(examples=[500])
    change: Direction = Field(examples=["gains"])


class ReachResult(BaseModel):
    """A partner that missed the last period, the nearest first."""

    partner: str = Field(examples=["R2"])
    verdict: Verdict = Field(examples=["not_met"])
    steps: int = Field(examples=[1])
    gap: Decimals = Field(description="Relative to what was asked.", examples=["0.105263"])
    reachable: bool = Field(examples=[True])
    way: str = Field(examples=["2 more lines on time."])


class ShareResult(BaseModel):
    """What a group could win, and did."""

    by: str = Field(examples=["tier"])
    group: str | None = Field(description="Null: those that belong to none.", examples=["gold"])
    members: int = Field(examples=[3])
    could_win: int = Field(examples=[3])
    won: int = Field(examples=[1])
    points: int = Field(examples=[500])
    share: Decimals | None = Field(description="Of all points.", examples=["1"])
    small: bool = Field(description="So few that it says little.", examples=[True])


class BacktestResult(BaseModel):
    """What a rule comes to in some periods."""

    rule: str = Field(examples=["network_quality_bonus"])
    version: int = Field(examples=[1])
    digest: str = Field(description="Of the rule that was tried.", examples=["5b1c…"])
    as_published: bool = Field(examples=[True])
    points: int = Field(description="Earned.", examples=[500])
    cost: int = Field(description="Paid.", examples=[500])
    short_in: PeriodCode | None = Field(
        description="The first period that the budget couldn't pay in full."
    )
    sentences: list[str] = Field(examples=[["The budget would have lasted: 9,500 points left."]])
    periods: list[PeriodResult]
    changes: list[ChangeResult]
    reach: list[ReachResult]
    fairness: list[ShareResult]
    lines: list[LineResult] | None = Field(description="Null unless asked for.")


@router.post("/backtests", responses=documented(404, 409, body=True))
def try_rule(
    request: Request, now: Clock, _holder: WritesRules, language: Spoken, asked: BacktestAsked
) -> BacktestResult:
    """Say what a rule would have done and cost. What isn't closed is measured first."""
    house = wiring(request)
    periods = _periods(asked, house, now)
    with reading(house.engine) as session:
        rule, other = _rule(session, asked), _against(session, asked)
    _measure(house, [each for each in (rule, other) if each], periods, now)
    with reading(house.engine) as session:
        return _told(_tried(session, asked, rule, other, periods, house, now), asked, language)


def _periods(asked: BacktestAsked, house: Wiring, now: datetime) -> list[Period]:
    first, last = Period.parse(asked.first), Period.parse(asked.last)
    if first.kind == last.kind and (last.first_day - first.first_day).days > 366 * 24:
        raise _too_many()
    periods = Period.span(first, last)
    if len(periods) > PERIODS_MAX:
        raise _too_many()
    if now < last.starts_at(house.settings.zone):
        raise wrong_value("body.last", f"{last} hasn't begun.", "Name periods of the past.")
    return periods


def _too_many() -> Exception:
    return wrong_value("body.last", f"These are more than {PERIODS_MAX} periods.", "Name fewer.")


def _rule(session: Session, asked: BacktestAsked) -> Rule:
    """The rule that is asked about, however it is named."""
    if asked.code is None:
        return asked.read()
    if asked.yaml is not None or asked.rule is not None:
        raise wrong_value("body.code", "A rule is named and another one given.", "Give one.")
    if asked.draft:
        return draft_of(session, asked.code).rule
    return versions(session, asked.code)[-1].rule


def _against(session: Session, asked: BacktestAsked) -> Rule | None:
    """What it is compared with: the rule that is named, or the published one of the same code."""
    if asked.against is not None:
        return versions(session, asked.against)[-1].rule
    if asked.code is not None and not asked.draft:
        return None
    published = newest(session, _rule(session, asked).code)
    return published.rule if published else None


def _measure(house: Wiring, rules: Iterable[Rule], periods: list[Period], now: datetime) -> None:
    """Measure the periods that rules look at, unless they are closed."""
    wanted: set[Period] = set()
    for rule in rules:
        if rule.on is Occasion.CLOSE:
            own = cut(periods, rule.period)
            wanted.update(own)
            wanted |= {earlier.of(each) for earlier, _ in rule.needs().earlier for each in own}
    if len(wanted) > 2 * PERIODS_MAX:
        raise _too_many()
    for period in sorted(wanted):
        measure_period(House(house.settings, house.engine), period, now=now)


def _tried(
    session: Session,
    asked: BacktestAsked,
    rule: Rule,
    other: Rule | None,
    periods: list[Period],
    house: Wiring,
    now: datetime,
) -> BackTest:
    more: dict[str, Any] = {
        "now": now,
        "settings": house.settings,
        "against": other,
        "budget_points": asked.budget_points,
    }
    if asked.code is not None and not asked.draft:
        return backtest_published(session, rule.code, periods, **more)
    return backtest(session, rule, periods, **more)


def _told(test: BackTest, asked: BacktestAsked, language: str) -> BacktestResult:
    reach = ({**row, "gap": decimals(row["gap"])} for row in views.reach_rows(test, language))
    shares = ({**row, "share": decimals(row["share"])} for row in views.fairness_rows(test))
    return BacktestResult(
        rule=test.rule.code,
        version=test.rule.version,
        digest=test.rule.digest,
        as_published=test.as_published,
        points=test.points,
        cost=test.cost,
        short_in=str(test.short.period) if test.short else None,
        sentences=[each.in_(language) for each in test.sentences],
        periods=[PeriodResult(**row) for row in views.period_rows(test)],
        changes=[ChangeResult(**row) for row in views.change_rows(test)],
        reach=[ReachResult(**row) for row in reach],
        fairness=[ShareResult(**row) for row in shares],
        lines=_lines(test) if asked.lines else None,
    )


def _lines(test: BackTest) -> list[LineResult]:
    rows = [LineResult(**row) for row in views.partner_rows(test)]
    if len(rows) > LINES_MAX:
        raise wrong_value(
            "body.lines", f"These are more than {LINES_MAX:,} lines.", "Ask for less."
        )
    return rows
