"""Announcing: whom an act concerns is worked out here, and what they are owed is written down.

act (a close, an event, an entry …) ─► tellings ─► letters, webhooks, Odoo: effects of their own

An act's own transaction owes one `announce` row; the worker makes the rest of it here, all in one
transaction and under keys that name the telling, so that doing it twice owes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integrations.announcing import acts, entries
from integrations.carrying import Due, Handler, Hands
from integrations.mail import hearing as letters
from integrations.odoo import writing as odoo_writing
from integrations.telling import Telling
from integrations.webhooks import messages as webhook_messages
from partner_cx.database import transact
from partner_cx.effects import ANNOUNCE, Owed, owe_all
from partner_cx.errors import Invalid
from partner_cx.settings import Settings

__all__ = ["HANDLERS", "HEARERS", "Hearer", "Telling", "tellings_of"]

# What a neighbour is owed because of tellings: nothing, one effect each, one for several.
Hearer = Callable[[Session, Sequence[Telling], Settings, datetime], Iterable[Owed]]

# Each hears of everything, and takes what concerns it.
HEARERS: Sequence[Hearer] = (webhook_messages.hear, odoo_writing.hear, letters.hear)

_ACTS: Mapping[str, Callable[[Session, Any], Iterator[Telling]]] = {
    "transfers": entries.of_transfers,
    "closing": acts.of_closing,
    "event": acts.of_event,
    "budget_alert": acts.of_budget_alert,
    "answers": acts.of_answers,
    "incidents": acts.of_incidents,
}


def tellings_of(session: Session, payload: Mapping[str, Any]) -> list[Telling]:
    """What there is to tell of an act, as its `announce` effect names it.

    Raises Invalid for an act that nobody knows, as a newer version may have written.
    """
    told: list[Telling] = []
    for act, which in payload.items():
        if act not in _ACTS:
            raise Invalid(
                f"An act of the kind “{act}” can't be told of by this version.",
                remedy="Bring Partner CX up to date, then retry.",
            )
        told += _ACTS[act](session, which)
    return told


def announce(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Owe everyone what an act means for them. Returns how many effects that were."""
    now = hands.clock()

    def tell(session: Session) -> int:
        told = tellings_of(session, due.payload)
        owed = [each for hear in HEARERS for each in hear(session, told, hands.settings, now)]
        if (rest := acts.rest_of(told)) is not None:
            owed.append(rest)
        owe_all(session, owed, now=now)
        return len(owed)

    return {"owed": transact(hands.engine, tell)}


HANDLERS: Mapping[str, Handler] = {ANNOUNCE: announce}
