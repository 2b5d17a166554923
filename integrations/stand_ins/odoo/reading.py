"""The methods that read: search, search_read, read, search_count, fields_get and the like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.stand_ins.odoo import errors, searching
from integrations.stand_ins.odoo.domains import read as read_domain
from integrations.stand_ins.odoo.domains import test
from integrations.stand_ins.odoo.errors import OdooError
from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.rights import EVERYTHING, User, not_allowed
from integrations.stand_ins.odoo.tables import Table, Tables
from integrations.stand_ins.odoo.values import shown


@dataclass(frozen=True)
class Call:
    """A method called by somebody, with all it may need."""

    tables: Tables
    table: Table
    user: User
    now: datetime
    ids: tuple[int, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        return self.table.model.name

    def on(self, model: str, ids: Iterable[int] = ()) -> Call:
        """The same call's hand on another model."""
        table = self.tables.get(model)
        if table is None:
            raise errors.NoModel(model)
        return Call(self.tables, table, self.user, self.now, tuple(ids), {})

    def check(self, *, write: bool = False, create: bool = False) -> None:
        """Refuse who has no right to the model."""
        if not self.user.may(self.model, write=write, create=create):
            raise self.refused(write=write)

    def refused(self, *, write: bool) -> OdooError:
        version, label = self.tables.version, self.table.model.label
        return errors.access_error(not_allowed(self.model, label, write=write, version=version))


def search(
    call: Call,
    domain: Sequence[Any],
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[int]:
    return [row["id"] for row in _found(call, domain, offset, limit, order)]


def search_count(call: Call, domain: Sequence[Any], limit: int | None = None) -> int:
    return sum(1 for _ in _found(call, domain, 0, limit, "id"))


def search_read(
    call: Call,
    domain: Sequence[Any] | None = None,
    fields: Sequence[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    **read_kwargs: Any,
) -> list[Row]:
    for name in read_kwargs:
        if name != "load":
            raise OdooError(
                "builtins.TypeError",
                f"BaseModel._read_format() got an unexpected keyword argument '{name}'",
            )
    call.check()
    names = _wanted_fields(call, fields)
    return _all_shown(call, _found(call, domain or [], offset, limit, order), names)


def read(call: Call, fields: Sequence[str] | None = None, load: str = "") -> list[Row]:
    """Records by their ids, those that are gone left out. Hidden ones are refused."""
    call.check()
    names = _wanted_fields(call, fields)
    rows = [row for row in map(call.table.get, call.ids) if row is not None]
    refuse_hidden(call, rows)
    return _all_shown(call, rows, names)


def fields_get(
    call: Call,
    allfields: Sequence[str] | None = None,
    attributes: Sequence[str] | None = None,
) -> dict[str, dict[str, Any]]:
    call.check()
    told = {}
    for name, each in call.table.fields.items():
        if (allfields and name not in allfields) or not _opened(call, each.group):
            continue
        described = each.described()
        told[name] = {
            key: value for key, value in described.items() if not attributes or key in attributes
        }
    return told


def context_get(call: Call) -> dict[str, Any]:
    return {"lang": call.user.language, "tz": "UTC", "uid": call.user.id}


def has_access(call: Call, operation: str) -> bool:
    return call.user.may(call.model, write=operation != "read", create=operation == "create")


def has_group(call: Call, group_ext_id: str) -> bool:
    return EVERYTHING in call.user.groups or group_ext_id in call.user.groups


def refuse_hidden(call: Call, rows: Iterable[Row]) -> None:
    """Refuse records that a record rule hides from the user."""
    rule = call.user.rules.get(call.model)
    if not rule:
        return
    passes = test(call.tables, call.table, read_domain(rule))
    hidden = [row["id"] for row in rows if not passes(row)]
    if hidden:
        raise errors.access_error(
            "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\n"
            f"Sorry, {call.user.login} (id={call.user.id}) doesn't have 'read' access to:\n"
            f"- {call.table.model.label} ({call.model}: {hidden[0]})\n\n"
            "If you really, really need access, perhaps you can win over your friendly "
            "administrator with a batch of freshly baked cookies."
        )


def _found(
    call: Call,
    domain: Sequence[Any],
    offset: int,
    limit: int | None,
    order: str | None,
) -> Iterable[Row]:
    call.check()
    rule = call.user.rules.get(call.model, ())
    late = bool(rule) and call.model == "mail.message"
    rows = searching.found(
        call.tables,
        call.table,
        domain if late else [*domain, *rule],
        context=call.context,
        order=order or None,
        offset=offset,
        limit=limit,
    )
    # Odoo hides messages after it has limited them: pages come short, or empty.
    return filter(test(call.tables, call.table, read_domain(rule)), rows) if late else rows


def _wanted_fields(call: Call, fields: Sequence[str] | None) -> list[str]:
    """Names to show. All, when none are named: then 19 refuses those of a group, 18 skips them."""
    version, table = call.tables.version, call.table
    for name in fields or ():
        if name not in table.fields:
            raise errors.no_field(call.model, name, version)
    names = ["id", *(each for each in fields or table.fields if each != "id")]
    closed = [name for name in names if not _opened(call, table.fields[name].group)]
    if closed and (fields or version >= 19):
        raise errors.access_error(
            f'You do not have enough rights to access the field "{closed[0]}" '
            f"on {table.model.label} ({call.model}). "
            "Please contact your system administrator.\n\n"
            f"Operation: read\nUser: {call.user.id}\n"
            f"Groups: allowed for groups '{table.fields[closed[0]].group}'"
        )
    return [name for name in names if name not in closed]


def _opened(call: Call, group: str | None) -> bool:
    return group is None or group in call.user.groups


def _all_shown(call: Call, rows: Iterable[Row], names: Sequence[str]) -> list[Row]:
    """What is answered of each row. What needs no thought is taken as it is: most of it."""
    fields = call.table.fields
    as_kept = {name for name in names if fields[name].kind not in ("many2one", "one2many")}
    moments = [name for name in names if fields[name].kind == "datetime"]
    return [_shown(call, row, names, as_kept, moments) for row in rows]


def _shown(
    call: Call, row: Row, names: Sequence[str], as_kept: set[str], moments: Sequence[str]
) -> Row:
    answered = {
        name: row[name]
        if name in as_kept and name in row
        else shown(call.tables, call.table, row, name)
        for name in names
    }
    for name in moments:
        if answered[name]:
            answered[name] = answered[name][:19]
    return answered
