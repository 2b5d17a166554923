"""What every reader of files hands over: header, rows as they come, and what it left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from integrations.files.columns import Header
from partner_cx.errors import Invalid
from partner_cx.operations.problems import Problem

BATCH_ROWS = 65_536

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Refused:
    """A row that couldn't be read: its problem, and its fields as they stand, however many."""

    problem: Problem
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """Some rows of a file under its own column names.

    table: as typed as the file is. raw: the same as text, so that it can be written again.
    lines: where each row begins.
    """

    table: pa.Table
    raw: pa.Table
    lines: Lines
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class Form:
    """How a problems file must be written for the same mapping to read it."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"


class Reader(Protocol):
    """A file that has been looked over and is ready to be read, once."""

    header: Header
    form: Form
    notes: list[str]
    rows_total_hint: int | None

    def rows(self) -> Iterator[Rows]: ...
    def progress(self) -> float: ...
    def close(self) -> None: ...


class Unchanged:
    """Sees to it that a file stays as it was while it is being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()

    def check(self) -> None:
        if self._look() != self._seen:
            raise Invalid(
                f"{self._path.name} changed while it was being read; nothing was taken.",
                remedy="Wait until it is written whole, then import it again.",
            )

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns
