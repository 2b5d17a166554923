"""Endpoints: where other systems listen, what they want to hear, and the secrets we sign with."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import NotFound


class WebhookEndpoint(Base):
    """An address that is told of some kinds of events until it is ended.

    events: the names of event types, such as entry.posted; an empty list is all of them.
    paused_at: since when what it is owed waits, until somebody lets it go on.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(sa.JSON)
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    paused_at: Mapped[datetime | None] = mapped_column(Instant)

    def hears(self, event: str) -> bool:
        return not self.events or event in self.events


class WebhookSecret(Base):
    """A secret that messages to an endpoint are signed with; during a rotation there are two.

    sealed: the secret, encrypted under the installation's own. expires_at: None is in force.
    """

    __tablename__ = "webhook_secrets"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("webhook_endpoints.id"), index=True)
    sealed: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)


class WebhookAttempt(Base):
    """A message as it was sent once, and what the endpoint answered. Append-only.

    status: the HTTP status; None when there was no answer, and `problem` says why.
    """

    __tablename__ = "webhook_attempts"
    __table_args__ = (sa.Index("ix_webhook_attempts_endpoint", "endpoint_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    effect_id: Mapped[int] = mapped_column(sa.ForeignKey("effects.id"), index=True)
    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("webhook_endpoints.id"))
    message_id: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(Instant)
    milliseconds: Mapped[int]
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(Text)


def in_force(session: Session) -> list[WebhookEndpoint]:
    """The endpoints that are told of things."""
    wanted = sa.select(WebhookEndpoint).where(WebhookEndpoint.ended_at.is_(None))
    return list(session.scalars(wanted.order_by(WebhookEndpoint.id)))


def endpoint_of(session: Session, endpoint_id: int, *, to_change: bool = False) -> WebhookEndpoint:
    """Raises NotFound. to_change: nobody else changes it until the commit."""
    endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=to_change)
    if endpoint is None:
        raise NotFound(
            f"There is no endpoint {endpoint_id}.",
            remedy="`partner-cx webhooks list` shows those there are.",
        )
    return endpoint


def end(session: Session, endpoint_id: int, *, now: datetime) -> WebhookEndpoint:
    """Tell an endpoint nothing any more. Ending it twice ends it once. The caller commits."""
    endpoint = endpoint_of(session, endpoint_id, to_change=True)
    endpoint.ended_at = endpoint.ended_at or now
    session.flush()
    return endpoint


def pause(session: Session, endpoint_id: int, *, now: datetime) -> WebhookEndpoint:
    """Let what an endpoint is owed wait. Pausing twice pauses once. The caller commits."""
    endpoint = endpoint_of(session, endpoint_id, to_change=True)
    endpoint.paused_at = endpoint.paused_at or now
    session.flush()
    return endpoint


def go_on(session: Session, endpoint_id: int) -> WebhookEndpoint:
    """Send an endpoint again what it is owed. The caller commits."""
    endpoint = endpoint_of(session, endpoint_id, to_change=True)
    endpoint.paused_at = None
    session.flush()
    return endpoint
