"""Handlers: which function carries out which kind of effect. Each room has its own; this is all.

A new room adds its line to ROOMS.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from integrations import announcing, asked, mail, tasks
from integrations.carrying import Handler
from integrations.files import handing_in
from integrations.odoo import writing
from integrations.odoo.sync import syncing
from integrations.patience import WITH_NEIGHBOURS, Patience
from integrations.webhooks import sending as webhooks
from integrations.webhooks.messages import MESSAGE

ROOMS: tuple[Mapping[str, Handler], ...] = (
    tasks.HANDLERS,
    asked.HANDLERS,
    handing_in.HANDLERS,
    syncing.HANDLERS,
    announcing.HANDLERS,
    writing.HANDLERS,
    webhooks.HANDLERS,
    mail.HANDLERS,
)

HANDLERS: Mapping[str, Handler] = {kind: way for room in ROOMS for kind, way in room.items()}

# Kinds that take minutes or hours. A thread of its own carries them out, so that a letter doesn't
# wait behind the first reading of an Odoo.
LONG_KINDS = frozenset({"odoo.sync", "tallies", "close", *asked.HANDLERS, handing_in.TAKE_IN})
LONGEST: Mapping[str, timedelta] = {kind: timedelta(hours=12) for kind in LONG_KINDS}

# How long a neighbour is waited for, where that isn't WITH_NEIGHBOURS.
PATIENCE: Mapping[str, Patience] = {MESSAGE: webhooks.PATIENCE}


def patience_with(kind: str) -> Patience:
    return PATIENCE.get(kind, WITH_NEIGHBOURS)
