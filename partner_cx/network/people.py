"""People: who signs in, sells, answers or manages, and for which partner."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Text


class Role(StrEnum):
    """What a person may do."""

    REP = "rep"  # files field reports, sees the partners they visit
    PARTNER = "partner"  # belongs to a partner, sees it and the resellers below it
    MANAGER = "manager"  # sees the network, writes rules, closes periods
    ADMIN = "admin"  # connects neighbours, issues tokens


class Person(Base):
    """A person, known by one e-mail address in lower case."""

    __tablename__ = "people"
    __table_args__ = (
        sa.CheckConstraint("role IN ('rep', 'partner', 'manager', 'admin')", name="role"),
        sa.CheckConstraint("role <> 'partner' OR partner_id IS NOT NULL", name="partner_named"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    language: Mapped[str | None] = mapped_column(Text)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
