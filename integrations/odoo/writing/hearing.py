"""Hearing: which tellings Odoo is to be told of, and as what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integrations.odoo.writing import activities, cards, notes
from integrations.odoo.writing.marks import entry_key
from integrations.telling import Telling
from partner_cx.effects import Owed
from partner_cx.settings import Settings
from partner_cx.words import Words

# Up to which score, counted from the least, somebody is unhappy; by the questions everybody knows.
# A 0 is an answer.
UNHAPPY: Mapping[str, int] = {"nps": 6, "pnps": 6, "csat": 2, "csat10": 4, "cxi": 2}
STILL_NEWS = timedelta(days=7)  # answers and incidents that are older are history, taken in late


def hear(
    _session: Session, tellings: Sequence[Telling], settings: Settings, now: datetime
) -> list[Owed]:
    """What Odoo is owed because of what one act led to, as far as it is switched on."""
    if not settings.odoo_url:
        return []
    owed: list[Owed] = []
    if "cards" in settings.odoo_write_back:
        owed += _cards(tellings)
    if "notes" in settings.odoo_write_back:
        owed += _notes(tellings)
    if "activities" in settings.odoo_write_back:
        owed += _activities(tellings, settings, now)
    return owed


# --- Cards and notes -------------------------------------------------------------------------


def _cards(tellings: Sequence[Telling]) -> Iterator[Owed]:
    """One for each partner whose wallet was touched."""
    for code, entries in _by_partner(each for each in tellings if _is_in_wallet(each)).items():
        ids = sorted(each.data["entry"] for each in entries)
        yield Owed(
            cards.KIND,
            f"{cards.KIND}:{code}:{ids[-1]}",
            {"partner": code, "entries": ids},
            subject=f"{cards.KIND}:{code}",
        )


def _notes(tellings: Sequence[Telling]) -> Iterator[Owed]:
    """One for each partner to whom something was granted."""
    for code, entries in _by_partner(each for each in tellings if _is_granted(each)).items():
        first = min(each.data["entry"] for each in entries)
        grants = [{"points": each.data["points"], "why": each.data["why"]} for each in entries]
        yield Owed(
            notes.KIND,
            f"{notes.KIND}:{first}",
            {"partner": code, "mark": entry_key(first), "grants": grants},
            subject=f"{notes.KIND}:{code}",
        )


def _is_in_wallet(telling: Telling) -> bool:
    return (
        telling.event == "entry.posted"
        and telling.partner_code is not None
        and telling.data["account"] == "wallet"
    )


def _is_granted(telling: Telling) -> bool:
    """Whether points came to spend, by a rule or a gesture, not by putting something right."""
    if not _is_in_wallet(telling) or telling.data["points"] <= 0 or telling.data["corrects"]:
        return False
    return bool(telling.data["rule"]) or telling.data["key"].startswith("gesture:")


def _by_partner(tellings: Iterable[Telling]) -> dict[str, list[Telling]]:
    grouped: dict[str, list[Telling]] = defaultdict(list)
    for each in tellings:
        assert each.partner_code is not None
        grouped[each.partner_code].append(each)
    return grouped


# --- Activities ------------------------------------------------------------------------------

UNHAPPY_SUMMARY = Words(
    "Unhappy answer: call within 24 hours", "Réponse négative\u202f: rappeler sous 24 heures"
)
UNHAPPY_NOTE = Words(
    "A person of this partner answered {score} to {question} in the survey {survey}. Who it was "
    "isn't told. See {address}.",
    "Une personne de ce partenaire a répondu {score} à {question} dans l’enquête {survey}. Son "
    "nom n’est pas communiqué. Voir {address}.",
)
INCIDENT_SUMMARY = Words(
    "Incident: call within 24 hours", "Incident\u202f: rappeler sous 24 heures"
)
INCIDENT_NOTE = Words(
    "This partner has an incident: ticket {ticket} of {source}. See {address}.",
    "Ce partenaire a un incident\u202f: ticket {ticket} de {source}. Voir {address}.",
)


def _activities(tellings: Sequence[Telling], settings: Settings, now: datetime) -> Iterator[Owed]:
    for each in tellings:
        if each.partner_code is None:
            continue
        if _is_unhappy(each, now):
            note = UNHAPPY_NOTE.format(
                score=_score(each.data["value"]),
                question=each.data["question"],
                survey=each.data["survey"],
                address=settings.base_url,
            )
            # A corrected answer is the same answer: its telling's id ends with the import's.
            yield _activity(each, each.id.rpartition(":")[0], UNHAPPY_SUMMARY, note)
        elif each.event == "incident.opened" and _is_news(each.data["opened_at"], now):
            about = {name: each.data[name] for name in ("ticket", "source")}
            note = INCIDENT_NOTE.format(**about, address=settings.base_url)
            yield _activity(each, each.id, INCIDENT_SUMMARY, note)


def _activity(telling: Telling, what: str, summary: Words, note: Words) -> Owed:
    payload = {
        "partner": telling.partner_code,
        "mark": what.replace(":", " "),
        "at": telling.at.isoformat(),
        "summary": vars(summary),
        "note": vars(note),
    }
    return Owed(activities.KIND, f"{activities.KIND}:{what}", payload)


def _is_unhappy(telling: Telling, now: datetime) -> bool:
    if telling.event != "answer.received" or telling.data["dismissed"]:
        return False
    limit = UNHAPPY.get(str(telling.data["question"]).partition(".")[0])
    value = telling.data["value"]
    if limit is None or value is None or value > limit:
        return False
    return _is_news(telling.data["answered_at"], now)


def _is_news(moment: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(moment) <= STILL_NEWS


def _score(value: float) -> Words:
    return Words(f"{value:g}", f"{value:g}".replace(".", ","))
