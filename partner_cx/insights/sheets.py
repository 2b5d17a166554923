"""Sheets: where a period's figures stand, and how the database itself sorts and counts them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from partner_cx.measures.kpi import Direction
from partner_cx.measures.scorecards import FigureColumns
from partner_cx.periods import Period

PARTNER = "partner"
GROUP = "group"


@dataclass(frozen=True)
class Sheet:
    """A period and the table its figures are read from: frozen where it is closed."""

    period: Period
    table: type[FigureColumns]

    def rows(self, level: str, *, kpis: Collection[str] | None = None) -> sa.ColumnElement[bool]:
        """The figures of a level, of some KPIs. None: of all."""
        held = sa.and_(self.table.period == str(self.period), self.table.level == level)
        return held if kpis is None else sa.and_(held, self.table.kpi.in_(sorted(kpis)))


class as_number(sa.sql.expression.FunctionElement[float]):  # noqa: N801 - reads as SQL does
    """A kept fraction as a number to sort by. What is printed or compared stays exact."""

    type = sa.Float()
    inherit_cache = True
    name = "as_number"

    def __init__(self, value: Any) -> None:
        super().__init__(sa.type_coerce(value, sa.Text()))


@compiles(as_number, "sqlite")
def _on_sqlite(element: as_number, compiler: Any, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    slash = f"instr({value}, '/')"
    return (
        f"(CAST(substr({value}, 1, {slash} - 1) AS REAL) / CAST(substr({value}, {slash} + 1) AS "
        "REAL))"
    )


@compiles(as_number, "postgresql")
def _on_postgresql(element: as_number, compiler: Any, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    return (
        f"(split_part({value}, '/', 1)::double precision / "
        f"split_part({value}, '/', 2)::double precision)"
    )


def worst_first(table: type[FigureColumns], direction: Direction) -> list[Any]:
    """What to sort figures by so that those to look after come first.

    What can't be judged comes after what can: too small a sample, then nothing at all.
    """
    number = as_number(table.value)
    judged = sa.case((table.value.is_(None), 2), (table.state == "no_data", 1), else_=0)
    return [judged, number.asc() if direction is Direction.HIGHER else number.desc()]


def best_first(table: type[FigureColumns], direction: Direction) -> list[Any]:
    """The same, from the best downward; what can't be judged still comes last."""
    judged, _ = worst_first(table, direction)
    backward = as_number(table.value)
    return [judged, backward.desc() if direction is Direction.HIGHER else backward.asc()]
