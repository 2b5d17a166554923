"""Sending: a message goes to its endpoint, signed, and what was answered is written down."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from integrations.carrying import Due, Handler, Hands, Later
from integrations.patience import Patience
from integrations.webhooks.addresses import destination
from integrations.webhooks.endpoints import WebhookAttempt, WebhookEndpoint, end
from integrations.webhooks.messages import MESSAGE
from integrations.webhooks.posting import Answer, posted
from integrations.webhooks.secrets import secrets_in_force
from partner_cx.database import reading, transact
from partner_cx.errors import Unreachable

WAIT_MAX = timedelta(days=1)  # however much later an answer says
WHILE_PAUSED = timedelta(minutes=5)  # how soon after it goes on an endpoint hears again, at most

# Seconds, minutes, hours, and four days in all.
PATIENCE = Patience(timedelta(seconds=5), timedelta(hours=12), timedelta(days=4))

GONE = 410


def send(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Send a message once, and say what became of it.

    Raises Unreachable when it wasn't received, Refused when it may not go there.
    """
    endpoint_id = int(due.payload["endpoint"])
    now = hands.clock()
    with reading(hands.engine) as session:
        endpoint = session.get_one(WebhookEndpoint, endpoint_id)
        url, ended = endpoint.url, endpoint.ended_at is not None
        paused = endpoint.paused_at is not None
        told = not (ended or paused)
        secrets = secrets_in_force(session, endpoint_id, hands.settings, now=now) if told else []
    if ended:
        return {"not_sent": "the endpoint was ended"}
    if paused:
        raise Later(now + WHILE_PAUSED)
    body = _body(due.payload)
    headers = _signed(str(due.payload["message_id"]), body, secrets, now)
    to = destination(url, private=hands.settings.webhook_private_addresses)
    began = time.monotonic()
    answer = posted(to, body.encode(), headers)
    _write_down(hands, due, answer, sent_at=now, seconds=time.monotonic() - began)
    if answer.received:
        return {"status": answer.status}
    if answer.status == GONE:
        transact(hands.engine, lambda session: end(session, endpoint_id, now=now))
        return {"status": GONE, "endpoint": "ended, as it asked for"}
    wait, waited = _asked_to_wait(answer.retry_after, now), now - due.owed_at
    if wait is not None and waited < PATIENCE.given_up_after:
        # Such tries aren't counted, so that what has passed keeps them from coming every second.
        raise Later(now + max(wait, PATIENCE.first, waited / 10))
    raise Unreachable(f"Endpoint {endpoint_id} {_told(answer)}")


HANDLERS: Mapping[str, Handler] = {MESSAGE: send}


def _body(payload: Mapping[str, Any]) -> str:
    told = {"type": payload["event"], "timestamp": payload["at"], "data": payload["data"]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _signed(message_id: str, body: str, secrets: Sequence[str], now: datetime) -> Mapping[str, str]:
    at = now.astimezone(UTC).replace(microsecond=0)
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Partner-CX",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(message_id, at, body) for secret in secrets
        ),
    }


def _told(answer: Answer) -> str:
    if answer.status is None:
        return str(answer.problem)
    said = f": {answer.text[:100]}" if answer.text else ""
    moved = " A redirect isn't followed." if 300 <= answer.status < 400 else ""
    return f"answered {answer.status}, not 200 to 299{said}.{moved}"


def _asked_to_wait(retry_after: str, now: datetime) -> timedelta | None:
    """How much later an answer asks us to come again; None when it doesn't say."""
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        return min(timedelta(seconds=min(int(given), 10**6)), WAIT_MAX)
    try:
        wait = parsedate_to_datetime(given) - now
    except (ValueError, TypeError):
        return None
    return min(wait, WAIT_MAX) if wait > timedelta() else None


def _write_down(
    hands: Hands, due: Due, answer: Answer, *, sent_at: datetime, seconds: float
) -> None:
    def write(session: Session) -> None:
        session.add(
            WebhookAttempt(
                effect_id=due.id,
                endpoint_id=int(due.payload["endpoint"]),
                message_id=str(due.payload["message_id"]),
                event=str(due.payload["event"]),
                sent_at=sent_at,
                milliseconds=round(1000 * seconds),
                status=answer.status,
                answer=answer.text or None,
                problem=answer.problem,
            )
        )

    transact(hands.engine, write)
