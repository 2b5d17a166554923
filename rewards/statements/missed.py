"""What a partner missed at a close, and why: one close at a time.

Before it stand the decisions that nothing paid, and what was frozen at their close; after it the
statement, which shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.deciding.gathering import Candidate, gather
from rewards.deciding.history import history
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Transfer
from rewards.rules import Decision, Rule, decide
from rewards.statements import telling
from rewards.statements.listing import Shown


@dataclass(frozen=True)
class Close:
    """A close at which a partner missed something."""

    closing: Closing
    period: Period

    @property
    def closed_at(self) -> datetime:
        return self.closing.closed_at


@dataclass(frozen=True)
class Missed:
    """A decision of a close that brought no points, or none yet.

    number: the decision's. sentence: the outcome with every reason.
    """

    number: int
    decision: Decision
    sentence: Words

    @property
    def rule(self) -> Rule:
        return self.decision.rule

    @property
    def verdict(self) -> Verdict:
        return self.decision.verdict


def closes_missed(
    session: Session, partner_id: int, rules: Mapping[int, Rule], shown: Shown
) -> list[Close]:
    """The closes at which the partner went without an award, the latest period first."""
    asked = {"partner_id": partner_id, "versions": _versions(rules, shown)}
    found = session.scalars(_closes(by_rule=shown.rule is not None), asked)
    closes = [Close(closing, Period.parse(closing.period)) for closing in found]
    return sorted(
        (each for each in closes if not shown.period or each.period.last_day in shown.period),
        key=lambda each: (each.period.last_day, each.period.first_day),
        reverse=True,
    )


def missed_at(
    session: Session,
    partner: Partner,
    close: Close,
    rules: Mapping[int, Rule],
    shown: Shown,
    *,
    kept: MutableMapping[int, Decision] | None = None,
) -> list[Missed]:
    """What the partner went without at a close, by the rules' codes, with every reason.

    kept: decisions of this database that were told before, by their numbers: a decision rests on
        what its close froze, so that it is told alike for ever. Those that lack are added.
    """
    asked = {
        "closing_id": close.closing.id,
        "partner_id": partner.id,
        "versions": _versions(rules, shown),
    }
    rows = session.scalars(_unpaid(by_rule=shown.rule is not None), asked).all()
    told = {} if kept is None else {row.id: kept[row.id] for row in rows if row.id in kept}
    if new := [row for row in rows if row.id not in told]:
        told |= _told_again(session, partner, close, new, rules)
    if kept is not None:
        kept.update(told)
    shared = _shared_out(session, close, told)
    return sorted(
        (_missed(row, told[row.id], row.rule_version_id in shared) for row in rows),
        key=lambda each: each.rule.code,
    )


# Statements are made once: to put one together takes longer than the database does to answer it.


@lru_cache
def _closes(*, by_rule: bool) -> sa.Select[Closing]:
    unpaid = _unpaid(by_rule=by_rule, at_one_close=False)
    return sa.select(Closing).where(
        Closing.id.in_(unpaid.with_only_columns(DecisionRow.closing_id))
    )


@lru_cache
def _unpaid(*, by_rule: bool, at_one_close: bool = True) -> sa.Select[DecisionRow]:
    """A partner's decisions that nothing paid."""
    found = (
        sa.select(DecisionRow)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(DecisionRow.partner_id == sa.bindparam("partner_id"), Transfer.id.is_(None))
    )
    if at_one_close:
        found = found.where(DecisionRow.closing_id == sa.bindparam("closing_id"))
    if by_rule:
        versions: sa.BindParameter[int] = sa.bindparam("versions", expanding=True)
        found = found.where(DecisionRow.rule_version_id.in_(versions))
    return found


def _versions(rules: Mapping[int, Rule], shown: Shown) -> list[int]:
    return [number for number, rule in rules.items() if rule.code == shown.rule]


def _told_again(
    session: Session,
    partner: Partner,
    close: Close,
    rows: Sequence[DecisionRow],
    rules: Mapping[int, Rule],
) -> dict[int, Decision]:
    """As `retelling` tells decisions, for one partner and rules that are known already."""
    closing = close.closing
    asked = [rules[row.rule_version_id] for row in rows]
    gathered = gather(session, close.period, asked, closing=closing, only={partner.id})
    left_since = Candidate(partner.id, partner.code, partner.kind, partner.joined_on, frozenset())
    candidate = next(iter(gathered.candidates), left_since)
    told = {}
    for row, rule in zip(rows, asked, strict=True):
        won = {}
        if rule.limits or rule.cool_down_days:
            won = history(session, rule.code, before=closing, only={partner.id})
        evidence = gathered.evidence(rule, candidate)
        told[row.id] = decide(rule, evidence, won.get(partner.id, ()))
    return told


def _missed(row: DecisionRow, decision: Decision, shared_out: bool) -> Missed:
    if not decision.points:
        return Missed(row.id, decision, decision.sentence)
    waits = telling.unpaid(decision.rule, shared_out=shared_out)
    return Missed(row.id, decision, sentences.joined([decision.sentence, waits]))


def _shared_out(session: Session, close: Close, told: Mapping[int, Decision]) -> Collection[int]:
    """The versions that paid anybody at the close; asked only where something is unpaid."""
    if not any(decision.points for decision in told.values()):
        return ()
    paid = (
        sa.select(DecisionRow.rule_version_id)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(DecisionRow.closing_id == close.closing.id)
        .distinct()
    )
    return set(session.scalars(paid))
