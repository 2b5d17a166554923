"""Facts from a file of any kind, as batches for the intake.

    path ─► what is it? ─► CSV, workbook or Parquet ─► columns named as ours ─► batches

What a file is, its first bytes say, not its name. A file that can't be read as a whole is refused
with Invalid, as far as can be told before its first row; what may still show later (a damaged
block, a file that changes meanwhile) is raised while it is read, so that the intake's transaction
takes nothing. A row that can't be read is left out, and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc

from integrations.files import workbooks
from integrations.files.columns import Columns, KindColumns
from integrations.files.csv_files import CsvFile
from integrations.files.mapping import Mapping
from integrations.files.parquet_files import ParquetFile
from integrations.files.rows import Form, Lines, Reader, Refused, Rows
from partner_cx.errors import Invalid
from partner_cx.operations.problems import Problem

PROBLEMS_KEPT = 1_000

_FOREIGN = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7-zip archive",
    b"Rar!": "a RAR archive",
    b"SQLite format 3": "a SQLite database",
    b"{\\rtf": "a text document",
    b"<": "HTML or XML",
    b"{": "JSON",
    b"[": "JSON",
}


@dataclass(frozen=True)
class Batch:
    """At most some 65,000 rows.

    table: under our names; text stripped, empty cells null. Text, or typed as the file is.
    lines: where each row begins, the header being line 1; in Parquet, rows counted from 1.
    raw: the same rows as text under the file's own names, as the problems file needs them.
    refused: rows between these that couldn't be read at all, and so are in none of the above.
    """

    table: pa.Table
    lines: Lines
    raw: pa.Table
    refused: tuple[Refused, ...] = ()


class FactsFile:
    """A file of facts, open. Iterate it once for its batches.

    notes: what a person should know: columns not used, empty rows passed over.
    ragged: the first of the problems with rows that couldn't be read; ragged_total counts all.
    """

    def __init__(self, path: Path, kind: KindColumns, mapping: Mapping) -> None:
        self.path = path
        self.mapping = mapping
        self._reader = _open(path, mapping)
        try:
            self._columns = Columns(self._reader.header, kind, mapping)
        except BaseException:
            self._reader.close()
            raise
        self.ragged: list[Problem] = []
        self.ragged_total = 0
        self._empty_rows = 0

    def __enter__(self) -> FactsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._reader.rows():
            self.ragged_total += len(rows.refused)
            room = PROBLEMS_KEPT - len(self.ragged)
            self.ragged += [refused.problem for refused in rows.refused[:room]]
            rows = self._without_empty(rows)
            if len(rows.lines) or rows.refused:
                table = self._columns.arrange(rows.table)
                yield Batch(table, rows.lines, rows.raw, tuple(rows.refused))

    @property
    def notes(self) -> list[str]:
        notes = [*self._reader.notes, *self._columns.notes]
        if self.rows_total_hint == 0:
            notes.append("The file has a header and no rows.")
        if self._empty_rows:
            notes.append(f"Empty rows passed over: {self._empty_rows:,}.")
        return notes

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The file's own column names, as `Batch.raw` has them."""
        return self._reader.header.names

    @property
    def form(self) -> Form:
        """How to write rows for the same mapping to read them."""
        return self._reader.form

    @property
    def rows_total_hint(self) -> int | None:
        """About how many rows there are, empty and unreadable ones included."""
        return self._reader.rows_total_hint

    def progress(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._reader.progress()

    def _without_empty(self, rows: Rows) -> Rows:
        """Rows of nothing but delimiters, as spreadsheets leave below their data, are no rows."""
        if not len(rows.lines):
            return rows
        first = rows.table.column(0)
        if not first.null_count:
            return rows
        kept = reduce(pc.or_, (column.is_valid() for column in rows.table.columns))
        empty = len(kept) - pc.sum(kept).as_py()
        if not empty:
            return rows
        self._empty_rows += empty
        lines = rows.lines[kept.to_numpy()]
        return Rows(rows.table.filter(kept), rows.raw.filter(kept), lines, rows.refused)


def read_facts(path: Path | str, *, kind: KindColumns, mapping: Mapping | None = None) -> FactsFile:
    """Open a file of facts; use it in a `with`.

    Raises Invalid when it isn't there or can't be read as a whole.
    """
    return FactsFile(Path(path), kind, mapping or Mapping.none())


def open_reader(path: Path, mapping: Mapping) -> Reader:
    """A file's own columns and rows, whatever they become. Raises Invalid; close it at the end."""
    return _open(path, mapping)


def _open(path: Path, mapping: Mapping) -> Reader:
    first = _first_bytes(path)
    if first.startswith(b"PAR1"):
        return ParquetFile(path, mapping)
    if first.startswith(b"PK"):
        return workbooks.Workbook(path, mapping)
    if first.startswith(b"\xd0\xcf\x11\xe0"):
        raise _old_or_locked(path)
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, what in _FOREIGN.items():
        if start.startswith(sign):
            raise Invalid(
                f"{path.name} is {what}, not a file of facts.",
                remedy="Give a CSV, XLSX or Parquet file, unpacked.",
            )
    return CsvFile(path, mapping)


def _first_bytes(path: Path) -> bytes:
    if path == Path():
        raise Invalid("No file is named, only the folder you are in.", remedy="Name one file.")
    if not path.exists():
        raise Invalid(f"There is no file {path}.", remedy="Check its path.")
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "isn't a regular file"
        raise Invalid(f"{path} {what}.", remedy="Name one file; import several one by one.")
    try:
        with path.open("rb") as file:
            first = file.read(4096)
    except OSError as error:
        raise Invalid(
            f"{path} can't be read: {error.strerror}.", remedy="Check who may read it."
        ) from error
    if not first:
        raise Invalid(
            f"{path.name} is empty: 0 bytes.", remedy="Ask for it again; a header is the least."
        )
    return first


def _old_or_locked(path: Path) -> Invalid:
    """An OLE file is an old workbook, or an encrypted new one; its directory tells."""
    marker = "EncryptedPackage".encode("utf-16-le")
    with path.open("rb") as file:
        if marker in file.read(64 << 20):
            return workbooks.locked(path.name)
    return Invalid(
        f"{path.name} is in an old Office format (.xls).",
        remedy="Open it in a spreadsheet and save it as .xlsx or CSV.",
    )
