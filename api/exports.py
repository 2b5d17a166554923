"""Exports: what a page lists, as a file to take along, for spreadsheets and for scripts.

An export holds the whole list that the page shows a part of, under the page's own filters. Numbers
are numbers, days are days; texts are never formulas, whoever wrote them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated
from urllib.parse import urlencode

import openpyxl
from fastapi import Query, Request, Response
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from api.addresses import asked_besides
from api.rates import count_download
from partner_cx.quantities import round_half_even

Cell = str | int | Fraction | Decimal | date | datetime | None


class FileFormat(StrEnum):
    """What a list may be taken along as."""

    CSV = "csv"  # UTF-8 with a mark, commas, points before decimals, ISO days
    XLSX = "xlsx"  # one sheet, its header frozen


# What an endpoint takes `?format=` as; None: the page itself.
FormatAsked = Annotated[FileFormat | None, Query(alias="format")]

_MEDIA = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_DECIMALS = 6
_TEXT_LONGEST = 32_767  # of a sheet's cell
_NOT_IN_SHEETS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(
    request: Request,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    name: str,
    format: FileFormat,  # noqa: A002 - the word in the address
) -> Response:
    """A list as a file to download.

    columns: the headings, in the reader's language; name: of the file, without its ending.
    Raises TooMany for whoever has taken along very many in a while.
    """
    count_download(request)
    write = {FileFormat.CSV: _csv, FileFormat.XLSX: _xlsx}[format]
    file_name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'export'}.{format}"
    body = b"" if request.method == "HEAD" else write(columns, rows)
    return Response(
        body,
        media_type=_MEDIA[format],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def links(request: Request) -> list[dict[str, str]]:
    """Links to the page's list as each kind of file, for `exports` of parts/page.html."""
    kept = asked_besides(request, "format", "page")
    return [
        {"label": each.upper(), "href": f"?{urlencode([*kept, ('format', each.value)])}"}
        for each in FileFormat
    ]


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([_harmless(each) for each in columns])
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig", errors="replace")


def _as_text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return _harmless(cell)
        case datetime():
            return cell.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case date():
            return cell.isoformat()
        case _:
            return _plain(cell)


def _harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would reckon with."""
    return f"'{text}" if text.startswith(_LIKE_A_FORMULA) else text


def _plain(number: int | Fraction | Decimal) -> str:
    written = f"{_decimal(number):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _decimal(number: int | Fraction | Decimal) -> Decimal:
    return Decimal(number) if isinstance(number, int) else _rounded(Fraction(number))


def _rounded(number: Fraction) -> Decimal:
    return round_half_even(number, _DECIMALS)


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    assert isinstance(sheet, WriteOnlyWorksheet)
    sheet.freeze_panes = "A2"
    widths = sheet.column_dimensions  # type: ignore[attr-defined] # as every sheet has
    for place, heading in enumerate(columns, start=1):
        widths[get_column_letter(place)].width = max(12, min(len(heading) + 4, 40))
    sheet.append([_in_sheet(sheet, each) for each in columns])
    for row in rows:
        sheet.append([_in_sheet(sheet, cell) for cell in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _in_sheet(sheet: WriteOnlyWorksheet, cell: Cell) -> object:
    match cell:
        case str():
            # Told to be a text, so that `=1+1` stays one.
            written = WriteOnlyCell(sheet, _NOT_IN_SHEETS.sub("", cell)[:_TEXT_LONGEST])
            written.data_type = "s"
            return written
        case datetime():
            return cell.astimezone(UTC).replace(tzinfo=None)  # a sheet knows no zones
        case Fraction() | Decimal():
            return _decimal(cell)
        case _:
            return cell
