"""How a fact that changed after a close is told: what it says now, what it said, who told it when.

Before: `partner_cx.operations.changes`. After: proposals, which name the facts they rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from partner_cx.operations.changes import Change
from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards.misses.rows import quantity_text
from rewards.sentences import day_text, joined, on_event

_KINDS = {
    "order-lines": Words("Order line", "Ligne de commande"),
    "receipts": Words("Receipt", "Réception"),
    "tickets": Words("Ticket", "Ticket"),
    "visits": Words("Visit", "Visite"),
    "portal-events": Words("Portal event", "Événement du portail"),
    "catalogue-status": Words("Catalogue status", "État du catalogue"),
    "learning": Words("Enrolment", "Inscription"),
    "invoices": Words("Invoice", "Facture"),
    "answers": Words("Answer", "Réponse"),
    "referrals": Words("Referral", "Recommandation"),
    "quotes": Words("Lead", "Demande de devis"),
}
# Columns whose name alone wouldn't read well before their value.
_COLUMNS = {
    "received_on": Words("received on", "reçue le"),
    "received": Words("received", "quantité reçue"),
    "ordered": Words("ordered", "quantité commandée"),
    "quantity": Words("quantity", "quantité"),
    "window_start": Words("due from", "attendue à partir du"),
    "window_end": Words("due on", "échéance le"),
    "order_code": Words("of order", "de la commande"),
    "status": Words("status", "état"),
    "cancelled_on": Words("cancelled on", "annulée le"),
    "partner_id": Words("of partner", "du partenaire"),
    "opened_at": Words("opened at", "ouvert le"),
    "first_reply_at": Words("answered at", "première réponse le"),
    "resolved_at": Words("resolved at", "résolu le"),
    "reopened_count": Words("times reopened", "nombre de réouvertures"),
    "response_target_minutes": Words("minutes to answer", "minutes pour répondre"),
    "resolution_target_minutes": Words("minutes to resolve", "minutes pour résoudre"),
    "visited_on": Words("visited on", "visite le"),
    "outcome": Words("outcome", "résultat"),
    "filled": Words("fields filled", "champs remplis"),
    "required": Words("fields required", "champs requis"),
    "enrolled_on": Words("enrolled on", "inscrite le"),
    "completed_on": Words("completed on", "terminée le"),
    "value": Words("value", "valeur"),
    "value_minor": Words("value in minor units", "valeur en unités mineures"),
    "credited_minor": Words("credited in minor units", "avoir en unités mineures"),
    "disputed_lines": Words("disputed lines", "lignes contestées"),
    "lines": Words("lines", "lignes"),
}
EVENTS = "events"  # the kind of a change that is an event, told late
_MICRO = {"received", "ordered", "quantity"}


@dataclass(frozen=True)
class Naming:
    """What facts hold as numbers, as people know it.

    zone: the programme's, in which days are told. partners: codes by id.
    """

    zone: tzinfo
    partners: Mapping[int, str]


def sentence(change: Change, naming: Naming) -> Words:
    """`Order line 20073 (erp): received on 12 May 2026 instead of 10 May 2026, told by
    corrections.csv on 3 July 2026.`"""
    if change.kind == EVENTS:
        return _event(change, naming)
    if change.now is None:
        return _withdrawn(change, naming)
    told = Words("told by {file} on {day}", "selon {file} du {day}").format(
        file=change.file_name, day=day_text(change.told_at.astimezone(naming.zone).date())
    )
    if change.then is None:
        what = Words("not known before", "inconnue jusque-là")
    else:
        what = _in_a_row(
            [_column(name, change.then[name], value, naming) for name, value in change.now.items()]
        )
    return Words("{fact}: {what}, {told}.", "{fact}\u202f: {what}, {told}.").format(
        fact=_named(change), what=what, told=told
    )


def _named(change: Change) -> Words:
    """`Order line 20073 (erp)`."""
    called = _KINDS.get(change.kind, Words(change.kind, change.kind))
    return Words("{kind} {number} ({source})", "{kind} {number} ({source})").format(
        kind=called, number=change.source_id, source=change.source
    )


def _withdrawn(change: Change, naming: Naming) -> Words:
    """`Order line 20073 (odoo): withdrawn on 3 July 2026, since odoo no longer has it.`"""
    return Words(
        "{fact}: withdrawn on {day}, since {source} no longer has it.",
        "{fact}\u202f: fait retiré le {day}, car {source} ne l’a plus.",
    ).format(
        fact=_named(change),
        day=day_text(change.told_at.astimezone(naming.zone).date()),
        source=change.source,
    )


def in_short(sentences: list[Words], total: int, shown: int = 2) -> Words:
    """The first sentences, and how many facts more there are."""
    rest = total - min(shown, len(sentences))
    told = sentences[:shown]
    return joined([*told, more(rest)] if rest else told)


def more(count: int) -> Words:
    """How many facts there are besides."""
    if count == 1:
        return Words("And one fact more.", "Et un fait de plus.")
    return Words("And {count} facts more.", "Et {count} faits de plus.").format(count=count)


def _event(change: Change, naming: Naming) -> Words:
    """`Course completed on 3 May 2026, told of on 9 July 2026.`"""
    now = change.now or {}
    about = now.get("subject")
    return Words("{what}{about}, told of on {day}.", "{what}{about}, connu le {day}.").format(
        what=_begun(on_event(EventKind(change.source), date.fromisoformat(str(now["on"])))),
        about=f" ({about})" if about else "",
        day=day_text(change.told_at.astimezone(naming.zone).date()),
    )


def _begun(words: Words) -> Words:
    return Words(words.en[:1].upper() + words.en[1:], words.fr[:1].upper() + words.fr[1:])


def _column(name: str, then: object, now: object, naming: Naming) -> Words:
    called = _COLUMNS.get(name, Words(name.replace("_", " "), name.replace("_", " ")))
    of = "du" if then is not None and _is_day(name) else "de"
    return Words("{called} {now} instead of {then}", "{called} {now} au lieu {of} {then}").format(
        called=called, now=_value(name, now, naming), then=_value(name, then, naming), of=of
    )


def _is_day(name: str) -> bool:
    return name == "on" or name.endswith(("_on", "_start", "_end"))


def _value(name: str, value: object, naming: Naming) -> Words:
    if value is None:
        return Words("nothing", "rien")
    if isinstance(value, bool):
        return Words("yes", "oui") if value else Words("no", "non")
    if isinstance(value, int):
        if name in _MICRO:
            return quantity_text(value)
        if name == "partner_id":
            value = naming.partners.get(value, value)
    if _is_day(name):
        return day_text(date.fromisoformat(str(value)))
    if isinstance(value, str) and (name.endswith("_at") or name == "at"):
        at = datetime.fromisoformat(value).astimezone(naming.zone)
        return Words("{day} {at}", "{day} {at}").format(day=day_text(at.date()), at=f"{at:%H:%M}")
    return Words(str(value), str(value))


def _in_a_row(parts: list[Words]) -> Words:
    return Words(", ".join(part.en for part in parts), ", ".join(part.fr for part in parts))
