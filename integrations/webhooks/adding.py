"""Adding an endpoint and changing its secret: what the command and the page both do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integrations.webhooks.endpoints import WebhookEndpoint, endpoint_of
from integrations.webhooks.secrets import end_former, make_secret
from partner_cx.database import lock
from partner_cx.settings import Settings


@dataclass(frozen=True)
class Added:
    """An endpoint with its secret, which is told once."""

    id: int
    secret: str


def add(
    session: Session,
    url: str,
    events: Iterable[str],
    *,
    by: str,
    settings: Settings,
    now: datetime,
) -> Added:
    """Tell a system from now on. The caller commits. url, events: judged before, as sound."""
    endpoint = WebhookEndpoint(url=url, events=list(events), made_at=now, made_by=by)
    session.add(endpoint)
    session.flush()
    return Added(endpoint.id, make_secret(session, endpoint.id, settings, now=now))


def rotate(
    session: Session, endpoint_id: int, *, keep: timedelta, settings: Settings, now: datetime
) -> str:
    """A new secret; the former one still signs for a while. The caller commits."""
    lock(session, f"webhook-secrets:{endpoint_id}")
    endpoint_of(session, endpoint_id)
    end_former(session, endpoint_id, now=now, keep=keep)
    return make_secret(session, endpoint_id, settings, now=now)
