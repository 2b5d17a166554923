"""Excel workbooks (.xlsx): looked over before they are opened, then read through calamine.

A workbook is a zip of XML, so a small one may unpack to gigabytes, and calamine holds a whole
sheet at once. Its parts are therefore unpacked once in passing: their true sizes are counted, and
the sheet's cells are counted and searched for what calamine would answer as empty: a formula that
was never calculated, and an error such as #N/A. Memory grows with the sheet, up to CELLS_MAX.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from integrations.files.columns import COLUMNS_MAX, Header, unique_names
from integrations.files.mapping import Mapping, nearest
from integrations.files.rows import Form, Refused, Rows, Unchanged
from partner_cx.errors import Invalid
from partner_cx.operations.problems import Problem
from partner_cx.words import Words

UNPACKED_BYTES_MAX = 1 << 30
CELLS_MAX = 16_000_000  # some 600 MB in calamine
HEAD_ROWS = 12
ROWS_AT_ONCE = 8_192

_PIECE = 1 << 20
_OVERLAP = 64 << 10  # longer than any formula's cell, so that none is cut in two unseen

_Cell = int | float | str | bool | datetime | date | time | timedelta


class Workbook:
    """One sheet of a workbook: the mapping's, or the first that is visible."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._name, self._decimal = path.name, mapping.decimal
        self._unchanged = Unchanged(path)
        self.notes: list[str] = []
        self.form = Form()
        parts = _check_sizes(path)
        try:
            self._book = CalamineWorkbook.from_path(path)
            sheet_name = self._choose(mapping.sheet)
            self._findings = _scan(path, _part_of(path, sheet_name, parts))
            self._refuse_vast()
            self._sheet = self._book.get_sheet_by_name(sheet_name)
        except PasswordError as error:
            raise locked(path.name) from error
        except (CalamineError, KeyError, StopIteration, ET.ParseError) as error:
            raise broken(path.name, error) from error
        self._left = self._sheet.start[1] if self._sheet.start else 0
        line = mapping.header_row or 1
        self.header, self._width = self._read_header(line)
        self._refuse_merged(line)
        height = self._sheet.end[0] + 1 if self._sheet.end else 0
        self.rows_total_hint: int | None = max(0, height - line)
        self._done = 0

    def rows(self) -> Iterator[Rows]:
        some: list[tuple[int, list[str | None]]] = []
        for line, cells in self._lines():
            if line <= self.header.line:
                continue
            self._done = line - self.header.line
            some.append((line, cells))
            if len(some) == ROWS_AT_ONCE:
                yield self._rows(some)
                some = []
        if some:
            yield self._rows(some)
        self._unchanged.check()

    def progress(self) -> float:
        return min(1.0, self._done / self.rows_total_hint) if self.rows_total_hint else 1.0

    def close(self) -> None:
        self._book.close()

    # --- Opening ----------------------------------------------------------------------------

    def _choose(self, wanted: str | None) -> str:
        names = [
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
            and (wanted or sheet.visible == SheetVisibleEnum.Visible)
        ]
        if wanted and wanted not in names:
            listed = [
                *nearest(wanted, names),
                *(n for n in names if n not in nearest(wanted, names)),
            ]
            raise Invalid(
                f"{self._name} has no sheet “{wanted}”.",
                remedy=f"Its sheets are: {', '.join(f'“{name}”' for name in listed)}.",
            )
        if not names:
            raise Invalid(f"{self._name} has no sheet to read.", remedy="Add one with a header.")
        if not wanted and len(names) > 1:
            others = ", ".join(f"“{name}”" for name in names[1:])
            self.notes.append(f"Read the sheet “{names[0]}”, not {others}.")
        return wanted or names[0]

    def _refuse_vast(self) -> None:
        cells = self._findings.rows * self._findings.columns
        if self._findings.columns > 4 * COLUMNS_MAX or cells > CELLS_MAX:
            raise Invalid(
                f"{self._name} has a sheet of {self._findings.rows:,} rows by "
                f"{self._findings.columns:,} columns, too many to hold in memory.",
                remedy="Save it as CSV, or remove stray cells far below or beside the data.",
            )

    def _read_header(self, line: int) -> tuple[Header, int]:
        head = []
        for at, cells in self._lines():
            if at > max(HEAD_ROWS, line + 1):
                break
            head.append((at, tuple((cell or "").strip() for cell in cells)))
        names = list(dict(head).get(line, ()))
        while names and not names[-1]:
            names.pop()
        return Header(self._name, line, unique_names(names), tuple(head)), len(names)

    def _refuse_merged(self, line: int) -> None:
        for (top, left), (bottom, right) in self._sheet.merged_cell_ranges or ():
            if top < line <= bottom + 1 and (left, top) != (right, bottom):
                raise Invalid(
                    f"{self._name}, line {line}: the header has merged cells "
                    f"({_address(top, left)}:{_address(bottom, right)}), so that some columns "
                    "have no name of their own.",
                    remedy="Unmerge them and give each column its name.",
                )

    # --- Reading ----------------------------------------------------------------------------

    def _lines(self) -> Iterator[tuple[int, list[str | None]]]:
        """Sheet rows by their number, as text, from the first column on."""
        before: list[str | None] = [None] * self._left
        for line, cells in enumerate(self._sheet.iter_rows(), 1):
            yield line, [*before, *(_text(cell, self._decimal) for cell in cells)]

    def _rows(self, some: Sequence[tuple[int, list[str | None]]]) -> Rows:
        refused, good = [], []
        for line, cells in some:
            problem = self._problem(line, cells)
            if problem:
                refused.append(Refused(problem, tuple(cell or "" for cell in cells[: self._width])))
            else:
                good.append((line, cells))
        lines = np.array([line for line, _ in good], dtype=np.int64)
        columns = [
            pa.array(
                [cells[place] if place < len(cells) else None for _, cells in good], pa.string()
            )
            for place in range(self._width)
        ]
        table = pa.table(columns, names=list(self.header.names))
        return Rows(table, table, lines, refused)

    def _problem(self, line: int, cells: Sequence[str | None]) -> Problem | None:
        """What calamine passed over in a row, or what stands beside the header's columns."""
        for place, value in sorted(self._findings.cells.get(line, {}).items()):
            if place < self._width:
                return _cell_problem(line, self.header.names[place], value)
        beside = next((p for p in range(self._width, len(cells)) if cells[p]), None)
        if beside is None:
            return None
        return Problem(
            line,
            None,
            None,
            Words(
                "the cell {at} holds something, and its column has no name.",
                "la cellule {at} est remplie, et sa colonne n’a pas de nom.",
            ).format(at=_address(line - 1, beside)),
            Words("Name the column or empty the cell.", "Nommez la colonne ou videz la cellule."),
        )


def locked(file: str) -> Invalid:
    """The refusal of a workbook that needs a password."""
    return Invalid(
        f"{file} is protected by a password.", remedy="Save it without one, then import it."
    )


def broken(file: str, error: object) -> Invalid:
    """The refusal of a zip that isn't a sound workbook."""
    said = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return Invalid(
        f"{file} is a damaged workbook: {said}.",
        remedy="Open it in a spreadsheet, let it repair the file, and save it as .xlsx again.",
    )


def _cell_problem(line: int, column: str, value: str | None) -> Problem:
    if value is None:
        return Problem(
            line,
            column,
            None,
            Words("the formula has never been calculated.", "la formule n’a jamais été calculée."),
            Words(
                "Open the workbook in a spreadsheet and save it, or put in the value.",
                "Ouvrez le classeur dans un tableur et enregistrez-le, ou mettez la valeur.",
            ),
        )
    return Problem(
        line,
        column,
        value,
        Words("the cell shows an error.", "la cellule affiche une erreur."),
        Words("Mend its formula or put in the value.", "Corrigez sa formule ou mettez la valeur."),
    )


def _text(cell: _Cell, decimal: str) -> str | None:
    """A cell as our formats write it: ISO days, instants without offset, plain numbers."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        written = str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        return written.replace(".", decimal)
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.isoformat("minutes" if not cell.second else "auto")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _address(row: int, column: int) -> str:
    letters, rest = "", column + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        letters = chr(ord("A") + last) + letters
    return f"{letters}{row + 1}"


# --- Before it is opened --------------------------------------------------------------------


def _check_sizes(path: Path) -> list[str]:
    """The names of the parts, once all of them are known to unpack to what they claim."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            if any(part.flag_bits & 1 for part in parts):
                raise locked(path.name)
            if "xl/workbook.xml" not in names:
                raise _not_a_workbook(path.name, names)
            claimed = sum(part.file_size for part in parts)
            if claimed > UNPACKED_BYTES_MAX:
                raise _too_large(path.name, claimed)
            for part in parts:
                with archive.open(part) as unpacked:  # ends with a checksum: a lie shows here
                    while unpacked.read(_PIECE):
                        pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise broken(path.name, error) from error
    return names


def _too_large(file: str, size: int) -> Invalid:
    return Invalid(
        f"{file} unpacks to {size / (1 << 30):.1f} GiB, more than the "
        f"{UNPACKED_BYTES_MAX / (1 << 30):.0f} GiB that are opened.",
        remedy="If it comes from someone you trust, save the sheet as CSV.",
    )


def _not_a_workbook(file: str, names: Sequence[str]) -> Invalid:
    if "xl/workbook.bin" in names:
        what = "is a binary workbook (.xlsb)"
    elif "content.xml" in names:
        what = "is an OpenDocument file (.ods)"
    else:
        what = "is a zip archive, not a workbook"
    return Invalid(f"{file} {what}.", remedy="Save it as .xlsx or CSV, and import that.")


def _part_of(path: Path, sheet: str, parts: Sequence[str]) -> str:
    """The part of the zip that holds a sheet."""
    with zipfile.ZipFile(path) as archive:
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - expat refuses bombs
        links = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    key = next(
        value
        for element in book.iter()
        if element.tag.endswith("}sheet") and element.get("name") == sheet
        for name, value in element.items()
        if name.endswith("}id")
    )
    target = next(link.get("Target", "") for link in links if link.get("Id") == key)
    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return next(name for name in parts if name.casefold() == part.casefold())


@dataclass
class _Findings:
    """What a look through a sheet's XML has found.

    cells: by row (from 1) and column (from 0), an error's name, or None for a formula that was
    never calculated.
    """

    rows: int = 0
    columns: int = 0
    cells: dict[int, dict[int, str | None]] = field(default_factory=dict)


_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br=\"(\d+)\"")
_PLACE = re.compile(rb"\br=\"([A-Z]{1,3})(\d{1,7})\"")
_EMPTY_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*[^/])>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</)"
)
_ERROR = re.compile(
    rb"<(?:\w+:)?c\b([^>]*\bt=\"e\"[^>]*[^/]?)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)


def _scan(path: Path, part: str) -> _Findings:
    findings = _Findings()
    with zipfile.ZipFile(path) as archive, archive.open(part) as sheet:
        for piece in _overlapping(sheet):
            _look_at(piece, findings)
    return findings


def _overlapping(sheet: IO[bytes]) -> Iterator[bytes]:
    """Pieces of the XML that share enough for a cell to be whole in one of them."""
    held = b""
    while piece := sheet.read(_PIECE):
        yield held + piece
        held = (held + piece)[-_OVERLAP:]


def _look_at(piece: bytes, findings: _Findings) -> None:
    rows = _ROW.findall(piece)
    places = {letters for letters, _ in _PLACE.findall(piece)}
    findings.rows = max([findings.rows, *map(int, rows[-1:])])
    findings.columns = max([findings.columns, *(_column(letters) + 1 for letters in places)])
    if b"<f" in piece or b":f" in piece:
        for match in _EMPTY_FORMULA.finditer(piece):
            if b't="str"' not in match[1]:  # calculated, and its answer is an empty text
                _note(findings, match[1], None)
    if b't="e"' in piece:
        for match in _ERROR.finditer(piece):
            _note(findings, match[1], match[2].decode("utf-8", "replace"))


def _note(findings: _Findings, attributes: bytes, value: str | None) -> None:
    place = _PLACE.search(attributes)
    if place:
        findings.cells.setdefault(int(place[2]), {})[_column(place[1])] = value


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
