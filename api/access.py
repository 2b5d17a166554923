"""Who may see what, and do what: the one place that knows.

A manager sees the network and runs the programme; an administrator sees the network and connects
what is beside it; a partner's people see their own partner and those below it; a rep sees the
partners it visits, and its own wallet. `docs/guide/access.md` has the whole table, and a test
tries it, route by route.

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
from partner_cx.network.reps import is_visited_by
from partner_cx.spelling import occurs

NOT_YOURS = "There is no such partner, or it isn't yours to see."


@dataclass(frozen=True)
class Viewer:
    """Who is looking: a person who has signed in, and in which session (its token's digest).

    language: the one they chose for themselves; None: none.
    """

    person: Person
    session_digest: str
    language: str | None = None

    @property
    def role(self) -> Role:
        return Role(self.person.role)

    @property
    def sees_network(self) -> bool:
        return self.role in (Role.MANAGER, Role.ADMIN)

    @property
    def manages(self) -> bool:
        return self.role is Role.MANAGER

    @property
    def administers(self) -> bool:
        return self.role is Role.ADMIN


def network_only(viewer: Viewer) -> None:
    """Refuse whoever may not see the network as a whole."""
    if not viewer.sees_network:
        raise Forbidden("This page is for those who manage the network.")


def managers_only(viewer: Viewer) -> None:
    """Refuse whoever doesn't run the programme: rules, closes, points."""
    if not viewer.manages:
        raise Forbidden("This is for channel managers.")


def administrators_only(viewer: Viewer) -> None:
    """Refuse whoever doesn't look after the installation: people, neighbours, files."""
    if not viewer.administers:
        raise Forbidden("This is for administrators.")


def visible_partner(session: Session, viewer: Viewer, code: str) -> Partner:
    """A partner by its code, if there is one and the viewer may see it."""
    partner = None
    if occurs(code):
        partner = session.scalars(sa.select(Partner).where(Partner.code == code)).one_or_none()
    if partner is None or not _may_see(session, viewer, partner):
        raise NotFound(NOT_YOURS)
    return partner


def is_at_or_below(session: Session, partner: Partner, own_id: int | None) -> bool:
    """Whether a partner is another one or stands below it, at any depth."""
    seen: set[int] = set()
    above: Partner | None = partner
    while above is not None and above.id not in seen:
        if above.id == own_id:
            return True
        seen.add(above.id)
        above = session.get(Partner, above.parent_id) if above.parent_id else None
    return False


def _may_see(session: Session, viewer: Viewer, partner: Partner) -> bool:
    if viewer.sees_network:
        return True
    if viewer.role is Role.REP:
        return is_visited_by(session, partner.id, viewer.person.id)
    return is_at_or_below(session, partner, viewer.person.partner_id)
