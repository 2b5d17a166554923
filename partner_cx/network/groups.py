"""Groups: whom a partner is compared with, and whom a target or a rule is for.

Most groups follow from what a partner is: `kind:reseller`, `tier:gold`, `region:Bretagne`,
`country:FR`, and `distributor:D01` (the distributor with everyone below it). A channel team adds
its own by the `groups` files: `group:pilot`.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Text


class GroupMember(Base):
    """A partner's membership in one of the channel team's own groups."""

    __tablename__ = "group_members"
    __table_args__ = (sa.UniqueConstraint("group_code", "partner_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    group_code: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
