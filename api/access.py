"""Who may see what. Managers and admins see the network; a partner's people see their own
partner and those below it; a rep sees, until field reports arrive, its own page only.

What a person may not see and what isn't there get the same answer for partners, so that nobody
learns whom else the network has.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import Forbidden, NotFound
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a person who has signed in, and by which link (its token's digest)."""

    person: Person
    link_digest: str

    @property
    def sees_network(self) -> bool:
        return self.person.role in (Role.MANAGER, Role.ADMIN)


def network_only(viewer: Viewer) -> None:
    """Refuse whoever may not see the network as a whole."""
    if not viewer.sees_network:
        raise Forbidden("This page is for those who manage the network.")


def visible_partner(session: Session, viewer: Viewer, code: str) -> Partner:
    """A partner by its code, if there is one and the viewer may see it."""
    partner = None
    if code.isprintable():  # PostgreSQL has no word for some signs, and no code holds them
        partner = session.scalars(sa.select(Partner).where(Partner.code == code)).one_or_none()
    if partner is None or not _may_see(session, viewer, partner):
        raise NotFound("There is no such partner, or it isn't yours to see.")
    return partner


def partners_below(session: Session, partner: Partner) -> list[Partner]:
    """Those that a partner supplies, directly or through others, by name."""
    below: dict[int, Partner] = {}
    layer = [partner.id]
    while layer:
        found = session.scalars(sa.select(Partner).where(Partner.parent_id.in_(layer))).all()
        layer = [each.id for each in found if each.id not in below]
        below |= {each.id: each for each in found}
    return sorted(below.values(), key=lambda each: each.name.casefold())


def _may_see(session: Session, viewer: Viewer, partner: Partner) -> bool:
    if viewer.sees_network:
        return True
    if viewer.person.role != Role.PARTNER:
        return False
    own = viewer.person.partner_id
    seen: set[int] = set()
    above: Partner | None = partner
    while above is not None and above.id not in seen:
        if above.id == own:
            return True
        seen.add(above.id)
        above = session.get(Partner, above.parent_id) if above.parent_id else None
    return False
