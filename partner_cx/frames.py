"""Frames from the database, read whole columns at a time.

The everyday way through the ORM costs microseconds per value; a refresh reads millions. Here the
driver's plain rows (SQLite) or a COPY (PostgreSQL) become columns without a Python object per
day or instant.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler


def read_frame(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]] | sa.TextualSelect,
    parameters: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Read what a statement selects (or returns) as a frame, each column by its declared type.

    statement: a select, or `text(...).columns(...)`, whose columns know their types.
    Returns days as naive midnights and instants as aware UTC (`datetime64[us]`, `NaT` where there
    is none), whole numbers as int64 and truths as bool (Int64 and boolean where some are missing),
    texts as str. Exact fractions stay the text in which they are kept.
    """
    session.flush()
    connection = session.connection()
    types = {column.name: _arrow_type(column.type) for column in statement.selected_columns}
    bound = statement.params(dict(parameters or {}))
    read = _fetched if connection.dialect.name == "sqlite" else _copied
    return _framed(read(connection, bound, types))


def read_rows(session: Session, statement: sa.Executable) -> Sequence[tuple[Any, ...]]:
    """Read what a statement selects (or returns) as the driver's own rows.

    For tens of thousands of numbers and texts: days, instants and truths are as the driver has
    them, on SQLite texts and whole numbers.
    """
    session.flush()
    return _plain(session.connection().execute(statement))


def _plain(result: sa.CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    rows: Sequence[tuple[Any, ...]] = result.cursor.fetchall()
    result.close()
    return rows


def _fetched(
    connection: sa.Connection, statement: sa.Executable, types: Mapping[str, pa.DataType]
) -> pa.Table:
    rows = _plain(connection.execute(statement))
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * len(types)
    arrays = [_array(values, kind) for values, kind in zip(columns, types.values(), strict=True)]
    return pa.table(arrays, names=list(types))


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):  # written in UTC, without saying so
        return pa.array(values, pa.string()).cast(pa.timestamp("us")).cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array(values, pa.int8()).cast(kind)
    return pa.array(values, kind)


def _copied(
    connection: sa.Connection, statement: sa.ClauseElement, types: Mapping[str, pa.DataType]
) -> pa.Table:
    compiled = statement.compile(dialect=connection.dialect)
    assert isinstance(compiled, SQLCompiler)
    plain = compiled.construct_expanded_state()
    command = f"COPY ({plain.statement}) TO STDOUT (FORMAT csv)"
    rows = io.BytesIO()
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(command, plain.parameters) as copy:
        for block in copy:
            rows.write(block)
    if not rows.tell():
        return pa.schema(list(types.items())).empty_table()
    rows.seek(0)
    return pyarrow.csv.read_csv(
        rows,
        pyarrow.csv.ReadOptions(column_names=list(types)),
        pyarrow.csv.ParseOptions(newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=dict(types),
            null_values=[""],  # COPY writes NULL as nothing, and an empty text as ""
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    """The Arrow type of a column, by what the database keeps of it."""
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    match kind:
        case sa.DateTime():
            return pa.timestamp("us", "UTC")
        case sa.Date():
            return pa.timestamp("us")
        case sa.Boolean():
            return pa.bool_()
        case sa.Integer():
            return pa.int64()
        case sa.Float():
            return pa.float64()
        case sa.String():
            return pa.string()
    raise AssertionError(f"no frame holds columns of the type {kind!r}")


def _framed(table: pa.Table) -> pd.DataFrame:
    columns = zip(table.column_names, table.columns, strict=True)
    return pd.DataFrame({name: _series(column) for name, column in columns})


def _series(column: pa.ChunkedArray) -> pd.Series:
    kinds: dict[pa.DataType, Any] = {pa.string(): pd.StringDtype(na_value=np.nan)}
    if column.null_count:
        kinds |= {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    series: pd.Series = column.to_pandas(types_mapper=kinds.get)
    return series
