"""Reps and the partners they visit: whose health and statement a rep may look at."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id


class PartnerRep(Base):
    """Whether a rep visits a partner, as a file or Odoo said last.

    visits: false once it was said that they don't any more. No row: nobody ever said they did.
    """

    __tablename__ = "partner_reps"
    __table_args__ = (sa.UniqueConstraint("partner_id", "person_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    visits: Mapped[bool]
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))


def visited_by(person_id: int | sa.BindParameter[int]) -> sa.Select[int]:
    """The ids of the partners that a person visits, to be asked for within a query."""
    return sa.select(PartnerRep.partner_id).where(
        PartnerRep.person_id == person_id, PartnerRep.visits
    )


def is_visited_by(session: Session, partner_id: int, person_id: int) -> bool:
    visits = visited_by(person_id).where(PartnerRep.partner_id == partner_id)
    return session.scalar(visits) is not None
