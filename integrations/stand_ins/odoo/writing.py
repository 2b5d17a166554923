"""The methods that write: create, write, unlink, what is posted on a record, and activities."""

from __future__ import annotations

import html
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from integrations.stand_ins.odoo import errors
from integrations.stand_ins.odoo.fields import KEPT_BY_ODOO, MANY, Field, Row
from integrations.stand_ins.odoo.reading import Call, refuse_hidden
from integrations.stand_ins.odoo.tables import record_of
from integrations.stand_ins.odoo.values import name_of, value

NOTE, COMMENT = "mail.mt_note", "mail.mt_comment"
_SUBTYPES = {NOTE: "Note", COMMENT: "Discussions"}
_UNIQUE = {
    "loyalty.card": ("code", "A coupon/loyalty card must have a unique code."),
    "res.users": ("login", "You can not have two users with the same login!"),
}
_UNLINK_REFUSED = ("loyalty.card", "loyalty.history")
_UNLINK_FORGIVEN = ("res.partner.category",)
_UNLINKED_WITH = {  # what goes with a record, and its field that names the record
    "sale.order": ("sale.order.line", "order_id"),
    "account.move": ("account.move.line", "move_id"),
}


def moment(now: datetime) -> str:
    """A moment as the database keeps it."""
    return now.strftime("%Y-%m-%d %H:%M:%S.%f")


def create(call: Call, vals_list: Sequence[Row] | Row) -> list[int]:
    """New records. All are looked at before the first is made: a call is one transaction."""
    call.check(write=True, create=True)
    wanted = [vals_list] if isinstance(vals_list, Mapping) else list(vals_list)
    ready = [_new(call, values) for values in wanted]
    _refuse_twice(call, ready)
    made = []
    for row in ready:
        row["id"] = call.table.newest + 1
        call.table.put(row["id"], row)
        made.append(row["id"])
    return made


def write(call: Call, vals: Row) -> bool:
    call.check(write=True)
    refuse_hidden(call, _existing(call))
    write_unchecked(call, vals)
    return True


def write_unchecked(call: Call, vals: Mapping[str, Any]) -> None:
    """Put values into records, whatever the user may."""
    values = {name: _kept(call, name, given) for name, given in vals.items()}
    rows = _existing(call)
    if _UNIQUE.get(call.model, ("",))[0] in values:
        _refuse_twice(call, [row | values for row in rows])
    for row in rows:
        change(call, row, values)


def change(call: Call, row: Row, values: Mapping[str, Any]) -> None:
    """Put values into a row, as one made anew, so that a made row has its own from now on."""
    told = {"write_date": moment(call.now), "write_uid": call.user.id}
    if "nolog" in call.table.model.words:
        told = {}
    changed = row | told
    for name, given in values.items():
        if name in KEPT_BY_ODOO:
            continue  # Odoo doesn't let them be set
        commands = call.table.fields[name].kind in MANY and _is_commands(given)
        before = value(call.tables, call.table, row, name) if commands else ()
        changed[name] = _many(before, given) if commands else given
    if not {"name", "parent_id"}.isdisjoint(values):
        changed.pop("display_name", None)
        call.tables.names.get(call.model, {}).pop(row["id"], None)
    call.table.put(row["id"], changed)


def unlink(call: Call) -> bool:
    call.check(write=True)
    present = [each for each in call.ids if call.table.get(each) is not None]
    if len(present) < len(call.ids):
        if call.model in _UNLINK_REFUSED:
            raise call.refused(write=True)
        if call.model not in _UNLINK_FORGIVEN:
            gone = next(each for each in call.ids if each not in present)
            raise errors.missing(call.model, gone, call.user.id)
    refuse_hidden(call, [row for row in map(call.table.get, present) if row is not None])
    for record_id in present:
        call.table.take(record_id)
        _unlink_with(call, record_id)
    return True


def _unlink_with(call: Call, gone: int) -> None:
    model, named_by = _UNLINKED_WITH.get(call.model, ("", ""))
    if (lines := call.tables.get(model)) is not None:
        for line in lines.pointing_to(named_by, gone):
            lines.take(line)


def message_post(
    call: Call,
    *,
    body: str = "",
    subject: str | bool = False,
    message_type: str = "notification",
    subtype_xmlid: str | None = None,
    subtype_id: int | bool = False,
    author_id: int | None = None,
    email_from: str | None = None,
    partner_ids: Sequence[int] | None = None,
    body_is_html: bool = False,
    **kwargs: Any,
) -> int:
    """A message on a record. It leaves the record's write_date as it was."""
    call.check()
    (row,) = _existing(call, one=True)
    author = author_id or _partner_of(call)
    address = email_from or _email_of(call, author)
    if not address:
        raise errors.user_error(
            "Unable to send message, please configure the sender's email address."
        )
    subtype = subtype_id or _subtype(call, subtype_xmlid or NOTE)
    messages = call.on("mail.message")
    return create_unchecked(
        messages,
        {
            "model": call.model,
            "res_id": row["id"],
            "body": (body if body_is_html else f"<p>{html.escape(body)}</p>") if body else "",
            "subject": subject,
            "message_type": message_type,
            "subtype_id": subtype,
            "is_internal": False,
            "author_id": author,
            "email_from": address,
            "partner_ids": list(partner_ids or ()),
        },
    )


def create_unchecked(call: Call, values: Row) -> int:
    """A record that Odoo makes by itself, whatever the user may; its id may be given."""
    row = _new(call, values)
    row.setdefault("id", call.table.newest + 1)
    call.table.put(row["id"], row)
    return int(row["id"])


def activity_schedule(
    call: Call,
    act_type_xmlid: str = "",
    date_deadline: str | None = None,
    summary: str = "",
    note: str = "",
    **act_values: Any,
) -> list[int]:
    call.check()
    values = {"summary": summary or False, "note": note or False} | act_values
    if date_deadline:
        values["date_deadline"] = date_deadline
    activities = call.on("mail.activity")
    activities.context["default_res_model"] = call.model
    return [create_unchecked(activities, values | {"res_id": row["id"]}) for row in _existing(call)]


def action_feedback(call: Call, feedback: str | bool = False, **kwargs: Any) -> int:
    """Activities done: in 18 they are deleted, unless their type keeps them; in 19 archived."""
    call.check(write=True)
    for row in _existing(call):
        kind = call.tables["mail.activity.type"].get(record_of(row.get("activity_type_id"))) or {}
        done = {"active": False, "date_done": call.now.date().isoformat()}
        if call.tables.version >= 19:
            change(call, row, done | {"feedback": feedback})
        elif kind.get("keep_done"):
            change(call, row, done)
        else:
            call.table.take(row["id"])
    return 0


def action_archive(call: Call) -> bool:
    return write(call, {"active": False})


def action_unarchive(call: Call) -> bool:
    return write(call, {"active": True})


def _existing(call: Call, *, one: bool = False) -> list[Row]:
    rows = []
    for record_id in call.ids:
        row = call.table.get(record_id)
        if row is None:
            raise errors.missing(call.model, record_id, call.user.id)
        rows.append(row)
    if one and len(rows) != 1:
        raise errors.value_error(f"Expected singleton: {call.model}{call.ids}")
    return rows


def _new(call: Call, values: Row) -> Row:
    """A row with what was given, what the context gives by default, and the defaults of Odoo."""
    by_default = {
        name.removeprefix("default_"): given
        for name, given in call.context.items()
        if name.startswith("default_") and name.removeprefix("default_") in call.table.fields
    }
    _refuse_document_model(call, values, by_default)
    row = {name: _kept(call, name, given) for name, given in (by_default | values).items()}
    row = {name: _many([], given) if _is_commands(given) else given for name, given in row.items()}
    _by_default(call, row)
    for field in call.table.fields.values():
        given = row.get(field.name, False)
        if field.required and not field.path and (given is False or given == ""):
            raise errors.required(
                call.model,
                call.table.model.label,
                field.name,
                field.title,
                call.tables.version,
            )
    if "nolog" not in call.table.model.words:
        now, who = moment(call.now), call.user.id
        row |= {"create_date": now, "write_date": now, "create_uid": who, "write_uid": who}
    return row


def _refuse_twice(call: Call, rows: Sequence[Row]) -> None:
    """Refuse what the database keeps unique: a card's code, a user's login."""
    name, message = _UNIQUE.get(call.model, ("", ""))
    if not name:
        return
    wanted = [row.get(name) for row in rows]
    own = {row.get("id") for row in rows}
    taken = {row.get(name) for row in call.table.kept.values() if row["id"] not in own}
    if len(set(wanted)) < len(wanted) or taken & set(wanted):
        raise errors.OdooError("odoo.exceptions.ValidationError", message)


def _refuse_document_model(call: Call, values: Row, by_default: Row) -> None:
    """`res_model` of an activity follows from `res_model_id`, or comes with the context."""
    if call.model != "mail.activity" or "res_model" in by_default or values.get("res_model_id"):
        return
    raise errors.required(
        call.model, call.table.model.label, "res_model_id", "Document Model", call.tables.version
    )


def _by_default(call: Call, row: Row) -> None:
    for field in call.table.fields.values():
        if field.default is not None and field.name not in row:
            row[field.name] = _default(call, field)
    if call.model == "mail.activity":
        row.setdefault("user_id", call.user.id)
        row.setdefault("res_name", name_of(call.tables, row["res_model"], row["res_id"]))
    if call.model == "project.task" and not row.get("stage_id"):
        row["stage_id"] = _first_stage(call, row)


def _default(call: Call, field: Field) -> Any:
    text = field.default or ""
    named = {"True": True, "now": moment(call.now)[:19], "today": call.now.date().isoformat()}
    if text in named:
        return named[text]
    if text == "new":
        return uuid.uuid4().hex[:12]
    if field.kind in ("many2one", "integer"):
        return int(text)
    return float(text) if field.kind in ("float", "monetary") else text


def _first_stage(call: Call, row: Row) -> Any:
    project = call.tables["project.project"].get(record_of(row.get("project_id"))) or {}
    stages = call.tables["project.task.type"]
    known = [stage for stage in map(stages.get, project.get("type_ids", ())) if stage]
    first = min(known, key=lambda stage: (stage.get("sequence", 0), stage["id"]), default=None)
    return first["id"] if first else False


def _kept(call: Call, name: str, given: Any) -> Any:
    """A value as the row keeps it. The dates Odoo keeps itself are ignored when they are given."""
    field = call.table.fields.get(name)
    if field is None:
        if call.tables.version >= 19:
            raise errors.OdooError("builtins.KeyError", f"'{name}'")
        raise errors.value_error(f"Invalid field '{name}' on model '{call.model}'")
    if given is None:
        return field.empty
    if field.kind == "many2one":
        return record_of(given)
    if field.kind in ("float", "monetary"):
        return float(given)
    if isinstance(given, (date, datetime)):
        return given.strftime("%Y-%m-%d %H:%M:%S" if field.kind == "datetime" else "%Y-%m-%d")
    return given


def _is_commands(given: Any) -> bool:
    """Whether a value says what to do with a relation: (6, 0, ids), (4, id), (3, id), (5,)."""
    return isinstance(given, (list, tuple)) and bool(given) and isinstance(given[0], (list, tuple))


def _many(before: Sequence[int], commands: Sequence[Sequence[Any]]) -> list[int]:
    ids = list(before)
    for command, *rest in commands:
        if command == 6:
            ids = list(rest[1])
        elif command == 5:
            ids = []
        elif command == 4 and rest[0] not in ids:
            ids.append(rest[0])
        elif command == 3:
            ids = [each for each in ids if each != rest[0]]
    return ids


def _partner_of(call: Call) -> Any:
    user = call.tables["res.users"].get(call.user.id)
    return record_of(user.get("partner_id")) if user else False


def _email_of(call: Call, partner: Any) -> str:
    row = call.tables["res.partner"].get(partner) or {}
    if not row.get("email"):
        return ""
    return f'"{row.get("name")}" <{row["email"]}>'


def _subtype(call: Call, xmlid: str) -> Any:
    wanted = _SUBTYPES.get(xmlid)
    subtypes = call.tables["mail.message.subtype"]
    for record_id in subtypes.ids():
        row = subtypes.get(record_id) or {}
        if row.get("name") == wanted and not row.get("res_model"):
            return record_id
    raise errors.value_error(f"External ID not found in the system: {xmlid}")
