"""Writes the demo's frames as the files a user would have: CSV, XLSX, Parquet, foreign exports.

The same frame gives the same bytes, on any day.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest moment a ZIP file can tell


@dataclass(frozen=True)
class DemoFile:
    """A file to import: what kind, where it lies, who sends it, and the mapping it needs."""

    kind: str
    path: Path
    source: str
    mapping_path: Path | None = None


@dataclass(frozen=True)
class ForeignExport:
    """How a French program exports: its headers and words, semicolons, days as dd/mm/yyyy.

    columns: our column to theirs; values: by our column, their value to ours.
    """

    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    decimal: str = "."
    encoding: str = "utf-8"

    def mapping(self) -> str:
        """The mapping file that lets the export in."""
        read = {"delimiter": ";", "decimal": self.decimal, "encoding": self.encoding}
        tables = {"read": read, "columns": self.columns, "dates": {"format": "%d/%m/%Y"}}
        tables |= {f"values.{column}": values for column, values in self.values.items()}
        return "\n".join(_toml_table(name, table) for name, table in tables.items())

    def translate(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Our frame in the program's headers, words and notation."""
        foreign = frame.copy()
        for column in frame.select_dtypes("datetime"):
            foreign[column] = frame[column].dt.strftime("%d/%m/%Y")
        for column, values in self.values.items():
            foreign[column] = frame[column].map({ours: theirs for theirs, ours in values.items()})
        if self.decimal != ".":
            foreign["qty"] = frame["qty"].str.replace(".", self.decimal)
        return foreign[list(self.columns)].rename(columns=dict(self.columns))


def _toml_table(name: str, table: Mapping[str, str]) -> str:
    # A JSON string is a TOML string; keys are quoted too, since theirs hold spaces and accents.
    lines = [f"{_key(key)} = {_text(value)}" for key, value in table.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _key(name: str) -> str:
    return name if re.fullmatch(r"[a-z_]+", name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Shelf:
    """The folder the files are put in; each is named for its kind unless told otherwise."""

    folder: Path

    def csv(self, kind: str, frame: pd.DataFrame, *, source: str, name: str = "") -> DemoFile:
        """Plain CSV: days as YYYY-MM-DD, instants in UTC."""
        path = self.folder / f"{name or kind}.csv"
        _in_words(frame).to_csv(path, index=False, lineterminator="\n")
        return DemoFile(kind, path, source)

    def foreign_csv(
        self, kind: str, frame: pd.DataFrame, export: ForeignExport, *, source: str
    ) -> DemoFile:
        """CSV as another program exports it, with a mapping beside it."""
        path = self.folder / f"{kind}.csv"
        mapping_path = self.folder / f"{kind}.toml"
        mapping_path.write_text(export.mapping(), encoding="utf-8")
        foreign = export.translate(frame)
        foreign.to_csv(path, index=False, sep=";", encoding=export.encoding, lineterminator="\r\n")
        return DemoFile(kind, path, source, mapping_path)

    def parquet(
        self, kind: str, frame: pd.DataFrame, *, instants: tuple[str, ...], source: str
    ) -> DemoFile:
        """Parquet, the named columns being instants in UTC."""
        path = self.folder / f"{kind}.parquet"
        aware = frame.assign(**{name: frame[name].dt.tz_localize("UTC") for name in instants})
        table = pa.Table.from_pandas(aware, preserve_index=False)
        pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")
        return DemoFile(kind, path, source)

    def xlsx(self, kind: str, frame: pd.DataFrame, *, source: str) -> DemoFile:
        """A workbook of one sheet, with real dates in its cells."""
        path = self.folder / f"{kind}.xlsx"
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet(kind)
        sheet.append(list(frame.columns))
        days = frame.select_dtypes("datetime").columns
        dated = frame.assign(**{day: frame[day].dt.date.astype(object) for day in days})
        for row in dated.itertuples(index=False, name=None):
            sheet.append(row)
        written = io.BytesIO()
        book.save(written)
        path.write_bytes(_timeless(written.getvalue()))
        return DemoFile(kind, path, source)


def _timeless(workbook: bytes) -> bytes:
    """The same workbook without the moment it was written at."""
    bare = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"1980-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            new.writestr(entry, content, compress_type=zipfile.ZIP_DEFLATED)
    return bare.getvalue()


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Days and instants as text; a column is of instants when any of it isn't at midnight."""
    words = frame.copy()
    for column in frame.select_dtypes("datetime"):
        moments = frame[column]
        told = moments.dropna()
        unit, end = ("D", "") if (told == told.dt.normalize()).all() else ("s", "Z")
        text = pd.Series(pd.NA, index=frame.index, dtype="object")
        written = pd.Series(_iso(told, unit), index=told.index, dtype="object")
        text[told.index] = written + end
        words[column] = text
    for column in frame.select_dtypes("bool"):
        words[column] = frame[column].map({True: "true", False: "false"})
    return words


def _iso(moments: pd.Series, unit: str) -> list[str]:
    instants = moments.to_numpy(dtype=f"datetime64[{unit}]")
    return list(np.datetime_as_string(instants).tolist())
