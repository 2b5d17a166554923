"""The order records come in: by several fields, by a many2one in the order of its own model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from integrations.stand_ins.odoo import errors
from integrations.stand_ins.odoo.fields import MANY, Row
from integrations.stand_ins.odoo.tables import Table, Tables

Value = Callable[[Tables, Table, Row, str], Any]

_NEVER_EMPTY = frozenset({"boolean", "integer", "float", "monetary", "many2one_reference"})


def in_order(
    tables: Tables, table: Table, rows: Iterable[Row], order: str, value: Value
) -> list[Row]:
    """Rows sorted as PostgreSQL would: what is empty comes last, and first when descending.

    value: what a row answers for a field.
    """
    found = list(rows)
    for name, descending in reversed(list(_wanted(table, order, tables.version))):
        found.sort(key=_key(tables, table, name, found, value), reverse=descending)
    return found


def is_by_id(order: str) -> bool:
    return order.strip().lower() in ("id", "id asc")


def _wanted(table: Table, order: str, version: int) -> Iterator[tuple[str, bool]]:
    for part in order.split(","):
        words = part.split()
        if not words or [word.lower() for word in words[1:]] not in ([], ["asc"], ["desc"]):
            raise errors.user_error(f'Invalid "order" specified ({order}).')
        field = table.fields.get(words[0])
        if field is None:
            raise errors.no_field(table.model.name, words[0], version)
        if (field.worked_out or field.kind in MANY) and words[0] != "display_name":
            raise errors.value_error(
                f"Cannot convert {table.model.name}.{words[0]} to SQL because it is not stored"
            )
        yield words[0], words[-1].lower() == "desc"


def _key(
    tables: Tables, table: Table, name: str, rows: list[Row], value: Value
) -> Callable[[Row], Any]:
    field = table.fields[name]
    if name == "id":
        return lambda row: row["id"]
    if field.kind in _NEVER_EMPTY:
        return lambda row: value(tables, table, row, name) or 0
    if field.kind == "many2one":
        targets = {value(tables, table, row, name) for row in rows}
        places = _places(tables, field.relation, targets, value)
        return lambda row: _last_if_empty(places.get(value(tables, table, row, name)))
    return lambda row: _last_if_empty(value(tables, table, row, name) or None)


def _last_if_empty(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)


def _places(tables: Tables, model: str | None, targets: set[Any], value: Value) -> dict[Any, int]:
    """Where each target stands among the others, in the order of its model."""
    targets.discard(False)
    other = tables.get(model)
    if other is None:
        return {target: target for target in targets}
    known = [row for row in map(other.get, targets) if row is not None]
    ordered = [row["id"] for row in in_order(tables, other, known, other.model.order, value)]
    ordered += sorted(targets - set(ordered))
    return {target: place for place, target in enumerate(ordered)}
