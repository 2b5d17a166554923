"""Rows for people and for programs: an aligned table, a JSON array of flat objects, or CSV.

JSON and CSV carry plain values: numbers as numbers (a share is a fraction of one, rounded half to
even), instants in UTC, nothing as null or an empty cell. A table carries what a person reads.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import TextIO, TypeAlias

import typer

from api.headings import heading, yes_or_no

DECIMALS = 4
NOTHING = "–"

Plain: TypeAlias = "str | int | float | bool | Fraction | date | datetime | None"


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"  # for people
    JSON = "json"  # an array of flat objects
    CSV = "csv"  # with a header


@dataclass(frozen=True)
class Shown:
    """A value that people read otherwise than programs: 0.4286 and 42.86%."""

    plain: Plain
    words: str


Row: TypeAlias = "Mapping[str, Plain | Shown]"


def print_rows(
    rows: Iterable[Row],
    columns: Sequence[str],
    *,
    form: Format,
    in_table: Sequence[str] = (),
    language: str = "en",
    to: TextIO | None = None,
) -> None:
    """Print rows to stdout, in the order of the columns.

    in_table: the columns a table shows, where all would be too many.
    language: of a table's headings; programs get the codes.
    """
    out = to or sys.stdout
    match form:
        case Format.JSON:
            _print_json(rows, columns, out)
        case Format.CSV:
            _print_csv(rows, columns, out)
        case Format.TABLE:
            _print_table(list(rows), in_table or columns, language, out)
    out.flush()  # before what is said about it on stderr


def say(sentence: str) -> None:
    """Tell a person something beside the data, on stderr."""
    typer.echo(sentence, err=True)


def plain(value: Plain | Shown) -> str | int | float | bool | None:
    """A value as JSON has it."""
    if isinstance(value, Shown):
        return plain(value.plain)
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(round(value, DECIMALS))
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _print_json(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> None:
    lines = (
        json.dumps({name: plain(row.get(name)) for name in columns}, ensure_ascii=False)
        for row in rows
    )
    out.write("[")
    out.writelines(f"{',' if place else ''}\n  {line}" for place, line in enumerate(lines))
    out.write("\n]\n")


def _print_csv(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = [plain(row.get(name)) for name in columns]
        writer.writerow(["" if cell is None else cell for cell in cells])


def _print_table(rows: Sequence[Row], columns: Sequence[str], language: str, out: TextIO) -> None:
    headings = [heading(name, language) for name in columns]
    body = [[_words(row.get(name), language) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *body, strict=True)]
    to_the_right = [any(_is_number(row.get(name)) for row in rows) for name in columns]
    for line in [headings, ["─" * width for width in widths], *body]:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, to_the_right, strict=True)
        ]
        out.write("  ".join(cells).rstrip() + "\n")


def _words(value: Plain | Shown, language: str) -> str:
    if isinstance(value, Shown):
        return value.words
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return yes_or_no(value, language)
    return " ".join(str(plain(value)).split())


def _is_number(value: Plain | Shown) -> bool:
    value = value.plain if isinstance(value, Shown) else value
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)
