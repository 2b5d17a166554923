"""Changing people by hand: the same way in as files, so that what was said before is kept.

What a page says of a person comes in under the source “by hand”. A file that tells otherwise later
corrects it, as it would correct a file; who may no longer sign in is said here alone, and no file
takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.journal import Did, note
from partner_cx.kinds.network import PEOPLE, REPS
from partner_cx.network.departures import Departure, come_back, depart, has_departed
from partner_cx.network.people import Person, Role
from partner_cx.network.sessions import end_sessions
from partner_cx.network.sign_in_links import SignInLink
from partner_cx.operations.fields import Manner
from partner_cx.operations.intake import Batch, Kind, WholeBatch, take_in
from partner_cx.operations.problems import Problem
from partner_cx.settings import Settings
from partner_cx.spelling import occurs
from partner_cx.words import Words

BY_HAND = "by hand"  # the source
UNPRINTABLE = Words(
    "It holds a sign that nobody can see.", "Il y a un signe que personne ne peut voir."
)
LAST_ADMINISTRATOR = "This is the last administrator who may sign in."


class NotTaken(Invalid):
    """What was said by hand can't be used. problems: each with the column that it is about."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            " ".join(problem.reason.en for problem in problems), remedy=problems[0].remedy.en
        )
        self.problems = tuple(problems)


def change_person(
    session: Session,
    cells: Mapping[str, str],
    *,
    by: str,
    settings: Settings,
    now: datetime,
    is_new: bool = False,
) -> Person:
    """Say of a person what a row of a file would: email, name, role, partner_code, language.

    Adds whoever isn't known. is_new: nobody else is meant. The caller commits. Raises NotTaken, and
    Conflict where nobody would be left who administers, or who is new is known.
    """
    lock(session, "administrators")
    before = _known(session, cells.get("email", ""))
    if is_new and before is not None:
        raise Conflict("Somebody here has this address already.", remedy="Change them instead.")
    said = {name: value.strip() for name, value in cells.items()}
    _take(session, PEOPLE, said, settings, now)
    person = session.scalars(
        sa.select(Person)
        .where(Person.email == said["email"].lower())
        .execution_options(populate_existing=True)
    ).one()
    _refuse_without_administrator(session)
    told = {name: said.get(name, "") for name in ("name", "role", "partner_code", "language")}
    note(
        session,
        by=by,
        did=Did.PERSON_CHANGED,
        about=person.email,
        details=told | {"added": before is None},
        now=now,
    )
    return person


def say_visits(
    session: Session,
    person: Person,
    partner_code: str,
    *,
    visits: bool,
    by: str,
    settings: Settings,
    now: datetime,
) -> None:
    """Say whether a rep visits a partner. The caller commits. Raises NotTaken."""
    said = {
        "rep_email": person.email,
        "partner_code": partner_code.strip(),
        "visits": "true" if visits else "false",
    }
    _take(session, REPS, said, settings, now)
    details = {"partner_code": said["partner_code"], "visits": visits}
    note(session, by=by, did=Did.PERSON_CHANGED, about=person.email, details=details, now=now)


def end_person(session: Session, person: Person, *, by: str, now: datetime) -> None:
    """Let a person sign in no more, and end whatever they are signed in to. Twice is once.

    The caller commits. Raises Conflict for the last administrator.
    """
    lock(session, "administrators")
    if has_departed(session, person.id):
        return
    depart(session, person.id, by=by, now=now)
    _refuse_without_administrator(session)
    end_all_sessions(session, person.id, now=now)
    note(session, by=by, did=Did.PERSON_ENDED, about=person.email, now=now)


def let_back_in(session: Session, person: Person, *, by: str, now: datetime) -> None:
    """Let a person sign in again. Twice is once. The caller commits."""
    lock(session, "administrators")
    if not has_departed(session, person.id):
        return
    end_all_sessions(session, person.id, now=now)
    come_back(session, person.id)
    details = {"may_sign_in": True}
    note(session, by=by, did=Did.PERSON_CHANGED, about=person.email, details=details, now=now)


def end_all_sessions(session: Session, person_id: int, *, now: datetime) -> None:
    """Sign a person out everywhere, and let no link of theirs sign in any more.

    Links first, as whoever uses one takes them: so the two never wait for each other.
    """
    mine = SignInLink.person_id == person_id
    unused = sa.and_(mine, SignInLink.used_at.is_(None), SignInLink.expires_at > now)
    session.execute(sa.update(SignInLink).where(unused).values(expires_at=now))
    end_sessions(session, person_id, now)


def person_numbered(session: Session, person_id: int) -> Person:
    """Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.", remedy="The list of people has all there are.")
    return person


def _known(session: Session, email: str) -> Person | None:
    address = email.strip().lower()
    if not address.isprintable():
        return None
    return session.scalar(sa.select(Person).where(Person.email == address))


def _refuse_without_administrator(session: Session) -> None:
    """Whoever administers may go as long as another stays: else nobody could let anybody in."""
    administer = (
        sa.select(sa.func.count())
        .select_from(Person)
        .where(
            Person.role == Role.ADMIN,
            ~sa.exists().where(Departure.person_id == Person.id),
        )
    )
    if not session.scalar(administer):
        raise Conflict(LAST_ADMINISTRATOR, remedy="Make somebody else an administrator first.")


def _take(
    session: Session, kind: Kind, cells: Mapping[str, str], settings: Settings, now: datetime
) -> None:
    """Take one row in, as a file's. Raises NotTaken with what is wrong with it."""
    for name, value in cells.items():
        if not occurs(value):
            raise NotTaken([Problem(1, name, None, UNPRINTABLE, Words("", ""))])
    table = pa.table(
        {name: pa.array([value or None], pa.string()) for name, value in cells.items()}
    )
    problems: list[Problem] = []

    def gather(found: Sequence[Problem], _batch: Batch) -> None:
        problems.extend(found)

    with session.no_autoflush:
        take_in(
            session,
            kind,
            [WholeBatch(table, np.array([1], dtype=np.int64), table)],
            source=BY_HAND,
            file_name=BY_HAND,
            manner=Manner(settings.time_zone, settings.currency),
            settings=settings,
            now=now,
            on_problems=gather,
        )
    if problems:
        raise NotTaken(problems)
