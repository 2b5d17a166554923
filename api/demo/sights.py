"""What the demo shows of its neighbours: what was read, written and sent, in a few lines."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Iterator, Mapping

from api.demo.receiver import Receiver
from integrations.odoo.sync import SyncReport
from integrations.odoo.writing.companies import CARD, card_code
from integrations.stand_ins.odoo import StandIn
from partner_cx.quantities import number_text, points_text
from partner_cx.settings import Settings
from partner_cx.words import Words

SHOWN_PARTNER = "LYON-THERMIQUE"

ANSWERING = Words(
    "An Odoo 19 and a receiver of webhooks answer on this machine. Both are stand-ins.",
    "Un Odoo 19 et un récepteur de webhooks répondent sur cette machine. Ce sont des doublures.",
)
BEGIN = Words("Read from it for the first time:", "Première lecture\u202f:")
BEGIN_AGAIN = Words(
    "Read from it since the last start:", "Lecture depuis le dernier démarrage\u202f:"
)
A_DAY_LATER = Words(
    "Another day there, and what it brought:", "Un jour de plus, et ses nouvelles\u202f:"
)

KINDS: Mapping[str, Words] = {
    "partners": Words("partners", "partenaires"),
    "people": Words("people", "personnes"),
    "reps": Words("partners visited", "partenaires visités"),
    "portal-events": Words("logins to the portal", "connexions au portail"),
    "order-lines": Words("order lines", "lignes de commande"),
    "receipts": Words("receipts", "réceptions"),
    "tickets": Words("tickets", "tickets"),
}
STREAMS: Mapping[str, Words] = {
    "network": Words("network", "réseau"),
    "portal": Words("portal", "portail"),
    "orders": Words("orders", "commandes"),
    "tickets": Words("tickets", "tickets"),
}


def read(report: SyncReport, language: str) -> Iterator[str]:
    """One line for each stream that had news."""
    told = {}
    for stream in report.streams:
        counts = {
            kind: count.taken + count.corrected + count.withdrawn
            for kind, count in stream.counts.items()
        }
        if shown := _counted({KINDS[kind]: count for kind, count in counts.items()}, language):
            told[STREAMS[stream.stream].in_(language)] = shown
    yield from _in_columns([*told.items()])
    if not told:
        yield _in(language, "  nothing new", "  rien de nouveau")


def written(odoo: StandIn, receiver: Receiver, language: str) -> Iterator[str]:
    """How much was written and sent, and of each a piece to look at."""
    counts = {
        Words("cards", "cartes"): len(odoo.rows(CARD)),
        Words("notes", "notes"): len(odoo.rows("mail.message", model="res.partner")),
        Words("activities", "activités"): len(odoo.rows("mail.activity", res_model="res.partner")),
        Words("messages to the receiver", "messages au récepteur"): len(receiver.messages),
    }
    if shown := _counted(counts, language):
        begin = _in(language, "Written and sent by the worker:", "Écrit et envoyé\u202f:")
        yield f"{begin} {shown}."
    pieces = [*_card(odoo, language), *_note(odoo, language), *_message(receiver, language)]
    yield from _in_columns(pieces)


def where_to_look(settings: Settings, language: str) -> Iterator[str]:
    """What to type elsewhere while the demo is served."""
    yield ""
    yield _in(
        language,
        "Look behind the scenes in another terminal, while this one runs:",
        "Pour voir les coulisses, dans un autre terminal, pendant que celui-ci tourne\u202f:",
    )
    yield f"  export PARTNER_CX_DATABASE_URL={shlex.quote(settings.database_shown)}"
    yield f"  export PARTNER_CX_ODOO_URL={settings.odoo_url}"
    yield f"  export PARTNER_CX_ODOO_KEY={settings.odoo_key}"
    for command in ("odoo check", "webhooks sent", "effects list --state done --kind odoo.card"):
        yield f"  partner-cx {command}"


def _card(odoo: StandIn, language: str) -> Iterator[tuple[str, str]]:
    told = _in(
        language,
        "{partner}: {points}, {lines} lines of history",
        "{partner}\u202f: {points}, {lines} lignes d’historique",
    )
    for row in odoo.rows(CARD, code=card_code(SHOWN_PARTNER)):
        yield (
            _in(language, "card in Odoo", "carte dans Odoo"),
            told.format(
                partner=row["partner_id"][1],
                points=points_text(int(row["points"]), language),
                lines=len(row["history_ids"]),
            ),
        )


def _note(odoo: StandIn, language: str) -> Iterator[tuple[str, str]]:
    for company in odoo.rows("res.partner", ref=SHOWN_PARTNER):
        thread = odoo.rows("mail.message", model="res.partner", res_id=company["id"])
        for note in thread[-1:]:
            yield _in(language, "note on its thread", "note sur son fil"), _plain(note["body"])


def _message(receiver: Receiver, language: str) -> Iterator[tuple[str, str]]:
    for last in receiver.messages[-1:]:
        genuine = _in(language, "signature checked", "signature vérifiée")
        said = f"{last.event}, {last.id}" + (f", {genuine}" if last.is_genuine else "")
        yield _in(language, "last webhook", "dernier webhook"), said


def _counted(counts: Mapping[Words, int], language: str) -> str:
    return ", ".join(
        f"{number_text(count, language)} {what.in_(language)}"
        for what, count in counts.items()
        if count
    )


def _in_columns(rows: list[tuple[str, str]]) -> Iterator[str]:
    width = max((len(what) for what, _ in rows), default=0)
    for what, said in rows:
        yield f"  {what:{width}}  {said}"


def _plain(body: str) -> str:
    """A note's sentences, without our mark at its end."""
    paragraphs = re.findall(r"<p>(.*?)</p>", body)
    said = [html.unescape(re.sub(r"<[^>]+>", "", each)) for each in paragraphs]
    return ". ".join(each.rstrip(".") for each in said if not each.startswith("[")) + "."


def _in(language: str, en: str, fr: str) -> str:
    return Words(en, fr).in_(language)
