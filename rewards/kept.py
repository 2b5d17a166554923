"""Kept figures of a period, read when they are asked for: one by one, or a KPI as columns.

Before: scorecards, frozen or measured last. After: evidence about one subject, which wants whole
figures, and `judging`, which wants a few columns of everybody's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import FigureColumns, kept_figures
from partner_cx.periods import Period

Array = np.ndarray[Any, Any]


class KeptFigures(Mapping[str, Mapping[str, Figure]]):
    """Figures by subject and KPI, read from the database when the first is asked for.

    conditions: on the table's columns, where only some figures are wanted.
    """

    def __init__(
        self,
        session: Session,
        period: Period,
        levels: Collection[str],
        *conditions: sa.ColumnElement[bool],
        table: type[FigureColumns],
    ) -> None:
        self._session = session
        self._period = period
        self._levels = levels
        self._conditions = conditions
        self._table = table

    def __getitem__(self, subject: str) -> Mapping[str, Figure]:
        return self._figures[subject]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def columns(self, kpi: str, subjects: Iterable[str]) -> KpiColumns:
        """One KPI of these subjects, place by place."""
        rows = self._rows.get(kpi, {})
        return KpiColumns([rows.get(subject, _NOTHING) for subject in subjects])

    @cached_property
    def _figures(self) -> dict[str, dict[str, Figure]]:
        figures: dict[str, dict[str, Figure]] = {}
        for level in self._levels:
            figures |= kept_figures(
                self._session, self._period, level, *self._conditions, table=self._table
            )
        return figures

    @cached_property
    def _rows(self) -> dict[str, dict[str, _Row]]:
        """By KPI and subject; exact numbers as the texts that they are kept as."""
        table = self._table
        written = (table.value, table.coverage, table.target, table.coverage_min)
        value, coverage, target, coverage_min = (sa.type_coerce(each, sa.Text) for each in written)
        wanted = sa.select(
            *(table.kpi, table.subject, value, table.n, table.low, table.high, table.state),
            *(coverage, target, table.n_min, coverage_min),
        ).where(table.period == str(self._period), table.level.in_(self._levels), *self._conditions)
        rows: dict[str, dict[str, _Row]] = defaultdict(dict)
        for kpi, subject, *rest in self._session.execute(wanted):
            rows[kpi][subject] = _Row(*rest)
        return rows


class _Row(NamedTuple):
    """What is kept of a figure, as far as conditions look at it."""

    value: str | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    state: str | None = None
    coverage: str | None = None
    target: str | None = None
    n_min: int | None = None
    coverage_min: str | None = None


_NOTHING = _Row()


# --- A KPI as columns ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Quotients:
    """Exact quotients, place by place: Python's own integers, so that no product overflows.

    Named like a Fraction's, so that either can stand where the other does. given: where there is
    one at all; elsewhere it is 0/1.
    """

    numerator: Array
    denominator: Array
    given: Array

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int] | None]) -> Self:
        filled = [pair or (0, 1) for pair in pairs]
        return cls(
            np.array([above for above, _ in filled], dtype=object),
            np.array([below for _, below in filled], dtype=object),
            np.array([pair is not None for pair in pairs], dtype=bool),
        )


def crosswise(one: Quotients | Fraction, other: Quotients | Fraction) -> Array:
    """Of the sign of one − other, place by place: above zero where one is larger."""
    return np.asarray(one.numerator * other.denominator - other.numerator * one.denominator)


class KpiColumns:
    """One KPI of many subjects, place by place: what conditions look at of its figures."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._rows = rows

    @classmethod
    def of_nothing(cls, count: int) -> Self:
        return cls([_NOTHING] * count)

    @cached_property
    def value(self) -> Quotients:
        return Quotients.of([_read(row.value) for row in self._rows])

    @cached_property
    def n(self) -> Array:
        return np.array([row.n for row in self._rows], dtype=np.int64)

    @cached_property
    def state(self) -> Array:
        return np.array([row.state for row in self._rows], dtype=object)

    @cached_property
    def low(self) -> Quotients:
        """The lower end of the 95 % interval, as exact as the float it is."""
        return Quotients.of([_end(row.low) for row in self._rows])

    @cached_property
    def high(self) -> Quotients:
        return Quotients.of([_end(row.high) for row in self._rows])

    @cached_property
    def coverage(self) -> Quotients:
        return Quotients.of([_read(row.coverage) for row in self._rows])

    @cached_property
    def aimed(self) -> Array:
        """Where a target holds."""
        return np.array([row.target is not None for row in self._rows], dtype=bool)

    @cached_property
    def n_min(self) -> Array:
        """What the target asks of the sample."""
        return np.array([row.n_min or 0 for row in self._rows], dtype=np.int64)

    @cached_property
    def coverage_min(self) -> Quotients:
        """What the target asks of the coverage."""
        return Quotients.of([_read(row.coverage_min) for row in self._rows])


def _read(written: str | None) -> tuple[int, int] | None:
    if written is None:
        return None
    above, _, below = written.partition("/")
    return int(above), int(below)


def _end(number: float | None) -> tuple[int, int] | None:
    return number.as_integer_ratio() if number is not None and math.isfinite(number) else None
