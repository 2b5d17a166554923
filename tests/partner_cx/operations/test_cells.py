"""Columns of cells: what is read, what is refused, and that nothing is guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from partner_cx.operations import cells

BAD = object()
PARIS = "Europe/Paris"
VENDOR = ("%d-%b-%y",)


def answers(parsed: cells.Parsed) -> list[Any]:
    """The values, BAD where a cell couldn't be read."""
    values, bad = parsed
    assert len(values) == len(bad)
    return [BAD if wrong else value for value, wrong in zip(values.to_pylist(), bad, strict=True)]


def texts(*written: str | None) -> pa.Array:
    return pa.array(written, pa.string())


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-06-02", date(2026, 6, 2)),
        ("2-Jun-06", date(2006, 6, 2)),
        ("02-Jun-06", date(2006, 6, 2)),
        ("02-JUN-06", date(2006, 6, 2)),
        ("2-Sept-06", date(2006, 9, 2)),
        ("2-Jun-69", BAD),
        ("2-Juin-06", BAD),
        ("31-Jun-06", BAD),
        ("2026-02-29", BAD),
        ("2024-02-29", date(2024, 2, 29)),
        ("1970-01-01", date(1970, 1, 1)),
        ("1969-12-31", BAD),
        ("2100-12-31", date(2100, 12, 31)),
        ("2101-01-01", BAD),
        ("2026-06-02 14:30", date(2026, 6, 2)),
        ("2026-06-02T00:00:00Z", date(2026, 6, 2)),
        ("2026-06-02T23:00:00Z", BAD),
        ("02/06/2026", BAD),
        ("20260602", BAD),
        ("Date Not Captured", BAD),
        (None, None),
    ],
)
def test_a_day_is_read_in_iso_or_the_mappings_format(written: str | None, day: object) -> None:
    assert answers(cells.parse_days(texts(written), VENDOR)) == [day]
    among = texts("2026-01-01", written, "2026-01-03", None)
    assert answers(cells.parse_days(among, VENDOR))[1] == day


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        ("%d/%m/%Y", "2/6/2026"),
        ("%m/%d/%y", "6/2/26"),
        ("%B %d, %Y", "June 2, 2026"),
        ("%d.%m.%Y", "02.06.2026"),
        ("%Y%m%d", "20260602"),
        ("%d %b. %Y", "2 Jun. 2026"),
    ],
)
def test_a_format_says_how_days_are_written(format_: str, written: str) -> None:
    assert answers(cells.parse_days(texts(written), [format_])) == [date(2026, 6, 2)]
    assert answers(cells.parse_days(texts("2026-06-02"), [format_])) == [date(2026, 6, 2)]


@pytest.mark.parametrize("format_", ["%d-%q-%y", "%d-%d-%Y", "%d-%m", "june", "%"])
def test_a_format_that_names_no_whole_day_is_refused(format_: str) -> None:
    with pytest.raises(Invalid):
        cells.date_pattern(format_)


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-06-02T14:30:00", "2026-06-02T12:30"),
        ("2026-06-02 14:30", "2026-06-02T12:30"),
        ("2026-06-02", "2026-06-01T22:00"),
        ("2026-06-02T14:30:00Z", "2026-06-02T14:30"),
        ("2026-06-02T14:30:00.250+02:00", "2026-06-02T12:30:00.250"),
        ("2026-06-02T14:30:00.123456789", "2026-06-02T12:30:00.123456"),
        ("02/06/2026 02:30 pm", "2026-06-02T12:30"),
        ("2026-03-29T02:30", BAD),  # skipped in Paris
        ("2026-03-29T03:30", "2026-03-29T01:30"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # twice in Paris: the first
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2050-07-01T12:00", "2050-07-01T10:00"),
        ("9999-12-31T23:59:59", BAD),
        ("2026-06-02T24:30", BAD),
        ("1969-06-02T10:00Z", BAD),
        ("yesterday", BAD),
        (None, None),
    ],
)
def test_an_instant_without_offset_is_in_the_programmes_zone(
    written: str | None, utc: str | object | None
) -> None:
    instant = datetime.fromisoformat(utc).replace(tzinfo=UTC) if isinstance(utc, str) else utc
    for among in (texts(written), texts("2026-01-01T10:00", written, "2026-01-01T10:00Z")):
        read = answers(cells.parse_instants(among, PARIS, ["%d/%m/%Y %I:%M %p"]))
        assert instant in read


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
        | st.sampled_from(["", "x", "2026-03-29T02:30:00", None]),
        max_size=80,
    )
)
def test_a_column_of_instants_is_read_as_its_cells_one_by_one(column: list[Any]) -> None:
    written = [each.isoformat() if isinstance(each, datetime) else each for each in column]
    at_once = answers(cells.parse_instants(texts(*written), PARIS))
    one_by_one = [answers(cells.parse_instants(texts(each), PARIS))[0] for each in written]
    assert at_once == one_by_one


def test_typed_columns_keep_their_meaning() -> None:
    moment = datetime(2026, 6, 2, 12, 30, tzinfo=UTC)
    aware = pa.array([moment, None], pa.timestamp("ns", tz="UTC"))
    naive = pa.array([moment.replace(tzinfo=None) + timedelta(hours=2), None], pa.timestamp("ms"))
    assert answers(cells.parse_instants(aware, PARIS)) == [moment, None]
    assert answers(cells.parse_instants(naive, PARIS)) == [moment, None]
    assert answers(cells.parse_days(naive)) == [date(2026, 6, 2), None]
    assert answers(cells.parse_days(aware)) == [BAD, None]
    assert answers(cells.parse_days(pa.array([20260602]), ["%Y%m%d"])) == [date(2026, 6, 2)]
    assert answers(cells.parse_integers(pa.array([1.0, 2.5, None]))) == [1, BAD, None]
    assert answers(cells.parse_integers(pa.array([True]))) == [BAD]
    assert answers(cells.parse_micro(pa.array([0.1, 1e-6, float("nan"), None]), decimal=",")) == [
        *(100_000, 1, BAD, None)
    ]
    assert answers(cells.parse_micro(pa.array([Decimal("1.50")]), decimal=",")) == [1_500_000]
    for_ever = pa.array([date(9999, 12, 31)])
    assert answers(cells.parse_days(for_ever)) == [BAD]
    assert answers(cells.parse_instants(for_ever, "America/New_York")) == [BAD]
    assert answers(cells.parse_booleans(pa.array([True, None]))) == [True, None]
    assert answers(cells.parse_booleans(pa.array([1, 0, 2]))) == [True, False, BAD]
    assert answers(cells.parse_texts(pa.array([1001.0, 2.5]), 10)) == ["1001", "2.5"]


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        *(("12", 12), ("-3", -3), ("+3", 3), ("12.0", 12), ("0", 0), ("1.5", BAD), ("1e3", BAD)),
        *(("", BAD), ("9" * 19, BAD), ("١٢", BAD), ("NaN", BAD), (None, None)),
    ],
)
def test_a_whole_number_is_read(written: str | None, whole: object) -> None:
    assert answers(cells.parse_integers(texts(written))) == [whole]


@pytest.mark.parametrize(
    ("written", "micro"),
    [
        *(("0", 0), ("19", 19_000_000), ("1.5", 1_500_000), ("-0.000001", -1), (".5", 500_000)),
        *(("1.1234567", BAD), ("1.1234560", 1_123_456), ("1e3", 1_000_000_000), ("1e-7", BAD)),
        *(("NaN", BAD), ("inf", BAD), ("1,5", BAD), ("1 000", BAD), ("0x10", BAD), ("", BAD)),
        *(("1000000000", 10**15), ("1000000000.000001", BAD), ("9" * 40, BAD), (None, None)),
    ],
)
def test_a_quantity_is_read_exactly(written: str | None, micro: object) -> None:
    assert answers(cells.parse_micro(texts(written))) == [micro]
    assert answers(cells.parse_micro(texts("2", written, "x")))[1] == micro


@pytest.mark.parametrize(
    ("written", "decimal", "thousands", "micro"),
    [
        ("1,5", ",", "", 1_500_000),
        ("1.5", ",", "", BAD),
        ("1.500", ",", ".", 1_500_000_000),
        ("1.5", ",", ".", BAD),
        ("1,5", ".", ",", BAD),
        ("1,500.25", ".", ",", 1_500_250_000),
        ("12 345,5", ",", " ", 12_345_500_000),
        ("12\u00a0345,5", ",", " ", 12_345_500_000),
        ("12\u202f345", ",", " ", 12_345_000_000),
        ("12 34", ",", " ", BAD),
        ("1'234.5", ".", "'", 1_234_500_000),
    ],
)
def test_thousands_are_apart_only_in_threes(
    written: str, decimal: str, thousands: str, micro: object
) -> None:
    assert answers(cells.parse_micro(texts(written), decimal, thousands)) == [micro]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-(10**15), 10**15) | st.none(), max_size=60))
def test_every_quantity_comes_back_from_its_text(micro: list[int | None]) -> None:
    written = [None if m is None else f"{Decimal(m).scaleb(-6):f}" for m in micro]
    assert answers(cells.parse_micro(texts(*written))) == micro
    comma = [None if text is None else text.replace(".", ",") for text in written]
    assert answers(cells.parse_micro(texts(*comma), ",")) == micro
    spoilt = answers(cells.parse_micro(texts(*written, "12 pieces")))
    assert spoilt == [*micro, BAD]


def test_money_is_read_in_its_currencys_smallest_unit() -> None:
    amounts = texts("12.5", "12.505", "12", "12.5", "1.234", "5", "5", None, "-3.10")
    currencies = texts("EUR", "EUR", "JPY", "JPY", "TND", None, "EURO", None, "eur")
    read = answers(cells.parse_money(amounts, currencies))
    assert read == [1250, BAD, 12, BAD, 1234, BAD, BAD, None, -310]
    assert answers(cells.parse_money(texts("12,50"), "EUR", ",")) == [1250]


def test_currencies_choices_and_answers_are_read_whatever_their_capitals() -> None:
    assert answers(cells.parse_currencies(texts("eur", "XXY1", None))) == ["EUR", BAD, None]
    choice = cells.parse_choice(texts("Done", "open", "lost", None), ("open", "done"))
    assert answers(choice) == ["done", "open", BAD, None]
    yes = cells.parse_booleans(texts("Oui", "vrai", "1", "NO", "faux", "0", "peut-être", None))
    assert answers(yes) == [True, True, True, False, False, False, BAD, None]


def test_text_is_bounded_and_free_of_control_characters() -> None:
    written = texts("é" * 5, "é" * 6, "a\x00b", "a\nb", "a\tb", None)
    assert answers(cells.parse_texts(written, 5)) == ["é" * 5, *[BAD] * 4, None]
    assert answers(cells.parse_texts(written, 5, lines=True)) == [
        *("é" * 5, BAD, BAD, "a\nb", "a\tb", None)
    ]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Rep@Example.COM", "rep@example.com"),
        ("first.last+tag@sub.example.fr", "first.last+tag@sub.example.fr"),
        *((wrong, BAD) for wrong in ("rep", "rep@", "@x.fr", "a b@x.fr", "a@x", "a@x.fr,b@x.fr")),
        *((wrong, BAD) for wrong in ("<a@x.fr>", "a@@x.fr", "a" * 260 + "@x.fr", "a@x.1")),
        (None, None),
    ],
)
def test_an_address_has_the_form_of_one(written: str | None, address: object) -> None:
    assert answers(cells.parse_emails(texts(written))) == [address]


@pytest.mark.parametrize("empty", [pa.array([], pa.string()), pa.nulls(3), pa.chunked_array([[]])])
def test_a_column_of_nothing_is_read_as_nothing(empty: pa.Array) -> None:
    for parse in (
        cells.parse_days,
        lambda each: cells.parse_instants(each, PARIS),
        cells.parse_integers,
        cells.parse_micro,
        lambda each: cells.parse_money(each, "EUR"),
        cells.parse_booleans,
        lambda each: cells.parse_choice(each, ("a",)),
        lambda each: cells.parse_texts(each, 5),
        cells.parse_emails,
    ):
        assert answers(parse(empty)) == [None] * len(empty)


@pytest.mark.parametrize("offset", ["+24:00", "-24:00", "+99:00", "+2460", "+10:75", "+99"])
@pytest.mark.parametrize("others", [0, 40])
def test_an_offset_that_no_clock_has_makes_its_cell_bad_and_no_other(
    offset: str, others: int
) -> None:
    column = texts(f"2026-05-01T00:00{offset}", *["2026-05-01T00:00Z"] * others)
    formats = ("%Y-%m-%dT%H:%M%z",)
    read = answers(cells.parse_instants(column, PARIS, formats))
    assert read == [BAD] + [datetime(2026, 5, 1, tzinfo=UTC)] * others
    assert answers(cells.parse_days(column, formats)) == [BAD] + [date(2026, 5, 1)] * others
