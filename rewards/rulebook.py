"""The rulebook: every rule with every version of it, kept for as long as points rest on them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class RuleVersion(Base):
    """One published version of a rule. Append-only: a change is a new version.

    contents: the rule as YAML, in the form `Rule.to_yaml` writes; digest: `Rule.digest` of it.
    published_by, why: who put it in force, and what for.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (
        sa.UniqueConstraint("code", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    contents: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]  # the first day of the first period it decides
    published_at: Mapped[datetime] = mapped_column(Instant)
    published_by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, server_default="")
