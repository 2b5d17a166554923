"""Events: things people did, once each, that rules on events reward.

Before it stand other systems and the facts (an answer, a completed course); after it decisions and
awards, in the same transaction that records the event.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text, where_given


class EventRow(Base):
    """What happened once, and who the partner was when it did. Append-only.

    key: unique for ever: the same key again is the same event, or a refusal. digest: of what
        happened (key, kind, partner, person, subject, moment).
    on: the day in the programme's time zone.
    groups, joined_on: what the partner belonged to when the event was told, and since when it is
        one; last_closing_id: the last close by then. With them the decisions can be told again.
    """

    __tablename__ = "events"
    __table_args__ = (
        sa.Index("ix_events_partner_kind_on", "partner_id", "kind", "on"),
        sa.Index("ix_events_kind", "kind"),  # whether there was ever one of a kind
        where_given("person_email", table="events"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    digest: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"))
    person_email: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(Instant)
    on: Mapped[date]
    groups: Mapped[list[str]] = mapped_column(sa.JSON)
    joined_on: Mapped[date | None]
    last_closing_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class KnownEvent(NamedTuple):
    """What is looked at of an event to decide it and to pay what it earns; a row has all of it."""

    id: int
    key: str
    kind: str
    partner_id: int
    person_email: str | None
    subject: str | None
    on: date
    groups: list[str]
    joined_on: date | None
    last_closing_id: int | None


AnyEvent: TypeAlias = EventRow | KnownEvent


class EventDraw(Base):
    """How far the facts of a kind have been looked through for events.

    last_fact_id: every fact up to it; last_revision_id: every correction up to it.
    """

    __tablename__ = "event_draws"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    last_fact_id: Mapped[int] = mapped_column(sa.BigInteger)
    last_revision_id: Mapped[int] = mapped_column(sa.BigInteger)


class WaitingFact(Base):
    """A fact of a moment that was still to come when it was looked at."""

    __tablename__ = "waiting_facts"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    fact_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
