"""Drafts: rows on their way in, as columns, and which of them are still good."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_cx.operations.fields import Mask
from partner_cx.operations.problems import Problem
from partner_cx.words import Words


class Draft:
    """Rows on their way in: columns as read so far, and which rows are still good."""

    def __init__(self, table: pa.Table, lines: np.ndarray) -> None:
        self.given = table
        self.lines = lines
        self.columns: dict[str, pa.Array] = {}
        self.good: Mask = np.ones(len(lines), dtype=bool)
        self.problems: list[Problem] = []

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, column: str) -> pa.Array:
        return self.columns[column]

    def __setitem__(self, column: str, values: pa.Array | pa.ChunkedArray) -> None:
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        self.columns[column] = values

    def refuse(self, bad: Mask, column: str | None, reason: Words, remedy: Words) -> None:
        """Refuse the rows of a mask, unless they are refused already."""
        bad = bad & self.good
        if not bad.any():
            return
        self.good = self.good & ~bad
        shown = column in self.given.column_names if column else False
        for row in np.flatnonzero(bad):
            value = self.given[column][int(row)].as_py() if shown else None
            text = None if value is None else str(value)
            self.problems.append(
                Problem(
                    line=int(self.lines[row]),
                    column=column,
                    value=text,
                    reason=reason,
                    remedy=remedy,
                )
            )

    def keep(self, rows: Mask) -> Draft:
        """The same draft with some of its rows; problems stay behind with this one."""
        wanted = pa.array(rows)
        kept = Draft(self.given.filter(wanted), self.lines[rows])
        kept.columns = {name: column.filter(wanted) for name, column in self.columns.items()}
        kept.good = self.good[rows]
        return kept

    def rows(self, columns: Iterable[str]) -> pa.Table:
        """The good rows, with the columns asked for."""
        table = pa.table({name: self.columns[name] for name in columns})
        return table if self.good.all() else table.filter(pa.array(self.good))


def refuse_disorder(
    draft: Draft, first: str, last: str, *, shown: str, reason: Words, remedy: Words
) -> None:
    """Refuse rows whose first column lies after their last one."""
    wrong = pc.fill_null(pc.greater(draft[first], draft[last]), False)
    draft.refuse(np.asarray(wrong), shown, reason, remedy)
