"""Withdrawing: facts that their source no longer has are taken out, and what they said is kept.

Before: a neighbour that was asked what it still has. After: as after an import, marks on the
partner-days that must be tallied again, and revisions, by which a closed period is told as it was
known. Events drawn from a fact stay: what happened and was rewarded isn't undone by a deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.operations.former import keep_as_former, mark_former
from partner_cx.operations.imports import Import, Source
from partner_cx.operations.intake import hold_imports
from partner_cx.operations.merging import Keeping
from partner_cx.operations.revisions import keep_former

T = TypeVar("T")

AT_ONCE = 10_000  # facts in one statement
NO_LONGER_THERE = "no longer at the source"


def withdraw(
    session: Session,
    kind: Keeping,
    source_ids: Collection[str],
    *,
    source: str,
    now: datetime,
    because: str = NO_LONGER_THERE,
) -> int:
    """Take facts out, with all that belongs to them, such as an order line's receipts.

    It is an import of its own, with `because` where others have a file's name. An id that isn't
    known is passed over: withdrawing again changes nothing. A fact that its source tells anew
    later is a new one. Returns how many of the kind were taken out. The caller commits.
    """
    assert kind.key == ("source", "source_id"), f"{kind.name} aren't facts of one source"
    assert not kind.told_once, f"{kind.name} tell what happened, which nothing takes back"
    hold_imports(session, kind)
    origin = session.scalar(sa.select(Source.id).where(Source.code == source))
    known = kind.table.c
    ids = [
        number
        for some in _pieces(sorted(set(source_ids)))
        for number in session.scalars(
            sa.select(known.id).where(known.source == origin, known.source_id.in_(some))
        )
    ]
    if origin is not None:
        _take_out(session, kind, ids, Import(source=origin, file_name=because, imported_at=now))
    return len(ids)


def _take_out(session: Session, kind: Keeping, ids: Sequence[int], told: Import) -> None:
    """Take out facts by their ids, what belongs to them first: it is known of them by that."""
    if not ids:
        return
    for part, column in kind.parts:
        _take_out(session, part, _parts(session, part.table.c[column], ids), _like(told))
    told.kind, told.corrected = kind.name, len(ids)
    session.add(told)
    session.flush()
    for some in _pieces(ids):
        those = kind.table.c.id.in_(some)
        keep_former(session, kind.name, kind.table, some, told.id, withdrawn=True)
        keep_as_former(session, kind.table, those)
        mark_former(session, kind)
        session.execute(sa.delete(kind.table).where(those))


def _like(told: Import) -> Import:
    return Import(source=told.source, file_name=told.file_name, imported_at=told.imported_at)


def _parts(session: Session, whole: sa.Column[int], ids: Sequence[int]) -> list[int]:
    return [
        number
        for some in _pieces(ids)
        for number in session.scalars(sa.select(whole.table.c.id).where(whole.in_(some)))
    ]


def _pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
