"""Quantities, shares, points and money: read exactly, kept as integers, rounded only to be printed.

A quantity (an order's, a receipt's, a decimal answer's) is kept in *micro-units*, millionths of its
unit, money in the minor unit of its currency, points as they are, a share as a `Fraction`. No float
comes near them. Rounding happens here and nowhere else: half to even, on the way to a reader.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, get_currency_symbol, is_currency

from partner_cx.errors import Invalid

MICRO = 1_000_000
UNITS_MAX = 1_000_000_000
MINOR_MAX = 10**15
NOTHING = "–"  # what is printed where there was nothing to measure
MINUS = "−"  # as high and as wide as the plus, unlike a hyphen
NARROW_SPACE = "\u202f"  # unbreakable: in French before a percent sign and between thousands

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)

# ISO 4217's minor units where they aren't hundredths. CLDR's, which Babel holds, tell how many
# decimals people usually write, and would read a Serbian invoice a hundred times too high.
_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


def parse_micro(text: str, decimal: str = ".") -> int:
    """Read a quantity as micro-units, exactly.

    decimal: the decimal sign in use, point or comma. Thousands are never separated.
    Raises Invalid for what isn't a number, has more than six decimals, or exceeds a thousand
    million units either way.
    """
    number = _number(text, decimal)
    if abs(number) > UNITS_MAX:
        raise Invalid(
            f"“{text}” is more than a quantity may be, {UNITS_MAX:,} units.",
            remedy="Check the value, or use a larger unit.",
        )
    return _in_smallest_units(number, text, decimals=6)


def micro_to_text(micro: int) -> str:
    """Write micro-units as `parse_micro` reads them: `1.5`, `100`, `-0.25`."""
    return _plain(Decimal(f"{micro}e-6"))


def parse_share(text: str) -> Fraction:
    """Read a share exactly: `95 %`, `95`, `0.95` and `0,95` are all 19/20.

    With a percent sign it is per cent. Without one, a number above 1 is per cent too, since no
    share exceeds one; at most 1 it is a fraction, so that `1` is everything.
    """
    written = text.strip()
    per_cent = written.endswith("%")
    number = Fraction(_number(written.removesuffix("%").replace(",", "."), "."))
    share = number / 100 if per_cent or number > 1 else number
    if not 0 <= share <= 1:
        raise Invalid(
            f"“{text}” isn't a share: it lies outside 0 to 100 %.",
            remedy="Write it as 95 % or 0.95.",
        )
    return share


def parse_money(text: str, currency: str, decimal: str = ".") -> int:
    """Read an amount as minor units of its currency: `12.50` EUR is 1250, `12` JPY is 12."""
    number = _number(text, decimal)
    decimals = exponent(currency)
    if abs(number) > MINOR_MAX // 10**decimals:
        raise Invalid(f"“{text}” is more than an amount may be.", remedy="Check the value.")
    return _in_smallest_units(number, text, decimals=decimals)


def currency_code(text: str) -> str:
    """The ISO 4217 code that was meant, in capitals."""
    code = text.strip().upper()
    if not is_currency(code):
        raise Invalid(
            f"“{text}” isn't a currency.", remedy="Write its ISO 4217 code: EUR, GBP, CHF."
        )
    return code


def exponent(currency: str) -> int:
    """How many decimals a currency's minor unit stands behind: EUR 2, JPY 0, TND 3."""
    code = currency_code(currency)
    return next((decimals for decimals, codes in _EXPONENTS.items() if code in codes), 2)


def round_half_even(value: Fraction, decimals: int) -> Decimal:
    """Round to so many decimals, a tie to the even neighbour. Only ever done to be printed."""
    return Decimal(f"{round(value * 10**decimals)}e-{decimals}")


def percent(share: Fraction | None, language: str, decimals: int = 2) -> str:
    """A share for a reader: `42.86%`, in French `42,86 %`; a dash when nothing was measured."""
    if share is None:
        return NOTHING
    sign = f"{NARROW_SPACE}%" if _is_french(language) else "%"
    return number_text(share * 100, language, decimals) + sign


def points_text(points: int, language: str) -> str:
    """Points for a reader: `1,650 points`, `1 point`; French counts from two: `0 point`."""
    single = abs(points) < 2 if _is_french(language) else abs(points) == 1
    return f"{number_text(points, language)} {'point' if single else 'points'}"


def number_text(
    value: int | Fraction | Decimal | None, language: str, decimals: int | None = None
) -> str:
    """A number for a reader, thousands apart, a true minus before one below zero; a dash for none.

    decimals: how many to show; unless told, two, and none for an int.
    """
    if value is None:
        return NOTHING
    if decimals is None:
        decimals = 0 if isinstance(value, int) else 2
    if decimals == 0 and isinstance(value, int):
        return _localised(f"{value:,}", language)
    return _number_text(Fraction(value), language, decimals)


@lru_cache(maxsize=20_000)  # a page tells the same numbers in several places, and so does the next
def _number_text(value: Fraction, language: str, decimals: int) -> str:
    return _localised(f"{round_half_even(value, decimals):,f}", language)


def money_text(minor: int, currency: str, language: str) -> str:
    """An amount for a reader, all its decimals shown: `€1,234.50`, in French `1 234,50 €`."""
    code, decimals = currency_code(currency), exponent(currency)
    locale = Locale("fr" if _is_french(language) else "en")
    pattern = locale.currency_formats["standard"].pattern
    pattern = pattern.replace(".00", f".{'0' * decimals}" if decimals else "")
    if get_currency_symbol(code, locale).isalpha():  # €5, but CHF 5
        pattern = pattern.replace("¤#", "¤\xa0#")
    amount = Decimal(f"{minor}e-{decimals}")
    told = format_currency(amount, code, pattern, locale, currency_digits=False)
    return told.replace("-", MINUS)


def _number(text: str, decimal: str) -> Decimal:
    written = text.strip()
    mixed = decimal != "." and "." in written
    pointed = written.replace(decimal, ".")
    if mixed or not _NUMBER.fullmatch(pointed):
        raise Invalid(
            f"“{text}” isn't a number.",
            remedy=f"Write digits only, with “{decimal}” before the decimals: 1250{decimal}5.",
        )
    return Decimal(pointed)


def _in_smallest_units(number: Decimal, text: str, *, decimals: int) -> int:
    units = Fraction(number) * 10**decimals  # a product of Decimals would round
    if units.denominator != 1:
        allowed = f"at most {decimals} decimals are" if decimals else "whole units only are"
        raise Invalid(f"“{text}” is too fine: {allowed} kept.", remedy="Round it where it is made.")
    return int(units)


def _plain(number: Decimal) -> str:
    digits = f"{number:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _localised(text: str, language: str) -> str:
    text = text.replace("-", MINUS)
    if not _is_french(language):
        return text
    return text.replace(",", NARROW_SPACE).replace(".", ",")


def _is_french(language: str) -> bool:
    return language.startswith("fr")
