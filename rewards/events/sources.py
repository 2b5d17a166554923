"""Which facts are events: what makes one, when it happened, and under which key it is told.

A survey is answered once per respondent and day, whatever its scores and however many questions it
asks; scores never matter. A respondent stays out of keys, since partners may read those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from partner_cx.feedback.answers import Answer
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.operations.event_kinds import EventKind
from partner_cx.operations.facts import (
    CatalogueStatus,
    Enrolment,
    PartnerFact,
    Ticket,
    ToldEvent,
)
from partner_cx.operations.imports import Source
from partner_cx.settings import Settings
from rewards.events.happenings import Happening

INCIDENT = "incident"  # the tickets' category


@dataclass(frozen=True)
class EventSource:
    """A kind of fact of which some are events.

    kind: as files name it. events: what they can be.
    moment: when it happened, an instant or a local day.
    found: the facts that are events, with what `read` makes a happening of.
    was_one: whether the former contents of a fact were the event already.
    """

    kind: str
    events: tuple[EventKind, ...]
    fact: type[PartnerFact]
    moment: sa.ColumnElement[Any]
    found: sa.Select[Any]
    read: Callable[[Any, Settings], Happening]
    was_one: Callable[[Mapping[str, Any]], bool]

    @property
    def fact_id(self) -> sa.ColumnElement[int]:
        return self.fact.__table__.c.id  # type: ignore[attr-defined]

    def is_due(self, now: datetime, settings: Settings) -> sa.ColumnElement[bool]:
        """Whether it has happened by now."""
        if isinstance(self.moment.type, sa.Date):
            return self.moment <= now.astimezone(settings.zone).date()
        return self.moment <= now


def _found(fact: type[PartnerFact], *columns: Any) -> sa.Select[Any]:
    table: sa.Table = fact.__table__  # type: ignore[attr-defined]
    return (
        sa.select(
            table.c.id.label("fact_id"),
            Source.code.label("source"),
            table.c.source_id,
            Partner.code.label("partner_code"),
            *columns,
        )
        .join_from(table, Source, Source.id == table.c.source)
        .join(Partner, Partner.id == table.c.partner_id)
    )


def _key(kind: str, row: Any) -> str:
    """Once per row of a source, however often it is corrected."""
    return f"{kind}:{quote(row.source, safe='')}:{quote(row.source_id, safe='')}"


def _midnight(day: date, settings: Settings) -> datetime:
    return datetime.combine(day, time(), settings.zone)


# --- Events that are told as such ---------------------------------------------------------------


def _read_told(row: Any, _settings: Settings) -> Happening:
    key = _key("events", row)
    return Happening(
        key, EventKind(row.kind), row.partner_code, row.at, row.person_email, row.subject
    )


TOLD = EventSource(
    kind="events",
    events=tuple(EventKind),
    fact=ToldEvent,
    moment=ToldEvent.__table__.c.at,
    found=_found(
        ToldEvent, ToldEvent.at, ToldEvent.kind, ToldEvent.person_email, ToldEvent.subject
    ),
    read=_read_told,
    was_one=lambda _contents: True,
)


# --- Courses that were completed ----------------------------------------------------------------


def _read_completed(row: Any, settings: Settings) -> Happening:
    return Happening(
        _key("learning", row),
        EventKind.COURSE_COMPLETED,
        row.partner_code,
        _midnight(row.completed_on, settings),
        row.person_email,
        row.course_code,
    )


LEARNING = EventSource(
    kind="learning",
    events=(EventKind.COURSE_COMPLETED,),
    fact=Enrolment,
    moment=Enrolment.__table__.c.completed_on,
    found=_found(
        Enrolment, Enrolment.person_email, Enrolment.course_code, Enrolment.completed_on
    ).where(Enrolment.completed_on.is_not(None)),
    read=_read_completed,
    was_one=lambda contents: contents["completed_on"] is not None,
)


# --- Surveys that were answered -----------------------------------------------------------------


_plain = json.JSONEncoder(ensure_ascii=False).encode


def _read_answered(row: Any, _settings: Settings) -> Happening:
    if row.respondent is None:
        who = [row.survey_code, row.partner_code, row.anonymous_at.isoformat()]
    else:
        who = [row.survey_code, row.respondent, row.answered_on.isoformat()]
    digest = hashlib.sha256(_plain(who).encode()).hexdigest()
    return Happening(
        f"answers:{quote(row.source, safe='')}:{digest[:32]}",
        EventKind.SURVEY_ANSWERED,
        row.partner_code,
        row.first_at,
        row.person,
        row.survey_code,
    )


def _answered() -> sa.Select[Any]:
    """One row per survey, respondent and day; an anonymous one per survey, partner and instant.

    The person is known where the respondent's name is that of one of the partners' people.
    """
    anonymous_at = sa.case((Answer.respondent.is_(None), Answer.answered_at))
    person = sa.func.lower(Answer.respondent) == Person.email
    grouped = (
        Source.code,
        Partner.code,
        Answer.survey_code,
        Answer.respondent,
        Answer.answered_on,
        Person.email,
        anonymous_at,
    )
    return (
        sa.select(
            sa.func.min(Answer.id).label("fact_id"),
            Source.code.label("source"),
            Partner.code.label("partner_code"),
            Answer.survey_code,
            Answer.respondent,
            Answer.answered_on,
            Person.email.label("person"),
            anonymous_at.label("anonymous_at"),
            sa.func.min(Answer.answered_at).label("first_at"),
        )
        .join_from(Answer, Source, Source.id == Answer.source)
        .join(Partner, Partner.id == Answer.partner_id)
        .outerjoin(Person, person)
        .where(~Answer.dismissed, sa.or_(Answer.value.is_not(None), Answer.text.is_not(None)))
        .group_by(*grouped)
    )


ANSWERS = EventSource(
    kind="answers",
    events=(EventKind.SURVEY_ANSWERED,),
    fact=Answer,
    moment=Answer.__table__.c.answered_at,
    found=_answered(),
    read=_read_answered,
    was_one=lambda contents: (
        not contents["dismissed"]
        and (contents["value"] is not None or contents["text"] is not None)
    ),
)


# --- Catalogues that became complete ------------------------------------------------------------


def _read_filled(row: Any, settings: Settings) -> Happening:
    return Happening(
        _key("catalogue-status", row),
        EventKind.CATALOGUE_COMPLETED,
        row.partner_code,
        _midnight(row.on, settings),
    )


def _completed_catalogues() -> sa.Select[Any]:
    """Complete statuses whose neighbours aren't: neither the one before nor an earlier-told next.

    A status that is told late, from before one that was complete already, completes nothing anew.
    """
    table = CatalogueStatus
    before, after = aliased(CatalogueStatus), aliased(CatalogueStatus)
    place, told = sa.tuple_(table.on, table.id), table.id
    was_complete = (
        sa.select(sa.and_(before.required > 0, before.filled == before.required))
        .where(before.partner_id == table.partner_id, sa.tuple_(before.on, before.id) < place)
        .order_by(before.on.desc(), before.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_told_later = (
        sa.select(sa.and_(after.id < told, after.required > 0, after.filled == after.required))
        .where(after.partner_id == table.partner_id, sa.tuple_(after.on, after.id) > place)
        .order_by(after.on, after.id)
        .limit(1)
        .scalar_subquery()
    )
    return _found(table, table.on).where(
        table.required > 0,
        table.filled == table.required,
        ~sa.func.coalesce(was_complete, sa.false()),
        ~sa.func.coalesce(is_told_later, sa.false()),
    )


CATALOGUES = EventSource(
    kind="catalogue-status",
    events=(EventKind.CATALOGUE_COMPLETED,),
    fact=CatalogueStatus,
    moment=CatalogueStatus.__table__.c.on,
    found=_completed_catalogues(),
    read=_read_filled,
    was_one=lambda contents: 0 < contents["required"] == contents["filled"],
)


# --- Incidents that were resolved ---------------------------------------------------------------


def _read_resolved(row: Any, _settings: Settings) -> Happening:
    return Happening(
        _key("tickets", row), EventKind.INCIDENT_RESOLVED, row.partner_code, row.resolved_at
    )


TICKETS = EventSource(
    kind="tickets",
    events=(EventKind.INCIDENT_RESOLVED,),
    fact=Ticket,
    moment=Ticket.__table__.c.resolved_at,
    found=_found(Ticket, Ticket.resolved_at).where(
        sa.func.lower(Ticket.category) == INCIDENT, Ticket.resolved_at.is_not(None)
    ),
    read=_read_resolved,
    was_one=lambda contents: (
        contents["resolved_at"] is not None and str(contents["category"] or "").lower() == INCIDENT
    ),
)

EVENT_SOURCES = (TOLD, LEARNING, ANSWERS, CATALOGUES, TICKETS)
