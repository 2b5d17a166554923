"""Deciding a close: every rule in force, applied to every partner it is for.

Before: frozen figures and frozen partners. After: decisions, which awards and statements read.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.periods import Period
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.gathering import gather
from rewards.history import history
from rewards.judging import RANKS, Judged, Judging
from rewards.rulebook import in_force

_VERDICTS = pa.array([verdict.value for verdict in RANKS])


def decide_all(session: Session, *, closing: Closing, period: Period) -> None:
    """Decide every rule in force, on what was frozen at this close and nothing else."""
    rules = in_force(session, period)
    judging = Judging(gather(session, period, [rule for _, rule in rules], closing=closing))
    decided = []
    for version, rule in rules:
        limited = rule.limits or rule.cool_down_days
        won = history(session, rule.code, before=closing) if limited else {}
        decided.append(_rows(judging.judge(rule, won), version.id, closing.id))
    if decided:
        bulk.write(session, DecisionRow.__table__, pa.concat_tables(decided))


def _rows(judged: Judged, version_id: int, closing_id: int) -> pa.Table:
    count = len(judged.candidates)
    partner_ids = [candidate.partner_id for candidate in judged.candidates]
    return pa.table(
        {
            "closing_id": np.full(count, closing_id, dtype=np.int64),
            "rule_version_id": np.full(count, version_id, dtype=np.int64),
            "partner_id": pa.array(partner_ids, pa.int64()),
            "verdict": _VERDICTS.take(pa.array(judged.ranks, pa.int8())),
            "points": pa.array(judged.points, pa.int64()),
        }
    )
