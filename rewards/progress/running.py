"""The rules in force for the periods that run on a day, from one look at the rulebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.periods import Period, PeriodKind
from partner_cx.prepared import Prepared
from rewards.rulebook import RuleRetirement, RuleVersion
from rewards.rules import Rule
from rewards.statements.known_rules import known_rules


@dataclass(frozen=True)
class Running:
    """A rule in force, and its period that runs."""

    rule: Rule
    period: Period


def running_rules(session: Session, today: date) -> list[Running]:
    """The rules that will decide the running periods, or events of today, by code.

    As `rulebook.in_force` finds them for each period and `in_force_on` for each kind of event.
    """
    versions = _STARTED.rows(session, {"today": today})
    rules = known_rules(session, {each.id: each.digest for each in versions})
    found = [
        Running(rules[number], Period.of(today, rules[number].period))
        for number in dict.fromkeys(_deciding(versions, rules, today))
    ]
    return sorted(found, key=lambda each: each.rule.code)


_STARTED = Prepared(
    sa.select(
        RuleVersion.id,
        RuleVersion.code,
        RuleVersion.version,
        RuleVersion.digest,
        RuleVersion.starts_on,
        RuleRetirement.version.label("retired_up_to"),
        RuleRetirement.from_day,
    )
    .outerjoin(RuleRetirement, RuleRetirement.code == RuleVersion.code)
    .where(RuleVersion.starts_on <= sa.bindparam("today", type_=sa.Date))
    .order_by(RuleVersion.code, RuleVersion.version)
)


def _deciding(versions: Any, rules: dict[int, Rule], today: date) -> Iterator[int]:
    for kind in PeriodKind:
        period = Period.of(today, kind)
        for number in _newest(versions, period.first_day):
            if rules[number].holds_in(period):
                yield number
    for number in _newest(versions, today):
        if rules[number].holds_on(today):
            yield number


def _newest(versions: Any, day: date) -> Iterator[int]:
    """Of each code the newest version that has started by a day, unless it is retired by then."""
    started = {each.code: each for each in versions if each.starts_on <= day}
    retired: dict[str, int] = {}
    for each in versions:
        if each.from_day is not None and each.from_day <= day:
            retired[each.code] = max(retired.get(each.code, 0), each.retired_up_to)
    for code, each in started.items():
        if each.version > retired.get(code, 0):
            yield each.id
