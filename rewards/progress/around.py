"""Beside progress: what the last close came to, and the partners that one supplies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.network.partners import Partner
from partner_cx.network.reps import visited_by
from partner_cx.periods import Period
from partner_cx.prepared import Prepared
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Transfer
from rewards.rulebook import RuleVersion
from rewards.rules import Rule
from rewards.statements.known_rules import known_rules

_LEVELS_MAX = 100  # no hierarchy is deeper; a partner that is its own forebear would be


@dataclass(frozen=True)
class Decided:
    """What a rule came to at a close. key: of the entry that paid it; None: nothing did."""

    number: int
    rule: Rule
    verdict: str
    points: int
    key: str | None


@dataclass(frozen=True)
class Outcome:
    """What the latest close that decided anything about a partner came to."""

    period: Period
    closed_at: datetime
    decided: tuple[Decided, ...]

    @property
    def points(self) -> int:
        """What was paid, or is held."""
        return sum(each.points for each in self.decided if each.key)


def last_close(session: Session, partner_id: int) -> Outcome | None:
    """The outcome of the last close; None before the first."""
    found = _LAST_CLOSE.rows(session, {"partner_id": partner_id})
    if not found:
        return None
    rules = known_rules(session, {row.version_id: row.digest for row in found})
    decided = tuple(
        Decided(row.id, rules[row.version_id], row.verdict, row.points, row.key) for row in found
    )
    return Outcome(Period.parse(found[0].period), found[0].closed_at, decided)


_OWN = sa.bindparam("partner_id", type_=sa.BigInteger)
_LATEST = sa.select(sa.func.max(DecisionRow.closing_id)).where(DecisionRow.partner_id == _OWN)
_LAST_CLOSE = Prepared(
    sa.select(
        Closing.period,
        Closing.closed_at,
        DecisionRow.id,
        DecisionRow.verdict,
        DecisionRow.points,
        RuleVersion.id.label("version_id"),
        RuleVersion.digest,
        Transfer.key,
    )
    .join(DecisionRow, DecisionRow.closing_id == Closing.id)
    .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
    .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
    .where(Closing.id == _LATEST.scalar_subquery(), DecisionRow.partner_id == _OWN)
    .order_by(DecisionRow.points.desc(), RuleVersion.code)
)


def last_closed(session: Session) -> Period | None:
    """The period that was closed last, whomever it was about."""
    latest = session.scalar(sa.select(Closing.period).order_by(Closing.id.desc()).limit(1))
    return Period.parse(latest) if latest else None


class Supplied(NamedTuple):
    """A partner that another one supplies, with what it has to spend.

    total: how many of them there are altogether.
    """

    code: str
    name: str
    kind: str
    tier: str | None
    region: str | None
    country: str | None
    balance: int
    total: int


def supplied(
    session: Session, partner_id: int, *, limit: int, offset: int = 0, rep_id: int | None = None
) -> Sequence[Supplied]:
    """The partners below one, at any depth, by name.

    rep_id: of them those that this person visits; None: all.
    """
    asked = {"partner_id": partner_id, "most": limit, "skipped": offset, "rep_id": rep_id}
    return [Supplied(*row) for row in _supplied(of_rep=rep_id is not None).rows(session, asked)]


@lru_cache
def _supplied(*, of_rep: bool) -> Prepared:
    first = sa.select(Partner.id, sa.literal(1).label("level")).where(Partner.parent_id == _OWN)
    below = first.cte("below", recursive=True)
    child = aliased(Partner)
    below = below.union_all(
        sa.select(child.id, below.c.level + 1)
        .join(below, child.parent_id == below.c.id)
        .where(below.c.level < _LEVELS_MAX)
    )
    visited = sa.bindparam("rep_id", type_=sa.BigInteger)
    told = (Partner.code, Partner.name, Partner.kind, Partner.tier, Partner.region, Partner.country)
    return Prepared(
        sa.select(
            *told,
            sa.func.coalesce(Account.balance_points, 0).label("balance"),
            sa.func.count().over().label("total"),
        )
        .outerjoin(
            Account,
            sa.and_(Account.partner_id == Partner.id, Account.kind == AccountKind.WALLET),
        )
        .where(
            Partner.id.in_(sa.select(below.c.id)),
            Partner.id != _OWN,
            *([Partner.id.in_(visited_by(visited))] if of_rep else []),
        )
        .order_by(sa.func.lower(Partner.name), Partner.code)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .offset(sa.bindparam("skipped", type_=sa.Integer))
    )
