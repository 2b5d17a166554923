"""Candidates: the partners that rules can be for, as they are now or were at a close.

Before: the network. After: `gathering`, which finds the evidence about each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from rewards.frozen import FrozenPartner


@dataclass(frozen=True)
class Candidate:
    """A partner that rules can be for.

    groups: the codes of all it belonged to, such as `kind:reseller`, `tier:gold`, `country:FR`.
    """

    partner_id: int
    code: str
    kind: str
    joined_on: date | None
    groups: frozenset[str]


def candidates(session: Session, day: date, only: Collection[int] | None = None) -> list[Candidate]:
    """The partners on a day, by code, belonging to what they belong to now."""
    memberships = groups.memberships(session)
    belongs = memberships.groupby("partner_id")["group_code"].agg(frozenset).to_dict()
    wanted = sa.select(Partner.id, Partner.code, Partner.kind, Partner.joined_on).where(
        sa.or_(Partner.joined_on.is_(None), Partner.joined_on <= day),
        sa.or_(Partner.left_on.is_(None), Partner.left_on > day),
    )
    if only is not None:
        wanted = wanted.where(Partner.id.in_(sorted(only)))
    return [
        Candidate(number, code, kind, joined_on, belongs.get(number, frozenset()))
        for number, code, kind, joined_on in session.execute(wanted.order_by(Partner.code))
    ]


def frozen_candidates(
    session: Session, closing_id: int, only: Collection[int] | None = None
) -> list[Candidate]:
    """The partners as they were at a close, by code."""
    kept = FrozenPartner
    wanted = sa.select(kept.partner_id, kept.code, kept.kind, kept.joined_on, kept.groups).where(
        kept.closing_id == closing_id
    )
    if only is not None:
        wanted = wanted.where(kept.partner_id.in_(sorted(only)))
    return [
        Candidate(number, code, kind, joined_on, frozenset(belongs))
        for number, code, kind, joined_on, belongs in session.execute(wanted.order_by(kept.code))
    ]


def freeze_partners(session: Session, everyone: Sequence[Candidate], closing_id: int) -> None:
    """Keep for ever who the partners were at a close."""
    rows = {
        "closing_id": pa.array([closing_id] * len(everyone), pa.int64()),
        "partner_id": pa.array([each.partner_id for each in everyone], pa.int64()),
        "code": pa.array([each.code for each in everyone], pa.string()),
        "kind": pa.array([each.kind for each in everyone], pa.string()),
        "joined_on": pa.array([each.joined_on for each in everyone], pa.date32()),
        "groups": pa.array([json.dumps(sorted(each.groups)) for each in everyone], pa.string()),
    }
    bulk.write(session, FrozenPartner.__table__, pa.table(rows))


def partners_digest(everyone: Sequence[Candidate]) -> str:
    """SHA-256 over who the partners were: equal for equal ones, in either database."""
    plain = [
        [each.code, each.kind, each.joined_on and each.joined_on.isoformat(), sorted(each.groups)]
        for each in everyone
    ]
    return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()
