"""Announcing: what was just decided or posted is owed to be told, in the same transaction.

Before it stand the ledger, closes, events and budgets. After it the worker, which works out whom
it concerns: the partner's users, Odoo, other systems. One row for an act, however many it touches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from partner_cx.effects import ANNOUNCE, Owed, owe, owe_all

KEYS_AT_ONCE = 500


def entries_posted(session: Session, keys: Sequence[str], *, now: datetime) -> None:
    """Owe the telling of transfers to or from what partners and people own, by their keys."""
    pieces = (keys[start : start + KEYS_AT_ONCE] for start in range(0, len(keys), KEYS_AT_ONCE))
    owe_all(session, [_of_entries(piece) for piece in pieces], now=now)


def closed(session: Session, closing_id: int, *, now: datetime) -> None:
    """Owe the telling of what a close decided, and that it took place."""
    owe(session, _of("closing", closing_id), now=now)


def event_decided(session: Session, event_id: int, *, now: datetime) -> None:
    """Owe the telling of what was decided on an event and, if it earned points, of the entry."""
    owe(session, _of("event", event_id), now=now)


def alert_raised(session: Session, alert_id: int, *, now: datetime) -> None:
    """Owe the telling of a budget's alert."""
    owe(session, _of("budget_alert", alert_id), now=now)


def _of(act: str, number: int) -> Owed:
    return Owed(ANNOUNCE, f"{ANNOUNCE}:{act}:{number}", {act: number})


def _of_entries(keys: Sequence[str]) -> Owed:
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return Owed(ANNOUNCE, f"{ANNOUNCE}:entries:{digest}", {"entries": list(keys)})
