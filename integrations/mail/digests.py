"""Digests: who is owed one, at a moment of the schedule. One effect fans out into letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands, Later
from integrations.mail.connection import is_set_up
from integrations.mail.readers import people_who, wanting
from integrations.mail.sending import owed_letter
from integrations.tasks import quarter_over_at
from partner_cx.database import transact
from partner_cx.effects import Effect, Owed, owe_all
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.periods import Period
from rewards.frozen import closing_of

ASKED_AGAIN = timedelta(hours=12)  # whether the quarter is closed by now
WAITED_MOST = timedelta(days=60)
A_DAY = timedelta(days=1)
UNCLOSED = "the quarter wasn't closed"


def weekly(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Owe every manager the week that ended at the effect's moment."""
    moment = datetime.fromisoformat(due.payload["moment"])

    def letters(session: Session) -> list[Owed]:
        return [
            owed_letter(
                "weekly_digest",
                f"weekly:{_stamp(moment)}:{person.id}",
                person_id=person.id,
                about={"moment": moment.isoformat()},
            )
            for person in wanting(session, people_who(session, Role.MANAGER), "digests")
        ]

    return _owe(hands, letters)


def quarterly(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Owe everybody of a partner the quarter that was over at the effect's moment.

    Waits for its close; a quarter that isn't closed within two months is passed over.
    """
    moment = datetime.fromisoformat(due.payload["moment"])
    period = quarter_over_at(moment, hands)

    def letters(session: Session) -> list[Owed] | None:
        if closing_of(session, period) is None:
            return None
        return [
            owed_letter(
                "quarterly_digest",
                f"quarterly:{period}:{person.id}",
                person_id=person.id,
                about={"partner": code, "period": str(period)},
            )
            for person, code in _with_partner(session, period)
        ]

    told = _owe(hands, letters)
    if told is not None:
        return told
    if hands.clock() > moment + WAITED_MOST:
        return {"letters": 0, "not_sent": UNCLOSED}
    raise Later(hands.clock() + ASKED_AGAIN)


def parked(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Owe administrators an alert where anything was parked in the day before, and still is."""
    moment = datetime.fromisoformat(due.payload["moment"])

    def letters(session: Session) -> list[Owed]:
        new = sa.select(Effect.id).where(Effect.parked_at > moment - A_DAY)
        if session.scalar(new.limit(1)) is None:
            return []
        return [
            owed_letter(
                "alert",
                f"alert:parked:{_stamp(moment)}:{person.id}",
                person_id=person.id,
                about={"parked_since": (moment - A_DAY).isoformat()},
            )
            for person in wanting(session, people_who(session, Role.ADMIN), "alerts")
        ]

    return _owe(hands, letters)


def _owe(hands: Hands, letters: Any) -> Any:
    """Owe letters; how many. None where it is too early to say which."""

    def work(session: Session) -> Mapping[str, Any] | None:
        owed = letters(session) if is_set_up(hands.settings) else []
        if owed is None:
            return None
        owe_all(session, owed, now=hands.clock())
        return {"letters": len(owed)}

    return transact(hands.engine, work)


def _with_partner(session: Session, period: Period) -> list[tuple[Person, str]]:
    """Everybody of the partners that were there in a period, with their partner's code."""
    rows = session.execute(
        sa.select(Person, Partner.code)
        .join(Partner, Partner.id == Person.partner_id)
        .where(
            Person.role == Role.PARTNER,
            sa.or_(Partner.left_on.is_(None), Partner.left_on > period.first_day),
        )
        .order_by(Person.id)
    ).all()
    wanted = {each.id for each in wanting(session, [row.Person for row in rows], "digests")}
    return [(row.Person, row.code) for row in rows if row.Person.id in wanted]


def _stamp(moment: datetime) -> str:
    return moment.date().isoformat()
