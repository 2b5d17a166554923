"""Fields: what a column of a fact file may hold, how it is read, and what to say when it can't be.

A field reads a whole column at once, typed or as text, into what the database keeps. Cells that
don't fit are marked and become problems; the others are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx.operations import cells
from partner_cx.quantities import MICRO, UNITS_MAX, number_text
from partner_cx.words import Words

Mask = npt.NDArray[np.bool_]
Reading = tuple[pa.Array, Mask]


@dataclass(frozen=True)
class Manner:
    """How a file writes things, beyond the standard: part of a mapping.

    day_formats: strptime formats tried after ISO, by our column's name; '' holds for all columns.
    decimal, thousands: the signs between units and decimals, and between groups of digits.
    zone: the name of the time zone of instants without an offset.
    currency: the currency of amounts without one.
    """

    zone: str
    currency: str = "EUR"
    decimal: str = "."
    thousands: str = ""
    day_formats: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def formats(self, column: str) -> Sequence[str]:
        """The formats days and instants of a column may have besides ISO."""
        return self.day_formats.get(column, self.day_formats.get("", ()))


@dataclass(frozen=True)
class Field:
    """One column of a fact file.

    name: as in the file. column: as in the database ('' when it is only needed on the way).
    read: turns the column into what the database keeps, and says which cells don't fit.
    expected: what a cell should look like, completing "expected ...".
    """

    name: str
    column: str
    read: Callable[[pa.Array, Manner, str], Reading]
    expected: Words
    required: bool = False
    default: object = None
    allowed: tuple[str, ...] = ()  # the words of a choice


def text(
    name: str,
    *,
    column: str | None = None,
    required: bool = False,
    longest: int = 500,
    lines: bool = False,
    default: str | None = None,
) -> Field:
    """Text without control characters; `lines`: it may run over several lines."""
    return Field(
        name,
        name if column is None else column,
        lambda values, _manner, _name: cells.parse_texts(values, longest, lines=lines),
        Words(f"a text of up to {longest} characters", f"un texte de {longest} caractères au plus"),
        required,
        default,
    )


def day(name: str, *, column: str | None = None, required: bool = False) -> Field:
    """A calendar day."""
    return Field(
        name,
        name if column is None else column,
        lambda values, manner, ours: cells.parse_days(values, manner.formats(ours)),
        Words("a day such as 2026-05-31", "un jour comme 2026-05-31"),
        required,
    )


def instant(name: str, *, column: str | None = None, required: bool = False) -> Field:
    """A moment; without an offset it is in the programme's time zone."""
    return Field(
        name,
        name if column is None else column,
        lambda values, manner, ours: cells.parse_instants(
            values, manner.zone, manner.formats(ours)
        ),
        Words(
            "a moment such as 2026-05-31T14:30 or 2026-05-31T14:30:00+02:00",
            "un instant comme 2026-05-31T14:30 ou 2026-05-31T14:30:00+02:00",
        ),
        required,
    )


def whole_number(
    name: str,
    *,
    column: str | None = None,
    required: bool = False,
    least: int = 0,
    most: int = 2_000_000_000,
    default: int | None = None,
) -> Field:
    """A whole number between two bounds."""

    def read(values: pa.Array, manner: Manner, _name: str) -> Reading:
        numbers, bad = cells.parse_integers(values, manner.decimal, manner.thousands)
        return _within(numbers, bad, least, most)

    return Field(
        name,
        name if column is None else column,
        read,
        Words(f"a whole number from {least} to {most}", f"un nombre entier de {least} à {most}"),
        required,
        default,
    )


def quantity(
    name: str, *, column: str | None = None, required: bool = False, above_zero: bool = False
) -> Field:
    """A quantity with up to six decimals, kept in micro-units."""

    def read(values: pa.Array, manner: Manner, _name: str) -> Reading:
        micro, bad = cells.parse_micro(values, manner.decimal, manner.thousands)
        return _within(micro, bad, 1 if above_zero else 0, UNITS_MAX * MICRO)

    bound = (
        Words("above zero", "supérieure à zéro")
        if above_zero
        else Words("of zero or more", "positive ou nulle")
    )
    most = Words(number_text(UNITS_MAX, "en"), number_text(UNITS_MAX, "fr"))
    return Field(
        name,
        name if column is None else column,
        read,
        Words(
            "a quantity {bound}, up to {most} with six decimals",
            "une quantité {bound}, jusqu’à {most} avec six décimales",
        ).format(bound=bound, most=most),
        required,
    )


def score(name: str, *, column: str | None = None) -> Field:
    """A score, kept in micro-units; whether it fits its scale is the question's matter."""
    return Field(
        name,
        name if column is None else column,
        lambda values, manner, _name: cells.parse_micro(values, manner.decimal, manner.thousands),
        Words("a number such as 9 or 72.5", "un nombre comme 9 ou 72.5"),
    )


def choice(
    name: str,
    allowed: Sequence[str],
    *,
    column: str | None = None,
    required: bool = False,
    default: str | None = None,
) -> Field:
    """One of a few words."""
    listed = ", ".join(allowed)
    return Field(
        name,
        name if column is None else column,
        lambda values, _manner, _name: cells.parse_choice(values, allowed),
        Words(f"one of {listed}", f"l’une des valeurs {listed}"),
        required,
        default,
        tuple(allowed),
    )


def yes_or_no(name: str, *, column: str | None = None, default: bool = False) -> Field:
    """True or false, in the ways people and programs write it."""
    return Field(
        name,
        name if column is None else column,
        lambda values, _manner, _name: cells.parse_booleans(values),
        Words("true or false", "true ou false (oui ou non)"),
        default=default,
    )


def email(name: str, *, column: str | None = None, required: bool = False) -> Field:
    """An e-mail address, kept in lower case."""
    return Field(
        name,
        name if column is None else column,
        lambda values, _manner, _name: cells.parse_emails(values),
        Words("an e-mail address", "une adresse électronique"),
        required,
    )


def currency(name: str) -> Field:
    """An ISO 4217 currency code; the programme's where none is given."""

    def read(values: pa.Array, manner: Manner, _name: str) -> Reading:
        codes, bad = cells.parse_currencies(values)
        return pc.fill_null(codes, manner.currency), bad

    expected = Words("an ISO currency code such as EUR", "un code de devise ISO comme EUR")
    return Field(name, name, read, expected)


def amount(name: str, *, column: str) -> Field:
    """An amount in units of its currency, kept in micro-units until the currency is known."""
    return Field(
        name,
        column,
        lambda values, manner, _name: cells.parse_micro(values, manner.decimal, manner.thousands),
        Words("an amount such as 1250.50", "un montant comme 1250.50"),
    )


def _within(numbers: pa.Array, bad: Mask, least: int, most: int) -> Reading:
    outside = pc.or_(pc.less(numbers, least), pc.greater(numbers, most))
    outside = np.asarray(pc.fill_null(outside, False))
    if not outside.any():
        return numbers, bad
    return pc.if_else(pa.array(outside), pa.scalar(None, numbers.type), numbers), bad | outside
