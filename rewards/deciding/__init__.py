"""Deciding a close: every rule in force, applied to every partner it is for.

Before: frozen figures and frozen partners. After: decisions, which awards and statements read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.memory import uncollected
from partner_cx.periods import Period
from rewards.conditions import Verdict
from rewards.deciding.gathering import gather
from rewards.deciding.history import history
from rewards.deciding.judging import RANKS, Judged, Judging
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Entry, Transfer
from rewards.rulebook import RuleVersion, in_force
from rewards.rules import Rule

_VERDICTS = pa.array([verdict.value for verdict in RANKS])


@dataclass(frozen=True)
class Tally:
    """What a rule's decisions at a close come to, taken together.

    met, not_met, unknown: how many partners. limited: how many of those who met it earn nothing,
        since the rule's limits or its cool-down leave nothing.
    points_earned: by all of them. points_paid: what of it was posted so far.
    """

    version_id: int
    rule: Rule
    met: int
    not_met: int
    unknown: int
    limited: int
    points_earned: int
    points_paid: int


@uncollected()
def decide_all(session: Session, *, closing: Closing, period: Period) -> list[Tally]:
    """Decide every rule in force, on what was frozen at this close and nothing else.

    Returns what each came to, by code; a rule that was for nobody came to nothing.
    """
    rules = in_force(session, period)
    judging = Judging(gather(session, period, [rule for _, rule in rules], closing=closing))
    decided = []
    for version, rule in rules:
        limited = rule.limits or rule.cool_down_days
        won = history(session, rule.code, before=closing) if limited else {}
        if (judged := judging.judge(rule, won)).candidates:
            decided.append((version.id, rule, judged))
    if decided:
        rows = [_rows(judged, number, closing.id) for number, _, judged in decided]
        bulk.write(session, DecisionRow.__table__, pa.concat_tables(rows))
    return [_tally(*each) for each in decided]


def tallies(session: Session, closing: Closing) -> list[Tally]:
    """What every rule came to at an earlier close, by code, and what of it was paid since."""
    found = session.execute(
        sa.select(
            DecisionRow.rule_version_id,
            DecisionRow.verdict,
            sa.func.count(),
            sa.func.sum(sa.case((DecisionRow.points == 0, 1), else_=0)),
            sa.func.sum(DecisionRow.points),
        )
        .where(DecisionRow.closing_id == closing.id)
        .group_by(DecisionRow.rule_version_id, DecisionRow.verdict)
    ).all()
    counts = {(number, verdict): count for number, verdict, count, _, _ in found}
    met = {number: each for number, verdict, *each in found if verdict == Verdict.MET}
    versions = sa.select(RuleVersion).where(RuleVersion.id.in_({row[0] for row in found}))
    paid = _paid(session, closing.id)
    return [
        Tally(
            version.id,
            version.rule,
            met=counts.get((version.id, Verdict.MET), 0),
            not_met=counts.get((version.id, Verdict.NOT_MET), 0),
            unknown=counts.get((version.id, Verdict.UNKNOWN), 0),
            limited=int(met[version.id][1]) if version.id in met else 0,
            points_earned=int(met[version.id][2]) if version.id in met else 0,
            points_paid=paid[version.id],
        )
        for version in session.scalars(versions.order_by(RuleVersion.code))
    ]


def _tally(version_id: int, rule: Rule, judged: Judged) -> Tally:
    not_met, unknown, met = np.bincount(judged.ranks, minlength=len(RANKS)).tolist()
    earning = int(np.count_nonzero(judged.points))
    return Tally(
        version_id,
        rule,
        met,
        not_met,
        unknown,
        limited=met - earning,
        points_earned=int(judged.points.sum()),
        points_paid=0,
    )


def _paid(session: Session, closing_id: int) -> Counter[int]:
    """The points that were posted for a close's decisions, by the rule version's id."""
    found = session.execute(
        sa.select(DecisionRow.rule_version_id, sa.func.sum(Entry.points))
        .select_from(DecisionRow)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .where(DecisionRow.closing_id == closing_id, Entry.points > 0)
        .group_by(DecisionRow.rule_version_id)
    )
    return Counter({number: int(points) for number, points in found})


def _rows(judged: Judged, version_id: int, closing_id: int) -> pa.Table:
    count = len(judged.candidates)
    partner_ids = [candidate.partner_id for candidate in judged.candidates]
    return pa.table(
        {
            "closing_id": np.full(count, closing_id, dtype=np.int64),
            "rule_version_id": np.full(count, version_id, dtype=np.int64),
            "partner_id": pa.array(partner_ids, pa.int64()),
            "verdict": pa.DictionaryArray.from_arrays(pa.array(judged.ranks, pa.int8()), _VERDICTS),
            "points": pa.array(judged.points, pa.int64()),
        }
    )
