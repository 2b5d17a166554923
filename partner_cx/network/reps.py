"""Reps and the partners they visit: whose health and statement a rep may look at."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Text


class PartnerRep(Base):
    """That a rep visits a partner. source: where it was said: a file, Odoo, a page."""

    __tablename__ = "partner_reps"
    __table_args__ = (sa.UniqueConstraint("partner_id", "person_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    source: Mapped[str] = mapped_column(Text)


def is_visited_by(session: Session, partner_id: int, person_id: int) -> bool:
    visits = sa.select(PartnerRep.id).where(
        PartnerRep.partner_id == partner_id, PartnerRep.person_id == person_id
    )
    return session.scalar(visits) is not None
