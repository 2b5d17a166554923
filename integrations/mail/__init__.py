"""Mail: letters to people, and what comes back of them.

announcing, the schedule, doors ─► `mail.letter` ─► written from what is on record ─► mail server
                                   mailbox ─► `bounces` ─► addresses that get no letters any more
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.carrying import Handler
from integrations.mail import digests, mailbox, sending

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    sending.KIND: sending.carry_out,
    "digest.weekly": digests.weekly,
    "digest.quarterly": digests.quarterly,
    "letters.parked": digests.parked,
    "bounces": mailbox.read_bounces,
}
