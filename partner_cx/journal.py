"""The journal: who did what, and when. Each line is written in the transaction of its act.

What figures, points and rules became is kept by their own tables; the journal is where somebody
looks up who had a hand in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text


class Did(StrEnum):
    """What was done. Names are a contract: exports and other systems read them."""

    RULE_SAVED = "rule.saved"
    RULE_APPROVED = "rule.approved"
    RULE_ASKED = "rule.asked"  # a second person was asked to agree
    RULE_SENT_BACK = "rule.sent_back"  # a second person did not agree
    RULE_PUBLISHED = "rule.published"
    RULE_RETIRED = "rule.retired"
    RULE_DROPPED = "rule.dropped"  # a draft that nobody wants any more
    BUDGET_FUNDED = "budget.funded"
    PERIOD_CLOSED = "period.closed"
    HOLD_APPROVED = "hold.approved"
    HOLD_REFUSED = "hold.refused"
    RESTATEMENT_APPROVED = "restatement.approved"
    RESTATEMENT_REFUSED = "restatement.refused"
    PERSON_CHANGED = "person.changed"
    PERSON_ENDED = "person.ended"
    SESSIONS_ENDED = "sessions.ended"
    TOKEN_MADE = "token.made"  # noqa: S105 - what was done
    TOKEN_ENDED = "token.ended"  # noqa: S105
    FILE_TAKEN_IN = "file.taken_in"
    MAPPING_SAVED = "mapping.saved"
    EFFECT_RETRIED = "effect.retried"
    EFFECT_DROPPED = "effect.dropped"
    ENDPOINT_CHANGED = "endpoint.changed"
    ODOO_SYNCED = "odoo.synced"


class JournalLine(Base):
    """One act. by: an e-mail address, or who ran the command. about: what it was done to."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(Text, index=True)
    did: Mapped[str] = mapped_column(Text, index=True)
    about: Mapped[str] = mapped_column(Text, index=True)
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


def note(
    session: Session,
    *,
    by: str,
    did: Did,
    about: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act. The caller commits. details: plain values, nothing secret."""
    session.add(JournalLine(at=now, by=by, did=did, about=about, details=dict(details or {})))
