"""Published rules by the number of their version, each read once in a process.

A published version never changes, and its digest says which one it is in any database: whoever
lists a hundred decisions asks for the digests alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.rulebook import RuleVersion
from rewards.rules import Rule

_KEPT: dict[str, Rule] = {}
_KEPT_MAX = 2_000


def known_rules(session: Session, digests: Mapping[int, str]) -> dict[int, Rule]:
    """The rules of some versions. digests: of each, by the version's id."""
    unread = [number for number, digest in digests.items() if digest not in _KEPT]
    if unread:
        if len(_KEPT) + len(unread) > _KEPT_MAX:
            _KEPT.clear()
            unread = list(digests)
        for version in session.scalars(sa.select(RuleVersion).where(RuleVersion.id.in_(unread))):
            _KEPT[version.digest] = version.rule
    return {number: _KEPT[digest] for number, digest in digests.items()}
