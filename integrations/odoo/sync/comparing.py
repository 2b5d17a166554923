"""Comparing: what we hold of Odoo's records is there no more? Deletion leaves no trace in Odoo.

Now and then all ids are asked for again. Facts of records that are gone are withdrawn. A company
that is gone was deleted, or merged into another: it has left, and what we hold of it is read again,
since its records are the other's now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.state import OdooCursor, OdooLink
from integrations.odoo.streams import Stream
from integrations.odoo.sync.held import held_facts, held_records
from partner_cx.errors import Conflict
from partner_cx.kinds import KINDS
from partner_cx.network.partners import Partner

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

EVERY = timedelta(days=7)
FEW = 50  # that may always be gone
SHARE_MAX = 5  # of so many, one may be gone; more look like lost rights


@dataclass(frozen=True)
class Gone:
    """What isn't there any more: source_ids by kind, and records by their model."""

    facts: dict[str, list[str]]
    records: list[tuple[str, int]]


def is_due(cursor: OdooCursor, now: datetime) -> bool:
    return cursor.compared_at is None or now - cursor.compared_at >= EVERY


def find_gone(engine: sa.Engine, odoo: Odoo, stream: Stream, *, even_many: bool) -> Gone:
    """Ask for all records that a stream's facts, or the network's links, come from.

    Raises Conflict when so many are missing that it looks like rights lost: Odoo hides rows that
    an account may not see without saying so.
    """
    facts: dict[str, list[str]] = {}
    for kind, model in stream.identified.items():
        if odoo.has(model):
            ours = held_facts(engine, KINDS[kind].table, prefix=stream.prefix)
            missing = _missing(odoo, model, map(_records, ours), even_many)
            facts[kind] = [f"{stream.prefix}{each}" for each in missing]
    records: list[tuple[str, int]] = []
    if stream.of_partner is None:
        linked = held_records(engine, "res.partner")
        records += [
            ("res.partner", each) for each in _missing(odoo, "res.partner", linked, even_many)
        ]
    return Gone(facts, records)


def _records(held: Mapping[int, int]) -> list[int]:
    return list(held.values())


def _missing(odoo: Odoo, model: str, held: Iterable[Sequence[int]], even_many: bool) -> list[int]:
    missing: list[int] = []
    looked_at = 0
    for ids in held:
        there = set(odoo.search(model, [("id", "in", list(ids))], archived=True))
        missing += [number for number in ids if number not in there]
        looked_at += len(ids)
    if len(missing) > max(FEW, looked_at // SHARE_MAX) and not even_many:
        raise Conflict(
            f"{len(missing):,} of {looked_at:,} records of {model} aren't there any more, as far "
            "as the service account sees. That looks like rights lost, so nothing was withdrawn.",
            remedy="Check the account's rights, or run `partner-cx odoo sync --compare "
            "--even-many` if so many were really deleted.",
        )
    return missing


def part_with(
    session: Session, records: Sequence[tuple[str, int]], *, on: str, now: datetime
) -> tuple[list[dict[str, str | None]], set[str]]:
    """Note that records are gone.

    Returns the rows of partners that left by it, and the codes of partners whose facts must be
    read again: theirs, and those that a person who is gone belonged to.
    """
    rows: list[dict[str, str | None]] = []
    codes: set[str] = set()
    for model, number in records:
        link = session.get(OdooLink, (model, number))
        assert link is not None, "it was looked up a moment ago"
        link.gone_at = now
        seen: dict[str, Any] = link.seen or {}
        if seen.get("is") == "partner":
            codes.add(link.ours)
            rows += _left(session, link.ours, on)
        elif company := session.get(OdooLink, (model, seen.get("company") or 0)):
            codes.add(company.ours)
    session.flush()
    return rows, codes


def _left(session: Session, code: str, on: str) -> Iterator[dict[str, str | None]]:
    partner = session.scalar(sa.select(Partner).where(Partner.code == code))
    if partner is None or partner.left_on is not None:
        return
    joined_on = partner.joined_on.isoformat() if partner.joined_on else None
    yield {
        "code": partner.code,
        "name": partner.name,
        "kind": partner.kind,
        "joined_on": joined_on,
        "left_on": max(on, joined_on or on),
    }
