"""Revisions: what a fact said, import after import, without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from partner_cx.kinds import KINDS
from partner_cx.operations.imports import Import
from partner_cx.operations.revisions import Revision
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection


def chains(inspection: Inspection) -> Iterator[Found]:
    """Each revision ends with the import that the next one, or the fact itself, begins with.

    After the one that tells what a withdrawn fact said there is nothing more.
    """
    count = inspection.session.scalar(sa.select(sa.func.count()).select_from(Revision)) or 0
    inspection.saw("revisions", count)
    if not count:
        return
    ordered = sa.select(
        Revision.kind,
        Revision.fact_id,
        Revision.superseded_by,
        Revision.withdrawn,
        sa.func.lead(Revision.import_id)
        .over(partition_by=(Revision.kind, Revision.fact_id), order_by=Revision.import_id)
        .label("next_import_id"),
    ).subquery()
    yield from _told(inspection, sa.select(ordered).where(ordered.c.next_import_id.is_not(None)))
    for kind in KINDS.values():
        facts = kind.table
        last = sa.select(
            ordered.c.kind,
            ordered.c.fact_id,
            ordered.c.superseded_by,
            ordered.c.withdrawn,
            facts.c.import_id.label("next_import_id"),
        ).outerjoin(facts, facts.c.id == ordered.c.fact_id)
        of_kind = last.where(ordered.c.kind == kind.name, ordered.c.next_import_id.is_(None))
        yield from _told(inspection, of_kind)


def imports(inspection: Inspection) -> Iterator[Found]:
    """Each was told, and corrected, by an import of its own kind.

    A corrected calendar runs the clocks of tickets again, and so corrects those.
    """
    for name, column in (("first", Revision.import_id), ("last", Revision.superseded_by)):
        others = (
            sa.select(Revision.kind, Revision.fact_id, Import.kind.label("told_by"), column)
            .join(Import, Import.id == column)
            .where(
                Import.kind != Revision.kind,
                ~sa.and_(Revision.kind == "tickets", Import.kind == "calendars"),
            )
            .order_by(Revision.id)
        )
        for kind, fact_id, told_by, number in inspection.stream(others):
            yield Found(
                "revision_astray",
                f"{kind} {fact_id}",
                kind,
                f"{name} import {number}, of {told_by}",
            )


def _told(inspection: Inspection, joints: sa.Select[*tuple[object, ...]]) -> Iterator[Found]:
    joined = joints.subquery()
    broken = (
        sa.select(joined)
        .where(
            sa.or_(
                joined.c.next_import_id.is_(None) != joined.c.withdrawn,
                joined.c.next_import_id != joined.c.superseded_by,
            )
        )
        .order_by(joined.c.kind, joined.c.fact_id)
    )
    for row in inspection.stream(broken):
        yield Found(
            "revisions_broken",
            f"{row.kind} {row.fact_id}",
            "nothing" if row.next_import_id is None else row.next_import_id,
            row.superseded_by,
        )
