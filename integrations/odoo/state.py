"""What we remember of an Odoo between two syncs: how far it was read, and which record is whose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Instant, Text


class OdooCursor(Base):
    """How far a stream of records has been read.

    read_until: everything Odoo wrote before this moment, by Odoo's clock, has been read; None
        while the first reading of everything is under way.
    quiet_since: when, by our clock, a run first found that moment to be Odoo's newest.
    position: where the run under way stands, to go on from there; see `odoo.course`. None between
        two runs.
    finished_at: when the last run came to its end. compared_at: when ids were last compared, to
        find what was deleted.
    mapping_digest: of the mapping it was read by; by another one everything is read anew.
    again: what must be read again though nothing in Odoo says so: `units` by id, whose rows were
        refused; `partners` of Odoo, whose records are another partner's than before; `facts_of`
        partners of ours, whose records were merged into another's.
    """

    __tablename__ = "odoo_cursors"

    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    read_until: Mapped[datetime | None] = mapped_column(Instant)
    quiet_since: Mapped[datetime | None] = mapped_column(Instant)
    position: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    compared_at: Mapped[datetime | None] = mapped_column(Instant)
    mapping_digest: Mapped[str | None] = mapped_column(Text)
    again: Mapped[dict[str, list[Any]] | None] = mapped_column(sa.JSON)


class OdooLink(Base):
    """Which of our things a record of Odoo is, for as long as both exist.

    model, odoo_id: the record, such as res.partner 14. ours: its code or address with us, kept
        when Odoo changes the reference it came from. seen: what we last knew of the record.
    gone_at: when it was found deleted, or merged into another.
    """

    __tablename__ = "odoo_links"
    __table_args__ = (sa.Index("ix_odoo_links_ours", "model", "ours"),)

    model: Mapped[str] = mapped_column(Text, primary_key=True)
    odoo_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    ours: Mapped[str] = mapped_column(Text)
    seen: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    gone_at: Mapped[datetime | None] = mapped_column(Instant)
