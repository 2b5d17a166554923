"""Partners: the companies of the network, from distributors down to installers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Text


class Partner(Base):
    """A company of the network, as its last import describes it; earlier words are revisions."""

    __tablename__ = "partners"
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('distributor', 'reseller', 'installer', 'agency')", name="kind"
        ),
        sa.CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name="left_after_joined"
        ),
        sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    tier: Mapped[str | None] = mapped_column(Text)
    region: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    joined_on: Mapped[date | None]  # None: a partner for as long as we know
    left_on: Mapped[date | None]  # the first day on which it is no partner any more
    source_id: Mapped[str | None] = mapped_column(Text)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))


def names_of(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """What partners are called, by their codes; codes of nobody are left out."""
    wanted = sa.select(Partner.code, Partner.name).where(Partner.code.in_(sorted(set(codes))))
    return dict(session.execute(wanted).all())
