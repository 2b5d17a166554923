"""Searching: which records a domain finds, in which order, looking at no more than needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from integrations.stand_ins.odoo import domains, sorting
from integrations.stand_ins.odoo.domains import Leaf, Several, Test
from integrations.stand_ins.odoo.errors import OdooError
from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.tables import Made, Table, Tables
from integrations.stand_ins.odoo.values import value

_FAR = 1 << 62


def found(
    tables: Tables,
    table: Table,
    domain: Sequence[Any],
    *,
    context: Mapping[str, Any],
    order: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Iterator[Row]:
    """The rows a domain finds. Archived ones only when asked for by context or by the domain."""
    if limit and limit < 0:
        raise OdooError(
            "psycopg2.errors.InvalidRowCountInLimitClause", "LIMIT must not be negative\n"
        )
    wanted = domains.read(domain)
    if "active" in table.fields and context.get("active_test", True) and not _asks_active(wanted):
        wanted = Several(True, (*wanted.terms, Leaf("active", "=", True)))
    passes = domains.test(tables, table, wanted)
    rows = _passing(table, _candidates(table, wanted), passes)
    by = order or table.model.order
    if limit == 1 and not offset and table.made and by.startswith("write_date desc"):
        newest = _newest(table, passes)
        if newest:
            return iter(sorting.in_order(tables, table, newest, by, value)[:1])
    if not sorting.is_by_id(by):
        rows = iter(sorting.in_order(tables, table, rows, by, value))
    return islice(rows, offset or 0, (offset or 0) + limit if limit else None)


def _asks_active(wanted: Several) -> bool:
    return "active" in set(domains.names(wanted))


def _passing(table: Table, ids: Iterable[int], passes: Test) -> Iterator[Row]:
    for record_id in ids:
        row = table.get(record_id)
        if row is not None and passes(row):
            yield row


def _newest(table: Table, passes: Test) -> list[Row]:
    """The rows among which the newest is; none when the newest that was made doesn't pass."""
    newest = table.get(table.made.newest) if table.made and table.made.newest else None
    if newest is None or not passes(newest):
        return []
    return [newest, *_passing(table, table.own_ids(), passes)]


def _candidates(table: Table, wanted: Several) -> Iterable[int]:
    """Ids among which all that is wanted lies, in their order, as few as can be told cheaply."""
    leaves = [term for term in wanted.terms if isinstance(term, Leaf)]
    for leaf in leaves:
        named = _named(table, leaf)
        if named is not None:
            return named
    if table.made and any(_only_newer(table.made, leaf) for leaf in leaves):
        return table.own_ids()
    above, below = 0, _FAR
    for leaf in leaves:
        if leaf.field == "id" and isinstance(leaf.value, int):
            above = max(above, {">": leaf.value, ">=": leaf.value - 1}.get(leaf.operator, 0))
            below = min(below, {"<": leaf.value, "<=": leaf.value + 1}.get(leaf.operator, _FAR))
    return table.ids(above, below)


def _named(table: Table, leaf: Leaf) -> Iterable[int] | None:
    """The ids a condition names, or those that point to the records it names."""
    if leaf.operator not in ("=", "in"):
        return None
    values = leaf.value if isinstance(leaf.value, (list, tuple)) else [leaf.value]
    if not all(type(each) is int for each in values):
        return None
    if leaf.field == "id":
        return sorted(set(values))
    field = table.fields.get(leaf.field)
    if field is None or field.kind != "many2one" or field.path or not field.stored:
        return None
    if leaf.field == "commercial_partner_id" or not table.knows_who_points_by(leaf.field):
        return None
    return sorted({each for target in values for each in table.pointing_to(leaf.field, target)})


def _only_newer(made: Made, leaf: Leaf) -> bool:
    """Whether a condition asks for what was written after all made rows."""
    return (
        leaf.field in ("write_date", "create_date")
        and leaf.operator in (">", ">=")
        and isinstance(leaf.value, str)
        and leaf.value > made.written_until
    )
