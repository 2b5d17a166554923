"""Topics: kinds of letters that an address can stop, one by one."""

from __future__ import annotations

from collections.abc import Mapping

from partner_cx.network.people import Role
from partner_cx.words import Words

TOPICS: Mapping[str, Words] = {
    "points": Words("points you earned", "les points que vous gagnez"),
    "reports": Words("answers to your reports", "les réponses à vos comptes rendus"),
    "surveys": Words("surveys", "les enquêtes"),
    "alerts": Words("alerts", "les alertes"),
    "digests": Words("weekly and quarterly summaries", "les bilans de semaine et de trimestre"),
}

# Who is sent letters of a topic at all.
READ_BY: Mapping[str, tuple[Role, ...]] = {
    "points": (Role.PARTNER, Role.REP),
    "reports": (Role.PARTNER, Role.REP),
    "surveys": tuple(Role),
    "alerts": (Role.MANAGER, Role.ADMIN),
    "digests": (Role.PARTNER, Role.MANAGER),
}


def topics_for(role: Role) -> list[str]:
    """The topics of letters that somebody in a role may be sent."""
    return [topic for topic in TOPICS if role in READ_BY[topic]]
