"""Counting what is asked of the database: a page asks a fixed number of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa


@dataclass
class Asked:
    """The statements that were said, without the beginnings and ends of transactions."""

    statements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.statements)


@contextmanager
def counted(engine: sa.Engine) -> Iterator[Asked]:
    """Note every statement that is said on an engine meanwhile."""
    asked = Asked()

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
