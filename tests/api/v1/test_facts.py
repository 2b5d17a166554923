"""Facts in: row by row as a file's, once per key, whoever sends them at the same time."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from integrations.files.importing import import_file
from partner_cx.network.people import Person
from partner_cx.network.requests import ApiRequest
from partner_cx.network.scopes import Scope
from partner_cx.operations.facts import OrderLine
from partner_cx.operations.imports import Import
from tests.harness.api_clients import API, a_system
from tests.harness.databases import prepared_engine
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import NOW

LINES = f"{API}/facts/order-lines"
ROWS: list[dict[str, Any]] = [
    order_line("L1"),
    order_line("L2", partner_code="XX"),
    order_line("L3", ordered_qty="ten"),
    order_line("L4", ordered_qty="1.5"),
    order_line("L1"),
    order_line("L1", ordered_qty="11"),
    order_line("L5", window_end=None),
    order_line("L6", window_end="2026-02-30"),
    order_line("", order_code="  O9  "),
    order_line("L7", received_qty="3"),
]


@pytest.fixture
def erp(engine: sa.Engine) -> TestClient:
    take(engine, "partners", partner("R1"), partner("R2"))
    return a_system(engine, Scope.FACTS)


def sent(
    client: TestClient, rows: list[dict[str, Any]], key: str | None = None, source: str = "erp"
) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(LINES, json={"source": source, "rows": rows}, headers=headers)


def count(engine: sa.Engine, table: Any) -> int:
    with Session(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def outcomes(answer: Any) -> list[str]:
    return [each["outcome"] for each in answer.json()["rows"]]


def test_good_rows_are_taken_and_bad_ones_told_with_field_reason_and_remedy(erp: TestClient):
    answer = sent(erp, ROWS[:2])
    assert answer.status_code == 200
    assert outcomes(answer) == ["taken", "refused"]
    assert answer.json()["rows"][1] == {
        "row": 1,
        "outcome": "refused",
        "field": "partner_code",
        "reason": "No partner has this code.",
        "remedy": "Import the partner first, or mend the code.",
    }


def test_a_row_that_comes_again_is_unchanged_and_a_changed_one_a_correction(erp: TestClient):
    sent(erp, [order_line("L1"), order_line("L2")])
    again = sent(erp, [order_line("L1"), order_line("L2", ordered_qty="11"), order_line("L3")])
    assert outcomes(again) == ["unchanged", "corrected", "taken"]
    told = again.json()
    assert [told[name] for name in ("taken", "unchanged", "corrected", "refused")] == [1, 1, 1, 0]


def test_where_every_row_is_refused_so_is_the_batch(erp: TestClient):
    answer = sent(erp, [order_line("L1", partner_code="XX")])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert outcomes(answer) == ["refused"]


def test_each_row_becomes_what_it_would_from_a_file(engine: sa.Engine, tmp_path: Path):
    """The same rows, by API and as CSV into another database of the kind: the same to the row."""
    take(engine, "partners", partner("R1"))
    answer = sent(a_system(engine, Scope.FACTS), ROWS).json()
    file = tmp_path / "lines.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, ROWS[0].keys())
        writer.writeheader()
        writer.writerows(ROWS)
    with prepared_engine(engine.dialect.name, "one partner", one_partner) as other:
        report = import_file(
            other, "order-lines", file, source="erp", mapping=None, settings=SETTINGS, now=NOW
        )
        counts = [getattr(report, name) for name in ("taken", "unchanged", "corrected", "refused")]
        told = [answer[name] for name in ("taken", "unchanged", "corrected", "refused")]
        assert told == counts
        by_file = {(each.line - 2, each.column, each.reason.en) for each in report.problems}
        by_api = {
            (each["row"], each["field"], each["reason"])
            for each in answer["rows"]
            if each["outcome"] == "refused"
        }
        assert by_api == by_file
        assert contents(engine) == contents(other)


def one_partner(engine: sa.Engine) -> None:
    take(engine, "partners", partner("R1"))


def contents(engine: sa.Engine) -> list[Any]:
    columns = [column for column in OrderLine.__table__.c if column.name != "import_id"]
    with Session(engine) as session:
        rows = session.execute(sa.select(*columns).order_by(OrderLine.source_id)).all()
    return [tuple(row) for row in rows]


def test_numbers_are_taken_as_they_are_written(engine: sa.Engine, erp: TestClient):
    body = '{"source": "erp", "rows": [{"source_id": 7, "order_code": "O", "partner_code": "R1", '
    body += '"ordered_qty": 1000000.000001, "window_end": "2026-05-18"}]}'
    answer = erp.post(LINES, content=body, headers={"Content-Type": "application/json"})
    assert outcomes(answer) == ["taken"]
    with Session(engine) as session:
        line = session.scalars(sa.select(OrderLine)).one()
    assert (line.source_id, line.ordered) == ("7", 1_000_000_000_001)


@pytest.mark.parametrize(
    ("rows", "field", "said"),
    [
        ([{**order_line(), "order_coed": "x"}], "body.rows.0.order_coed", "order_code"),
        ([order_line(), {"source_id": "L2"}], "body.rows.1", "some rows and not in others"),
        ([{"source_id": "L1"}], "body.rows.0", "is missing"),
    ],
    ids=["unknown column", "other columns", "missing column"],
)
def test_columns_that_arent_the_kinds_are_refused(
    erp: TestClient, rows: list[dict[str, Any]], field: str, said: str
):
    answer = sent(erp, rows)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == field
    assert said in error["reason"]


def test_at_most_a_thousand_rows_come_at_once(erp: TestClient):
    assert sent(erp, [order_line(f"L{number}") for number in range(1_001)]).status_code in (
        413,
        422,
    )


def test_a_kind_that_isnt_known_names_the_nearest(erp: TestClient):
    answer = erp.post(f"{API}/facts/order-line", json={"source": "erp", "rows": [order_line()]})
    assert (answer.status_code, "order-lines" in answer.json()["detail"]) == (404, True)


def test_a_tokens_people_are_no_managers(engine: sa.Engine):
    """Else whoever holds a token could sign in as one, by a mailed link."""
    mia = {"email": "mia@x.example", "name": "Mia", "role": "manager"}
    take(engine, "people", mia)
    crm = a_system(engine, Scope.FACTS, Scope.PEOPLE)
    rows = [
        {"email": "eve@x.example", "name": "Eve", "role": "admin"},
        {**mia, "role": "rep"},
        {"email": "rae@x.example", "name": "Rae", "role": "rep"},
    ]
    answer = crm.post(f"{API}/facts/people", json={"source": "crm", "rows": rows})
    assert outcomes(answer) == ["refused", "refused", "taken"]
    with Session(engine) as session:
        roles = dict(session.execute(sa.select(Person.email, Person.role)).all())
    assert roles == {"mia@x.example": "manager", "rae@x.example": "rep"}


def test_people_need_their_own_scope(erp: TestClient):
    row = {"email": "rae@x.example", "name": "Rae", "role": "rep"}
    answer = erp.post(f"{API}/facts/people", json={"source": "crm", "rows": [row]})
    assert answer.status_code == 403


# --- Once per key -----------------------------------------------------------------------------


def test_the_same_request_again_is_answered_as_it_was(engine: sa.Engine, erp: TestClient):
    first, again = (sent(erp, ROWS[:2], "k1") for _ in range(2))
    assert again.text == first.text
    assert (first.headers.get("idempotent-replay"), again.headers["idempotent-replay"]) == (
        None,
        "true",
    )
    assert count(engine, Import) == 2  # that of the partners, and one


def test_a_refusal_under_a_key_is_kept_too(erp: TestClient):
    first, again = (sent(erp, [order_line(partner_code="XX")], "k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (422, 422)
    assert again.text == first.text


def test_another_request_under_the_same_key_is_refused(engine: sa.Engine, erp: TestClient):
    sent(erp, ROWS[:1], "k1")
    other = sent(erp, [order_line("L9")], "k1")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "header.Idempotency-Key"
    assert count(engine, OrderLine) == 1


def test_each_token_has_keys_of_its_own(engine: sa.Engine, erp: TestClient):
    sent(erp, ROWS[:1], "k1")
    other = a_system(engine, Scope.FACTS)
    assert "idempotent-replay" not in sent(other, [order_line("L9")], "k1").headers


def test_a_key_is_forgotten_after_thirty_days(engine: sa.Engine, erp: TestClient):
    sent(erp, ROWS[:1], "k1")
    later = a_system(engine, Scope.FACTS, now=NOW + timedelta(days=31))
    sent(later, ROWS[:1], "k2")
    assert count(engine, ApiRequest) == 1


@pytest.mark.parametrize("key", ["", "two words", "k" * 201])
def test_what_is_no_key_is_refused(erp: TestClient, key: str):
    batch = {"source": "erp", "rows": ROWS[:1]}
    answer = erp.post(LINES, json=batch, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


def test_of_many_at_once_one_is_carried_out(engine: sa.Engine):
    """The same request under the same key, from eight threads."""
    take(engine, "partners", partner("R1"))
    client = a_system(engine, Scope.FACTS)
    client.get(f"{API}/facts")  # all is at hand now
    rows = [order_line(f"L{number}") for number in range(50)]

    def send(_number: int) -> Any:
        return sent(client, rows, "once")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    carried_out = [answer for answer in answers if "idempotent-replay" not in answer.headers]
    assert len(carried_out) == 1
    assert count(engine, Import) == 2
    assert count(engine, OrderLine) == 50


def test_of_different_requests_at_once_under_one_key_one_is_refused(engine: sa.Engine):
    take(engine, "partners", partner("R1"))
    client = a_system(engine, Scope.FACTS)
    client.get(f"{API}/facts")

    def send(number: int) -> int:
        status: int = sent(client, [order_line(f"L{number}")], "once").status_code
        return status

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, range(4))) == [200, 422, 422, 422]
    assert count(engine, OrderLine) == 1
