"""Sending: a message goes to its endpoint, signed, and what was answered is written down."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from integrations.carrying import Due, Handler, Hands, Later
from integrations.patience import Patience
from integrations.webhooks.addresses import destination
from integrations.webhooks.endpoints import WebhookAttempt, WebhookEndpoint, end
from integrations.webhooks.messages import MESSAGE
from integrations.webhooks.secrets import secrets_in_force
from partner_cx.database import reading, transact
from partner_cx.errors import Unreachable
from partner_cx.settings import Settings

ANSWER_WITHIN = 20  # seconds
ANSWER_KEPT = 500  # characters of an answer
ANSWER_READ = 64_000  # bytes of an answer: more isn't waited for
WAIT_MAX = timedelta(days=1)  # however much later an answer says

# Seconds, minutes, hours, and four days in all.
PATIENCE = Patience(timedelta(seconds=5), timedelta(hours=12), timedelta(days=4))

GONE = 410


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one attempt.

    status: None when there was no answer, and `problem` says why.
    """

    status: int | None
    text: str = ""
    problem: str | None = None
    retry_after: str = ""

    @property
    def received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Send a message once, and say what became of it.

    Raises Unreachable when it wasn't received, Refused when it may not go there.
    """
    endpoint_id = int(due.payload["endpoint"])
    now = hands.clock()
    with reading(hands.engine) as session:
        endpoint = session.get_one(WebhookEndpoint, endpoint_id)
        url, ended = endpoint.url, endpoint.ended_at is not None
        secrets = [] if ended else secrets_in_force(session, endpoint_id, hands.settings, now=now)
    if ended:
        return {"not_sent": "the endpoint was ended"}
    body = _body(due.payload)
    headers = _signed(str(due.payload["message_id"]), body, secrets, now)
    began = time.monotonic()
    answer = _posted(url, body, headers, hands.settings)
    _write_down(hands, due, answer, sent_at=now, seconds=time.monotonic() - began)
    if answer.received:
        return {"status": answer.status}
    if answer.status == GONE:
        transact(hands.engine, lambda session: end(session, endpoint_id, now=now))
        return {"status": GONE, "endpoint": "ended, as it asked for"}
    wait = _asked_to_wait(answer.retry_after, now)
    if wait is not None and now < due.owed_at + PATIENCE.given_up_after:
        raise Later(now + wait)
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


def _posted(url: str, body: str, headers: Mapping[str, str], settings: Settings) -> Answer:
    """Raises Refused and Unreachable where nothing was sent."""
    to = destination(url, private=settings.webhook_private_addresses)
    request = httpx.Request(
        "POST",
        to.url,
        headers={"host": to.host, **headers},
        content=body.encode(),
        extensions={
            "sni_hostname": to.name,
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), ANSWER_WITHIN),
        },
    )
    try:
        with (
            httpx.Client(trust_env=False, follow_redirects=False, verify=_trusted()) as client,
            closing(client.send(request, stream=True)) as response,
        ):
            return Answer(
                response.status_code,
                text=_beginning(response),
                retry_after=response.headers.get("retry-after", ""),
            )
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
        return Answer(None, problem=_problem(error))


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Read once: that takes longer than a message."""
    return httpx.create_ssl_context(trust_env=False)


def _beginning(response: httpx.Response) -> str:
    """The first characters of an answer; a body without an end isn't waited for."""
    read, until = b"", time.monotonic() + ANSWER_WITHIN
    for chunk in response.iter_raw(4_096):
        read += chunk
        if len(read) >= ANSWER_READ or time.monotonic() > until:
            break
    text = read.decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)[:ANSWER_KEPT].strip()


def _problem(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.ReadTimeout() | httpx.WriteTimeout():
            return f"didn't answer within {ANSWER_WITHIN} seconds."
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "shows a certificate that can't be trusted."
        case httpx.ConnectError():
            return "can't be reached: the connection was refused or broke off."
    return f"broke off its answer ({type(error).__name__})."


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
