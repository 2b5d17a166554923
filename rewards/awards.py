"""Awards: what met decisions earn, paid by the rule's budget into the partners' wallets.

A rule's awards are paid all together or not at all: a budget that can't pay everyone pays no one,
until it is funded and the period closed again. Each award is posted under one key for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Scorecard
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.budgets import budget, points_left
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.evidence import Evidence
from rewards.frozen import Closing
from rewards.ledger import (
    AccountKind,
    HoldsTooLittle,
    Move,
    Posting,
    Transfer,
    accounts,
    post_many,
    wallet_of,
)
from rewards.rulebook import RuleVersion
from rewards.rules import Decision, Rule


@dataclass(frozen=True)
class Outcome:
    """What a rule came to at a close.

    met, not_met, unknown: how many partners.
    points_awarded: in all, by this run and earlier ones. points_new: by this run alone.
    points_unfunded: earned and not awarded, since the budget can't pay them all.
    points_left: what the budget holds now.
    """

    rule: Rule
    met: int
    not_met: int
    unknown: int
    points_awarded: int
    points_new: int
    points_unfunded: int
    points_left: int

    @property
    def points_missing(self) -> int:
        """What the budget lacks to pay the unfunded awards."""
        return max(self.points_unfunded - self.points_left, 0)


def award_all(
    session: Session, *, closing: Closing, period: Period, now: datetime
) -> tuple[Outcome, ...]:
    """Award what the close's decisions earned and nobody has paid yet, rule by rule, by code."""
    decided = sa.select(DecisionRow.rule_version_id).where(DecisionRow.closing_id == closing.id)
    versions = sa.select(RuleVersion).where(RuleVersion.id.in_(decided)).order_by(RuleVersion.code)
    return tuple(
        _award(session, version, closing.id, period, now)
        for version in session.scalars(versions).all()
    )


def award_key(period: Period, rule_code: str, partner_code: str) -> str:
    """Codes may hold the colon that parts them, so they are quoted: no two awards share a key."""
    return f"close:{period}:{quote(rule_code, safe='')}:{quote(partner_code, safe='')}"


def _award(
    session: Session, version: RuleVersion, closing_id: int, period: Period, now: datetime
) -> Outcome:
    rule = version.rule
    unpaid = _unpaid(session, version, closing_id)
    earned = sum(row.points for row in unpaid)
    paid = _pay(session, rule, unpaid, period, now) if unpaid else True
    counts, points = _counted(session, version, closing_id)
    return Outcome(
        rule,
        met=counts.get(Verdict.MET, 0),
        not_met=counts.get(Verdict.NOT_MET, 0),
        unknown=counts.get(Verdict.UNKNOWN, 0),
        points_awarded=points if paid else points - earned,
        points_new=earned if paid else 0,
        points_unfunded=0 if paid else earned,
        points_left=points_left(session, rule.budget),
    )


def _pay(
    session: Session, rule: Rule, unpaid: Sequence[Any], period: Period, now: datetime
) -> bool:
    """Post the awards of a rule; False, and nothing is posted, when the budget can't pay all."""
    source = budget(session, rule.budget)
    wallets = accounts(session, AccountKind.WALLET, {wallet_of(row.code): row.id for row in unpaid})
    postings = [
        Posting(
            key=award_key(period, rule.code, row.code),
            why=told(rule, period, row.points),
            moves=(Move(source, wallets[wallet_of(row.code)], row.points),),
            effective_on=period.last_day,
            decision_id=row.decision_id,
        )
        for row in unpaid
    ]
    try:
        post_many(session, postings, now=now)
    except HoldsTooLittle:
        return False
    return True


def told(rule: Rule, period: Period, points: int) -> Words:
    """What a partner reads of an award that a rule gave at a close."""
    nobody = Evidence.of(Scorecard(period, "", {}))
    return Decision(rule, nobody, Verdict.MET, (), earned=points, points=points).short_sentence


def _unpaid(session: Session, version: RuleVersion, closing_id: int) -> Sequence[Any]:
    """The met decisions without a transfer, by the partner's code."""
    return session.execute(
        sa.select(
            DecisionRow.id.label("decision_id"),
            DecisionRow.points,
            Partner.id,
            Partner.code,
        )
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(
            DecisionRow.closing_id == closing_id,
            DecisionRow.rule_version_id == version.id,
            DecisionRow.verdict == Verdict.MET,
            Transfer.id.is_(None),
        )
        .order_by(Partner.code)
    ).all()


def _counted(session: Session, version: RuleVersion, closing_id: int) -> tuple[dict[str, int], int]:
    """How many partners there are per verdict, and what they earn together."""
    found = session.execute(
        sa.select(DecisionRow.verdict, sa.func.count(), sa.func.sum(DecisionRow.points))
        .where(DecisionRow.closing_id == closing_id, DecisionRow.rule_version_id == version.id)
        .group_by(DecisionRow.verdict)
    ).all()
    return {verdict: n for verdict, n, _ in found}, int(sum(points for _, _, points in found))
