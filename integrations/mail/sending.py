"""Sending: an owed letter is written from what is on record now, and handed to the mail server.

owing (a sender, an announcement, the schedule) ─► effect `mail.letter` ─► here ─► mail server

An effect names the letter, its reader and what it is about by ids; nothing that may grow stale and
never a sign-in link, which is made here, when the letter leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands
from integrations.mail import addresses, connection
from integrations.mail.errors import AddressRefused
from integrations.mail.identity import message_id
from integrations.mail.letters import LETTERS, About, Desk, Letter, Reader
from integrations.mail.message import Rendered, message, rendered
from integrations.mail.readers import reader_at, reader_of
from integrations.mail.rendering import Frame
from integrations.mail.written import Written
from partner_cx.database import reading, transact
from partner_cx.effects import Owed
from partner_cx.errors import Invalid
from partner_cx.network.letter_choices import note_bounce, wants
from partner_cx.settings import Settings, signing_secret

KIND = "mail.letter"


def owed_letter(
    letter: str,
    key: str,
    *,
    about: About,
    person_id: int | None = None,
    email: str | None = None,
    language: str | None = None,
    due_at: datetime | None = None,
) -> Owed:
    """What owes a letter; owing it again under the same key changes nothing.

    key: of this letter to this reader, without the kind. about: see the letter's `write`.
    person_id: of the reader; else `email`, and the language where it is known.
    """
    assert letter in LETTERS, letter
    assert (person_id is None) != (email is None), "a letter has one reader"
    to = {"person": person_id, "email": email, "language": language}
    payload: dict[str, Any] = {"letter": letter, "about": dict(about)}
    payload |= {name: value for name, value in to.items() if value is not None}
    return Owed(KIND, f"{KIND}:{key}", payload, due_at=due_at)


@dataclass(frozen=True)
class _Ready:
    """A letter that is to be sent now."""

    mail: EmailMessage
    email: str


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Send the letter that an effect owes. Returns its Message-ID, or why it wasn't sent.

    Raises what the connection raises. An address that the mail server refuses for good gets no
    further letters.
    """
    connection.refuse_unset(hands.settings)
    ready = _prepared(due, hands)
    if isinstance(ready, str):
        return {"not_sent": ready}
    try:
        connection.send(ready.mail, ready.email, settings=hands.settings)
    except AddressRefused as refusal:
        _note_refusal(hands, due.key, ready.email, refusal)
        raise
    return {"message_id": ready.mail["Message-ID"]}


def _prepared(due: Due, hands: Hands) -> _Ready | str:
    if _letter(due.payload).puts_down:
        return transact(hands.engine, lambda session: _ready(session, due, hands))
    with reading(hands.engine) as session:
        return _ready(session, due, hands)


def _ready(session: Session, due: Due, hands: Hands) -> _Ready | str:
    """The mail, or why there is none."""
    letter, now = _letter(due.payload), hands.clock()
    reader = _reader(session, due.payload, hands.settings)
    if reader is None:
        return "the person is no longer here"
    if letter.lasts_hours and now > due.owed_at + timedelta(hours=letter.lasts_hours):
        return "it came too late to be of use"
    if not wants(session, reader.email, letter.topic):
        return "such letters are stopped for the address"
    written = letter.write(Desk(session, hands.settings, reader, now), due.payload["about"])
    if written is None:
        return "there is nothing to say any more"
    set_ = framed(written, letter, reader, hands.settings)
    return _Ready(mail(set_, reader, key=due.key, settings=hands.settings, now=now), reader.email)


def _letter(payload: Mapping[str, Any]) -> Letter:
    name = str(payload.get("letter"))
    if name not in LETTERS:
        raise Invalid(
            f"There is no letter “{name}” in this version.",
            remedy="Bring Partner CX up to date, then retry.",
        )
    return LETTERS[name]


def _reader(session: Session, payload: Mapping[str, Any], settings: Settings) -> Reader | None:
    if "person" in payload:
        return reader_of(session, payload["person"], settings)
    return reader_at(session, payload["email"], settings, language=payload.get("language"))


def framed(written: Written, letter: Letter, reader: Reader, settings: Settings) -> Rendered:
    """A letter set for its reader, with what stands around it."""
    topic = letter.topic
    stop = addresses.stop(settings, reader.email, topic) if topic else None
    sender = connection.sender(settings).display_name if settings.mail_from else ""
    frame = Frame(
        reader.language, sender or "Partner CX", addresses.start(settings), letter.because, stop
    )
    return rendered(written, frame)


def mail(
    letter: Rendered, reader: Reader, *, key: str, settings: Settings, now: datetime
) -> EmailMessage:
    """The mail that a letter travels in; the same key gives it the same name."""
    sender = connection.sender(settings)
    named = message_id(key, reader.email, domain=sender.domain, secret=signing_secret(settings))
    return message(
        letter, to=reader.email, name=reader.name, sender=sender, message_id=named, now=now
    )


def send_test(letter: Letter, reader: Reader, *, settings: Settings, now: datetime) -> str:
    """Send a letter with invented contents at once; its Message-ID."""
    connection.refuse_unset(settings)
    set_ = framed(letter.preview(settings), letter, reader, settings)
    key = f"test:{secrets.token_hex(8)}"
    made = mail(set_, reader, key=key, settings=settings, now=now)
    del made["List-Unsubscribe"], made["List-Unsubscribe-Post"]  # somebody asked for it
    connection.send(made, reader.email, settings=settings)
    return str(made["Message-ID"])


def _note_refusal(hands: Hands, key: str, email: str, refusal: AddressRefused) -> None:
    """Learn from a refusal as from a bounce, so that each letter after this isn't refused anew."""
    if not is_for_good(refusal.status):
        return
    transact(
        hands.engine,
        lambda session: note_bounce(
            session,
            message_id=f"smtp:{key}",
            email=email,
            hard=True,
            status=refusal.status,
            reason=refusal.reason,
            now=hands.clock(),
        ),
    )


def is_for_good(status: str) -> bool:
    """Whether a status says that an address takes no letters, rather than not these, or not now.

    RFC 3463: 5.0 says no more than that, 5.1 is about the address, 5.2 about the mailbox, of which
    5.2.2 is full for now. The rest is about systems, networks, contents and policies, ours as
    likely as theirs.
    """
    kind, subject, detail = ([*status.split("."), "", ""])[:3]
    not_for_good = {"1": ("7", "8"), "2": ("2", "3", "4"), "0": ()}  # 5.1.7, 5.1.8: our own address
    return kind == "5" and subject in not_for_good and detail not in not_for_good[subject]
