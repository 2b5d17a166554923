"""The stand-in's database: rows by model, what is worked out of them, and records' names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.stand_ins.odoo.fields import (
    KEPT_BY_ODOO,
    Field,
    Model,
    Row,
    models,
    other_versions_fields,
)

_FAR = 1 << 62


@dataclass(frozen=True)
class Made:
    """Rows with ids 1 to `count`, made when they are asked for, where all would be too many.

    row: the whole row of an id, many2ones as [id, name], all fields that are read.
    by: many2one → ids of the rows that point to a record, so that nobody looks through all.
    written_until: no made row was written after that moment. newest: the one written last, of
    several the one with the highest id.
    """

    count: int
    row: Callable[[int], Row]
    by: Mapping[str, Callable[[int], Iterable[int]]] = field(default_factory=dict)
    written_until: str = "9999"
    newest: int | None = None


Rows = Sequence[Mapping[str, Any]] | Made


class Table:
    """The rows of a model. Ids that were removed are never given again."""

    def __init__(self, model: Model, made: Made | None = None) -> None:
        self.model = model
        self.fields: dict[str, Field] = dict(model.fields)
        self.made = made
        self.kept: dict[int, Row] = {}  # rows of their own, those that hide made ones among them
        self.gone: set[int] = set()
        self.newest = made.count if made else 0
        self._ids: list[int] | None = None
        self._pointing: dict[str, dict[Any, list[int]]] = {}

    @property
    def is_empty(self) -> bool:
        return not self.kept and self.made is None

    def get(self, record_id: int) -> Row | None:
        row = self.kept.get(record_id)
        if row is None and self.made and self._is_made(record_id):
            return self.made.row(record_id)
        return row

    def _is_made(self, record_id: int) -> bool:
        assert self.made is not None
        return 0 < record_id <= self.made.count and record_id not in self.gone

    def ids(self, above: int = 0, below: int = _FAR) -> Iterator[int]:
        """Ids in between, both left out, in their order."""
        own = self._own_ids()
        if not self.made:
            for place in range(bisect_right(own, above), len(own)):
                if own[place] >= below:
                    return
                yield own[place]
            return
        for record_id in range(max(above, 0) + 1, min(below, self.made.count + 1)):
            if record_id not in self.gone:
                yield record_id
        yield from (each for each in own if each > max(above, self.made.count) and each < below)

    def own_ids(self) -> list[int]:
        """Ids of the rows that aren't made when asked for."""
        return list(self._own_ids())

    def _own_ids(self) -> list[int]:
        if self._ids is None:
            self._ids = sorted(self.kept)
        return self._ids

    def pointing_to(self, name: str, target: Any) -> list[int]:
        """Ids of the rows whose many2one points to a record, in their order."""
        by_target = self._pointing.get(name)
        if by_target is None:
            by_target = self._pointing[name] = {}
            for record_id in self._own_ids():
                to = record_of(self.kept[record_id].get(name))
                by_target.setdefault(to, []).append(record_id)
        found = by_target.get(target, [])
        if not self.made or name not in self.made.by:
            return list(found)
        made = (
            each
            for each in self.made.by[name](target)
            if each not in self.kept and self._is_made(each)
        )
        return sorted([*found, *made])

    def knows_who_points_by(self, name: str) -> bool:
        return self.made is None or name in self.made.by

    def put(self, record_id: int, row: Row) -> None:
        """Keep a row, and what is known of who points to whom as far as it still holds."""
        before = self.kept.get(record_id)
        self.kept[record_id] = row
        if before is not None:
            for name in list(self._pointing):
                if record_of(before.get(name)) != record_of(row.get(name)):
                    del self._pointing[name]
        elif record_id > self.newest and self._ids is not None:
            self._ids.append(record_id)
            for name, by_target in self._pointing.items():
                by_target.setdefault(record_of(row.get(name)), []).append(record_id)
        else:
            self._forget()
        self.newest = max(self.newest, record_id)

    def take(self, record_id: int) -> None:
        self.kept.pop(record_id, None)
        self.gone.add(record_id)
        self._forget()

    def _forget(self) -> None:
        self._ids = None
        self._pointing = {}


def record_of(value: Any) -> Any:
    """The id in a many2one, whether it is kept with its name or without."""
    return value[0] if isinstance(value, (list, tuple)) else (value or False)


class Tables:
    """All models that are installed, with their rows."""

    def __init__(self, version: int, rows: Mapping[str, Rows], *, without: Iterable[str]) -> None:
        self.version = version
        self.names: dict[str, dict[int, Any]] = {}  # as rows told them, of records without rows
        self._tables: dict[str, Table] = {}
        left_out = frozenset(without)
        for name, model in models(version).items():
            if name not in left_out and ("optional" not in model.words or name in rows):
                self._tables[name] = Table(model)
        for name, given in rows.items():
            if name not in left_out:
                self._fill(name, given)

    def __contains__(self, model: str) -> bool:
        return model in self._tables

    def __getitem__(self, model: str) -> Table:
        return self._tables[model]

    def get(self, model: str | None) -> Table | None:
        return self._tables.get(model or "")

    def names_of_models(self) -> list[str]:
        return sorted(self._tables)

    def _fill(self, name: str, given: Rows) -> None:
        known = self._tables.get(name)
        model = known.model if known else Model(name, name, "id")
        if isinstance(given, Made):
            self._tables[name] = Table(model, given)
            return
        table = self._tables[name] = known or Table(model)
        for row in given:
            self._know(table, row)
            kept = {key: self._kept(table.fields[key], value) for key, value in row.items()}
            _finish_moments(kept)
            if "active" in table.fields:
                kept.setdefault("active", True)
            table.put(int(row["id"]), kept)

    def _know(self, table: Table, row: Mapping[str, Any]) -> None:
        """A column that isn't declared is a field all the same, such as one that a module adds."""
        for key, value in row.items():
            if key in table.fields:
                continue
            if (table.model.name, key) in other_versions_fields(self.version):
                raise ValueError(
                    f"Odoo {self.version} has no {key} in {table.model.name}: "
                    "these rows are another version's."
                )
            table.fields[key] = _guessed(key, value)

    def _kept(self, field_: Field, value: Any) -> Any:
        if field_.kind != "many2one":
            return field_.empty if value is None else value
        if isinstance(value, (list, tuple)):
            self.names.setdefault(field_.relation or "", {})[value[0]] = value[1]
        return record_of(value)


def _finish_moments(row: Row) -> None:
    """Rows tell whole seconds, the database keeps fractions: here a different one for each id."""
    for name in KEPT_BY_ODOO & row.keys():
        value = row[name]
        if isinstance(value, str) and len(value) == 19:
            row[name] = f"{value}.{row['id'] * 7919 % 999_983 + 1:06}"


def _guessed(name: str, value: Any) -> Field:
    kinds = {bool: "boolean" if value else "char", int: "integer", float: "float"}
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[1], str):
            return Field(name, "many2one")
        return Field(name, "many2many")
    return Field(name, kinds.get(type(value), "char"))
