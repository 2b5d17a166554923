"""Parquet files as a stream of rows: already typed, so little can be wrong with a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from integrations.files.columns import Header
from integrations.files.mapping import Mapping
from integrations.files.rows import BATCH_ROWS, Form, Rows, Unchanged
from partner_cx.errors import Invalid
from partner_cx.operations.cells import as_texts


class ParquetFile:
    """A Parquet file. Rows are counted from 1, since it has no lines and no header line.

    Memory is bounded by its row groups, which whoever wrote it has chosen.
    """

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._name, self._decimal = path.name, mapping.decimal
        self._unchanged = Unchanged(path)
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise self._broken(error) from error
        schema = self._file.schema_arrow
        self._flat = [f.name for f in schema if not pa.types.is_nested(f.type)]
        self.notes = [
            f"The column “{f.name}” holds lists or records, which aren't read."
            for f in schema
            if pa.types.is_nested(f.type)
        ]
        self.header = Header(path.name, 0, tuple(self._flat), ())
        self.form = Form()
        self.rows_total_hint: int | None = self._file.metadata.num_rows
        self._done = 0

    def rows(self) -> Iterator[Rows]:
        try:
            for batch in self._file.iter_batches(BATCH_ROWS, columns=self._flat):
                table = pa.table({name: _plain(batch[name]) for name in self._flat})
                lines = np.arange(self._done + 1, self._done + 1 + len(batch), dtype=np.int64)
                self._done += len(batch)
                yield Rows(table, self._raw(table), lines)
        except (pa.ArrowException, OSError) as error:
            raise self._broken(error) from error
        self._unchanged.check()

    def progress(self) -> float:
        return self._done / self.rows_total_hint if self.rows_total_hint else 1.0

    def close(self) -> None:
        self._file.close()

    def _raw(self, table: pa.Table) -> pa.Table:
        return pa.table({name: self._text(table[name]) for name in table.column_names})

    def _text(self, column: pa.ChunkedArray) -> pa.Array:
        texts = as_texts(column)
        kind = column.type
        if self._decimal != "." and (pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            texts = pc.replace_substring(texts, ".", self._decimal)
        return texts

    def _broken(self, error: Exception) -> Invalid:
        reason = str(error).splitlines()[0][:200].rstrip(". ")
        return Invalid(
            f"{self._name} is a damaged Parquet file: {reason}.",
            remedy="Write it again where it comes from; it may have been cut short.",
        )


def _plain(column: pa.Array) -> pa.Array:
    """Dictionaries, large and binary texts as plain text; bytes that aren't text as null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            return pa.nulls(len(column), pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    return column
