"""Many rows at once: one act with two bodies, `executemany` on SQLite and COPY on PostgreSQL.

Everything comes in as an Arrow table whose columns are named like the database's. Whoever writes
a handful of rows uses the session instead.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, cast

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy.orm import Session

_SQLITE_TOGETHER = 50  # rows in one statement; more bring nothing


def write(session: Session, table: sa.Table | str, rows: pa.Table) -> None:
    """Append rows to a table. Any row the database refuses undoes them all."""
    connection = session.connection()
    name = table if isinstance(table, str) else table.name
    if connection.dialect.name == "postgresql":
        _copy(connection, name, rows)
    elif isinstance(table, sa.Table) and rows.num_rows > 1_000:
        _sqlite_insert_together(connection, name, rows)
    else:
        _sqlite_insert(connection, name, rows)


def write_new(
    session: Session,
    table: sa.Table,
    rows: pa.Table,
    *,
    key: Sequence[str],
    clashes_expected: bool = False,
) -> int:
    """Append the rows whose key is new, the first of several with the same key; count them.

    A row that clashes on anything but its key is an error, not something to pass over.
    clashes_expected: whether keys are likely to be there already; it only changes the speed.
    """
    connection = session.connection()
    nothing = f"ON CONFLICT ({_names(key)}) DO NOTHING"
    if connection.dialect.name == "sqlite":
        return _sqlite_insert(connection, table.name, rows, nothing)
    if not clashes_expected and _copied_without_clash(session, table.name, rows):
        return int(rows.num_rows)
    names = _names(rows.column_names)
    staged = stage(session, table, rows)
    inserted = connection.exec_driver_sql(
        f"INSERT INTO {quoted(table.name)} ({names}) SELECT {names} FROM {staged} "
        f"ORDER BY staged_row {nothing}"
    )
    return inserted.rowcount


def _copied_without_clash(session: Session, name: str, rows: pa.Table) -> bool:
    """Try COPY, which can't pass over clashes; step back to before it when there was one."""
    savepoint = session.begin_nested()
    try:
        _copy(session.connection(), name, rows)
    except psycopg.errors.UniqueViolation:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def stage(session: Session, table: sa.Table, rows: pa.Table, *, name: str = "incoming") -> str:
    """Put rows in an empty temporary table shaped like `table`, numbered by `staged_row`.

    Returns the temporary table's name. Staging again under the same name replaces what was there.
    """
    connection = session.connection()
    columns = _names(rows.column_names)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} AS SELECT 0 AS staged_row, {columns} "
        f"FROM {quoted(table.name)} WHERE 1 = 0"
    )
    numbered = rows.append_column("staged_row", pa.array(np.arange(rows.num_rows)))
    write(session, name, numbered)
    return name


def quoted(name: str) -> str:
    """A name as SQL reads it: some of our columns (`on`, `of`) are its own words."""
    return f'"{name}"'


def _names(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _sqlite_insert(connection: sa.Connection, name: str, rows: pa.Table, clause: str = "") -> int:
    """A few rows with each statement, which takes half the time, and those left over one by one."""
    if rows.num_rows == 0:
        return 0
    insert = f"INSERT INTO {quoted(name)} ({_names(rows.column_names)}) VALUES"
    row = f"({', '.join('?' * rows.num_columns)})"
    values = chain.from_iterable(zip(*map(_sqlite_values, rows.columns), strict=True))
    statements, left_over = divmod(rows.num_rows, _SQLITE_TOGETHER)
    inserted = 0
    cursor = connection.connection.cursor()
    try:
        for together, times in ((_SQLITE_TOGETHER, statements), (1, left_over)):
            cursor.executemany(
                f"{insert} {', '.join([row] * together)} {clause}",
                cast("Any", _pieces(values, together * rows.num_columns, times)),
            )
            inserted += int(cursor.rowcount)
    finally:
        cursor.close()
    return inserted


def _pieces(values: Iterator[Any], length: int, times: int) -> Iterator[tuple[Any, ...]]:
    return (tuple(islice(values, length)) for _ in range(times))


def _sqlite_insert_together(connection: sa.Connection, name: str, rows: pa.Table) -> None:
    """Keys, checks and triggers cost half when one statement inserts all; so they wait aside."""
    names = _names(rows.column_names)
    connection.exec_driver_sql("DROP TABLE IF EXISTS rows_aside")
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE rows_aside AS SELECT {names} FROM {quoted(name)} WHERE 1 = 0"
    )
    _sqlite_insert(connection, "rows_aside", rows)
    connection.exec_driver_sql(
        f"INSERT INTO {quoted(name)} ({names}) SELECT {names} FROM rows_aside ORDER BY rowid"
    )
    connection.exec_driver_sql("DROP TABLE rows_aside")


def _sqlite_values(column: pa.ChunkedArray) -> list[Any]:
    """A column as the plain values SQLite keeps: numbers, texts, and days and instants as text."""
    if pa.types.is_dictionary(column.type):
        return _spelled_out(column.combine_chunks())
    if pa.types.is_date(column.type):
        column = column.cast(pa.string())
    elif pa.types.is_timestamp(column.type):
        column = _without_zone(column).cast(pa.string())
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_integer(column.type) and column.null_count:
        values = column.to_pandas(integer_object_nulls=True).to_numpy(dtype=object)
    elif pa.types.is_floating(column.type) and column.null_count:
        return [None if v != v else v for v in column.to_numpy().tolist()]
    elif pa.types.is_null(column.type):
        return [None] * len(column)
    else:
        values = column.to_numpy(zero_copy_only=False)
    listed: list[Any] = values.tolist()
    return listed


def _spelled_out(column: pa.DictionaryArray) -> list[Any]:
    """Texts that are kept as places in a list of them: each is one object, however often told."""
    texts = np.array([*column.dictionary.to_pylist(), None], dtype=object)
    listed: list[Any] = texts[column.indices.fill_null(-1).to_numpy()].tolist()
    return listed


def _without_zone(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as UTC without an offset and with six decimals: as SQLite keeps them."""
    return column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))


def _copy(connection: sa.Connection, name: str, rows: pa.Table) -> None:
    if rows.num_rows == 0:
        return
    columns = []
    for column in rows.columns:
        if pa.types.is_timestamp(column.type):
            column = pc.cast(_without_zone(column), pa.string())  # the session's zone is UTC
        columns.append(column)
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(
        # Combined, because Arrow 26 writes what lay in memory for a text column's empty chunks.
        pa.table(columns, names=rows.column_names).combine_chunks(),
        buffer,
        pyarrow.csv.WriteOptions(include_header=False),
    )
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(
            f"COPY {quoted(name)} ({_names(rows.column_names)}) FROM STDIN (FORMAT csv)"
        ) as copy,
    ):
        copy.write(buffer.getbuffer())


def arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame as the table that `write` takes: naive midnights become days, NaN becomes null."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    days = {
        name: column.cast(pa.date32())
        for name, column in zip(table.column_names, table.columns, strict=True)
        if pa.types.is_timestamp(column.type) and column.type.tz is None
    }
    for name, column in days.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table.replace_schema_metadata(None)
