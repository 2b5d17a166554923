"""What a reader hands over is what was written, under our names, with the lines it stood on."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.files import Batch, Mapping, csv_files, read_facts
from partner_cx.errors import Invalid
from partner_cx.operations.cells import parse_days, parse_micro
from tests.harness.file_kinds import ORDER_LINES, VISITS, FileKind

DATA = Path(__file__).parents[2] / "data"
NAMES = ("source_id", "partner_code", "note")
KIND = FileKind("notes", NAMES)

# Text as a file may hold it; space around it would be stripped, and a row of nothing is no row.
CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(',;\t|"\n'),
    max_size=12,
).map(str.strip)
ROWS = st.lists(st.tuples(st.text("abc1", min_size=1, max_size=6), CELL, CELL), max_size=12)


def whole(path: Path, kind: FileKind, mapping: Mapping | None = None) -> Batch:
    with read_facts(path, kind=kind, mapping=mapping) as facts:
        found = list(facts)
    assert not facts.ragged
    tables = [batch.table for batch in found]
    lines = [line for batch in found for line in batch.lines.tolist()]
    raw = pa.concat_tables([batch.raw for batch in found]) if found else pa.table({})
    table = pa.concat_tables(tables) if tables else pa.table({name: [] for name in kind.required})
    return Batch(table, lines, raw)  # type: ignore[arg-type]


def cells(batch: Batch) -> list[tuple[str, ...]]:
    return [tuple(row[name] or "" for name in NAMES) for row in batch.table.to_pylist()]


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    quoted=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    closed=st.booleans(),
    block=st.sampled_from([16, 57, csv_files.BLOCK_BYTES]),
)
def test_any_table_comes_back_from_csv_with_its_lines(
    rows: list[tuple[str, str, str]],
    delimiter: str,
    quoted: bool,
    line_end: str,
    encoding: str,
    closed: bool,
    block: int,
) -> None:
    held = io.StringIO(newline="")
    writer = csv.writer(
        held,
        delimiter=delimiter,
        # Python quotes a line feed only where one ends the lines.
        quoting=csv.QUOTE_ALL if quoted or line_end == "\r" else csv.QUOTE_MINIMAL,
        lineterminator=line_end,
    )
    writer.writerow(NAMES)
    lines = []
    for row in rows:
        lines.append(len(re.findall("\r\n|\r|\n", held.getvalue())) + 1)
        writer.writerow(row)
    text = held.getvalue() if closed else held.getvalue().removesuffix(line_end)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_files, "BLOCK_BYTES", block)
        path = Path(folder) / "notes.csv"
        path.write_bytes(text.encode(encoding))
        found = whole(path, KIND)
    assert cells(found) == rows
    assert list(found.lines) == lines


@settings(max_examples=150, deadline=None)
@given(
    soup=st.lists(st.sampled_from(['"', ',"', '",', '""', ",", "\n", "\r\n", "\r", "a", " ", "é"])),
    block=st.sampled_from([16, 33, csv_files.BLOCK_BYTES]),
)
def test_whatever_stands_in_a_file_is_read_reported_or_refused_alike_in_any_block(
    soup: list[str], block: int
) -> None:
    def outcome(size: int) -> object:
        patch.setattr(csv_files, "BLOCK_BYTES", size)
        try:
            with read_facts(path, kind=KIND) as facts:
                found = list(facts)
        except Invalid as refusal:
            return str(refusal)
        rows = [row for batch in found for row in batch.raw.to_pylist()]
        lines = [line for batch in found for line in batch.lines.tolist()]
        refused = [refused for batch in found for refused in batch.refused]
        assert len(rows) == len(lines) == len(set(lines))
        return rows, lines, refused

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "notes.csv"
        path.write_bytes(("source_id,partner_code,note\n" + "".join(soup)).encode())
        assert outcome(block) == outcome(1 << 20)


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_any_table_comes_back_from_a_workbook(rows: list[tuple[str, str, str]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (NAMES, *rows):
        sheet.append(row)
        for cell in sheet[sheet.max_row]:
            cell.data_type = "s"  # also what looks like a formula
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.xlsx"
        book.save(path)
        found = whole(path, KIND)
    assert cells(found) == rows
    assert list(found.lines) == list(range(2, len(rows) + 2))


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_any_table_comes_back_from_parquet(rows: list[tuple[str, str, str]]) -> None:
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=False)) or {
        name: [] for name in NAMES
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notes.parquet"
        pq.write_table(pa.table(columns, schema=pa.schema(dict.fromkeys(NAMES, pa.string()))), path)
        found = whole(path, KIND)
    assert cells(found) == rows
    assert list(found.lines) == list(range(1, len(rows) + 1))


def test_a_row_after_a_quoted_line_end_keeps_its_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(
        'source_id,partner_code,note\n1,P,"two\nlines"\n\n2,P,x\n3,P\n4,P,"a\n\nb"\n5,P,y'
    )
    with read_facts(path, kind=KIND) as facts:
        batch = next(iter(facts))
    assert batch.lines.tolist() == [2, 5, 7, 10]
    assert [refused.problem.line for refused in batch.refused] == [6]


def test_an_inch_sign_inside_a_value_opens_no_quote(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('source_id,partner_code,note\n1,P,5" pipe\n2,"P ""x""",6"\n3,P,"a\nb"\n4,P,z\n')
    found = whole(path, KIND)
    assert found.table["note"].to_pylist() == ['5" pipe', '6"', "a\nb", "z"]
    assert list(found.lines) == [2, 3, 4, 6]


def test_space_around_a_value_is_dropped_also_the_unbreakable(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("Source ID;partner-code; NOTE \n\u00a0 1 ;P1\u202f;\u00a0\n")
    found = whole(path, KIND)
    assert found.table.to_pylist() == [{"source_id": "1", "partner_code": "P1", "note": None}]
    assert found.raw.column_names == ["Source ID", "partner-code", "NOTE"]
    assert found.raw["Source ID"].to_pylist() == ["\u00a0 1 "]


def test_columns_not_asked_for_are_named_in_a_note(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("source_id,weight,partner_code,note,\n1,2,3,4,\n")
    with read_facts(path, kind=KIND) as facts:
        assert facts.notes == ["Columns not used: “weight”."]
        assert [batch.table.column_names for batch in facts] == [list(NAMES)]
        assert facts.progress() == 1


def test_a_workbook_gives_days_numbers_and_answers_as_our_formats_write_them(
    tmp_path: Path,
) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Visites", 0)
    sheet = book["Visites"]
    sheet["B3"], sheet["C3"], sheet["D3"], sheet["E3"] = "source_id", "partner_code", "n", "on"
    sheet["B5"], sheet["C5"], sheet["D5"], sheet["E5"] = 1001, True, 2.5, date(2026, 5, 2)
    sheet["E6"], sheet["B6"] = datetime.fromisoformat("2026-05-02T14:30"), "A"
    path = tmp_path / "notes.xlsx"
    book.save(path)
    kind = FileKind("notes", ("source_id", "partner_code", "n", "on"))
    with read_facts(path, kind=kind, mapping=Mapping(header_row=3, decimal=",")) as facts:
        assert facts.notes == ["Read the sheet “Visites”, not “Sheet”."]
        (batch,) = facts
    assert batch.lines.tolist() == [5, 6]
    assert [list(row.values()) for row in batch.table.to_pylist()] == [
        ["1001", "true", "2,5", "2026-05-02"],
        ["A", None, None, "2026-05-02T14:30:00"],
    ]


def test_parquet_keeps_its_types_and_writes_its_raw_rows_by_the_mapping(tmp_path: Path) -> None:
    table = pa.table(
        {
            "source_id": pa.array([1, 2]),
            "partner_code": pa.array(["P", "P"]).dictionary_encode(),
            "note": pa.array([Decimal("1.50"), None]),
            "list": pa.array([[1], []]),
        }
    )
    path = tmp_path / "notes.parquet"
    pq.write_table(table, path)
    with read_facts(path, kind=KIND, mapping=Mapping(decimal=",")) as facts:
        (batch,) = facts
    assert batch.table.schema.types == [pa.int64(), pa.string(), pa.decimal128(3, 2)]
    assert batch.raw.to_pylist()[0] == {"source_id": "1", "partner_code": "P", "note": "1,50"}
    assert facts.notes == ["The column “list” holds lists or records, which aren't read."]


def test_both_forms_of_an_export_are_the_same_order_lines() -> None:
    read = {}
    for form, end in (("deliveries", "csv"), ("deliveries.raw", "tsv")):
        mapping = Mapping.read(DATA / f"{form}.toml")
        table = whole(DATA / f"{form}.{end}", ORDER_LINES, mapping).table
        for column in ("window_end", "received_on"):
            days, bad = parse_days(table[column], mapping.formats(column))
            assert not bad.any()
            table = table.set_column(table.column_names.index(column), column, days)
        read[form] = table.to_pylist()
    assert read["deliveries"] == read["deliveries.raw"]
    assert len(read["deliveries"]) == 12
    assert read["deliveries"][3] == {
        "source_id": "104",
        "order_code": "SO-16",
        "partner_code": "Société Générale de Santé",
        "ordered_qty": "31920",
        "window_end": date(2007, 9, 1),
        "status": "done",
        "product_code": "SO-16-104",
        "received_qty": "31920",
        "received_on": date(2007, 9, 1),
    }


def test_an_export_in_french_numbers_is_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "visites.csv"
    path.write_bytes("Réf;Client;Qté\n1;É1;1 234,5\n2;É2;0,000001\n".encode("cp1252"))
    kind = FileKind("notes", ("source_id", "partner_code", "qty"))
    toml = tmp_path / "visites.toml"
    toml.write_text(
        '[read]\nencoding = "cp1252"\ndecimal = ","\nthousands = " "\n'
        '[columns]\nsource_id = "Réf"\npartner_code = "client"\nqty = "Qté"\n'
        '[values.partner_code]\n"É1" = "E1"\n"" = "?"\n',
        encoding="utf-8",
    )
    mapping = Mapping.read(toml)
    table = whole(path, kind, mapping).table
    micro, bad = parse_micro(table["qty"], mapping.decimal, mapping.thousands)
    assert micro.to_pylist() == [1_234_500_000, 1]
    assert not bad.any()
    assert table["partner_code"].to_pylist() == ["E1", "É2"]


def test_a_template_with_an_empty_place_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("PO / SO #,ID,p\nA,1,x\nA,,x\n")
    toml = tmp_path / "notes.toml"
    toml.write_text(
        '[columns]\nsource_id = {template = "{PO / SO #}-{ID}"}\npartner_code = "p"\n'
        'note = {constant = "none"}\n[values.note]\nnone = "nothing"\n'
    )
    table = whole(path, KIND, Mapping.read(toml)).table
    assert table["source_id"].to_pylist() == ["A-1", None]
    assert table["note"].to_pylist() == ["nothing", "nothing"]


def test_many_batches_hold_every_row_once(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    rows = "".join(f"V{n},P{n % 7},2026-05-02\n" for n in range(200_000))
    path.write_text("source_id,partner_code,visited_on\n" + rows)
    with read_facts(path, kind=VISITS) as facts:
        sizes, lines, shares = [], [], []
        for batch in facts:
            sizes.append(len(batch.lines))
            lines += batch.lines.tolist()
            shares.append(facts.progress())
    assert max(sizes) <= 65_536
    assert lines == list(range(2, 200_002))
    assert shares == sorted(shares)
