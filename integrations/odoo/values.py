"""What stands in Odoo's records, as we take it: ids, days, instants and amounts.

Empty is `False` in Odoo, whatever the field's type; a moment is naive and in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from partner_cx.errors import Invalid
from partner_cx.quantities import MICRO, currency_code, exponent, micro_to_text

FEW = 10_000  # answers that are kept, where the same is asked again and again


def id_of(many2one: Any) -> int | None:
    """The id in `[14, "Aldertech Systems"]`, whose name changes with language and version.

    Some models keep the bare number, as messages do that of the record they are about.
    """
    if isinstance(many2one, int):
        return many2one or None
    return int(many2one[0]) if many2one else None


def name_of(many2one: Any) -> str | None:
    """The name in `[1, "USD"]`; only of records whose name is their code in every language."""
    return str(many2one[1]) if many2one else None


def text_of(value: Any) -> str | None:
    """The text of a char field, without the space around it; None for an empty one."""
    return str(value).strip() or None if value else None


def instant_of(value: Any) -> datetime | None:
    """The instant that `2026-04-14 10:15:00` names, which is UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if value else None


def instant_text(value: Any) -> str | None:
    """The same instant as our files have it."""
    return f"{value.replace(' ', 'T')}Z" if value else None


@lru_cache(maxsize=FEW)  # many moments come often: those of one transfer, noons of commitments
def local_day(value: Any, zone: tzinfo) -> date | None:
    """The programme's day on which a moment of Odoo lies."""
    instant = instant_of(value)
    return instant.astimezone(zone).date() if instant else None


def day_text(value: date | None) -> str | None:
    return value.isoformat() if value else None


def micro_of(number: float, factor: Fraction | None = None) -> int:
    """A quantity in micro-units, times a factor. Odoo's floats are meant as they are printed."""
    if factor is None and number.is_integer():
        return int(number) * MICRO
    return round(Fraction(repr(float(number))) * (factor or 1) * MICRO)


def quantity_text(micro: int) -> str:
    """A quantity as our files have it: `24`, `1.5`."""
    whole, rest = divmod(micro, MICRO)
    return micro_to_text(micro) if rest else str(whole)


def currency_of(many2one: Any) -> str | None:
    """The ISO code of a currency, whose name it is; None for one that isn't any."""
    return _code(name_of(many2one) or "")


@lru_cache(maxsize=FEW)
def _code(name: str) -> str | None:
    try:
        return currency_code(name)
    except Invalid:
        return None


def minor_of(amount: float, currency: str) -> int:
    """An amount in the smallest unit of its currency, rounded half to even."""
    units = Decimal(repr(float(amount))).scaleb(exponent(currency))
    return int(units.to_integral_value(rounding=ROUND_HALF_EVEN))
