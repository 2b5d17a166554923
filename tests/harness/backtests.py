"""What the ledger holds of a rule, told as a back-test tells it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from rewards.backtest import BackTest, backtest_published
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Account, Entry, Transfer
from rewards.rulebook import RuleVersion
from tests.harness.intake import SETTINGS

Told = tuple[str, str, str, int, int]  # period or event, partner, verdict, points, paid


def published(
    engine: sa.Engine, code: str, periods: Iterable[Period], *, now: datetime
) -> BackTest:
    with reading(engine) as session:
        return backtest_published(session, code, list(periods), now=now, settings=SETTINGS)


def told_by_the_backtest(test: BackTest) -> list[Told]:
    return sorted(
        (
            f"event {batch.event_id}" if batch.event_id else str(batch.period),
            line.candidate.code,
            line.verdict.value,
            line.points,
            line.paid,
        )
        for batch in test.batches
        for line in batch.lines
    )


def told_by_the_ledger(engine: sa.Engine, code: str) -> list[Told]:
    """Every decision of a rule, with what left a budget for it."""
    paid = (
        sa.select(Transfer.decision_id, (-Entry.points).label("points"))
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == "budget", Transfer.decision_id.is_not(None))
        .subquery()
    )
    decided = (
        sa.select(
            Closing.period,
            EventRow.id,
            Partner.code,
            DecisionRow.verdict,
            DecisionRow.points,
            sa.func.coalesce(paid.c.points, 0),
        )
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
        .outerjoin(paid, paid.c.decision_id == DecisionRow.id)
        .where(RuleVersion.code == code)
    )
    with Session(engine) as session:
        rows = session.execute(decided).all()
    return sorted(
        (period or f"event {event}", partner, verdict, points, given)
        for period, event, partner, verdict, points, given in rows
    )
