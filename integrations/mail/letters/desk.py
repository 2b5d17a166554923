"""What a letter is, and what each is written with: its reader, a session, the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from integrations.mail.written import Written
from partner_cx.settings import Settings
from partner_cx.words import Words


@dataclass(frozen=True)
class Reader:
    """Whom a letter is for.

    language: `en` or `fr`. person_id: None for an address that is nobody's here.
    partner_code, partner_name: the partner they belong to.
    """

    email: str
    name: str
    language: str
    role: str | None = None
    person_id: int | None = None
    partner_code: str | None = None
    partner_name: str | None = None


@dataclass(frozen=True)
class Desk:
    """What a letter is written with. now: when it is sent."""

    session: Session
    settings: Settings
    reader: Reader
    now: datetime


About: TypeAlias = Mapping[str, Any]  # ids and moments, as an effect's payload keeps them


@dataclass(frozen=True)
class Letter:
    """A letter that Partner CX writes.

    topic: under which it is stopped; None: never, as people ask for it themselves.
    what: for whoever runs the installation. because: why the reader gets it.
    write: writes it from what is on record when it is sent; None: there is nothing to say any more.
    preview: the same with invented contents.
    newest: what there is to write to this reader about; None: nothing yet.
    lasts_hours: how late it may still be sent.
    puts_down: whether writing it puts anything down, such as a link that was made.
    """

    name: str
    topic: str | None
    what: Words
    because: Words
    write: Callable[[Desk, About], Written | None]
    preview: Callable[[Settings], Written]
    newest: Callable[[Desk], About | None] | None = None
    lasts_hours: int | None = None
    puts_down: bool = False
