from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.errors import Invalid
from partner_cx.quantities import (
    MICRO,
    UNITS_MAX,
    currency_code,
    micro_to_text,
    money_text,
    number_text,
    parse_micro,
    parse_money,
    parse_share,
    percent,
    points_text,
    round_half_even,
)

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("100", 100 * MICRO),
        ("1.5", 1_500_000),
        ("-0.25", -250_000),
        (" 0 ", 0),
        (".5", 500_000),
        ("2.", 2 * MICRO),
        ("0.000001", 1),
        ("1.5000000000000000000000000000000000", 1_500_000),
        ("1e-06", 1),
        ("1000000000", UNITS_MAX * MICRO),
        ("999999999.999999", UNITS_MAX * MICRO - 1),
    ],
)
def test_a_quantity_is_read_to_the_last_millionth(text: str, micro: int) -> None:
    assert parse_micro(text) == micro


@pytest.mark.parametrize(
    "text", ["", "a", "1 000", "1,5", "1_000", "nan", "inf", "١٢", "--1", "1e9999", "0x10"]
)
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="isn't a number"):
        parse_micro(text)


@pytest.mark.parametrize("text", ["0.0000001", "1e-7", "0.00000100000000000000000000000000001"])
def test_more_than_six_decimals_are_refused_rather_than_rounded(text: str) -> None:
    with pytest.raises(Invalid, match="at most 6 decimals"):
        parse_micro(text)


@pytest.mark.parametrize("text", ["1000000000.000001", "-1000000001", "1e300"])
def test_an_absurdly_large_quantity_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="1,000,000,000 units"):
        parse_micro(text)


def test_a_decimal_comma_is_read_where_it_was_announced() -> None:
    assert parse_micro("1,5", decimal=",") == 1_500_000
    with pytest.raises(Invalid, match="1250,5"):
        parse_micro("1.5", decimal=",")


@given(st.integers(-UNITS_MAX * MICRO, UNITS_MAX * MICRO))
def test_a_quantity_survives_being_written_down(micro: int) -> None:
    text = micro_to_text(micro)
    assert parse_micro(text) == micro
    assert "e" not in text.lower()
    assert not text.endswith(".")


@pytest.mark.parametrize(
    ("micro", "text"), [(1_500_000, "1.5"), (100 * MICRO, "100"), (0, "0"), (-250_000, "-0.25")]
)
def test_a_quantity_is_written_without_needless_zeros(micro: int, text: str) -> None:
    assert micro_to_text(micro) == text


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("95 %", Fraction(19, 20)),
        ("95%", Fraction(19, 20)),
        ("95", Fraction(19, 20)),
        ("0.95", Fraction(19, 20)),
        ("0,95", Fraction(19, 20)),
        ("99,5\u202f%", Fraction(199, 200)),
        ("0.5 %", Fraction(1, 200)),
        ("1 %", Fraction(1, 100)),
        ("1", Fraction(1)),
        ("1.5", Fraction(3, 200)),
        ("0", Fraction(0)),
        ("100 %", Fraction(1)),
    ],
)
def test_a_share_is_understood_as_people_write_it(text: str, share: Fraction) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "%", "95 % %", "high", "-5 %", "101", "100.1 %", "1/2"])
def test_what_is_not_a_share_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_share(text)


def test_rounding_takes_a_tie_to_the_even_neighbour() -> None:
    assert round_half_even(Fraction(5, 2), 0) == 2
    assert round_half_even(Fraction(7, 2), 0) == 4
    assert str(round_half_even(Fraction(12345, 10**5), 4)) == "0.1234"
    assert str(round_half_even(Fraction(-1, 1000), 2)) == "0.00"


@given(st.fractions(), st.integers(0, 6))
def test_rounding_never_moves_a_value_by_more_than_half_a_digit(
    value: Fraction, decimals: int
) -> None:
    moved = abs(Fraction(round_half_even(value, decimals)) - value)
    assert moved <= Fraction(1, 2 * 10**decimals)


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (Fraction(3, 7), "42.86%", f"42,86{NARROW}%"),
        (Fraction(1), "100.00%", f"100,00{NARROW}%"),
        (Fraction(0), "0.00%", f"0,00{NARROW}%"),
        (None, "–", "–"),
    ],
)
def test_a_share_is_printed_in_both_languages(
    share: Fraction | None, english: str, french: str
) -> None:
    assert (percent(share, "en"), percent(share, "fr")) == (english, french)


@pytest.mark.parametrize(
    ("points", "english", "french"),
    [
        (1650, "1,650 points", f"1{NARROW}650 points"),
        (1, "1 point", "1 point"),
        (0, "0 points", "0 point"),
        (-1, "−1 point", "−1 point"),
    ],
)
def test_points_are_printed_in_both_languages(points: int, english: str, french: str) -> None:
    assert (points_text(points, "en"), points_text(points, "fr")) == (english, french)


def test_numbers_are_printed_with_the_decimals_asked_for() -> None:
    assert number_text(1234567, "en") == "1,234,567"
    assert number_text(Fraction(1122, 10), "fr", 1) == "112,2"
    assert number_text(Fraction(45), "en") == "45.00"
    assert number_text(Decimal("1234.5"), "fr") == f"1{NARROW}234,50"


def test_what_is_below_zero_has_a_true_minus() -> None:
    """As high and as wide as the plus that stands in the same column."""
    assert number_text(-1500, "en") == "−1,500"
    assert number_text(Fraction(-111, 10), "fr", 1) == "−11,1"
    assert percent(Fraction(-1, 20), "en") == "−5.00%"
    assert money_text(-500, "EUR", "en") == "−€5.00"
    assert number_text(None, "fr") == "–"


@pytest.mark.parametrize(
    ("minor", "currency", "english", "french"),
    [
        (123450, "EUR", "€1,234.50", f"1{NARROW}234,50\xa0€"),
        (-500, "EUR", "−€5.00", "−5,00\xa0€"),
        (1200, "JPY", "¥1,200", f"1{NARROW}200\xa0JPY"),
        (-99905, "CHF", "−CHF\xa0999.05", "−999,05\xa0CHF"),
        (1500, "TND", "TND\xa01.500", "1,500\xa0TND"),
        (150_000, "RSD", "RSD\xa01,500.00", f"1{NARROW}500,00\xa0RSD"),
    ],
)
def test_money_is_printed_to_its_minor_unit(
    minor: int, currency: str, english: str, french: str
) -> None:
    assert money_text(minor, currency, "en") == english
    assert money_text(minor, currency, "fr") == french


def test_money_is_read_in_its_minor_unit() -> None:
    assert parse_money("12.50", "EUR") == 1250
    assert parse_money("12,5", "EUR", decimal=",") == 1250
    assert parse_money("12", "JPY") == 12
    assert parse_money("-0.001", "TND") == -1


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        ("12.505", "EUR", "at most 2 decimals"),
        ("12.5", "JPY", "whole units only"),
        ("1e20", "EUR", "more than an amount"),
        ("12", "EURO", "isn't a currency"),
        ("twelve", "EUR", "isn't a number"),
    ],
)
def test_money_that_cannot_be_meant_is_refused(text: str, currency: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_money(text, currency)


def test_a_currency_is_known_by_its_code() -> None:
    assert currency_code(" eur ") == "EUR"
