"""Frames read from the database: the same columns, types and gaps on both kinds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import Base, Exact, Instant
from partner_cx.frames import read_frame

ODDITIES = sa.Table(
    "oddities",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger),
    sa.Column("code", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("on", sa.Date),
    sa.Column("at", Instant),
    sa.Column("internal", sa.Boolean),
    sa.Column("share", Exact),
    sa.Column("low", sa.Double),
)
WHOLE: dict[str, object] = {
    "id": 1,
    "code": "007",
    "size": 2**62,
    "on": date(2026, 3, 29),
    "at": datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=UTC),
    "internal": True,
    "share": None,
    "low": 0.25,
}
GAPS: dict[str, object] = dict.fromkeys(WHOLE) | {"id": 2}


@pytest.fixture
def oddities(session: Session) -> Session:
    ODDITIES.create(session.connection())
    return session


def _fill(session: Session, *rows: dict[str, object]) -> pd.DataFrame:
    session.execute(sa.insert(ODDITIES), list(rows))
    return read_frame(session, sa.select(ODDITIES).order_by(ODDITIES.c.id))


def test_every_kind_of_column_comes_with_its_own_type(oddities: Session) -> None:
    frame = _fill(oddities, WHOLE)
    assert frame.dtypes.astype(str).to_dict() == {
        "id": "int64",
        "code": "str",
        "size": "int64",
        "on": "datetime64[us]",
        "at": "datetime64[us, UTC]",
        "internal": "bool",
        "share": "str",
        "low": "float64",
    }
    row = frame.iloc[0]
    assert (row["code"], row["size"], row["low"]) == ("007", 2**62, 0.25)
    assert row["on"] == pd.Timestamp(2026, 3, 29)
    assert row["at"] == WHOLE["at"]
    assert bool(row["internal"]) is True


def test_a_gap_stays_a_gap_and_big_numbers_stay_exact_beside_it(oddities: Session) -> None:
    frame = _fill(oddities, WHOLE, GAPS)
    assert frame.iloc[1].drop("id").isna().all()
    assert str(frame["size"].dtype) == "Int64"
    assert str(frame["internal"].dtype) == "boolean"
    assert frame["size"][0] == 2**62
    assert frame["on"].dtype == "datetime64[us]"


def test_an_empty_text_is_not_a_gap(oddities: Session) -> None:
    frame = _fill(oddities, WHOLE | {"code": ""}, GAPS)
    assert frame["code"][0] == ""
    assert pd.isna(frame["code"][1])


@pytest.mark.parametrize(
    "text", ['a "quoted", one', "two\nlines", "NULL", "null", "é ’", "t", "%s"]
)
def test_texts_come_back_as_they_are(oddities: Session, text: str) -> None:
    assert _fill(oddities, WHOLE | {"code": text})["code"][0] == text


def test_nothing_found_is_an_empty_frame_with_its_types(oddities: Session) -> None:
    frame = read_frame(oddities, sa.select(ODDITIES))
    assert frame.empty
    assert str(frame["at"].dtype) == "datetime64[us, UTC]"
    assert str(frame["id"].dtype) == "int64"
    assert str(frame["code"].dtype) == "str"


def test_statements_take_parameters_of_every_kind(oddities: Session) -> None:
    _fill(oddities, WHOLE, WHOLE | {"id": 3, "code": "100 %"})
    found = sa.select(ODDITIES.c.id).where(
        ODDITIES.c.at == WHOLE["at"],
        ODDITIES.c.on <= sa.bindparam("day", type_=sa.Date),
        ODDITIES.c.code.in_(["100 %", "it's"]),
    )
    assert read_frame(oddities, found, {"day": date(2026, 4, 1)})["id"].tolist() == [3]


def test_written_sql_is_read_by_the_columns_it_names(oddities: Session) -> None:
    _fill(oddities, WHOLE)
    statement = sa.text("SELECT code, 7 AS seven FROM oddities WHERE code LIKE '%7' AND id = :id")
    named = statement.columns(ODDITIES.c.code, sa.column("seven", sa.Integer))
    frame = read_frame(oddities, named, {"id": 1})
    assert frame.to_dict("records") == [{"code": "007", "seven": 7}]


NOT_FOR_FRAMES = (sa.JSON, sa.LargeBinary)  # nobody reckons with whole documents and files


def test_every_column_of_the_schema_can_be_framed(session: Session) -> None:
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.c if not isinstance(column.type, NOT_FOR_FRAMES)]
        assert list(read_frame(session, sa.select(*columns))) == [c.name for c in columns]
