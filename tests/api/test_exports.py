"""Exports: numbers stay numbers, texts stay texts, and files open where they are taken."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import openpyxl
import pytest
from fastapi import Request

from api.exports import Cell, FileFormat, links, table

ROWS: list[list[Cell]] = [
    ["Électro Rhône", 1250, Fraction(19, 20), Decimal("-3.5"), date(2026, 7, 1), None],
    ["=HYPERLINK(1)", -4, Fraction(1, 3), Decimal(0), datetime(2026, 7, 1, 6, tzinfo=UTC), "+1"],
]


def asked(query: str = "", method: str = "GET") -> Request:
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/partners",
            "query_string": query.encode(),
            "headers": [],
        }
    )


def exported(file_format: FileFormat, rows: list[list[Cell]] | None = None) -> bytes:
    columns = ["Name", "A", "B", "C", "D", "E"]
    answer = table(asked(), columns, ROWS if rows is None else rows, "partners 2026Q2", file_format)
    return bytes(answer.body)


def test_a_csv_holds_plain_numbers_and_iso_days() -> None:
    written = exported(FileFormat.CSV)
    assert written.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    assert rows[1] == ["Électro Rhône", "1250", "0.95", "-3.5", "2026-07-01", ""]
    assert rows[2][1:5] == ["-4", "0.333333", "0", "2026-07-01T06:00:00Z"]


def test_a_text_that_reads_like_a_formula_is_none_in_a_csv() -> None:
    rows = list(csv.reader(io.StringIO(exported(FileFormat.CSV).decode("utf-8-sig"))))
    assert rows[2][0] == "'=HYPERLINK(1)"
    assert rows[2][5] == "'+1"


def test_a_sheet_holds_numbers_days_and_texts_that_are_no_formulas() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(exported(FileFormat.XLSX))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(min_row=2))
    assert [cell.value for cell in rows[0][:4]] == ["Électro Rhône", 1250, 0.95, -3.5]
    assert rows[0][4].value == datetime(2026, 7, 1)  # noqa: DTZ001 - sheets know no zones
    assert rows[1][0].value == "=HYPERLINK(1)"
    assert rows[1][0].data_type == "s"


@pytest.mark.parametrize("text", ["bell \x07", "x" * 40_000, "\ud800", "#N/A", "\t=1"])
@pytest.mark.parametrize("file_format", list(FileFormat))
def test_any_text_can_be_taken_along(file_format: FileFormat, text: str) -> None:
    assert exported(file_format, [[text, 1, None, None, None, None]])


def test_an_empty_list_is_its_header() -> None:
    assert exported(FileFormat.CSV, []).decode("utf-8-sig") == "Name,A,B,C,D,E\r\n"
    assert exported(FileFormat.XLSX, [])


def test_the_file_is_named_for_the_list_and_nothing_can_slip_into_its_header() -> None:
    answer = table(asked(), ["A"], [], 'partners "2026Q2"\r\nX: 1', FileFormat.CSV)
    assert answer.headers["content-disposition"] == 'attachment; filename="partners-2026Q2-X-1.csv"'


def test_links_keep_the_filters_and_leave_the_page_behind() -> None:
    hrefs = [each["href"] for each in links(asked("kpi=otif&state=red&page=3&format=csv"))]
    assert hrefs == ["?kpi=otif&state=red&format=csv", "?kpi=otif&state=red&format=xlsx"]
