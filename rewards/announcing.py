"""Announcing: what was just decided or posted is owed to be told, in the same transaction.

Before it stand the ledger, closes, events and budgets. After it the worker, which works out whom
it concerns: the partner's users, Odoo, other systems. One row for an act, however many it touches.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from partner_cx.effects import ANNOUNCE, Owed, owe


def entries_posted(session: Session, transfer_ids: Iterable[int], *, now: datetime) -> None:
    """Owe the telling of transfers, new in this transaction, that touch what somebody owns."""
    runs = _runs(transfer_ids)
    if runs:
        key = f"{ANNOUNCE}:transfers:{runs[0][0]}-{runs[-1][1]}"
        owe(session, Owed(ANNOUNCE, key, {"transfers": runs}), now=now)


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


def _runs(ids: Iterable[int]) -> list[list[int]]:
    """The first and the last of each run of numbers: ten thousand that one close posted are one."""
    runs: list[list[int]] = []
    for number in sorted(ids):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs
