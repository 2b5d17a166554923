"""What a record answers for a field: what its row says, else what follows from other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from integrations.stand_ins.odoo.fields import Field, Row
from integrations.stand_ins.odoo.sorting import in_order
from integrations.stand_ins.odoo.tables import Table, Tables, record_of

_NAMED_BY = ("name", "title", "reference", "complete_name")


def value(tables: Tables, table: Table, row: Row, name: str) -> Any:
    """A field of a row, many2ones as ids."""
    field = table.fields[name]
    if field.kind == "one2many" and field.inverse:
        return children(tables, table, row, field)
    if name in row:
        found = row[name]
        return record_of(found) if field.kind == "many2one" else found
    if field.path:
        return _along(tables, table, row, field.path)
    worked_out = _WORKED_OUT.get((table.model.name, name))
    if worked_out:
        return worked_out(tables, table, row)
    if name == "display_name":
        return name_of(tables, table.model.name, row["id"])
    return field.empty


def shown(tables: Tables, table: Table, row: Row, name: str) -> Any:
    """A field of a row as an answer shows it: whole seconds, a many2one with its name."""
    field = table.fields[name]
    if field.kind == "many2one":
        given = row.get(name)
        if type(given) is list:  # a made row's
            return given
        target = value(tables, table, row, name)
        return [target, name_of(tables, field.relation or "", target)] if target else False
    found = value(tables, table, row, name)
    if field.kind == "datetime" and found:
        return found[:19]
    return found


def children(tables: Tables, table: Table, row: Row, field: Field) -> list[int]:
    """The rows that point here, archived ones left out, in the order of their model."""
    other = tables.get(field.relation)
    told = row.get(field.name)
    if other is None or not field.inverse or not other.knows_who_points_by(field.inverse):
        return told or []
    if told and (table.made or other.is_empty):
        return list(told)
    rows = [other.get(each) or {} for each in other.pointing_to(field.inverse, row["id"])]
    if field.inverse == "res_id":
        rows = [each for each in rows if _belongs_to(each, table.model.name)]
    if "active" in other.fields:
        rows = [each for each in rows if each.get("active", True)]
    if not rows and told and not any(map(other.get, told)):
        return list(told)  # rows that weren't given
    return [each["id"] for each in in_order(tables, other, rows, other.model.order, value)]


def _belongs_to(row: Row, model: str) -> bool:
    """Whether a message, activity or rating is a record's of that model. Notices to one are not."""
    if row.get("message_type") == "user_notification":
        return False
    return model in (row.get("model"), row.get("res_model"))


def _along(tables: Tables, table: Table, row: Row, path: Sequence[str]) -> Any:
    first, *rest = path
    found = value(tables, table, row, first)
    if not rest:
        return found
    other = tables.get(table.fields[first].relation)
    target = other.get(found) if other is not None and found else None
    if other is None or target is None:
        return False
    return _along(tables, other, target, rest)


# --- Names ---------------------------------------------------------------------------------------


def name_of(tables: Tables, model: str, record_id: int) -> Any:
    """The display name of a record: its own, else the one by which others named it."""
    table = tables.get(model)
    row = table.get(record_id) if table is not None else None
    if row is not None and "display_name" in row:
        return row["display_name"]
    told = tables.names.get(model, {}).get(record_id)
    if told is not None:
        return told
    if table is None or row is None:
        return f"{model},{record_id}"
    naming = _NAMES.get(model, _plain_name)
    return naming(tables, table, row)


def _plain_name(tables: Tables, table: Table, row: Row) -> Any:
    for name in _NAMED_BY:
        if name in table.fields:
            return value(tables, table, row, name)
    return f"{table.model.name},{row['id']}"


def _contact_name(tables: Tables, table: Table, row: Row) -> Any:
    company = record_of(row.get("parent_id"))
    if not company or row.get("is_company"):
        return row.get("name") or False
    return f"{name_of(tables, 'res.partner', company)}, {row.get('name') or ''}"


def _product_name(tables: Tables, table: Table, row: Row) -> Any:
    code = row.get("default_code")
    return f"[{code}] {row.get('name')}" if code else row.get("name")


def _tag_name(tables: Tables, table: Table, row: Row) -> Any:
    above = record_of(row.get("parent_id"))
    return (f"{name_of(tables, table.model.name, above)} / " if above else "") + row["name"]


def _order_line_name(tables: Tables, table: Table, row: Row) -> Any:
    return f"{name_of(tables, 'sale.order', record_of(row.get('order_id')))} - {row.get('name')}"


def _card_name(tables: Tables, table: Table, row: Row) -> Any:
    program = name_of(tables, "loyalty.program", record_of(row.get("program_id")))
    return f"{program}: {row.get('code')}"


def _document_name(tables: Tables, table: Table, row: Row) -> Any:
    reference = row.get("ref")
    return f"{row.get('name') or 'Draft'}" + (f" ({reference})" if reference else "")


def _nameless(tables: Tables, table: Table, row: Row) -> Any:
    return False


_NAMES: Mapping[str, Callable[[Tables, Table, Row], Any]] = {
    "res.partner": _contact_name,
    "product.product": _product_name,
    "res.partner.category": _tag_name,
    "sale.order.line": _order_line_name,
    "loyalty.card": _card_name,
    "account.move": _document_name,
    "mail.message": _nameless,
}


# --- What is worked out --------------------------------------------------------------------------


def _commercial_partner(tables: Tables, table: Table, row: Row) -> int:
    while not row.get("is_company") and record_of(row.get("parent_id")):
        above = table.get(record_of(row["parent_id"]))
        if above is None:
            break
        row = above
    return int(row["id"])


def _last_login(tables: Tables, table: Table, row: Row) -> Any:
    logs = tables.get("res.users.log")
    moments: Iterable[str] = (
        (logs.kept[each]["create_date"] for each in logs.pointing_to("create_uid", row["id"]))
        if logs is not None
        else ()
    )
    return max(moments, default=False)


def _is_closed(tables: Tables, table: Table, row: Row) -> bool:
    return row.get("state") in ("1_done", "1_canceled")


def _point_name(tables: Tables, table: Table, row: Row) -> Any:
    program = tables["loyalty.program"].get(record_of(row.get("program_id"))) or {}
    return program.get("portal_point_name") or "Points"


_WORKED_OUT: Mapping[tuple[str, str], Callable[[Tables, Table, Row], Any]] = {
    ("res.partner", "commercial_partner_id"): _commercial_partner,
    ("res.users", "login_date"): _last_login,
    ("project.task", "is_closed"): _is_closed,
    ("loyalty.card", "point_name"): _point_name,
}
