"""Columns of cells, as a file holds them, turned into typed columns of facts.

Before this stand the readers of files, after it the intake of facts. Every parser takes a whole
column, of text or already typed, and answers `(typed column, bad)`: what can't be read is null and
marked in `bad`, a boolean per row; an empty cell is null and isn't bad. Nothing is guessed.

A column is first converted in one stroke. Only where that fails is it cut in halves, down to the
few cells that need a closer look, and each distinct text is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx.errors import Invalid
from partner_cx.network import addresses as email_addresses
from partner_cx.quantities import MICRO, MINOR_MAX, UNITS_MAX, currency_code, exponent
from partner_cx.spelling import CONTROL_SIGNS

Cells: TypeAlias = pa.Array | pa.ChunkedArray
Parsed: TypeAlias = tuple[pa.Array, npt.NDArray[np.bool_]]

FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2100, 12, 31)

_INSTANT = pa.timestamp("us", tz="UTC")
_EARLIEST, _LATEST = date(1969, 12, 31), date(2101, 1, 1)  # bounds in any zone
_ARROW_KNOWS_UNTIL = pa.scalar(date(2037, 1, 1)).cast(pa.timestamp("us"))  # no summer time after
_FEW = 16  # cells worth a closer look one by one


def parse_days(values: Cells, formats: Sequence[str] = ()) -> Parsed:
    """Calendar days (date32). ISO is always understood, then each of `formats` in turn.

    An hour is dropped when it is local: the day stands before it. With an offset it must be
    midnight, since elsewhere the day may be another. A day outside 1970 to 2100 is bad.
    """
    cells = _flat(values)
    if pa.types.is_timestamp(cells.type):
        days = _days_of_instants(cells)
    elif pa.types.is_date(cells.type):
        days = cells.cast(pa.date32())
    else:
        days = _convert(
            as_texts(cells), pa.date32(), _cast(pa.date32()), lambda text: _day(text, formats)
        )
    days = _only(days, _within(days, FIRST_DAY, LAST_DAY))
    return days, _missing(cells, days)


def parse_instants(values: Cells, zone: str | ZoneInfo, formats: Sequence[str] = ()) -> Parsed:
    """Instants (timestamp in µs, UTC). Without an offset, a clock reading in `zone`.

    A reading that the spring change skips is bad; one that the autumn change repeats means the
    first. A day alone means its midnight. Outside 1970 to 2100 is bad.
    """
    cells = _flat(values)
    if pa.types.is_temporal(cells.type) and not pa.types.is_time(cells.type):
        instants = _as_instants(cells, str(zone))
    else:
        instants = _convert(
            as_texts(cells),
            _INSTANT,
            lambda texts: _texts_as_instants(texts, str(zone)),
            lambda text: _instant(text, ZoneInfo(str(zone)), formats),
        )
    first = datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC)
    last = datetime(LAST_DAY.year, 12, 31, 23, 59, 59, tzinfo=UTC)
    instants = _only(instants, _within(instants, first, last))
    return instants, _missing(cells, instants)


def parse_integers(values: Cells, decimal: str = ".", thousands: str = "") -> Parsed:
    """Whole numbers (int64); `12.0`, as other programs write whole numbers, is 12."""
    cells = _flat(values)
    if pa.types.is_boolean(cells.type):
        return _none(cells, pa.int64())
    texts = _without_thousands(cells, thousands, decimal)
    sign = decimal if _is_text(cells) else "."
    whole = _convert(texts, pa.int64(), _cast(pa.int64()), lambda text: _integer(text, sign))
    return whole, _missing(cells, whole)


def parse_micro(values: Cells, decimal: str = ".", thousands: str = "") -> Parsed:
    """Quantities in micro-units (int64), exactly: at most six decimals and a thousand million.

    thousands: the sign between groups of three digits, if the file uses one; a space also stands
    for the unbreakable ones. What isn't grouped in threes is bad, so that `1,5` is never 15.
    """
    cells = _flat(values)
    micro = _micro(cells, decimal, thousands)
    return _limited(cells, micro, UNITS_MAX * MICRO)


def parse_money(
    values: Cells, currency: str | Cells, decimal: str = ".", thousands: str = ""
) -> Parsed:
    """Amounts in minor units of their currency (int64), exactly.

    currency: one ISO code for all, or a column of them; an amount whose currency is missing or
    unknown is bad, as is one finer than the currency's minor unit.
    """
    cells = _flat(values)
    micro = _micro(cells, decimal, thousands)
    codes = pa.repeat(currency, len(cells)) if isinstance(currency, str) else _flat(currency)
    words = as_texts(codes).dictionary_encode()
    units = pa.array([_micro_per_minor(code) for code in words.dictionary.to_pylist()], pa.int64())
    unit = units.take(words.indices)
    minor = pc.divide(micro, unit)
    whole = pc.equal(pc.multiply(minor, unit), micro)
    return _limited(cells, _only(minor, pc.fill_null(whole, False)), MINOR_MAX)


def parse_currencies(values: Cells) -> Parsed:
    """ISO 4217 codes, in capitals."""
    return _each(values, pa.string(), lambda text: _or_none(currency_code, text))


_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "y", "oui", "o", "vrai"), True),
    **dict.fromkeys(("false", "0", "no", "n", "non", "faux"), False),
}


def parse_booleans(values: Cells) -> Parsed:
    """Yes or no, as true/false, 1/0, yes/no, oui/non or vrai/faux."""
    cells = _flat(values)
    if pa.types.is_boolean(cells.type):
        return cells, np.zeros(len(cells), dtype=bool)
    return _each(cells, pa.bool_(), lambda text: _BOOLEANS.get(text.lower()))


def parse_choice(values: Cells, allowed: Sequence[str]) -> Parsed:
    """One of a few words, whatever its capitals; answered as `allowed` writes it."""
    words = {word.casefold(): word for word in allowed}
    return _each(values, pa.string(), lambda text: words.get(text.casefold()))


def parse_texts(values: Cells, max_length: int, *, lines: bool = False) -> Parsed:
    """Text of at most `max_length` characters without control characters.

    lines: line ends and tabs may occur, as in a comment.
    """
    cells = _flat(values)
    texts = as_texts(cells)
    wrong = pc.greater(pc.utf8_length(texts), max_length)
    if _has_control_bytes(texts):
        control = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]" if lines else f"[{CONTROL_SIGNS}]"
        wrong = pc.or_(wrong, pc.match_substring_regex(texts, control))
    if not pc.any(wrong).as_py():
        return texts, np.zeros(len(cells), dtype=bool)
    texts = _only(texts, pc.invert(wrong))
    return texts, _missing(cells, texts)


def parse_emails(values: Cells) -> Parsed:
    """Addresses in small letters. Their form is checked, not whether anyone reads there."""
    cells = _flat(values)
    addresses = pc.utf8_lower(as_texts(cells))
    plausible = pc.match_substring_regex(addresses, email_addresses.FORM)
    short = pc.less_equal(pc.utf8_length(addresses), email_addresses.LONGEST)
    addresses = _only(addresses, pc.and_(plausible, short))
    return addresses, _missing(cells, addresses)


def as_texts(values: Cells) -> pa.Array:
    """The column as text: a whole number without decimals, a day or an instant in ISO 8601."""
    cells = _flat(values)
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_floating(cells.type):
        return pc.replace_substring_regex(cells.cast(pa.string()), r"\.0$", "")
    if pa.types.is_timestamp(cells.type):
        offset = "" if cells.type.tz is None else "Z"
        texts = cells.cast(pa.timestamp("us")).cast(pa.string())
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
        texts = pc.replace_substring(texts, " ", "T")
        return pc.binary_join_element_wise(texts, offset, "")
    return cells.cast(pa.string())


# --- Formats of dates -----------------------------------------------------------------------

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
_DIRECTIVES = {
    "d": r"(?P<day>\d{1,2})",
    "m": r"(?P<month>\d{1,2})",
    "b": r"(?P<name>[A-Za-z]{3,9})\.?",
    "B": r"(?P<name>[A-Za-z]{3,9})",
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "I": r"(?P<hour>\d{1,2})",
    "p": r"(?P<half>[AaPp]\.?[Mm]\.?)",
    "M": r"(?P<minute>\d{2})",
    "S": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})",
    "z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
    "%": "%",
}
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


@lru_cache
def date_pattern(format_: str) -> re.Pattern[str]:
    """A date format, as strftime writes it, as a pattern with English months in any locale.

    Raises Invalid when it holds something unknown, twice the same, or no whole date.
    """
    parts = re.split(r"(%.?)", format_)
    unknown = [part for part in parts if part.startswith("%") and part[1:] not in _DIRECTIVES]
    if unknown:
        raise Invalid(
            f"The date format “{format_}” holds “{unknown[0]}”, which isn't known.",
            remedy="Use %d %m %b %B %Y %y %H %I %p %M %S %f %z, as in %d-%b-%y.",
        )
    written = [_DIRECTIVES[p[1:]] if p.startswith("%") else re.escape(p) for p in parts]
    try:
        pattern = re.compile("".join(written), re.ASCII)
    except re.error as error:
        raise Invalid(
            f"The date format “{format_}” names the same part twice.", remedy="Name each part once."
        ) from error
    has = set(pattern.groupindex)
    if not ("day" in has and has & {"month", "name"} and has & {"year", "short_year"}):
        raise Invalid(
            f"The date format “{format_}” doesn't hold a day, a month and a year.",
            remedy="Write all three, as in %d-%b-%y.",
        )
    return pattern


def _reading(text: str, formats: Sequence[str]) -> datetime | None:
    """The date and clock reading in a text, with its offset if it has one."""
    for pattern in (_ISO, *map(date_pattern, formats)):
        match = pattern.fullmatch(text)
        if match and (reading := _put_together(match.groupdict())):
            return reading
    return None


def _put_together(parts: dict[str, str | None]) -> datetime | None:
    short = parts.get("short_year")
    year = int(parts.get("year") or _full_year(int(short or 0)))
    name = parts.get("name")
    month = _MONTH_NUMBERS.get(name.lower(), 0) if name else int(parts.get("month") or 0)
    hour, half = int(parts.get("hour") or 0), parts.get("half")
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    fraction = (parts.get("fraction") or "0")[:6].ljust(6, "0")
    clock = (hour, int(parts.get("minute") or 0), int(parts.get("second") or 0), int(fraction))
    try:
        offset = _offset(parts.get("offset"))
        return datetime(year, month, int(parts["day"] or 0), *clock, tzinfo=offset)
    except ValueError:  # 31 June, 25 o'clock, a day ahead of UTC
        return None


def _full_year(short: int) -> int:
    return 1900 + short if short >= 69 else 2000 + short  # as POSIX has it


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    ahead = time(int(digits[:2]), int(digits[2:]))  # within a day, and 59 minutes to the hour
    distance = timedelta(hours=ahead.hour, minutes=ahead.minute)
    return timezone(-distance if text[0] == "-" else distance)


def _day(text: str, formats: Sequence[str]) -> date | None:
    reading = _reading(text, formats)
    if reading is None:
        return None
    midnight = not (reading.hour or reading.minute or reading.second or reading.microsecond)
    return reading.date() if reading.tzinfo is None or midnight else None


def _instant(text: str, zone: ZoneInfo, formats: Sequence[str]) -> datetime | None:
    reading = _reading(text, formats)
    if reading is None or not FIRST_DAY.year <= reading.year <= LAST_DAY.year:
        return None
    return reading.astimezone(UTC) if reading.tzinfo else _placed(reading, zone)


def _placed(reading: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant of a clock reading, the first of two; None where the clock skips it."""
    instant = reading.replace(tzinfo=zone).astimezone(UTC)
    skipped = instant.astimezone(zone).replace(tzinfo=None) != reading
    return None if skipped else instant


def _texts_as_instants(texts: pa.Array, zone: str) -> pa.Array:
    # The first cell tells which way to try: a column tried the wrong way fails slowly.
    first = next((text.as_py() for text in texts if text.is_valid), "")
    if re.search(r":.*(Z|[+-]\d\d:?(\d\d)?)$", first):
        return texts.cast(_INSTANT)
    return _as_instants(texts.cast(pa.timestamp("us")), zone)


def _as_instants(cells: pa.Array, zone: str) -> pa.Array:
    if pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
        return cells.cast(_INSTANT, safe=False)
    readings = cells.cast(pa.timestamp("us"), safe=False)
    readings = _only(readings, _within(readings, _EARLIEST, _LATEST))
    if pc.any(pc.greater_equal(readings, _ARROW_KNOWS_UNTIL)).as_py():
        placed = (each and _placed(each, ZoneInfo(zone)) for each in readings.to_pylist())
        return pa.array(placed, _INSTANT)
    instants = pc.assume_timezone(readings, zone, ambiguous="earliest", nonexistent="earliest")
    kept = pc.equal(pc.local_timestamp(instants), readings)
    return _only(instants, kept).cast(_INSTANT)


def _days_of_instants(cells: pa.Array) -> pa.Array:
    if cells.type.tz is None:
        return cells.cast(pa.date32(), safe=False)
    readings = pc.local_timestamp(cells)
    days = readings.cast(pa.date32(), safe=False)
    return _only(days, pc.equal(days.cast(readings.type), readings))


# --- Numbers --------------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_DECIMAL = pa.decimal128(18, 6)  # what fits an int64 once it is counted in millionths


def _micro(cells: pa.Array, decimal: str, thousands: str) -> pa.Array:
    if pa.types.is_boolean(cells.type) or pa.types.is_temporal(cells.type):
        return pa.nulls(len(cells), pa.int64())
    if not _is_text(cells):  # a typed number has no decimal sign to dispute
        decimal, thousands = ".", ""
    texts = _without_thousands(as_texts(cells), thousands, decimal)
    return _convert(
        texts,
        pa.int64(),
        lambda texts: _unscaled(_pointed(texts, decimal).cast(_DECIMAL)),
        lambda text: _micro_of(text, decimal),
    )


def _unscaled(decimals: pa.Array) -> pa.Array:
    """The millionths in a decimal128 column: its values are 128-bit integers, low half first."""
    halves = np.frombuffer(decimals.buffers()[1], dtype="<i8").reshape(-1, 2)
    low = halves[decimals.offset : decimals.offset + len(decimals), 0]
    return pa.array(low, pa.int64(), mask=decimals.is_null().to_numpy(zero_copy_only=False))


def _pointed(texts: pa.Array, decimal: str) -> pa.Array:
    if decimal == ".":
        return texts
    if pc.any(pc.match_substring(texts, ".")).as_py():
        raise pa.ArrowInvalid("a decimal point where a comma is the decimal sign")
    return pc.replace_substring(texts, decimal, ".")


def _micro_of(text: str, decimal: str) -> int | None:
    if decimal != "." and "." in text:
        return None
    pointed = text.replace(decimal, ".")
    if not _NUMBER.fullmatch(pointed):
        return None
    micro = Fraction(Decimal(pointed)) * MICRO
    return int(micro) if micro.denominator == 1 and abs(micro) < 10**18 else None


def _without_thousands(cells: pa.Array, thousands: str, decimal: str) -> pa.Array:
    """The same numbers ungrouped; what isn't grouped in threes is left, to be refused later."""
    if not thousands or not _is_text(cells):
        return cells
    texts = pc.replace_substring_regex(cells, "[\u00a0\u202f]", " ") if thousands == " " else cells
    sign, point = re.escape(thousands), re.escape(decimal)
    grouped = pc.match_substring_regex(texts, rf"^[+-]?\d{{1,3}}({sign}\d{{3}})+({point}\d*)?$")
    return pc.if_else(grouped, pc.replace_substring(texts, thousands, ""), texts)


def _integer(text: str, decimal: str) -> int | None:
    match = re.fullmatch(rf"([+-]?\d{{1,18}})(?:{re.escape(decimal)}0*)?", text, re.ASCII)
    return int(match[1]) if match else None


def _micro_per_minor(code: str) -> int | None:
    decimals = _or_none(exponent, code)
    return None if decimals is None else 10 ** (6 - decimals)


def _or_none(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except Invalid:
        return None


# --- Columns --------------------------------------------------------------------------------


def _convert(
    cells: pa.Array,
    kind: pa.DataType,
    at_once: Callable[[pa.Array], pa.Array],
    one: Callable[[str], Any],
) -> pa.Array:
    """Convert a column at once or, where that fails, its distinct cells closer and closer."""
    try:
        return at_once(cells)
    except pa.ArrowInvalid:
        words = cells.dictionary_encode()
    return _closer(words.dictionary, kind, at_once, one).take(words.indices)


def _closer(
    cells: pa.Array,
    kind: pa.DataType,
    at_once: Callable[[pa.Array], pa.Array],
    one: Callable[[str], Any],
) -> pa.Array:
    if len(cells) <= _FEW:
        return pa.array([one(str(cell)) for cell in cells.to_pylist()], kind)
    try:
        return at_once(cells)
    except pa.ArrowInvalid:
        half = len(cells) // 2
    halves = (cells.slice(0, half), cells.slice(half))
    return pa.concat_arrays([_closer(part, kind, at_once, one) for part in halves])


def _each(values: Cells, kind: pa.DataType, one: Callable[[str], Any]) -> Parsed:
    """Look at every distinct cell of a column that holds few of them."""
    cells = _flat(values)
    words = as_texts(cells).dictionary_encode()
    read = pa.array([one(text) for text in words.dictionary.to_pylist()], kind).take(words.indices)
    return read, _missing(cells, read)


def _cast(kind: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda cells: cells.cast(kind)


def _flat(values: Cells) -> pa.Array:
    cells = values
    if isinstance(values, pa.ChunkedArray):
        cells = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if pa.types.is_null(cells.type) or pa.types.is_large_string(cells.type):
        cells = cells.cast(pa.string())
    return cells


def _is_text(cells: pa.Array) -> bool:
    return bool(pa.types.is_string(cells.type))


def _has_control_bytes(texts: pa.Array) -> bool:
    data = texts.buffers()[2]
    if data is None:
        return False
    held = np.frombuffer(data, dtype=np.uint8)
    return bool((held < 32).any() or (held == 127).any())


def _within(read: pa.Array, first: object, last: object) -> pa.Array:
    bounds = pa.scalar(first).cast(read.type), pa.scalar(last).cast(read.type)
    return pc.and_(pc.greater_equal(read, bounds[0]), pc.less_equal(read, bounds[1]))


def _only(read: pa.Array, kept: pa.Array) -> pa.Array:
    """Null where not kept. Most columns are kept whole, and then aren't copied."""
    if pc.all(kept).as_py() is not False:
        return read
    return pc.if_else(kept, read, pa.scalar(None, read.type))


def _limited(cells: pa.Array, read: pa.Array, most: int) -> Parsed:
    read = _only(read, _within(read, -most, most))
    return read, _missing(cells, read)


def _missing(cells: pa.Array, read: pa.Array) -> npt.NDArray[np.bool_]:
    """Where a cell held something and nothing came of it."""
    if read.null_count == cells.null_count:
        return np.zeros(len(cells), dtype=bool)
    lost = pc.and_(cells.is_valid(), read.is_null())
    bad: npt.NDArray[np.bool_] = lost.to_numpy(zero_copy_only=False)
    return bad


def _none(cells: pa.Array, kind: pa.DataType) -> Parsed:
    read = pa.nulls(len(cells), kind)
    return read, _missing(cells, read)
