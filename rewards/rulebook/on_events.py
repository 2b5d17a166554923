"""The rules that decide events, found once in a process for as long as the rulebook stays as it is.

It is asked for every event, and seldom does anything change: whoever reads the partner reads the
rulebook's stamp with it, and only another stamp lets the rules be read again.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.operations.event_kinds import EventKind
from rewards.rulebook import RuleRetirement, RuleVersion, in_force_on
from rewards.rules import Rule

_VERSIONS, _RETIRED = RuleVersion.__table__, RuleRetirement.__table__
RULEBOOK_STAMP = (
    sa.select(sa.func.count(_VERSIONS.c.id)).scalar_subquery().label("versions"),
    sa.select(_VERSIONS.c.digest)
    .order_by(_VERSIONS.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("last_version"),
    sa.select(sa.func.count(_RETIRED.c.id)).scalar_subquery().label("retirements"),
    sa.select(_RETIRED.c.retired_at)
    .order_by(_RETIRED.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("last_retired"),
)
"""What changes with every version and every retirement: both are append-only."""

Rules = list[tuple[int, Rule]]  # each with the id of its version
_Stamp = tuple[Any, ...]
_KEPT_MAX = 5_000  # occasions per database

# By the database's connection pool: a process may serve several databases.
_kept: MutableMapping[sa.Pool, tuple[_Stamp, dict[tuple[EventKind, date], Rules]]]
_kept = WeakKeyDictionary()


def rules_on(session: Session, stamped: sa.Row[Any], day: date, kind: EventKind) -> Rules:
    """The rules in force on a day for events of a kind, by code.

    stamped: a row that was read in this transaction with the columns of RULEBOOK_STAMP.
    """
    stamp = (stamped.versions, stamped.last_version, stamped.retirements, stamped.last_retired)
    pool = session.get_bind().engine.pool
    known_stamp, by_occasion = _kept.get(pool, (None, {}))
    if known_stamp != stamp or len(by_occasion) >= _KEPT_MAX:
        by_occasion = {}
        _kept[pool] = (stamp, by_occasion)
    if (kind, day) not in by_occasion:
        by_occasion[kind, day] = in_force_on(session, day, kind)
    return by_occasion[kind, day]
