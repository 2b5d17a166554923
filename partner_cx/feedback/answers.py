"""Answers: what people said to one question of a survey."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from partner_cx.database import Base, Instant, Text
from partner_cx.operations.facts import PartnerFact, known_once


class Answer(PartnerFact, Base):
    """One person's answer to one question. Dismissed is no answer; a score of 0 is one.

    value: the score in micro-units, None for a comment alone.
    respondent: who answered, never shown to anyone the score could reward.
    """

    __tablename__ = "answers"
    __table_args__ = (
        *known_once("answers"),
        sa.Index("ix_answers_partner_day", "partner_id", "answered_on"),
        sa.CheckConstraint("NOT dismissed OR value IS NULL", name="dismissed_without_value"),
    )

    survey_code: Mapped[str] = mapped_column(Text)
    question_code: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(Instant)
    answered_on: Mapped[date]
    value: Mapped[int | None] = mapped_column(sa.BigInteger)
    text: Mapped[str | None] = mapped_column(Text)
    dismissed: Mapped[bool]
    respondent: Mapped[str | None] = mapped_column(Text)
