"""Thresholds as people write them: `95 %` for a share, `45` for anything else; exact, both ways."""

from __future__ import annotations

import re
from fractions import Fraction

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.quantities import round_half_even
from rewards import sentences
from rewards.reading import Fields, Given

N_MAX = 1_000_000_000
PLACES_MAX = 12
LENGTH_MAX = 40  # characters
NOTHING = Fraction(0)


def read_kpi(given: Given) -> str:
    """The code of a KPI that the catalogue has."""
    return given.known_code(CATALOGUE, "KPI")


def read_sample(fields: Fields) -> int:
    """`n_min`: how large a sample must be for its figure to count; 1 where nobody says."""
    return fields["n_min"].whole_number(1, N_MAX) if "n_min" in fields else 1


def read_value(given: Given, kpi: str) -> Fraction:
    """A value or threshold of a KPI, in the KPI's own unit."""
    return read_threshold(given, share=sentences.is_share(kpi))


def value_to_plain(value: Fraction, kpi: str) -> str | int:
    """Write a value as `read_value` reads it."""
    return threshold_to_plain(value, share=sentences.is_share(kpi))


def read_step(given: Given | None, kpi: str) -> Fraction:
    """How much better, in percentage points for a share: `2 %`; nothing where nobody says."""
    if given is None:
        return NOTHING
    step = read_value(given, kpi)
    if step < 0:
        raise given.refused(
            f"{given.shown} is below zero.",
            "Say how much better it must be; whether better is more or less is the KPI's.",
        )
    return step


def read_threshold(given: Given, *, share: bool) -> Fraction:
    """Read `95 %` for a share, `45` or `2.5` for anything else; `19/20` for either. Exact."""
    written = str(given.value).strip() if isinstance(given.value, str | int) else ""
    readable = not isinstance(given.value, bool) and len(written) <= LENGTH_MAX
    number = _read_number(written) if readable else None
    per_cent = written.endswith("%")
    if number is None:
        remedy = "Write 95 %." if share else "Write a number such as 45 or 2.5."
        raise given.refused(f"{given.shown} isn't a threshold.", remedy)
    if share and not per_cent and "/" not in written:
        raise given.refused(
            f"{given.shown} doesn't say whether it is in percent.", f"Write {written} %."
        )
    if per_cent and not share:
        raise given.refused(
            f"{given.shown}: this KPI isn't a share.", "Take the percent sign away."
        )
    if share and not 0 <= number <= 1:
        raise given.refused(f"{given.shown} lies outside 0 to 100 %.", "Write 95 %.")
    return number


def threshold_to_plain(threshold: Fraction, *, share: bool) -> str | int:
    """Write a threshold as `read_threshold` reads it."""
    number = threshold * 100 if share else threshold
    exact = (d for d in range(PLACES_MAX + 1) if round_half_even(number, d) == number)
    places = next(exact, None)
    if places is None:  # a third has no end in decimals
        return str(threshold)
    if share:
        return f"{round_half_even(number, places):f} %"
    return f"{round_half_even(number, places):f}" if places else int(number)


_DECIMAL = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_QUOTIENT = re.compile(r"-?[0-9]+/[1-9][0-9]*")


def _read_number(written: str) -> Fraction | None:
    if _QUOTIENT.fullmatch(written):
        return Fraction(written)
    digits = written.removesuffix("%").rstrip()
    if not _DECIMAL.fullmatch(digits):
        return None
    return Fraction(digits.replace(",", ".")) / (100 if written.endswith("%") else 1)
