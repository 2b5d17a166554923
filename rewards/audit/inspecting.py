"""What every check is handed: a snapshot to read from, and a place to say what it looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.audit.differences import Unknown

AT_ONCE = 5_000  # rows in memory at a time, whatever a table holds
ROWS_AT_ONCE = 2_000  # of a stream


@dataclass
class Inspection:
    """An audit under way, on one snapshot."""

    session: Session
    settings: Settings
    now: datetime
    checked: Counter[str] = field(default_factory=Counter)
    unknown: list[Unknown] = field(default_factory=list)

    def saw(self, what: str, count: int = 1) -> None:
        self.checked[what] += count

    def cannot_tell(self, where: str, en: str, fr: str) -> None:
        self.unknown.append(Unknown(where, Words(en, fr)))

    def stream(self, statement: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
        """A statement's rows, a few at a time: one pass, in the database's own order of work."""
        a_few = statement.execution_options(yield_per=ROWS_AT_ONCE)
        with self.session.execute(a_few) as rows:
            yield from rows

    def ranges(self, key: InstrumentedAttribute[int]) -> Iterator[sa.ColumnElement[bool]]:
        """Conditions that cut a table into stretches of its key, in order.

        For what asks more about each row than one statement tells: no cursor stays open meanwhile,
        and memory is flat all the same.
        """
        last = None
        while True:
            after = () if last is None else (key > last,)
            stretch = sa.select(key).where(*after).order_by(key).limit(AT_ONCE).subquery()
            end = self.session.scalar(sa.select(sa.func.max(stretch.c[key.key])))
            if end is None:
                return
            yield sa.and_(*after, key <= end)
            last = end


def as_text(column: Any) -> sa.ColumnElement[str]:
    """A day as ISO text on both databases; one that was damaged is text like any other."""
    return sa.cast(column, sa.Text)
