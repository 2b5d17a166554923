"""The preview: what a mapping would make of an Odoo, before anything is taken in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from integrations.odoo.directory import Directory
from integrations.odoo.streams import Reading, Stream, Told
from integrations.odoo.sync import streams_named
from integrations.odoo.sync.reading import STREAMS
from partner_cx.database import reading
from partner_cx.errors import Invalid, Refused
from partner_cx.settings import Settings

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

COMPANIES_MAX = 1_000  # looked at, so that what follows knows its partners
UNITS_MAX = 200  # looked at of any other stream


@dataclass(frozen=True)
class Preview:
    """What the first of a stream's units would tell.

    records: how many units there are; looked_at: of how many of them this is. kind, rows: how
    many rows of a kind of fact they tell, and the first as an example. why_not: why it tells none.
    """

    stream: str
    records: int = 0
    looked_at: int = 0
    kind: str | None = None
    rows: int = 0
    example: Mapping[str, str | None] | None = None
    why_not: str | None = None


def preview(
    engine: sa.Engine,
    odoo: Odoo,
    mapping: OdooMapping,
    *,
    settings: Settings,
    now: datetime,
    only: Sequence[str] | None = None,
) -> Iterator[Preview | str]:
    """Read the beginning of each stream, and say what it would tell. A text is a note."""
    directory = Directory(odoo, engine, page_rows=settings.odoo_page_rows)
    wanted = {stream.name for stream in streams_named(only)}
    with reading(engine) as session:
        at_hand = Reading(odoo, mapping, directory, session, settings, now)
        for stream in STREAMS:
            if stream.name in wanted or stream.of_partner is None:
                told = _look(at_hand, stream)
                yield from told if stream.name in wanted else ()


def _look(at_hand: Reading, stream: Stream) -> list[Preview | str]:
    try:
        return [*_told(at_hand, stream)]
    except (Refused, Invalid) as refusal:
        return [Preview(stream.name, why_not=str(refusal))]


def _told(at_hand: Reading, stream: Stream) -> Iterator[Preview | str]:
    watched = stream.watching(at_hand.odoo, at_hand.mapping)
    if not watched:
        yield Preview(stream.name, why_not="The mapping leaves it out.")
        return
    own = watched[0]
    if not at_hand.odoo.has(own.model):
        yield Preview(stream.name, why_not=f"This Odoo has no {own.model}.")
        return
    records = at_hand.odoo.count(own.model, own.domain, archived=True)
    most = UNITS_MAX if stream.of_partner else COMPANIES_MAX
    ids = at_hand.odoo.search(own.model, own.domain, limit=most, archived=True)
    told = Told()
    for start in range(0, len(ids), stream.at_once):
        _add(told, stream.tell(at_hand, ids[start : start + stream.at_once]))
    at_hand.directory.assume(
        {link.odoo_id: link.ours for link in told.linked if link.seen.get("is") == "partner"}
    )
    if not told.rows:
        why = "None of the first ones concerns a partner." if ids else "There are none."
        yield Preview(stream.name, records, len(ids), why_not=why)
    for kind, rows in told.rows.items():
        yield Preview(stream.name, records, len(ids), kind, len(rows), rows[0])
    yield from dict.fromkeys(told.notes)


def _add(told: Told, more: Told) -> None:
    for kind, rows in more.rows.items():
        told.rows.setdefault(kind, []).extend(rows)
    told.linked += more.linked
    told.notes += more.notes
