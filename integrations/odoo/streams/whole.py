"""Whole: everything that belongs to some records, however much that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from integrations.odoo.streams import Row

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

AT_ONCE = 2_000  # rows in one answer; one is usually enough


def read_whole(
    odoo: Odoo, model: str, domain: Sequence[Any], fields: Sequence[str], *, archived: bool = False
) -> list[Row]:
    """All records of a domain that is bounded by ids, in order of their own, in few requests."""
    rows: list[Row] = []
    while True:
        after = [("id", ">", rows[-1]["id"])] if rows else []
        more = odoo.search_read(
            model, [*domain, *after], list(fields), limit=AT_ONCE, order="id", archived=archived
        )
        rows += more
        if len(more) < AT_ONCE:
            return rows


def by_id(rows: Sequence[Row], many2one: str) -> dict[int, list[Row]]:
    """The rows by the id that a many2one of them names."""
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[many2one][0]].append(row)
    return grouped
