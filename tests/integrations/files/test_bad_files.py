"""Every kind of bad file that a partner has sent or might, and the words it is answered with."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from integrations.files import Batch, Mapping, read_facts
from integrations.files import workbooks as workbooks_module
from partner_cx.errors import Invalid
from tests.harness.file_kinds import VISITS

HEADER = "source_id,partner_code,visited_on,outcome\n"
ROW = "V1,P1,2026-05-02,fixed\n"
GOOD = HEADER + ROW


@dataclass(frozen=True)
class Bad:
    """A bad file: how it comes about, and what its refusal must say (place, reason, remedy)."""

    name: str
    contents: bytes | Callable[[Path], None]
    words: tuple[str, ...]
    mapping: Mapping = field(default_factory=Mapping.none)


def workbook(change: Callable[[openpyxl.Workbook], None] = lambda _book: None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in GOOD.splitlines():
        sheet.append(row.split(","))
    change(book)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def rezipped(data: bytes, name: str, contents: bytes) -> bytes:
    """A workbook with one of its parts replaced."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            new.writestr(part, contents if part == name else old.read(part))
    return held.getvalue()


def claiming(data: bytes, size: int) -> bytes:
    """A zip whose directory says that each of its parts unpacks to so many bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {part.file_size for part in archive.infolist()}
    for real in sizes:
        data = data.replace(real.to_bytes(4, "little"), size.to_bytes(4, "little"))
    return data


def parquet(table: pa.Table) -> bytes:
    held = io.BytesIO()
    pq.write_table(table, held)
    return held.getvalue()


def merge_header(book: openpyxl.Workbook) -> None:
    book.worksheets[0].merge_cells("A1:B1")


def stray_cell(book: openpyxl.Workbook) -> None:
    book.worksheets[0]["XFD1048576"] = "x"


def wide(count: int) -> bytes:
    return ",".join(["source_id", "partner_code", "visited_on", *map(str, range(count))]).encode()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)

BAD = [
    Bad("a folder", lambda path: path.mkdir(), ("is a folder", "one file")),
    Bad("a pipe", os.mkfifo, ("isn't a regular file", "one file")),
    Bad("no file", lambda _path: None, ("There is no file", "Check its path")),
    Bad("nothing in it", b"", ("0 bytes", "a header is the least")),
    Bad(
        "Windows text",
        (GOOD + "V2,Café,2026-05-03,fixed\n").encode("cp1252"),
        ("line 3, byte 7", "isn't UTF-8", "0xE9", 'encoding = "cp1252"'),
    ),
    Bad(
        "text cut within a letter",
        (GOOD + "V2,Café").encode()[:-1],
        ("line 3, byte 7", "isn't UTF-8"),
    ),
    Bad("UTF-16 unmarked", GOOD.encode("utf-16-le"), ("UTF-16", 'encoding = "utf-16-le"')),
    Bad(
        "zero bytes",
        (GOOD + "V2,P\0,2026-05-03,\n").encode(),
        ("line 3", "zero bytes", "damaged"),
    ),
    Bad(
        "zero bytes far down",
        (GOOD * 400 + "V2,P\0,2026-05-03,\n").encode(),
        ("line 801", "zero bytes"),
    ),
    Bad(
        "a column missing",
        b"source_id,partner,visited_on\nV1,P1,2026-05-02\n",
        ("line 1", "partner_code (perhaps “partner”) is missing", "mapping file"),
    ),
    Bad(
        "two columns missing",
        b"id,visited_on\nV1,2026-05-02\n",
        ("the columns source_id", "partner_code", "are missing", "“id”, “visited_on”"),
    ),
    Bad(
        "a column twice",
        b"source_id,partner_code,visited_on,partner_code\n",
        ("“partner_code” stands twice", "column 2", "column 4"),
    ),
    Bad(
        "two headers",
        (HEADER + HEADER + ROW).encode(),
        ("two headers", "line 1", "line 2", "Remove line 2"),
    ),
    Bad(
        "a title above the header",
        ("Visits in May\n\n" + GOOD).encode(),
        ("line 1 isn't the header", "line 3", "header_row = 3"),
    ),
    Bad("an empty line above", ("\n" + GOOD).encode(), ("line 1 isn't the header", "line 2")),
    Bad(
        "the wrong delimiter said",
        GOOD.encode(),
        ("a single column", "cut at each comma", 'delimiter = ","'),
        Mapping(delimiter=";"),
    ),
    Bad(
        "a quote never closed",
        (GOOD + 'V2,"P1,2026-05-02,fixed\n' + ROW * 50).encode(),
        ("line 3", "never closed", "cut short"),
    ),
    Bad(
        "cut within a quote", (GOOD + 'V2,P1,2026-05-02,"fix').encode(), ("line 3", "never closed")
    ),
    Bad("a blank header", b" \n\n  \n", ("line 1", "header is blank", "names of its columns")),
    Bad("line ends and nothing else", b"\n\n", ("line 1", "header is blank")),
    Bad("too many columns", wide(600), ("603 columns", "500 is the most", "delimiter")),
    Bad("no such header row", GOOD.encode(), ("no line 9",), Mapping(header_row=9)),
    Bad("a PDF", b"%PDF-1.7\n...", ("a PDF document", "CSV, XLSX or Parquet")),
    Bad("JSON", json.dumps([{"source_id": 1}]).encode(), ("is JSON", "CSV, XLSX or Parquet")),
    Bad("a web page", b"<!DOCTYPE html><table>", ("HTML", "CSV, XLSX or Parquet")),
    Bad("packed", gzip.compress(GOOD.encode()), ("a gzip archive", "unpacked")),
    Bad("an old workbook", OLE, ("old Office format", "save it as .xlsx")),
    Bad(
        "a locked workbook",
        OLE + "EncryptedPackage".encode("utf-16-le"),
        ("protected by a password", "Save it without"),
    ),
    Bad("half a workbook", workbook()[:-200], ("a damaged workbook", "repair")),
    Bad(
        "a broken sheet",
        rezipped(workbook(), "xl/workbook.xml", b"<workbook"),
        ("a damaged workbook", "repair"),
    ),
    Bad(
        "a zip of something else",
        rezipped(workbook(), "", b"").replace(b"xl/workbook.xml", b"xl/workboox.xml"),
        ("a zip archive, not a workbook", ".xlsx"),
    ),
    Bad(
        "a workbook that says it unpacks to gigabytes",
        claiming(workbook(), 3_000_000_000),
        ("unpacks to", "GiB", "save the sheet as CSV"),
    ),
    Bad(
        "a workbook that lies about its size",
        claiming(rezipped(workbook(), "docProps/app.xml", bytes(3_000_000)), 10),
        ("a damaged workbook",),
    ),
    Bad(
        "a cell at the end of the world",
        workbook(stray_cell),
        ("1,048,576 rows by 16,384 columns", "stray cells"),
    ),
    Bad(
        "no such sheet",
        workbook(lambda book: book.create_sheet("Visites")),
        ("no sheet “Visits”", "“Visites”, “Sheet”"),
        Mapping(sheet="Visits"),
    ),
    Bad("a merged header", workbook(merge_header), ("line 1", "merged cells (A1:B1)", "Unmerge")),
    Bad("only space", b" \n", ("header is blank",)),
    Bad("an empty sheet", workbook(lambda book: book.worksheets[0].delete_rows(1, 2)), ("blank",)),
    Bad(
        "half a Parquet",
        parquet(pa.table({"source_id": ["V1"]}))[:-9],
        ("a damaged Parquet", "not a parquet file. Write it again"),
    ),
    Bad(
        "a Parquet without a column",
        parquet(pa.table({"source_id": ["V1"], "partner_code": ["P1"]})),
        ("visited_on is missing", "“source_id”, “partner_code”"),
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_file_is_refused_with_place_reason_and_remedy(tmp_path: Path, bad: Bad) -> None:
    path = tmp_path / "visits.csv"
    if isinstance(bad.contents, bytes):
        path.write_bytes(bad.contents)
    else:
        bad.contents(path)
    with pytest.raises(Invalid) as refusal:
        read_facts(path, kind=VISITS, mapping=bad.mapping)
    said = str(refusal.value)
    assert refusal.value.remedy
    assert path.name in said
    for words in bad.words:
        assert words in said


def batches(path: Path, contents: bytes) -> list[Batch]:
    path.write_bytes(contents)
    with read_facts(path, kind=VISITS) as facts:
        return list(facts)


def said(found: list[Batch]) -> list[str]:
    return [refused.problem.text("en") for batch in found for refused in batch.refused]


def taken(found: list[Batch]) -> list[str]:
    return [code for batch in found for code in batch.table["source_id"].to_pylist()]


def test_a_ragged_row_is_left_out_and_its_neighbours_are_read(tmp_path: Path) -> None:
    rows = "V2,P1,2026-05-02\nV3,P1,2026-05-02,fixed\nV4,P,1,2026-05-02,fixed\n"
    found = batches(tmp_path / "visits.csv", (GOOD + rows).encode())
    remedy = "Put a value that holds the delimiter in quotes."
    assert taken(found) == ["V1", "V3"]
    assert said(found) == [
        f"line 3, the row has too few fields: 3 where the header has 4. {remedy}",
        f"line 5, the row has too many fields: 5 where the header has 4. {remedy}",
    ]
    assert found[0].refused[1].fields == ("V4", "P", "1", "2026-05-02", "fixed")


def test_a_quote_that_swallows_the_next_line_is_reported_where_it_opens(tmp_path: Path) -> None:
    rows = 'V2,"P1,2026-05-02,fixed\nV3,P1,"2026-05-02",fixed\nV4,P1,2026-05-02,fixed\n'
    found = batches(tmp_path / "visits.csv", (GOOD + rows).encode())
    assert taken(found) == ["V1", "V4"]
    assert "line 3" in said(found)[0]
    assert "never be closed" in said(found)[0]


def test_a_formula_never_calculated_is_a_problem_of_its_row(tmp_path: Path) -> None:
    def formula(book: openpyxl.Workbook) -> None:
        book.worksheets[0].append(["V2", "P1", "=TODAY()", "fixed"])
        book.worksheets[0].append(["V3", "P1", "2026-05-04", "fixed"])

    found = batches(tmp_path / "visits.xlsx", workbook(formula))
    assert taken(found) == ["V1", "V3"]
    assert "line 3, visited_on: the formula has never been calculated." in said(found)[0]


def test_a_formula_that_answers_an_empty_text_is_an_empty_cell(tmp_path: Path) -> None:
    def formula(book: openpyxl.Workbook) -> None:
        book.worksheets[0].append(["V2", "P1", "2026-05-02", "=T(1)"])

    sheet = "xl/worksheets/sheet1.xml"
    data = workbook(formula)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read(sheet).replace(b'<c r="D3">', b'<c r="D3" t="str">')
    found = batches(tmp_path / "visits.xlsx", rezipped(data, sheet, xml))
    assert taken(found) == ["V1", "V2"]
    assert found[0].table["outcome"].to_pylist() == ["fixed", None]


def test_an_error_in_a_cell_is_a_problem_of_its_row(tmp_path: Path) -> None:
    def error(book: openpyxl.Workbook) -> None:
        book.worksheets[0].append(["V2", "#REF!", "2026-05-02", "fixed"])

    found = batches(tmp_path / "visits.xlsx", workbook(error))
    assert taken(found) == ["V1"]
    assert "line 3, partner_code (“#REF!”): the cell shows an error." in said(found)[0]


def test_a_value_beside_the_header_is_a_problem_of_its_row(tmp_path: Path) -> None:
    def beside(book: openpyxl.Workbook) -> None:
        book.worksheets[0].append(["V2", "P1", "2026-05-02", "fixed", "call back!"])

    found = batches(tmp_path / "visits.xlsx", workbook(beside))
    assert taken(found) == ["V1"]
    assert "the cell E3 holds something" in said(found)[0]


def test_a_workbook_unpacking_beyond_the_limit_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks_module, "UNPACKED_BYTES_MAX", 1 << 20)
    path = tmp_path / "visits.xlsx"
    path.write_bytes(rezipped(workbook(), "xl/worksheets/sheet1.xml", b" " * (2 << 20)))
    with pytest.raises(Invalid, match="unpacks to"):
        read_facts(path, kind=VISITS)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(GOOD)
    with read_facts(path, kind=VISITS) as facts:
        path.write_text(GOOD + ROW)
        with pytest.raises(Invalid, match="changed while it was being read"):
            list(facts)


def test_a_header_alone_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    for contents in (HEADER, HEADER.strip()):
        path.write_text(contents)
        with read_facts(path, kind=VISITS) as facts:
            assert list(facts) == []
            assert "no rows" in facts.notes[-1]


def test_rows_of_delimiters_alone_are_passed_over_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(GOOD + ",,,\n,,,\n")
    with read_facts(path, kind=VISITS) as facts:
        assert taken(list(facts)) == ["V1"]
        assert facts.notes == ["Empty rows passed over: 2."]
