"""Refused rows: kept with their import, so that a page can show them and give them back.

A problems file lies beside the file that was imported; whoever handed one in by a page has no such
place. The first of them are kept, as they stood, with what is wrong with each.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from integrations.files.columns import OWN_COLUMNS
from integrations.files.rows import Lines, Refused
from partner_cx.database import Base, Id, Text
from partner_cx.operations.problems import Problem
from partner_cx.words import Words

ROWS_MAX = 1_000
SIGNS_MAX = 2_000_000  # of all cells together


class RefusedRows(Base):
    """The first refused rows of an import. Written once.

    delimiter: by which the file was cut. columns: its own names.
    rows: each a line, its cells, and its problems; see `RefusedRow`.
    """

    __tablename__ = "refused_rows"

    import_id: Mapped[int] = mapped_column(
        Id, sa.ForeignKey("imports.id"), primary_key=True, autoincrement=False
    )
    delimiter: Mapped[str] = mapped_column(Text)
    columns: Mapped[list[str]] = mapped_column(sa.JSON)
    rows: Mapped[list[Any]] = mapped_column(sa.JSON)


@dataclass(frozen=True)
class RefusedRow:
    """A refused row: where it stands, its cells, what is wrong with it."""

    line: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


class Gathering:
    """Gathers the first refused rows of a file as it is read."""

    def __init__(self, columns: Sequence[str], delimiter: str) -> None:
        self.columns = tuple(columns)
        self.delimiter = delimiter
        self.rows: list[RefusedRow] = []
        self._signs = 0

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= ROWS_MAX or self._signs >= SIGNS_MAX

    def add(self, raw: pa.Table, lines: Lines, problems: Iterable[Problem]) -> None:
        """The rows of a batch that have problems, in the order of their lines."""
        if self.is_full:
            return
        by_line: defaultdict[int, list[Problem]] = defaultdict(list)
        for problem in problems:
            by_line[problem.line].append(problem)
        places = np.flatnonzero(np.isin(lines, list(by_line)))[:ROWS_MAX]
        rows = raw.take(pa.array(places)).to_pydict() if len(places) else {}
        columns = [rows.get(name, []) for name in self.columns]
        for at, place in enumerate(places):
            line = int(lines[place])
            self._add(line, [column[at] for column in columns], by_line[line])

    def add_unreadable(self, refused: Iterable[Refused]) -> None:
        """Rows that couldn't be read, with the fields they have."""
        for row in refused:
            self._add(row.problem.line, row.fields, [row.problem])

    def _add(self, line: int, cells: Sequence[str | None], problems: Sequence[Problem]) -> None:
        if not self.is_full:
            kept = tuple("" if cell is None else cell for cell in cells)
            self.rows.append(RefusedRow(line, kept, tuple(problems)))
            self._signs += sum(map(len, kept))

    def keep(self, session: Session, import_id: int) -> None:
        """Keep them with their import, if there are any."""
        if self.rows:
            session.add(
                RefusedRows(
                    import_id=import_id,
                    delimiter=self.delimiter,
                    columns=[name if not name.startswith("\0") else "" for name in self.columns],
                    rows=[_written(row) for row in self.rows],
                )
            )
            session.flush()


def rows_of(kept: RefusedRows, *, first: int = 0, most: int = ROWS_MAX) -> list[RefusedRow]:
    """Refused rows as they were gathered."""
    return [_read(row) for row in kept.rows[first : first + most]]


def as_csv(kept: RefusedRows, language: str) -> Iterator[str]:
    """Refused rows as a problems file: mended, it is handed in the same way as the file was."""
    again = tuple(kept.columns[:2]) == OWN_COLUMNS
    yield _line([*OWN_COLUMNS, *(kept.columns[2:] if again else kept.columns)], kept.delimiter)
    for row in rows_of(kept):
        said = " / ".join(problem.detail(language) for problem in row.problems)
        yield _line([row.line, said, *(row.cells[2:] if again else row.cells)], kept.delimiter)


def _line(cells: Sequence[object], delimiter: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def _written(row: RefusedRow) -> list[Any]:
    problems = [
        [each.column, each.value, *(getattr(words, language) for words, language in _words(each))]
        for each in row.problems
    ]
    return [row.line, list(row.cells), problems]


def _words(problem: Problem) -> list[tuple[Words, str]]:
    return [(said, each) for said in (problem.reason, problem.remedy) for each in ("en", "fr")]


def _read(row: list[Any]) -> RefusedRow:
    line, cells, problems = row
    return RefusedRow(
        line,
        tuple(cells),
        tuple(
            Problem(line, column, value, Words(reason_en, reason_fr), Words(remedy_en, remedy_fr))
            for column, value, reason_en, reason_fr, remedy_en, remedy_fr in problems
        ),
    )
