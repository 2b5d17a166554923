"""Events: each is what was told, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import tzinfo

import sqlalchemy as sa

from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.events import EventRow
from rewards.events.happenings import Happening
from rewards.frozen import Closing
from rewards.terms import under_terms


def events(inspection: Inspection) -> Iterator[Found]:
    yield from _told_twice(inspection)
    last_close = inspection.session.scalar(sa.select(sa.func.max(Closing.id))) or 0
    zones = _zones(inspection)
    for stretch in inspection.ranges(EventRow.id):
        rows = sa.select(EventRow, Partner.code).join(Partner, Partner.id == EventRow.partner_id)
        for event, code in inspection.session.execute(rows.where(stretch).order_by(EventRow.id)):
            inspection.saw("event digests")
            if _digest(event, code) != event.digest:
                yield Found("event_altered", event.key, event.digest, _digest(event, code))
            days = sorted({event.happened_at.astimezone(zone).date() for zone in zones})
            if event.on not in days:
                yield Found("event_misdated", event.key, days[0], event.on)
            if (event.last_closing_id or 0) > last_close:
                yield Found("event_out_of_order", event.key, last_close, event.last_closing_id)


def _zones(inspection: Inspection) -> set[tzinfo]:
    """The programme's time zone, and those of its closes, should it have had another."""
    terms = inspection.session.scalars(sa.select(Closing.terms).distinct()).all()
    zones: set[tzinfo] = {inspection.settings.zone}
    for each in terms:
        with suppress(Exception):  # terms that can't be read are told of with their close
            zones.add(under_terms(inspection.settings, each).zone)
    return zones


def _digest(event: EventRow, partner_code: str) -> str:
    if event.kind not in set(EventKind):
        return "of no kind"
    told = Happening(
        key=event.key,
        kind=EventKind(event.kind),
        partner_code=partner_code,
        happened_at=event.happened_at,
        person=event.person_email,
        subject=event.subject,
    )
    return told.digest


def _told_twice(inspection: Inspection) -> Iterator[Found]:
    """What the unique key should have refused, had nobody taken it away."""
    keys = sa.select(EventRow.key, sa.func.count()).group_by(EventRow.key)
    for key, count in inspection.session.execute(keys.having(sa.func.count() > 1)):
        yield Found("event_told_twice", key, 1, count)
