"""Hearing: which letters follow from what is announced, one per reader and act.

Before it stands `announcing`, which tells what happened; after it the effects `mail.letter`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail.connection import is_set_up
from integrations.mail.letters.alerts import DETRACTOR_MOST
from integrations.mail.readers import people_of, people_who, wanting
from integrations.mail.sending import owed_letter
from integrations.telling import Telling
from partner_cx.effects import Owed
from partner_cx.network.people import Person, Role
from partner_cx.settings import Settings
from rewards.ledger import AccountKind, wallet_of, wallet_of_person

RECENT = timedelta(days=7)  # an import of last year's answers alarms nobody
SCORES = ("nps", "pnps")


def hear(
    session: Session, tellings: Sequence[Telling], settings: Settings, now: datetime
) -> Iterable[Owed]:
    """The letters owed because of an act: nothing where mail isn't set up."""
    if not is_set_up(settings):
        return []
    return [
        *_of_points(session, tellings),
        *_of_budgets(session, tellings),
        *_of_low_scores(session, tellings, now),
    ]


def _of_points(session: Session, tellings: Sequence[Telling]) -> Iterator[Owed]:
    """To each reader one letter for each wallet that points came to."""
    earned = [each for each in tellings if _came_to_a_wallet(each)]
    earned.sort(key=lambda each: (_wallet(each), each.data["entry"]))
    readers = _Readers(session, earned)
    for wallet, came in groupby(earned, key=_wallet):
        together = list(came)
        about = {"wallet": wallet, "entries": [each.data["entry"] for each in together]}
        for person in readers.of(together[0]):
            key = f"points:{person.id}:{_digest(together)}"
            yield owed_letter("points_earned", key, person_id=person.id, about=about)


def _came_to_a_wallet(telling: Telling) -> bool:
    return (
        telling.event == "entry.posted"
        and telling.data["account"] == AccountKind.WALLET
        and telling.data["points"] > 0
    )


def _wallet(telling: Telling) -> str:
    if telling.data["partner"] is not None:
        return wallet_of(telling.data["partner"])
    return wallet_of_person(telling.data["person"])


class _Readers:
    """Who reads of the points that came to whom, asked for once for all."""

    def __init__(self, session: Session, earned: Sequence[Telling]) -> None:
        partners = people_of(session, {each.partner_id for each in earned if each.partner_id})
        emails = sorted({each.data["person"] for each in earned if each.data["person"]})
        persons = session.scalars(sa.select(Person).where(Person.email.in_(emails)))
        everybody = {each.id: each for each in (*partners, *persons)}.values()
        self._of_partner: dict[int | None, list[Person]] = defaultdict(list)
        self._at: dict[str, list[Person]] = {}
        for each in wanting(session, everybody, "points"):
            self._at[each.email] = [each]
            if each.role == Role.PARTNER:
                self._of_partner[each.partner_id].append(each)

    def of(self, telling: Telling) -> list[Person]:
        if telling.partner_id is not None:
            return self._of_partner.get(telling.partner_id, [])
        return self._at.get(telling.data["person"], [])


def _of_budgets(session: Session, tellings: Sequence[Telling]) -> Iterator[Owed]:
    raised = [
        int(each.id.rpartition(":")[2])
        for each in tellings
        if each.event == "alert.raised" and each.data["alert"] == "budget"
    ]
    for alert_id in raised:
        for person in _managers(session):
            yield owed_letter(
                "alert",
                f"alert:budget:{alert_id}:{person.id}",
                person_id=person.id,
                about={"budget_alert": alert_id},
            )


def _of_low_scores(session: Session, tellings: Sequence[Telling], now: datetime) -> Iterator[Owed]:
    """To each manager one letter for all low scores of an act."""
    low = [each for each in tellings if _is_low(each, now)]
    if not low:
        return
    about = {"answers": [int(each.id.split(":")[1]) for each in low]}
    for person in _managers(session):
        key = f"alert:answers:{person.id}:{_digest(low)}"
        yield owed_letter("alert", key, person_id=person.id, about=about)


def _is_low(telling: Telling, now: datetime) -> bool:
    return (
        telling.event == "answer.received"
        and telling.data["question"] in SCORES
        and telling.data["value"] is not None
        and telling.data["value"] <= DETRACTOR_MOST
        and not telling.data["dismissed"]
        and datetime.fromisoformat(telling.data["answered_at"]) > now - RECENT
    )


def _managers(session: Session) -> list[Person]:
    return wanting(session, people_who(session, Role.MANAGER, Role.ADMIN), "alerts")


def _digest(tellings: Iterable[Telling]) -> str:
    """The same for the same tellings, however they come."""
    ids = "\n".join(sorted(each.id for each in tellings))
    return hashlib.sha256(ids.encode()).hexdigest()[:32]
