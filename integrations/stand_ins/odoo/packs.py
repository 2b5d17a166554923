"""Packs: folders with a JSON file of rows for each model, read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from integrations.stand_ins.odoo.stand_in import StandIn
from integrations.stand_ins.odoo.tables import Rows


class NoPack(Exception):
    """A folder that rows can't be read from, and why."""


def read(folder: Path) -> dict[str, Rows]:
    """Model → rows, from `<model>.json`; files that begin with an underscore are about others."""
    files = sorted(each for each in folder.glob("*.json") if not each.name.startswith("_"))
    if not files:
        raise NoPack(f"There are no rows in {folder}: it needs files such as res.partner.json.")
    return {file.stem: _rows(file) for file in files}


def write(stand_in: StandIn, folder: Path) -> list[Path]:
    """All rows of a stand-in, archived ones too, a file for each model that has any."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for model in stand_in.tables.names_of_models():
        rows = stand_in.rows(model)
        if rows:
            file = folder / f"{model}.json"
            text = json.dumps(rows, ensure_ascii=False, indent=1)
            file.write_text(f"{text}\n", encoding="utf-8")
            written.append(file)
    return written


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise NoPack(f"{file} is no JSON: {problem}") from None
    if not isinstance(found, list) or not all(
        isinstance(row, dict) and "id" in row for row in found
    ):
        raise NoPack(f"{file} holds no list of rows with ids, as search_read answers them.")
    return found
