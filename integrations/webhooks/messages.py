"""Messages: what endpoints are owed because of tellings, again by hand, or to try them.

Before: `announcing`, which draws tellings up. After: the worker, which sends each message until it
is received.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.telling import Telling
from integrations.webhooks.endpoints import WebhookEndpoint, endpoint_of, in_force
from integrations.webhooks.event_types import PING
from partner_cx.database import lock
from partner_cx.effects import Effect, Owed, owe, owe_all
from partner_cx.errors import Conflict
from partner_cx.settings import Settings

MESSAGE = "webhook.message"  # the kind of effect


def hear(
    session: Session, tellings: Sequence[Telling], _settings: Settings, _now: datetime
) -> Iterable[Owed]:
    """One message for each telling and each endpoint that wants to hear of such."""
    endpoints = in_force(session)
    return [
        Owed(MESSAGE, f"webhook:{endpoint.id}:{telling.id}", _payload(endpoint, telling))
        for telling in tellings
        for endpoint in endpoints
        if endpoint.hears(telling.event)
    ]


def ping(session: Session, endpoint_id: int, *, now: datetime) -> str:
    """Owe an endpoint a message that only tries the way. Returns its key. The caller commits."""
    endpoint = _not_ended(session, endpoint_id)
    number = f"ping:{secrets.token_hex(8)}"
    telling = Telling(PING, number, now, None, None, {"endpoint": endpoint.id})
    key = f"webhook:{endpoint.id}:{number}"
    owe(session, Owed(MESSAGE, key, _payload(endpoint, telling)), now=now)
    return key


def replay(session: Session, endpoint_id: int, *, since: datetime, now: datetime) -> int:
    """Owe an endpoint again what was owed to it since a moment and is done. The caller commits.

    Under the same message ids, so that a receiver that has one knows it. What is still owed, or
    parked, isn't owed twice, nor what somebody else asked for already. Returns how many messages
    are owed again now.
    """
    lock(session, f"webhook-replay:{endpoint_id}")
    endpoint = _not_ended(session, endpoint_id)
    ours = sa.and_(
        Effect.kind == MESSAGE,
        Effect.key.startswith(f"webhook:{endpoint.id}:", autoescape=True),
    )
    is_again = Effect.key.like("%:again:%")
    asked = session.scalars(sa.select(Effect.key).where(ours, is_again, Effect.done_at.is_(None)))
    on_its_way = {key.partition(":again:")[0] for key in asked}
    done = sa.select(Effect).where(
        ours,
        ~is_again,
        Effect.owed_at >= since,
        Effect.done_at.is_not(None),
    )
    marked = f"again:{secrets.token_hex(4)}"
    new = [
        Owed(MESSAGE, f"{each.key}:{marked}", each.payload)
        for each in session.scalars(done.order_by(Effect.id))
        if each.payload["event"] != PING and each.key not in on_its_way
    ]
    owe_all(session, new, now=now)
    return len(new)


def _not_ended(session: Session, endpoint_id: int) -> WebhookEndpoint:
    endpoint = endpoint_of(session, endpoint_id)
    if endpoint.ended_at is not None:
        raise Conflict(
            f"Endpoint {endpoint_id} was ended on {endpoint.ended_at:%Y-%m-%d}.",
            remedy="Add it again with `partner-cx webhooks add`.",
        )
    return endpoint


def _payload(endpoint: WebhookEndpoint, telling: Telling) -> Mapping[str, Any]:
    return {
        "endpoint": endpoint.id,
        "event": telling.event,
        "message_id": telling.id,
        "at": telling.at.isoformat(),
        "data": telling.data,
    }


def waiting(session: Session, endpoint_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """How many messages each endpoint is still owed, and how many of its are parked."""
    if not endpoint_ids:
        return {}
    is_parked = Effect.parked_at.is_not(None)
    counts = [
        sa.func.count(sa.case((sa.and_(_of(number), state), 1)))
        for number in endpoint_ids
        for state in (~is_parked, is_parked)
    ]
    still = sa.select(*counts).where(Effect.kind == MESSAGE, Effect.done_at.is_(None))
    found = list(session.execute(still).one())
    pairs = zip(found[::2], found[1::2], strict=True)
    return dict(zip(endpoint_ids, pairs, strict=True))


def _of(endpoint_id: int) -> sa.ColumnElement[bool]:
    return Effect.key.startswith(f"webhook:{endpoint_id}:", autoescape=True)
