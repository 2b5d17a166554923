"""Deciding a close: every rule in force, applied to every partner it is for.

Before: frozen figures and frozen partners. After: decisions, which awards and statements read.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.periods import Period
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.gathering import Gathered, gather
from rewards.history import history
from rewards.rulebook import RuleVersion, in_force
from rewards.rules import Rule, judge


def decide_all(session: Session, *, closing: Closing, period: Period) -> None:
    """Decide every rule in force, on what was frozen at this close and nothing else."""
    rules = in_force(session, period)
    gathered = gather(session, period, [rule for _, rule in rules], closing=closing)
    rows = [
        row
        for version, rule in rules
        for row in _decided(session, version, rule, gathered, closing)
    ]
    if rows:
        bulk.write(session, DecisionRow.__table__, pa.Table.from_pylist(rows))


def _decided(
    session: Session, version: RuleVersion, rule: Rule, gathered: Gathered, closing: Closing
) -> Iterator[dict[str, object]]:
    limited = rule.limits or rule.cool_down_days
    won = history(session, rule.code, before=closing) if limited else {}
    for candidate in gathered.audience(rule):
        evidence = gathered.evidence(rule, candidate)
        verdict, points = judge(rule, evidence, won.get(candidate.partner_id, ()))
        yield {
            "closing_id": closing.id,
            "rule_version_id": version.id,
            "partner_id": candidate.partner_id,
            "verdict": verdict.value,
            "points": points,
        }
