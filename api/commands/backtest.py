"""`rules backtest`: what a rule would have done and cost in past periods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.wiring import House
    from partner_cx.periods import Period
    from rewards.backtest import BackTest
    from rewards.rules import Rule


class View(StrEnum):
    """What of a back-test is printed."""

    PARTNERS = "partners"  # a row per period and partner
    PERIODS = "periods"  # a row per period
    CHANGES = "changes"  # who gains and who loses against the other rule
    REACH = "reach"  # who missed the last period by how little
    FAIRNESS = "fairness"  # what each tier, region, country and size won


COLUMNS = {
    View.PARTNERS: ("period", "day", "partner", "verdict", "points", "paid", "running_cost"),
    View.PERIODS: (
        *("period", "basis", "version", "partners", "met", "not_met", "unknown"),
        *("points", "paid", "running_cost", "left"),
    ),
    View.CHANGES: ("partner", "before", "after", "difference", "change"),
    View.REACH: ("partner", "verdict", "steps", "gap", "reachable", "way"),
    View.FAIRNESS: (*("by", "group", "members", "could_win", "won", "points", "share", "small"),),
}


def backtest(
    rule: Annotated[
        str, typer.Argument(metavar="CODE|FILE", help="A published rule, or one as YAML.")
    ],
    first: Annotated[
        str, typer.Option("--from", metavar="PERIOD", help="The first period, such as 2025Q1.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="PERIOD", help="The last period.")],
    budget: Annotated[
        int | None,
        typer.Option(
            metavar="POINTS",
            min=0,
            help="What there is to pay.",
            show_default="what the rule's budget was given",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="CODE|FILE",
            help="The rule to compare with.",
            show_default="the published one of the same code",
            callback=filled,
        ),
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Try the code's saved draft.")] = False,
    show: Annotated[View, typer.Option(help="What to print.")] = View.PARTNERS,
    summary: Annotated[bool, typer.Option("--summary", help="As --show periods.")] = False,
    partner: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The rows of this partner alone.", callback=filled),
    ] = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Say what a rule would have done and cost in past periods. Decides and pays nothing.

    A code is tried as it was published: each closed period by the version in force at its close.
    A file, or a draft, is one rule for all periods, whatever its own dates.
    """
    from api.wiring import moment, open_house
    from partner_cx.periods import Period

    asked = Period.span(Period.parse(first), Period.parse(last))
    view = View.PERIODS if summary else show
    with open_house(database) as house:
        at, spoken = moment(now, house.settings), language or house.language
        with _tried(house, rule, asked, against, budget, draft=draft, now=at) as test:
            rows = _rows(test, view, spoken)
            sentences = [sentence.in_(spoken) for sentence in test.sentences]
    if partner is not None:
        rows = [row for row in rows if row.get("partner") == partner]
    print_rows(rows, COLUMNS[view], form=form, language=spoken)
    for sentence in sentences:
        say(sentence)


@contextmanager
def _tried(
    house: House,
    named: str,
    asked: list[Period],
    against: str | None,
    budget: int | None,
    *,
    draft: bool,
    now: datetime,
) -> Iterator[BackTest]:
    """Measure what isn't closed, then back-test on one snapshot, which its views read on."""
    from partner_cx.database import reading
    from rewards.backtest import backtest, backtest_published

    _refuse_future(asked, now, house)
    with reading(house.engine) as session:
        rule, published = _found(session, named, draft=draft)
        other = _found(session, against, draft=False)[0] if against else None
        if other is None and not published:
            other = _newest(session, rule.code)
    _measure(house, [each for each in (rule, other) if each], asked, now)
    with reading(house.engine) as session:
        if published:
            yield backtest_published(
                session,
                rule.code,
                asked,
                now=now,
                settings=house.settings,
                against=other,
                budget_points=budget,
            )
        else:
            yield backtest(
                session,
                rule,
                asked,
                now=now,
                settings=house.settings,
                against=other,
                budget_points=budget,
            )


def _found(session: Session, named: str, *, draft: bool) -> tuple[Rule, bool]:
    """The rule that a code or a file names, and whether it is tried as it was published."""
    from api.commands.rule_files import is_file, read_rule
    from partner_cx.errors import NotFound
    from rewards.rulebook import RuleDraft, versions

    if is_file(named):
        return read_rule(Path(named)), False
    newest = _newest(session, named)
    if draft or newest is None:
        saved = session.get(RuleDraft, named)
        if saved is not None:
            return saved.rule, False
        if draft:
            raise NotFound(f"{named} has no draft.", remedy="`partner-cx rules list` lists them.")
    return versions(session, named)[-1].rule, True


def _newest(session: Session, code: str) -> Rule | None:
    from rewards.rulebook import newest

    version = newest(session, code)
    return version.rule if version else None


def _measure(house: House, rules: Iterable[Rule], asked: list[Period], now: datetime) -> None:
    """Measure the periods that rules look at, unless they are closed."""
    from api.measuring import measure_period
    from rewards.backtest import cut
    from rewards.rules import Occasion

    wanted: set[Period] = set()
    for rule in rules:
        if rule.on is not Occasion.CLOSE:
            continue
        for period in cut(asked, rule.period):
            wanted.add(period)
            wanted |= {earlier.of(period) for earlier, _ in rule.needs().earlier}
    for period in sorted(wanted):
        measure_period(house, period, now=now)


def _refuse_future(asked: list[Period], now: datetime, house: House) -> None:
    from partner_cx.errors import Invalid

    last = asked[-1]
    if now < last.starts_at(house.settings.zone):
        raise Invalid(f"{last} hasn't begun.", remedy="Name periods of the past.")


def _rows(test: BackTest, view: View, language: str) -> list[Row]:
    from rewards.backtest import views

    rows: dict[View, Callable[[], Iterable[Row]]] = {
        View.PARTNERS: lambda: views.partner_rows(test),
        View.PERIODS: lambda: views.period_rows(test),
        View.CHANGES: lambda: views.change_rows(test),
        View.REACH: lambda: views.reach_rows(test, language),
        View.FAIRNESS: lambda: views.fairness_rows(test),
    }
    return list(rows[view]())
