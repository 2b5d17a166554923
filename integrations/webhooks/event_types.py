"""Event types: what an endpoint can be told of. Names are a contract: extend them, don't rename."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from partner_cx.errors import Invalid
from partner_cx.words import Words

PING = "ping"  # what `webhooks test` sends; nobody subscribes to it

EVENT_TYPES = {
    "entry.posted": Words(
        "Points came to a wallet, wait for it, or left it.",
        "Des points sont entrés dans un compte, l’attendent ou l’ont quitté.",
    ),
    "decisions.made": Words(
        "Rules were decided for a partner, at a close or on an event.",
        "Des règles ont été jugées pour un partenaire, à une clôture ou sur un événement.",
    ),
    "period.closed": Words("A period was closed.", "Une période a été clôturée."),
    "answer.received": Words(
        "An answer to a survey came in, or was corrected.",
        "Une réponse à une enquête est arrivée, ou a été corrigée.",
    ),
    "incident.opened": Words(
        "A ticket of the category incident came in, and is open.",
        "Un ticket de la catégorie incident est arrivé, et il est ouvert.",
    ),
    "alert.raised": Words(
        "Something needs a manager’s attention, such as a budget that runs out.",
        "Quelque chose demande l’attention d’un responsable, comme un budget qui s’épuise.",
    ),
}


def known_events(names: Iterable[str]) -> list[str]:
    """The names, each once, in their order. Raises Invalid for one that nothing is called."""
    for name in names:
        if name not in EVENT_TYPES:
            near = get_close_matches(name, EVENT_TYPES, n=1)
            raise Invalid(
                f"There are no events of the type “{name}”.",
                remedy=f"Did you mean {near[0]}?" if near else f"There are {_all()}.",
            )
    return list(dict.fromkeys(names))


def _all() -> str:
    return ", ".join(EVENT_TYPES)
