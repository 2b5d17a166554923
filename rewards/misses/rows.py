"""Rows that missed, and the way to the facts behind them as they were known at a close."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pandas as pd
from sqlalchemy.orm import DeclarativeBase, Session

from partner_cx.measures.formulas.seam import as_day, days
from partner_cx.operations.hindsight import Among, Between, facts_known
from partner_cx.periods import Period
from partner_cx.quantities import MICRO, money_text, number_text
from partner_cx.settings import Settings
from partner_cx.words import Words


@dataclass(frozen=True)
class Miss:
    """One row that was counted and missed.

    source_id: by which the row can be found in the file or system it came from.
    day: the day on which it counts.
    what, verdict: the row, and what was wrong with it.
    corrected_since: whether a later import says otherwise; what stands here was known then.
    withdrawn_since: whether its source no longer has it.
    """

    source_id: str
    day: date
    what: Words
    verdict: Words
    corrected_since: bool = False
    withdrawn_since: bool = False

    @property
    def sentence(self) -> Words:
        since = Words("", "")
        if self.withdrawn_since:
            since = Words(" (withdrawn since)", " (retiré depuis)")
        elif self.corrected_since:
            since = Words(" (corrected since)", " (corrigé depuis)")
        return Words("{what}: {verdict}{since}", "{what}\u202f: {verdict}{since}").format(
            what=self.what, verdict=self.verdict, since=since
        )


@dataclass(frozen=True)
class Misses:
    """Rows that missed: how many there are, and the first of them by day.

    called: what the rows are, one and many.
    """

    total: int = 0
    rows: tuple[Miss, ...] = ()
    called: tuple[Words, Words] = (Words("row", "ligne"), Words("rows", "lignes"))

    @property
    def heading(self) -> Words:
        """What stands above the rows: `3 lines:`, or how many of them are shown."""
        one, many = self.called
        told = Words(
            "{n} {things}, of which {shown} are shown:", "{n} {things}, dont {shown} ici\u202f:"
        )
        if self.total == len(self.rows):
            told = Words("{n} {things}:", "{n} {things}\u202f:")
        return told.format(
            n=Words(number_text(self.total, "en"), number_text(self.total, "fr")),
            things=one if self.total == 1 else many,
            shown=len(self.rows),
        )


@dataclass(frozen=True)
class Asked:
    """What is asked about: some partners' KPI in a period, as it was known then.

    as_of: the moment the figure holds for. known_until: the last import it rests on.
    settings: those it was drawn under.
    """

    session: Session
    partners: tuple[int, ...]
    period: Period
    as_of: datetime
    known_until: int
    settings: Settings
    _read: dict[str, pd.DataFrame] = field(default_factory=dict)

    def once(self, name: str, read: Callable[[Asked], pd.DataFrame]) -> pd.DataFrame:
        """What several KPIs are drawn from, read by the first of them."""
        if name not in self._read:
            self._read[name] = read(self)
        return self._read[name]

    @property
    def as_of_day(self) -> date:
        return self.as_of.astimezone(self.settings.zone).date()

    def facts(self, model: type[DeclarativeBase], kind: str, day: str = "") -> pd.DataFrame:
        """The partners' facts of a kind, those with their `day` in the period if one is named."""
        return self.among(model, kind, Among("partner_id", self.partners), day)

    def among(
        self, model: type[DeclarativeBase], kind: str, among: Among, day: str = ""
    ) -> pd.DataFrame:
        first, last = self.period.first_day, self.period.last_day
        between = [Between(day, first, last)] if day else []
        return facts_known(
            self.session, model, kind, among=among, between=between, known_until=self.known_until
        )

    def in_period(self, column: pd.Series) -> pd.Series:
        first, last = as_day(self.period.first_day), as_day(self.period.last_day)
        return days(column).between(first, last)


# --- How rows are told --------------------------------------------------------------------------


def records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as plain values, None where there is nothing."""
    for row in frame.to_dict("records"):
        yield {str(name): None if _is_nothing(value) else value for name, value in row.items()}


def _is_nothing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value


def miss(row: dict[str, Any], day: str, what: Words, verdict: Words) -> Miss:
    since = (bool(row["corrected_since"]), bool(row["withdrawn_since"]))
    return Miss(row["source_id"], date_of(row[day]), what, verdict, *since)


def date_of(day: pd.Timestamp) -> date:
    return day.date()


def quantity_text(micro: int) -> Words:
    """Micro-units as people write quantities, without the zeros at the end."""
    units, rest = divmod(micro, MICRO)
    decimals = len(f"{rest:06d}".rstrip("0"))
    number = Fraction(micro, MICRO) if rest else units
    return Words(number_text(number, "en", decimals), number_text(number, "fr", decimals))


def in_currency(minor: int, currency: str) -> Words:
    return Words(money_text(minor, currency, "en"), money_text(minor, currency, "fr"))


def days_long(count: int) -> Words:
    s = "" if count == 1 else "s"
    return Words(f"{count} day{s}", f"{count} jour{s}")


def duration(seconds: int) -> Words:
    """`1 h 15 min`; to the second only where there are some."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    told = " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
    return Words(told, told)
