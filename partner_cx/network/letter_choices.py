"""Letter choices: which letters an address wants no more, and addresses that refuse them all.

Before it stand people, who choose, and mail servers, which send letters back. After it whoever
writes letters, who asks here first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text, insert_for, lock
from partner_cx.errors import NotFound

ANYTHING = "anything"  # the topic under which an address is allowed again after a bounce


class LetterChoice(Base):
    """What an address said of a topic of letters, the last time it said something.

    email: in lower case. topic: of letters, such as points or digests. wanted: yes or no.
    """

    __tablename__ = "letter_choices"

    email: Mapped[str] = mapped_column(Text, primary_key=True)
    topic: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted: Mapped[bool]
    chosen_at: Mapped[datetime] = mapped_column(Instant)
    chosen_through: Mapped[str] = mapped_column(Text)  # page, link in a letter, command


class Bounce(Base):
    """A letter that came back. Append-only; a hard one stops letters to its address.

    hard: the address takes no letters (5.x.x); else it may later (4.x.x).
    message_id: of the report that told us, read once.
    """

    __tablename__ = "bounces"
    __table_args__ = (sa.Index("ix_bounces_email", "email"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    message_id: Mapped[str] = mapped_column(Text, unique=True)
    email: Mapped[str] = mapped_column(Text)
    hard: Mapped[bool]
    status: Mapped[str] = mapped_column(Text)  # such as 5.1.1, RFC 3463
    reason: Mapped[str] = mapped_column(Text)
    told_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class Stopped:
    """Letters that an address isn't sent.

    topic: those it doesn't want; None: none at all, as they come back.
    since: when that was learned. through: a link in a letter, a command, or a bounce.
    why: the mail server's words, where they come back.
    """

    email: str
    topic: str | None
    since: datetime
    through: str
    why: str | None = None


def choose(
    session: Session, email: str, topic: str, *, wanted: bool, through: str, now: datetime
) -> None:
    """Keep what an address says of a topic of letters; it goes before what it said earlier."""
    row = {
        "email": email.strip().lower(),
        "topic": topic,
        "wanted": wanted,
        "chosen_at": now,
        "chosen_through": through,
    }
    said = {name: row[name] for name in ("wanted", "chosen_at", "chosen_through")}
    named = ["email", "topic"]
    statement = insert_for(session, LetterChoice).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=named, set_=said))


def wants(session: Session, email: str, topic: str | None) -> bool:
    """Whether an address may be sent letters of a topic; None: of those that nobody can stop."""
    return not unwanted(session, [email], topic)


def topic_stopped(session: Session, email: str, topic: str) -> bool:
    """Whether an address said that it wants no letters of a topic."""
    choice = session.get(LetterChoice, (email.strip().lower(), topic), populate_existing=True)
    return choice is not None and not choice.wanted


def topics_stopped(session: Session, email: str) -> set[str]:
    """The topics of which an address said that it wants no letters."""
    said = sa.select(LetterChoice.topic).where(
        LetterChoice.email == email.strip().lower(), LetterChoice.wanted.is_(False)
    )
    return set(session.scalars(said))


def letters_returned(session: Session, email: str) -> Bounce | None:
    """The letter that came back last, where that keeps all others from an address."""
    newest = sa.select(Bounce).where(Bounce.email == email.strip().lower(), _counts())
    return session.scalars(newest.order_by(Bounce.id.desc()).limit(1)).first()


def unwanted(session: Session, emails: Collection[str], topic: str | None) -> set[str]:
    """Those addresses, in lower case, to which letters of a topic aren't to be sent."""
    asked = sorted({email.strip().lower() for email in emails})
    chosen = sa.select(LetterChoice.email).where(
        LetterChoice.email.in_(asked),
        LetterChoice.topic == topic,
        LetterChoice.wanted.is_(False),
    )
    returned = sa.select(Bounce.email).where(Bounce.email.in_(asked), _counts())
    return {*session.scalars(chosen), *session.scalars(returned)}


def note_bounce(
    session: Session,
    *,
    message_id: str,
    email: str,
    hard: bool,
    status: str,
    reason: str,
    now: datetime,
) -> bool:
    """Note that a letter came back, once per report; whether it is new."""
    row = {
        "message_id": message_id,
        "email": email.strip().lower(),
        "hard": hard,
        "status": status,
        "reason": reason,
        "told_at": now,
    }
    statement = insert_for(session, Bounce).values(row)
    once = statement.on_conflict_do_nothing(index_elements=["message_id"])
    return bool(session.connection().execute(once).rowcount)


def stopped(session: Session) -> list[Stopped]:
    """Every address that isn't sent some letters, or any, by address and topic."""
    choices = sa.select(LetterChoice).where(LetterChoice.wanted.is_(False))
    told = [
        Stopped(each.email, each.topic, each.chosen_at, each.chosen_through)
        for each in session.scalars(choices)
    ]
    newest: dict[str, Stopped] = {}
    for each in session.scalars(sa.select(Bounce).where(_counts()).order_by(Bounce.id)):
        why = f"{each.status} {each.reason}".strip()
        newest[each.email] = Stopped(each.email, None, each.told_at, "bounce", why)
    return sorted([*told, *newest.values()], key=lambda each: (each.email, each.topic or ""))


def allow(
    session: Session, email: str, *, topic: str | None = None, through: str, now: datetime
) -> None:
    """Send an address letters again. The caller commits.

    topic: that it had stopped; None: any, after they came back. What comes back later stops them
    anew.
    Raises NotFound where nothing of the kind is stopped.
    """
    address = email.strip().lower()
    lock(session, f"letters:{address}")
    mine = [each for each in stopped(session) if each.email == address]
    if not any(each.topic == topic for each in mine):
        topics = [each.topic for each in mine if each.topic]
        remedy = "`partner-cx letters stopped` lists what is."
        if topic is None and topics:
            remedy = f"They stopped letters themselves: name the topic, --topic {topics[0]}."
        raise NotFound(f"Nothing of that kind is stopped for {address}.", remedy=remedy)
    choose(session, address, topic or ANYTHING, wanted=True, through=through, now=now)


def _counts() -> sa.ColumnElement[bool]:
    """A hard bounce that nobody has lifted since."""
    lifted = sa.select(LetterChoice.email).where(
        LetterChoice.email == Bounce.email,
        LetterChoice.topic == ANYTHING,
        LetterChoice.chosen_at >= Bounce.told_at,
    )
    return sa.and_(Bounce.hard, ~lifted.exists())
