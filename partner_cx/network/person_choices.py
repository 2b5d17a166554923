"""Person choices: what people decided for themselves, which no file that tells of them undoes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text, insert_for


class PersonChoice(Base):
    """What a person chose on their own page. language: None: whatever the browser prefers."""

    __tablename__ = "person_choices"
    __table_args__ = (sa.CheckConstraint("language IN ('en', 'fr')", name="language"),)

    person_id: Mapped[int] = mapped_column(
        Id, sa.ForeignKey("people.id"), primary_key=True, autoincrement=False
    )
    language: Mapped[str | None] = mapped_column(Text)
    chosen_at: Mapped[datetime] = mapped_column(Instant)


def choose_language(
    session: Session, person_id: int, language: str | None, *, now: datetime
) -> None:
    """Keep the language a person wants pages and letters in. The caller commits."""
    said = {"language": language, "chosen_at": now}
    chosen = insert_for(session, PersonChoice).values(person_id=person_id, **said)
    session.execute(chosen.on_conflict_do_update(index_elements=["person_id"], set_=said))


def chosen_language(session: Session, person_id: int) -> str | None:
    """The language a person chose for themselves; None: none."""
    own = sa.select(PersonChoice.language).where(PersonChoice.person_id == person_id)
    return session.scalar(own)
