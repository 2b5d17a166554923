"""Revisions: what a fact said before it was corrected, and between which imports it said so.

A fact's table holds what is known now; a correction moves the superseded contents here, and so
does a withdrawal, which puts nothing in their place. With both, any fact can be told as it was
known after any import.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Text

AT_ONCE = 10_000  # facts in one statement


class Revision(Base):
    """The contents of a fact that a later import corrected or withdrew. Append-only.

    withdrawn: the fact was taken out of its table, and its id is never given to another.
    """

    __tablename__ = "revisions"
    __table_args__ = (
        sa.Index("ix_revisions_kind_fact_id", "kind", "fact_id"),
        sa.Index("ix_revisions_kind_partner_id", "kind", "partner_id"),
        sa.Index("ix_revisions_kind_id", "kind", "id"),
        sa.CheckConstraint("superseded_by > import_id", name="superseded_later"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    fact_id: Mapped[int] = mapped_column(sa.BigInteger)
    partner_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    superseded_by: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    contents: Mapped[dict[str, object]] = mapped_column(sa.JSON)
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


def keep_former(
    session: Session,
    kind: str,
    table: sa.Table,
    ids: Iterable[int],
    superseded_by: int,
    *,
    withdrawn: bool = False,
) -> None:
    """Keep what some facts say, before an import makes them say something else, or nothing."""
    numbers = sorted(int(number) for number in ids)
    for start in range(0, len(numbers), AT_ONCE):
        some = sa.select(table).where(table.c.id.in_(numbers[start : start + AT_ONCE]))
        session.execute(
            sa.insert(Revision),
            [
                {
                    "kind": kind,
                    "fact_id": said.pop("id"),
                    "import_id": said.pop("import_id"),
                    "superseded_by": superseded_by,
                    "withdrawn": withdrawn,
                    "partner_id": said.get("partner_id"),
                    "contents": {name: plain(value) for name, value in said.items()},
                }
                for said in map(dict, session.execute(some).mappings())
            ],
        )


def plain(value: object) -> object:
    """A database value as JSON keeps it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | str) or value is None:
        return value
    return str(value)
