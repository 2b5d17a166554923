"""Uploads: handed in, pointed at, tried out, taken in once; and what is wrong with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.pages.admin import uploads
from integrations.carrying import Hands
from integrations.files.handing_in import hold_upload, prune_uploads, upload_of
from integrations.files.mapping import Mapping
from integrations.files.uploads import SavedMapping, Upload
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact, writing
from partner_cx.effects import Effect
from partner_cx.journal import JournalLine
from partner_cx.operations.facts import OrderLine
from partner_cx.operations.imports import Import
from tests.harness.administering import FROM_HOME, administrator, filled_in, handed_in, words
from tests.harness.cast import the_cast
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

FRENCH = (
    "Num;Commande;code partenaire;Qté;window_end;status;received_qty;received_on\n"
    "X1;O1;R2;10,5;31/05/2026;Livré;10,5;31/05/2026\n"
    "X2;O1;??;10;31/05/2026;Livré;10;31/05/2026\n"
    "X3;O1;R2;10;31/05/2026;Perdu;10;31/05/2026\n"
).encode()
POINTED = {
    "kind": "order-lines",
    "source": "erp",
    "dates": "%d/%m/%Y",
    "decimal": ",",
    "from-source_id": "column:Num",
    "from-order_code": "column:Commande",
    "from-partner_code": "column:code partenaire",
    "from-ordered_qty": "column:Qté",
    "from-window_end": "column:window_end",
    "from-status": "column:status",
    "words-status": "Livré = done\nPerdu = ",
    "from-received_qty": "column:received_qty",
    "from-received_on": "column:received_on",
}


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


def pointed_at(client: TestClient, content: bytes = FRENCH, **changed: str) -> str:
    """A file handed in, its columns pointed at; where its page stands."""
    path = handed_in(client, "livraisons mai.csv", content).headers["location"]
    answer = client.post(path, data=POINTED | changed, headers=FROM_HOME)
    assert answer.headers["location"] == f"{path}/preview", words(answer)
    return path


def count(engine: sa.Engine, table: type[Any]) -> int:
    with reading(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_what_looks_alike_is_pointed_at_already(network: sa.Engine):
    ada = administrator(network)
    path = handed_in(ada, "x.csv", FRENCH).headers["location"]
    page = ada.get(path).text
    assert '<option value="order-lines" selected>' in page
    assert '<option value="column:window_end" selected>window_end (31/05/2026)</option>' in page
    assert 'value="%d/%m/%Y"' in page
    assert "Livré = " in page  # a word that isn't ours, to be translated


def test_a_look_over_says_what_would_be_and_takes_nothing(network: sa.Engine):
    ada = administrator(network)
    said = words(ada.get(f"{pointed_at(ada)}/preview"))
    assert "New 1 Changed 0 Unchanged 0 Refused 2" in said
    assert "2 X1 O1 R2 10.5 2026-05-31 done 10.5 2026-05-31" in said
    assert "3 partner_code ?? No partner has this code." in said
    assert "4 status Perdu This is not one of open, done" in said
    assert count(network, OrderLine) == 0
    assert count(network, Import) == 2  # the network's own


def test_it_is_taken_in_once_however_often_the_button_is_pressed(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: filled_in(ada, f"{path}/take"), range(2)))
    assert {answer.headers["location"] for answer in answers} == {path}
    assert filled_in(ada, f"{path}/take").headers["location"] == path
    assert (count(network, OrderLine), count(network, Import)) == (1, 3)
    with reading(network) as session:
        did = session.scalars(sa.select(JournalLine.did)).all()
    assert did == ["file.taken_in"]
    assert "New 1 Changed 0 Unchanged 0 Refused 2" in words(ada.get(path))


def test_refused_rows_come_back_as_a_file_that_is_mended_and_handed_in(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)
    filled_in(ada, f"{path}/take")
    with reading(network) as session:
        number = session.scalar(sa.select(Upload.import_id))
    page = ada.get(f"/admin/sources/imports/{number}")
    assert "3 partner_code ?? No partner has this code." in words(page)
    back = ada.get(f"/admin/sources/imports/{number}/refused.csv").text
    assert back.startswith("\ufeffline;problem;Num;Commande")
    mended = back.replace("??", "R2").replace("Perdu", "Livré")
    again = pointed_at(ada, mended.encode())
    assert "New 2 Changed 0 Unchanged 0 Refused 0" in words(ada.get(f"{again}/preview"))


def test_the_mapping_that_was_made_is_the_command_lines_own(network: sa.Engine, tmp_path: Any):
    ada = administrator(network)
    path = pointed_at(ada)
    file = tmp_path / "made.toml"
    file.write_text(ada.get(f"{path}/mapping.toml").text, encoding="utf-8")
    made = Mapping.read(file)
    assert made.decimal == ","
    assert made.values == {"status": {"Livré": "done"}}
    assert made.formats("received_on") == ("%d/%m/%Y",)


def test_a_saved_mapping_serves_the_next_file(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)
    assert filled_in(ada, f"{path}/keep", name=" ").status_code == 422
    for _ in range(2):
        assert filled_in(ada, f"{path}/keep", name="warehouse").status_code == 303
    assert count(network, SavedMapping) == 1
    following = handed_in(ada, "next.csv", FRENCH, mapping="1").headers["location"]
    assert '<option value="column:Num" selected>' in ada.get(following).text
    assert ada.get("/admin/mappings/1/mapping.toml").status_code == 200
    assert filled_in(ada, "/admin/mappings/1/drop").status_code == 303
    assert count(network, SavedMapping) == 0


def test_a_large_file_is_taken_in_by_the_worker(
    network: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploads, "INLINE_ROWS", 2)
    ada = administrator(network)
    path = pointed_at(ada)
    for _ in range(2):
        assert filled_in(ada, f"{path}/take").status_code == 303
    assert count(network, Effect) == 1
    assert "Waiting for the worker" in words(ada.get(path))
    carry_out_due(Hands(network, SETTINGS, lambda: NOW))
    assert "Taken in" in words(ada.get(path))
    assert count(network, OrderLine) == 1


def test_a_large_file_that_cant_be_taken_says_why(
    network: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploads, "INLINE_ROWS", 1)
    ada = administrator(network)
    path = pointed_at(ada)
    filled_in(ada, f"{path}/take")
    with network.begin() as connection:
        connection.execute(sa.update(Upload).values(content=b"no,such,columns\n1,2,3\n"))
    carry_out_due(Hands(network, SETTINGS, lambda: NOW))
    said = words(ada.get(path))
    assert "Stopped by a problem" in said
    assert "Nothing of it was taken in." in said
    assert filled_in(ada, f"{path}/drop", sure="yes").status_code == 303
    assert count(network, Upload) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"x" * 51_000_000, "larger than 50 MB"),
    ],
)
def test_what_no_file_can_be_is_refused_at_the_door(network: sa.Engine, content: bytes, said: str):
    answer = handed_in(administrator(network), "x.csv", content)
    assert answer.status_code == 422
    assert said in words(answer)
    assert count(network, Upload) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 no table",
        b"PK\x03\x04 no workbook",
        b"PAR1 no parquet",
        b"\xff\xfe\x00",
        b"\x00\x00\x00\x00",
        b'"never closed',
        b"\n\n\n",
        "É;è\n1;2\n".encode("latin-1"),
        b",".join(b"c%d" % number for number in range(20_000)) + b"\n1\n",
    ],
)
def test_what_cant_be_read_says_so_and_how_to_read_it_otherwise(network: sa.Engine, content: bytes):
    ada = administrator(network)
    path = handed_in(ada, "../../évil\x00.csv", content, kind="partners").headers["location"]
    answer = ada.get(path)
    assert answer.status_code == 200
    assert "What the rows are" in words(answer)
    assert ada.get("/admin/uploads").status_code == 200


def test_what_is_amiss_is_listed_by_column_and_kinds_by_their_words(network: sa.Engine):
    ada = administrator(network)
    path = handed_in(ada, "x.csv", FRENCH).headers["location"]
    assert "Order lines (order-lines)" in words(ada.get(path))
    missing = POINTED | {"from-source_id": "", "from-window_end": ""}
    said = words(ada.post(path, data=missing, headers=FROM_HOME))
    for column in ("source_id", "window_end"):
        assert f"{column}: Point at" in said


@pytest.mark.parametrize(
    "changed",
    [
        {"from-source_id": ""},
        {"from-source_id": "constant"},
        {"from-source_id": "column:Nowhere"},
        {"kind": "nothing"},
        {"source": "\x00"},
        {"dates": "%Q"},
        {"decimal": "x"},
        {"thousands": ","},
        {"delimiter": "xx"},
        {"encoding": "zip"},
        {"header_row": "-1"},
        {"header_row": "9" * 30},
        {"header_row": "900"},
        {"words-status": "Livré"},
        {"from-order_code": "template:{"},
    ],
)
def test_what_cant_be_meant_is_told_beside_the_columns(network: sa.Engine, changed: dict[str, str]):
    ada = administrator(network)
    path = handed_in(ada, "x.csv", FRENCH).headers["location"]
    answer = ada.post(path, data=POINTED | changed, headers=FROM_HOME)
    if answer.status_code == 303:  # only the file itself tells: then the look over says so
        answer = ada.get(f"{path}/preview")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert ada.get(path).status_code == 200


def test_files_are_thrown_away_after_a_month_and_imports_stay(network: sa.Engine):
    ada = administrator(network)
    filled_in(ada, f"{pointed_at(ada)}/take")
    handed_in(ada, "other.csv", FRENCH)
    for days, left in ((29, 2), (31, 0)):
        later = NOW + timedelta(days=days)
        transact(network, lambda session, now=later: prune_uploads(session, now=now))  # type: ignore[misc]
        assert count(network, Upload) == left
    assert count(network, OrderLine) == 1


def test_a_file_that_somebody_works_at_is_thrown_away_another_time(network: sa.Engine):
    """Deleted under a form that changes it, it would fail the form."""
    if network.dialect.name == "sqlite":
        pytest.skip("a writing transaction is alone on SQLite")
    ada = administrator(network)
    handed_in(ada, "x.csv", FRENCH)
    later = NOW + timedelta(days=31)
    with reading(network) as session:
        number = session.scalars(sa.select(Upload.id)).one()
    with writing(network) as session:
        hold_upload(session, number)
        upload_of(session, number).source = "other"
        assert transact(network, lambda other: prune_uploads(other, now=later)) == 0
    assert transact(network, lambda other: prune_uploads(other, now=later)) == 1


def test_lists_ask_as_often_however_many_files_there_are(network: sa.Engine):
    ada = administrator(network)
    handed_in(ada, "x.csv", FRENCH)
    ada.get("/admin/uploads")
    with counted(network) as few:
        ada.get("/admin/uploads")
    for number in range(12):
        handed_in(ada, f"{number}.csv", FRENCH)
    with counted(network) as many:
        ada.get("/admin/uploads")
    assert many.count == few.count


@pytest.mark.parametrize(
    "path",
    ["/admin/uploads/9", "/admin/uploads/9/preview", "/admin/uploads/9/mapping.toml",
     "/admin/sources/imports/99", "/admin/sources/imports/99/refused.csv",
     "/admin/mappings/9/mapping.toml"],
)  # fmt: skip
def test_what_isnt_there_is_told_so(network: sa.Engine, path: str):
    assert administrator(network).get(path).status_code == 404


def test_sources_show_what_came_and_what_is_late(network: sa.Engine):
    ada = administrator(network)
    filled_in(ada, f"{pointed_at(ada)}/take")
    said = words(ada.get("/admin/sources"))
    assert "erp order-lines" in said
    assert "with problems" in said
    assert "livraisons mai.csv" in words(ada.get("/admin/sources?show=imports"))
