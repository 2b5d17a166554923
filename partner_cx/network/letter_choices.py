"""Letter choices: which letters an address wants no more, and addresses that refuse them all."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text


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
