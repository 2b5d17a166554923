"""One table in every form a file may have: whichever comes first, the others change nothing."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.journeys.command_line import CommandLine

PARIS = timezone(timedelta(hours=2))  # in summer
at = datetime.fromisoformat

# Every kind of cell, as a program holds it: text, number, day, moment, yes or no, nothing.
TABLES: dict[str, list[dict[str, Any]]] = {
    "order-lines": [
        {"source_id": "007", "order_code": "O1", "partner_code": "P1", "ordered_qty": 10.0,
         "window_start": None, "window_end": date(2026, 4, 10), "status": "done",
         "received_qty": 9.5, "received_on": date(2026, 4, 10), "value": 1250.5},
        {"source_id": "008", "order_code": "O1", "partner_code": "P1", "ordered_qty": 0.000001,
         "window_start": date(2026, 4, 9), "window_end": date(2026, 4, 10), "status": "open",
         "received_qty": None, "received_on": None, "value": None},
    ],
    "tickets": [
        {"source_id": "T1", "partner_code": "P1", "opened_at": at("2026-06-08T10:00"),
         "first_reply_at": at("2026-06-08T10:30"), "response_target_minutes": 60,
         "reopened_count": 0},
        {"source_id": "T2", "partner_code": "P1", "opened_at": at("2026-06-08T23:59:59"),
         "first_reply_at": None, "response_target_minutes": None, "reopened_count": 2},
    ],
    "answers": [
        {"source_id": "A1", "survey_code": "Q2", "partner_code": "P1",
         "answered_at": at("2026-05-02T10:00"), "question_code": "nps", "value": 0,
         "text": "Très bien; “parfait”, as we say", "dismissed": False},
        {"source_id": "A2", "survey_code": "Q2", "partner_code": "P1",
         "answered_at": at("2026-05-02T11:00"), "question_code": "dsi.product", "value": 72.5,
         "text": "two\nlines", "dismissed": False},
        {"source_id": "A3", "survey_code": "Q2", "partner_code": "P1",
         "answered_at": at("2026-05-02T12:00"), "question_code": "nps", "value": None,
         "text": None, "dismissed": True},
    ],
    "targets": [
        {"kpi": "otif", "target": 0.95, "from": date(2026, 1, 1), "n_min": 5},
        {"kpi": "dispute_rate", "target": 0.0, "from": date(2026, 1, 1), "n_min": None},
        {"kpi": "nps", "target": 30, "from": date(2026, 1, 1), "n_min": None},
    ],
}  # fmt: skip


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nP1,Partner One,distributor")
    return office


@pytest.mark.parametrize("kind", TABLES)
def test_every_form_tells_the_same(office: CommandLine, kind: str) -> None:
    rows = TABLES[kind]
    forms = {
        "plain.csv": as_csv(rows, ","),
        "french.csv": b"\xef\xbb\xbf" + as_csv(rows, ";").replace(b"\r\n", b"\n"),
        "book.xlsx": as_workbook(rows),
        "table.parquet": as_parquet(rows),
        "turned.csv": as_csv([dict(reversed(row.items())) for row in rows[::-1]], ","),
    }
    known = None
    for name, data in forms.items():
        answer = office.run("import", kind, office.file(name, data), "--format", "json")
        assert answer.status == 0, (name, answer.err)
        counts = (answer.rows[0]["taken"], answer.rows[0]["unchanged"])
        assert counts == ((0, len(rows)) if known else (len(rows), 0)), name
        contents = office.contents(without={"imports"})
        assert contents == (known or contents), name
        known = contents


def test_moments_with_an_offset_and_without_are_the_same(office: CommandLine) -> None:
    here, there = datetime(2026, 6, 8, 10, 0, tzinfo=PARIS), datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
    row = "T1,P1,{}\n"
    for text in ("2026-06-08T10:00", here.isoformat(), there.isoformat(), "2026-06-08 08:00:00Z"):
        path = office.file("tickets.csv", "source_id,partner_code,opened_at\n" + row.format(text))
        assert office.run("import", "tickets", path).status == 0
    assert len(office.contents()["tickets"]) == 1
    assert office.contents()["revisions"] == []


def test_typed_moments_of_a_parquet_file_keep_their_instant(office: CommandLine) -> None:
    table = pa.table(
        {
            "source_id": ["T1"],
            "partner_code": ["P1"],
            "opened_at": pa.array([datetime(2026, 6, 8, 8, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
        }
    )
    path = office.folder / "tickets.parquet"
    pq.write_table(table, path)
    assert office.run("import", "tickets", path).status == 0
    assert office.take("tickets", """
        source_id | partner_code | opened_at
        T1        | P1           | 2026-06-08T10:00
    """) == (0, 1, 0)  # fmt: skip


def as_csv(rows: list[dict[str, Any]], delimiter: str) -> bytes:
    def cell(value: object) -> str:
        text = "" if value is None else f"{value:f}" if isinstance(value, float) else str(value)
        return f'"{text}"' if any(sign in text for sign in f"{delimiter}\n") else text

    lines = [list(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    return "".join(delimiter.join(line) + "\r\n" for line in lines).encode()


def as_workbook(rows: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
        sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    held = io.BytesIO()
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if "target" in columns:
        columns["target"] = [float(value) for value in columns["target"]]
    if "value" in columns:
        columns["value"] = [None if v is None else float(v) for v in columns["value"]]
    pq.write_table(pa.table(columns), held)
    return held.getvalue()
