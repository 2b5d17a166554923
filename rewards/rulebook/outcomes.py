"""What rules came to: at their last closes, and on the events of the running period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.periods import Period, PeriodKind
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.rulebook import RuleVersion

PERIODS_USUAL = 8

_met = sa.func.sum(sa.case((DecisionRow.verdict == "met", 1), else_=0))
_not_met = sa.func.sum(sa.case((DecisionRow.verdict == "not_met", 1), else_=0))
_won = sa.func.sum(sa.case((DecisionRow.points > 0, 1), else_=0))
_points = sa.func.sum(DecisionRow.points)


@dataclass(frozen=True)
class Outcome:
    """What a rule came to at one close, or on a period's events.

    decided: partners, or events. won: those that were awarded points; met: those that met it,
        within its limits or beyond them.
    """

    code: str
    period: Period
    version: int
    decided: int
    met: int
    not_met: int
    won: int
    points: int

    @property
    def open(self) -> int:
        """Those that couldn't be judged."""
        return self.decided - self.met - self.not_met


def last_outcomes(session: Session, today: date) -> dict[str, Outcome]:
    """What each rule came to last, by code, in two questions however many rules there are.

    At the last close of each kind of period; on events, in the running quarter.
    """
    closings = _closings(session)
    last = {period.kind: (period, number) for period, number in closings}
    found = {each.code: each for each in _at(session, [number for _, number in last.values()])}
    return _on_events(session, Period.of(today, PeriodKind.QUARTER)) | found


def outcomes(session: Session, code: str, most: int = PERIODS_USUAL) -> list[Outcome]:
    """What a rule came to at its last closes, the latest first; on events, by quarter."""
    found = _at(session, [number for _, number in _closings(session)], code)
    if not found:
        found = _by_quarter(session, code)
    return sorted(found, key=lambda each: each.period, reverse=True)[:most]


def _closings(session: Session) -> list[tuple[Period, int]]:
    rows = session.execute(sa.select(Closing.period, Closing.id))
    return sorted((Period.parse(text), number) for text, number in rows)


def _at(session: Session, closings: Collection[int], code: str | None = None) -> list[Outcome]:
    wanted = (
        sa.select(
            RuleVersion.code,
            Closing.period,
            RuleVersion.version,
            *(sa.func.count(), _met, _not_met, _won, _points),
        )
        .select_from(DecisionRow)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(Closing, Closing.id == DecisionRow.closing_id)
        .where(DecisionRow.closing_id.in_(sorted(closings)))
        .group_by(RuleVersion.code, Closing.period, RuleVersion.version)
    )
    if code is not None:
        wanted = wanted.where(RuleVersion.code == code)
    return [
        Outcome(rule, Period.parse(period), version, *map(int, counts))
        for rule, period, version, *counts in session.execute(wanted)
    ]


def _on_events(session: Session, period: Period) -> dict[str, Outcome]:
    wanted = _event_counts(RuleVersion.code, sa.func.max(RuleVersion.version))
    wanted = wanted.where(EventRow.on.between(period.first_day, period.last_day))
    found = session.execute(wanted.group_by(RuleVersion.code))
    return {
        code: Outcome(code, period, version, *map(int, counts)) for code, version, *counts in found
    }


def _by_quarter(session: Session, code: str) -> list[Outcome]:
    """The quarters of a rule's events; days are added up here, as databases cut them otherwise."""
    wanted = _event_counts(EventRow.on, sa.func.max(RuleVersion.version))
    found = session.execute(wanted.where(RuleVersion.code == code).group_by(EventRow.on))
    quarters: dict[Period, list[int]] = {}
    for day, version, *counts in found:
        period = Period.of(day, PeriodKind.QUARTER)
        version_so_far, *so_far = quarters.get(period, [0] * (len(counts) + 1))
        added = [one + int(other) for one, other in zip(so_far, counts, strict=True)]
        quarters[period] = [max(version_so_far, version), *added]
    return [Outcome(code, period, *counts) for period, counts in quarters.items()]


def _event_counts(*by: Any) -> sa.Select[Any]:
    columns: tuple[Any, ...] = (*by, sa.func.count(), _met, _not_met, _won, _points)
    return (
        sa.select(*columns)
        .select_from(DecisionRow)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(EventRow, EventRow.id == DecisionRow.event_id)
    )
