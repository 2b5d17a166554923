"""Facts from files: readers for CSV, XLSX and Parquet, mappings, and the problems file."""

from __future__ import annotations

from integrations.files.columns import KindColumns
from integrations.files.mapping import Mapping
from integrations.files.problems import ProblemsFile
from integrations.files.reading import Batch, FactsFile, read_facts
from integrations.files.rows import Form, Refused

__all__ = [
    "Batch",
    "FactsFile",
    "Form",
    "KindColumns",
    "Mapping",
    "ProblemsFile",
    "Refused",
    "read_facts",
]
