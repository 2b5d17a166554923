"""Rows as tables, JSON and CSV: the same facts, plainly for programs and readably for people."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import telling
from api.printing import Format, Shown, plain, print_rows
from partner_cx.measures.figures import Figure, State, Target

ROW = {
    "partner": "É, “Ltd”",
    "value": Shown(Fraction(3, 7), "42.86%"),
    "hits": 3,
    "low": None,
    "closed": True,
    "on": date(2026, 4, 30),
    "as_of": datetime(2026, 4, 30, 21, 59, tzinfo=UTC),
}


def printed(form: Format, *rows: dict) -> str:
    out = io.StringIO()
    print_rows(rows, tuple(ROW), form=form, to=out)
    return out.getvalue()


def test_json_is_an_array_of_flat_objects_with_numbers_and_nulls():
    assert json.loads(printed(Format.JSON, ROW)) == [
        {
            "partner": "É, “Ltd”",
            "value": 0.4286,
            "hits": 3,
            "low": None,
            "closed": True,
            "on": "2026-04-30",
            "as_of": "2026-04-30T21:59:00Z",
        }
    ]
    assert json.loads(printed(Format.JSON)) == []


def test_csv_has_a_header_and_empty_cells_for_nothing():
    rows = list(csv.reader(io.StringIO(printed(Format.CSV, ROW))))
    assert rows[0] == list(ROW)
    assert rows[1][:4] == ["É, “Ltd”", "0.4286", "3", ""]


def test_a_table_shows_words_and_lines_numbers_up():
    head, rule, first, second = printed(Format.TABLE, ROW, {**ROW, "hits": 1250}).splitlines()
    assert "42.86%" in first
    assert "–" in first
    assert first.index("   3") + 4 == second.index("1250") + 4
    assert set(rule) == {"─", " "}
    assert head.split()[0] == "partner"


@given(st.fractions(min_value=-100, max_value=100))
def test_shares_are_rounded_half_to_even_to_four_decimals(value: Fraction):
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    expected = exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
    assert abs(Decimal(str(plain(value))) - expected) <= Decimal("1e-9")


@pytest.mark.parametrize(
    ("value", "target", "shown"),
    [
        ("3/7", None, "42.86%"),
        ("19/20", "19/20", "95.00%"),
        ("94999/100000", "19/20", "94.999%"),
        ("949/1000", "19/20", "94.90%"),
    ],
)
def test_a_miss_never_reads_like_its_target(value: str, target: str | None, shown: str):
    aim = Target("otif", Fraction(target)) if target else None
    figure = Figure("otif", Fraction(value), state=State.RED, target=aim)
    assert telling.value(figure, "en") == shown


@pytest.mark.parametrize(
    ("kpi", "target", "shown"),
    [
        ("otif", "19/20", "95%"),
        ("dispute_rate", "1/40", "≤ 2.5%"),
        ("nps", "40", "40"),
        ("first_response", "60", "≤ 60\u202fmin"),
    ],
)
def test_a_target_has_no_idle_zeros_and_says_which_way_is_better(kpi, target, shown):
    figure = Figure(kpi, None, target=Target(kpi, Fraction(target)))
    assert telling.target(figure, "en") == shown


@pytest.mark.parametrize(
    ("kpi", "kept", "printed"),
    [
        ("otif", (3, 7), (3, 7)),
        ("otif_case", (198_000_000, 275_000_000), (198, 275)),
        ("otif_case", (1_500_000, 2_000_000), (Fraction(3, 2), 2)),
        ("first_response", (1122 * 60, 10), (1122, 10)),
        ("backlog", (42, None), (42, None)),
    ],
)
def test_sums_are_printed_in_the_kpis_own_unit(kpi: str, kept: tuple, printed: tuple):
    assert telling.sums(Figure(kpi, None, hits=kept[0], of=kept[1])) == printed
