"""Retirements: rules that decide nothing any more from a day on, and how rules stand on a day.

A rule is retired, never taken back: what it has decided stays decided. A version that is published
later is in force again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock
from partner_cx.errors import Conflict
from partner_cx.journal import Did, note
from partner_cx.periods import Period
from rewards import rulebook
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.reading import Given
from rewards.rulebook import RuleRetirement, RuleVersion
from rewards.rules import Rule


def retire(
    session: Session, code: str, from_day: date, *, by: str, why: str, now: datetime
) -> RuleRetirement:
    """Let a rule decide nothing any more, from a day on.

    from_day: periods that begin on it or later, and events of it or later, are no longer decided.
    why: a text on one line.

    Raises NotFound for an unknown rule, Conflict when it would reach back over what is decided
    already, or when it is retired from another day. The caller commits.
    """
    Given.of(why, "why").line()
    lock(session, f"rule:{code}")
    versions = rulebook.versions(session, code)
    last = versions[-1]
    if known := rulebook.retirement_of(session, last):
        return _as_known(known, from_day)
    _wait_for_closes(session, last.rule, max(from_day, versions[0].starts_on), now.date())
    _refuse_reaching_back(session, code, from_day)
    retirement = RuleRetirement(
        code=code,
        version=last.version,
        from_day=from_day,
        retired_at=now,
        retired_by=by,
        why=why,
    )
    session.add(retirement)
    details = {"version": last.version, "from": from_day.isoformat(), "why": why}
    note(session, by=by, did=Did.RULE_RETIRED, about=code, now=now, details=details)
    session.flush()
    return retirement


def closed_from(session: Session, rule: Rule) -> list[Period]:
    """The closed periods that a rule would decide, were they still open: they keep what did."""
    return [period for period in _closed(session) if rule.holds_in(period)]


def _as_known(known: RuleRetirement, from_day: date) -> RuleRetirement:
    if known.from_day != from_day:
        raise Conflict(
            f"{known.code} is retired from {known.from_day} on already, and that stays.",
            remedy="To let it decide again, publish a new version.",
        )
    return known


def _wait_for_closes(session: Session, rule: Rule, from_day: date, today: date) -> None:
    """Wait for the closes under way that the retirement could reach back over."""
    period = Period.of(from_day, rule.period)
    while period.first_day <= today:
        lock(session, f"close:{period}")
        period = period.next()


def _refuse_reaching_back(session: Session, code: str, from_day: date) -> None:
    if closed := _decided_by(session, code, from_day):
        raise Conflict(
            f"{', '.join(map(str, closed))} {'is' if len(closed) == 1 else 'are'} closed and "
            f"decided by {code}, which stays.",
            remedy=f"Retire it from {closed[-1].end_day} on, or later.",
        )
    if last_event := _last_event_decided(session, code, from_day):
        raise Conflict(
            f"{code} has already decided events up to {last_event}, which stays.",
            remedy="Retire it from a later day on.",
        )


def _decided_by(session: Session, code: str, from_day: date) -> list[Period]:
    """The closed periods from a day on that a rule decided, the first one first.

    A version that came later may say otherwise of them: what decided them is what counts.
    """
    decided = set(session.scalars(_periods_decided_by(code)))
    return [
        period
        for period in _closed(session)
        if period.first_day >= from_day
        and (
            str(period) in decided
            or any(version.code == code for version, _ in rulebook.in_force(session, period))
        )
    ]


def _periods_decided_by(code: str) -> sa.Select[str]:
    decided = sa.exists().where(
        DecisionRow.closing_id == Closing.id,
        DecisionRow.rule_version_id == RuleVersion.id,
        RuleVersion.code == code,
    )
    return sa.select(Closing.period).where(decided)


def _closed(session: Session) -> Iterator[Period]:
    texts = session.scalars(sa.select(Closing.period)).all()
    yield from sorted(map(Period.parse, texts))


def _last_event_decided(session: Session, code: str, from_day: date) -> date | None:
    return session.scalar(
        sa.select(sa.func.max(EventRow.on))
        .join(DecisionRow, DecisionRow.event_id == EventRow.id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == code, EventRow.on >= from_day)
    )
