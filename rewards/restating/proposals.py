"""Proposals: what would put right a decision that later facts no longer support.

Before it stand a closed period and what is known of it now; after it a manager who approves or
refuses, and then one entry beside the original, or several where a wallet holds too little
(see `approving` and `compensations`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.words import Words

SUPERSEDED = "superseded"  # why a proposal was withdrawn: the facts changed again


class Proposal(Base):
    """A compensation that somebody may approve. Append-only; what became of it stands beside it.

    key: of the decision with what was given and what would be: proposing it twice is once.
    points: below zero to take back, above zero to give after all.
    changes: the facts that changed, and when; figures: those that did, then and now.
    last_import_id: up to which import facts were known.
    """

    __tablename__ = "proposals"
    __table_args__ = (sa.CheckConstraint("points <> 0", name="asks_for_something"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    decision_id: Mapped[int] = mapped_column(sa.ForeignKey("decisions.id"), index=True)
    points: Mapped[int] = mapped_column(sa.BigInteger)
    why_en: Mapped[str] = mapped_column(Text)
    why_fr: Mapped[str] = mapped_column(Text)
    figures: Mapped[Any] = mapped_column(sa.JSON)
    changes: Mapped[Any] = mapped_column(sa.JSON)
    last_import_id: Mapped[int] = mapped_column(sa.BigInteger)
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    proposed_by: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)

    @property
    def why(self) -> Words:
        """What the partner reads beside the entry, if it comes to one."""
        return Words(self.why_en, self.why_fr)

    @property
    def contents_digest(self) -> str:
        """SHA-256 over what is proposed and why: that which `digest` was when it was proposed."""
        contents = [
            *(self.key, self.points, self.why_en, self.why_fr),
            *(self.figures, self.changes, self.last_import_id),
        ]
        plain = json.dumps(contents, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()


class ProposalOutcome(Base):
    """What became of a proposal, once for ever. Append-only."""

    __tablename__ = "proposal_outcomes"

    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposals.id"), primary_key=True)
    approved: Mapped[bool]
    settled_at: Mapped[datetime] = mapped_column(Instant)
    settled_by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, server_default="")

    @property
    def withdrawn(self) -> bool:
        """Whether nobody refused it, but the facts changed again before anybody decided."""
        return not self.approved and self.why == SUPERSEDED
