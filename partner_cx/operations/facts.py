"""The fact tables: what happened, one table per kind, holding what is known now.

Each row carries the `source` and `source_id` that make it one fact, and the `import_id` that
brought its present contents. Quantities are micro-units, money is minor units. The checks here
refuse what the code forgot.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from partner_cx.database import Base, Id, Instant, Text

Big = sa.BigInteger


class Fact:
    """What every fact has: its own id, where it comes from, and the import that told it."""

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source: Mapped[int] = mapped_column(Id)
    source_id: Mapped[str] = mapped_column(Text)
    import_id: Mapped[int] = mapped_column(Id)


class PartnerFact(Fact):
    """A fact about one partner."""

    @declared_attr
    def partner_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("partners.id"))


def known_once(table: str) -> tuple[sa.Constraint, ...]:
    """One row per id of a source, told by an import of that same source."""
    return (
        sa.UniqueConstraint("source", "source_id", name=f"uq_{table}_source_id"),
        sa.ForeignKeyConstraint(["import_id", "source"], ["imports.id", "imports.source"]),
    )


class OrderLine(PartnerFact, Base):
    """A line of an order, promised within a window.

    received, received_on: the receipt stated with the line itself; others are in `receipts`.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        *known_once("order_lines"),
        sa.Index("ix_order_lines_partner_day", "partner_id", "window_end"),
        sa.Index("ix_order_lines_order", "partner_id", "order_code"),
        sa.CheckConstraint("ordered > 0", name="something_ordered"),
        sa.CheckConstraint("window_start <= window_end", name="window"),
        sa.CheckConstraint(
            "status IN ('open', 'done', 'cancelled_by_customer', 'cancelled_by_supplier')",
            name="status",
        ),
        sa.CheckConstraint("received >= 0", name="received"),
        sa.CheckConstraint("(received IS NULL) = (received_on IS NULL)", name="receipt_whole"),
    )

    order_code: Mapped[str] = mapped_column(Text)
    product_code: Mapped[str | None] = mapped_column(Text)
    ordered: Mapped[int] = mapped_column(Big)
    window_start: Mapped[date | None]
    window_end: Mapped[date]
    status: Mapped[str] = mapped_column(Text)
    cancelled_on: Mapped[date | None]
    value_minor: Mapped[int | None] = mapped_column(Big)
    currency: Mapped[str | None] = mapped_column(Text)
    received: Mapped[int | None] = mapped_column(Big)
    received_on: Mapped[date | None]


class Receipt(Fact, Base):
    """Goods of an order line that arrived on a day."""

    __tablename__ = "receipts"
    __table_args__ = (
        *known_once("receipts"),
        sa.CheckConstraint("quantity >= 0", name="quantity"),
    )

    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    received_on: Mapped[date]
    quantity: Mapped[int] = mapped_column(Big)


class Ticket(PartnerFact, Base):
    """A request for help, with its clocks.

    The due instants and elapsed seconds run in the ticket's calendar, minus its pauses; they are
    worked out when the ticket is taken in, so that a target holds as it was applied. The `_on`
    columns are the local days of the instants. `import_id` may be that of a corrected calendar,
    of another source than the ticket's.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        sa.UniqueConstraint("source", "source_id", name="uq_tickets_source_id"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"]),
        sa.ForeignKeyConstraint(["source"], ["sources.id"]),
        sa.Index("ix_tickets_opened", "partner_id", "opened_on"),
        sa.Index("ix_tickets_replied", "partner_id", "replied_on"),
        sa.Index("ix_tickets_resolved", "partner_id", "resolved_on"),
        sa.Index("ix_tickets_response_due", "partner_id", "response_due_on"),
        sa.Index("ix_tickets_resolution_due", "partner_id", "resolution_due_on"),
        sa.CheckConstraint("first_reply_at >= opened_at", name="replied_after_opened"),
        sa.CheckConstraint("resolved_at >= opened_at", name="resolved_after_opened"),
        sa.CheckConstraint("reopened_count >= 0", name="reopened_count"),
        sa.CheckConstraint("contacts >= 0", name="contacts"),
        sa.CheckConstraint(
            "response_target_minutes > 0 AND resolution_target_minutes > 0", name="targets"
        ),
    )

    opened_at: Mapped[datetime] = mapped_column(Instant)
    first_reply_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    reopened_count: Mapped[int | None]
    response_target_minutes: Mapped[int | None]
    resolution_target_minutes: Mapped[int | None]
    calendar_id: Mapped[int | None] = mapped_column(sa.ForeignKey("calendars.id"), index=True)
    paused: Mapped[str | None] = mapped_column(Text)  # `start/end;start/end`, instants in UTC
    contacts: Mapped[int | None]
    channel: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    opened_on: Mapped[date]
    replied_on: Mapped[date | None]
    resolved_on: Mapped[date | None]
    response_due_at: Mapped[datetime | None] = mapped_column(Instant)
    response_due_on: Mapped[date | None]
    resolution_due_at: Mapped[datetime | None] = mapped_column(Instant)
    resolution_due_on: Mapped[date | None]
    response_seconds: Mapped[int | None] = mapped_column(Big)
    resolution_seconds: Mapped[int | None] = mapped_column(Big)


class Visit(PartnerFact, Base):
    """A technician's visit to an asset."""

    __tablename__ = "visits"
    __table_args__ = (
        *known_once("visits"),
        sa.Index("ix_visits_partner_day", "partner_id", "visited_on"),
        sa.Index("ix_visits_asset", "asset", "visited_on"),
        sa.CheckConstraint(
            "outcome IN ('fixed', 'part_missing', 'not_fixed', 'no_access')", name="outcome"
        ),
    )

    asset: Mapped[str] = mapped_column(Text)
    visited_on: Mapped[date]
    outcome: Mapped[str] = mapped_column(Text)


class PortalEvent(PartnerFact, Base):
    """Something a person did on the partner portal. Internal: one of the brand's own people."""

    __tablename__ = "portal_events"
    __table_args__ = (
        *known_once("portal_events"),
        sa.Index("ix_portal_events_partner_day", "partner_id", "on"),
        sa.CheckConstraint(
            "kind IN ('login', 'sheet_view', 'media_download', 'search', 'quote')", name="kind"
        ),
    )

    at: Mapped[datetime] = mapped_column(Instant)
    on: Mapped[date]
    kind: Mapped[str] = mapped_column(Text)
    person_email: Mapped[str | None] = mapped_column(Text)
    internal: Mapped[bool]


class CatalogueStatus(PartnerFact, Base):
    """How much of a partner's catalogue was filled on a day."""

    __tablename__ = "catalogue_statuses"
    __table_args__ = (
        *known_once("catalogue_statuses"),
        sa.Index("ix_catalogue_statuses_partner_day", "partner_id", "on"),
        sa.CheckConstraint("filled >= 0 AND filled <= required", name="filled"),
    )

    on: Mapped[date]
    filled: Mapped[int]
    required: Mapped[int]


class Enrolment(PartnerFact, Base):
    """A person's enrolment in a course. Progress is in hundredths of a per cent."""

    __tablename__ = "enrolments"
    __table_args__ = (
        *known_once("enrolments"),
        sa.Index("ix_enrolments_partner_day", "partner_id", "enrolled_on"),
        sa.CheckConstraint("completed_on >= enrolled_on", name="completed_after_enrolled"),
        sa.CheckConstraint("progress >= 0 AND progress <= 1000000", name="progress"),
    )

    person_email: Mapped[str] = mapped_column(Text)
    course_code: Mapped[str] = mapped_column(Text)
    enrolled_on: Mapped[date]
    completed_on: Mapped[date | None]
    progress: Mapped[int | None] = mapped_column(Big)  # micro-units: 1,000,000 is all of it


class Invoice(PartnerFact, Base):
    """An invoice, with what was disputed and credited of it since."""

    __tablename__ = "invoices"
    __table_args__ = (
        *known_once("invoices"),
        sa.Index("ix_invoices_partner_day", "partner_id", "on"),
        sa.CheckConstraint("value_minor >= 0 AND credited_minor >= 0", name="values"),
        sa.CheckConstraint("lines >= 0 AND disputed_lines >= 0", name="lines"),
        sa.CheckConstraint("disputed_lines <= lines", name="disputed"),
    )

    on: Mapped[date]
    value_minor: Mapped[int] = mapped_column(Big)
    currency: Mapped[str] = mapped_column(Text)
    lines: Mapped[int | None]
    disputed_lines: Mapped[int | None]
    credited_minor: Mapped[int | None] = mapped_column(Big)


class Referral(PartnerFact, Base):
    """A newcomer that a partner recommended."""

    __tablename__ = "referrals"
    __table_args__ = (
        *known_once("referrals"),
        sa.Index("ix_referrals_partner_day", "partner_id", "on"),
    )

    on: Mapped[date]
    referred_name: Mapped[str | None] = mapped_column(Text)


class Quote(PartnerFact, Base):
    """A lead given to a partner, until the partner's quote."""

    __tablename__ = "quotes"
    __table_args__ = (
        *known_once("quotes"),
        sa.Index("ix_quotes_partner_quoted", "partner_id", "quoted_on"),
        sa.CheckConstraint("quoted_at >= requested_at", name="quoted_after_requested"),
    )

    requested_at: Mapped[datetime] = mapped_column(Instant)
    requested_on: Mapped[date]
    quoted_at: Mapped[datetime | None] = mapped_column(Instant)
    quoted_on: Mapped[date | None]


class Calendar(Base):
    """Opening hours, time zone and closed days that tickets' clocks run in."""

    __tablename__ = "calendars"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    time_zone: Mapped[str] = mapped_column(Text)
    days: Mapped[str] = mapped_column(Text)
    opens: Mapped[str] = mapped_column(Text)
    closes: Mapped[str] = mapped_column(Text)
    holidays: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[str | None] = mapped_column(Text)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))


class ToldEvent(PartnerFact, Base):
    """Something a person did, once, as another system tells it. A later file can't change it.

    subject: what it is about: a course, a survey, a panel, a report.
    """

    __tablename__ = "told_events"
    __table_args__ = (
        *known_once("told_events"),
        sa.Index("ix_told_events_partner_day", "partner_id", "on"),
        sa.CheckConstraint(
            "kind IN ('report_accepted', 'survey_answered', 'course_completed', "
            "'catalogue_completed', 'panel_attended', 'incident_resolved')",
            name="kind",
        ),
    )

    at: Mapped[datetime] = mapped_column(Instant)
    on: Mapped[date]
    kind: Mapped[str] = mapped_column(Text)
    person_email: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
