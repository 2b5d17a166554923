"""Kept figures of a period, read when they are asked for: one by one, or a KPI as columns.

Before: scorecards, frozen or measured last. After: evidence about one subject, which wants whole
figures, and `judging`, which wants a few columns of everybody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.frames import read_rows
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.scorecards import FigureColumns, kept_figures
from partner_cx.periods import Period
from rewards.conditions import interval_end

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

    def columns(self, kpi: str, subjects: Sequence[str]) -> KpiColumns:
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
    def _rows(self) -> dict[str, dict[str, Sequence[Any]]]:
        """By KPI and subject: what conditions look at, see _COLUMNS; exact numbers as texts."""
        table = self._table
        columns = [sa.type_coerce(getattr(table, name), kind) for name, kind in _COLUMNS.items()]
        wanted = sa.select(table.kpi, table.subject, *columns).where(
            table.period == str(self._period), table.level.in_(self._levels), *self._conditions
        )
        rows: dict[str, dict[str, Sequence[Any]]] = defaultdict(dict)
        for row in read_rows(self._session, wanted):
            rows[row[0]][row[1]] = row
        return rows


_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "value": sa.Text(),
    "n": sa.BigInteger(),
    "low": sa.Double(),
    "high": sa.Double(),
    "state": sa.Text(),
    "coverage": sa.Text(),
    "target": sa.Text(),
    "n_min": sa.Integer(),
    "coverage_min": sa.Text(),
}
_NAMES = ("kpi", "subject", *_COLUMNS)
_NOTHING = (None,) * len(_NAMES)


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
    def read(cls, written: Sequence[str | None]) -> Self:
        """What is written `19/20`; None where there is nothing."""
        read = {each: _read(each) for each in set(written)}  # many are alike
        if read.keys() <= {None}:
            return cls.of_nothing(len(written))
        return cls.of([read[each] for each in written])

    @classmethod
    def of_nothing(cls, count: int) -> Self:
        return cls(np.zeros(count, object), np.ones(count, object), np.zeros(count, bool))

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
    """One KPI of many subjects, place by place: what conditions look at of its figures.

    Each column is made when a condition first looks at it: most look at two or three.
    """

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = rows

    @classmethod
    def of_nothing(cls, count: int) -> Self:
        return cls([_NOTHING] * count)

    @cached_property
    def value(self) -> Quotients:
        return Quotients.read(self._columns["value"])

    @cached_property
    def n(self) -> Array:
        return np.array([each or 0 for each in self._columns["n"]], dtype=np.int64)

    @cached_property
    def state(self) -> Array:
        return np.array(self._columns["state"], dtype=object)

    @cached_property
    def silent(self) -> Array:
        """Where nothing was measured, or too long ago."""
        return ~self.value.given | (self.state == State.STALE)

    @cached_property
    def low(self) -> Quotients:
        """The lower end of the 95 % interval, as conditions compare it."""
        return Quotients.of([_end(each) for each in self._columns["low"]])

    @cached_property
    def high(self) -> Quotients:
        return Quotients.of([_end(each) for each in self._columns["high"]])

    @cached_property
    def coverage(self) -> Quotients:
        return Quotients.read(self._columns["coverage"])

    @cached_property
    def aimed(self) -> Array:
        """Where a target holds."""
        return np.array([each is not None for each in self._columns["target"]], dtype=bool)

    @cached_property
    def n_min(self) -> Array:
        """What the target asks of the sample."""
        return np.array([each or 0 for each in self._columns["n_min"]], dtype=np.int64)

    @cached_property
    def coverage_min(self) -> Quotients:
        """What the target asks of the coverage."""
        return Quotients.read(self._columns["coverage_min"])

    @cached_property
    def _columns(self) -> dict[str, Sequence[Any]]:
        """Plain values by the column's name, None where there is none."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(_NAMES)
        return dict(zip(_NAMES, columns, strict=True))


def _read(written: str | None) -> tuple[int, int] | None:
    if written is None:
        return None
    above, _, below = written.partition("/")
    return int(above), int(below)


def _end(number: float | None) -> tuple[int, int] | None:
    end = interval_end(number)
    return None if end is None else (end.numerator, end.denominator)
