"""Domains: the conditions of a search, in Odoo's Polish notation, asked of one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.stand_ins.odoo import errors
from integrations.stand_ins.odoo.fields import MANY, Field, Row
from integrations.stand_ins.odoo.tables import Table, Tables
from integrations.stand_ins.odoo.values import name_of, value

Test = Callable[[Row], bool]

_NEGATED = {"!=": "=", "<>": "=", "not in": "in", "not like": "like", "not ilike": "ilike"}
_NEGATED |= {"not any": "any"}
_OPERATORS = frozenset(
    {*_NEGATED, "=", "=?", "<", "<=", ">", ">=", "in", "any", "child_of", "parent_of"}
    | {"like", "ilike", "=like", "=ilike"}
)


@dataclass(frozen=True)
class Leaf:
    field: str
    operator: str
    value: Any

    @property
    def told(self) -> str:
        return repr((self.field, self.operator, self.value))


@dataclass(frozen=True)
class Not:
    term: Term


@dataclass(frozen=True)
class Several:
    """Terms of which all must hold, or one of them."""

    every: bool
    terms: tuple[Term, ...]


Term = Leaf | Not | Several


def read(domain: Sequence[Any]) -> Several:
    """A domain as a tree; its outermost terms must all hold."""
    waiting = list(domain)
    terms = []
    while waiting:
        terms.append(_next(waiting))
    return Several(True, tuple(_flat(terms)))


def _next(waiting: list[Any]) -> Term:
    if not waiting:
        raise errors.value_error("Domain() invalid: a term is missing")
    item = waiting.pop(0)
    if item == "!":
        return Not(_next(waiting))
    if item in ("&", "|"):
        return Several(item == "&", (_next(waiting), _next(waiting)))
    if isinstance(item, (list, tuple)) and len(item) == 3:
        return Leaf(item[0], str(item[1]).lower(), item[2])
    raise errors.value_error(f"Invalid domain term {item!r}")


def _flat(terms: list[Term]) -> Iterator[Term]:
    for term in terms:
        if isinstance(term, Several) and term.every:
            yield from _flat(list(term.terms))
        else:
            yield term


def names(term: Term) -> Iterator[str]:
    """The fields a domain asks for, paths as they stand."""
    if isinstance(term, Leaf):
        yield str(term.field)
    elif isinstance(term, Not):
        yield from names(term.term)
    else:
        for each in term.terms:
            yield from names(each)


def test(tables: Tables, table: Table, term: Term) -> Test:
    """What a row must pass."""
    if isinstance(term, Leaf):
        return _leaf(tables, table, term)
    if isinstance(term, Not):
        inner = test(tables, table, term.term)
        return lambda row: not inner(row)
    tests = [test(tables, table, each) for each in term.terms]
    if len(tests) == 1:
        return tests[0]
    if term.every:
        return lambda row: all(each(row) for each in tests)
    return lambda row: any(each(row) for each in tests)


def _leaf(tables: Tables, table: Table, leaf: Leaf) -> Test:
    if not isinstance(leaf.field, str):
        truth = (leaf.field == leaf.value) == (leaf.operator == "=")
        return lambda row: truth
    if leaf.operator not in _OPERATORS:
        raise errors.value_error(f"Invalid operator {leaf.operator!r} in domain term {leaf.told}")
    name, _, rest = leaf.field.partition(".")
    field = _field(tables, table, name, leaf)
    if rest:
        return _through(tables, table, field, Leaf(rest, leaf.operator, leaf.value))
    if leaf.operator in _NEGATED:
        same = _leaf(tables, table, Leaf(name, _NEGATED[leaf.operator], leaf.value))
        return lambda row: not same(row)
    if leaf.operator == "any":
        return _through(tables, table, field, read(leaf.value))
    if field.relation:
        return _relational(tables, table, field, leaf)
    return _plain(tables, table, field, leaf)


def _field(tables: Tables, table: Table, name: str, leaf: Leaf) -> Field:
    field = table.fields.get(name)
    model = table.model.name
    if field is None:
        kind = "leaf" if tables.version < 19 else "condition"
        raise errors.value_error(f"Invalid field {model}.{name} in {kind} {leaf.told}")
    if field.worked_out:
        raise errors.value_error(f"Cannot convert {model}.{name} to SQL because it is not stored")
    return field


def _through(tables: Tables, table: Table, field: Field, beyond: Term) -> Test:
    """A condition on the records a field points to: one of them must meet it."""
    other = tables.get(field.relation)
    if other is None:
        return lambda row: False
    inner = test(tables, other, beyond)
    met: dict[int, bool] = {}  # each record is asked once

    def meets(record_id: int) -> bool:
        if record_id not in met:
            there = other.get(record_id)
            met[record_id] = there is not None and inner(there)
        return met[record_id]

    return lambda row: any(meets(each) for each in _records(tables, table, field, row))


def _records(tables: Tables, table: Table, field: Field, row: Row) -> Sequence[int]:
    found = value(tables, table, row, field.name)
    if field.kind in MANY:
        return found or ()
    return (found,) if found else ()


def _relational(tables: Tables, table: Table, field: Field, leaf: Leaf) -> Test:
    def records(row: Row) -> Sequence[int]:
        return _records(tables, table, field, row)

    if leaf.operator in ("child_of", "parent_of"):
        family = _family(tables, tables[field.relation or ""], leaf)
        return lambda row: any(each in family for each in records(row))
    if leaf.operator in ("<", "<=", ">", ">="):
        compare = _COMPARED[leaf.operator]
        return lambda row: any(compare(each, leaf.value) for each in records(row))
    wanted = _several(leaf.value)
    if leaf.operator == "=?" and not leaf.value:
        return lambda row: True
    if leaf.operator in ("=", "in", "=?") and not any(isinstance(each, str) for each in wanted):
        ids = frozenset(each for each in wanted if each is not False and each is not None)
        or_empty = len(ids) < len(wanted)
        return lambda row: not ids.isdisjoint(found) if (found := records(row)) else or_empty
    like = _text_test("=" if leaf.operator == "in" else leaf.operator, wanted)
    model = field.relation or ""
    return lambda row: any(like(name_of(tables, model, each)) for each in records(row))


def _family(tables: Tables, other: Table, leaf: Leaf) -> set[int]:
    """The records named, with all below them, or all above them, also archived ones."""
    found: set[int] = set()
    waiting = [each for each in _several(leaf.value) if each]
    while waiting:
        record_id = waiting.pop()
        if record_id in found:
            continue
        found.add(record_id)
        if leaf.operator == "child_of":
            waiting += other.pointing_to("parent_id", record_id)
        else:
            above = value(tables, other, other.get(record_id) or {"id": record_id}, "parent_id")
            waiting += [above] if above else []
    return found


def _plain(tables: Tables, table: Table, field: Field, leaf: Leaf) -> Test:
    if field.name == "id" and leaf.operator in ("child_of", "parent_of"):
        family = _family(tables, table, leaf)
        return lambda row: row["id"] in family
    if leaf.operator == "=?" and leaf.value in (False, None):
        return lambda row: True
    check = _value_test(tables.version, field, leaf)
    if field.name == "id":
        return lambda row: check(row["id"])
    if not field.path and field.stored and field.name != "commercial_partner_id":
        return lambda row: check(row.get(field.name, field.empty))
    return lambda row: check(value(tables, table, row, field.name))


def _value_test(version: int, field: Field, leaf: Leaf) -> Callable[[Any], bool]:
    wanted = _several(leaf.value)
    if field.kind == "datetime":
        wanted = [_moment(each, version, leaf.operator) for each in wanted]
    if leaf.operator in _COMPARED:
        compare, limit = _COMPARED[leaf.operator], wanted[0]
        whole = field.kind == "datetime" and version >= 19
        if field.kind in ("char", "text", "html", "selection", "date", "datetime"):
            return lambda found: bool(found) and compare(found[:19] if whole else found, limit)
        return lambda found: compare(found or 0, limit)
    if leaf.operator in ("=", "in", "=?"):
        if field.kind == "datetime" and version >= 19:
            return lambda found: (found[:19] if found else False) in wanted
        return lambda found: (found or False) in wanted or found in wanted
    return _text_test(leaf.operator, wanted)


_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda found, limit: found < limit,
    "<=": lambda found, limit: found <= limit,
    ">": lambda found, limit: found > limit,
    ">=": lambda found, limit: found >= limit,
}


def _moment(value: Any, version: int, operator: str) -> Any:
    """A date-time to compare with: in 19 whole seconds, in 18 as the database keeps them."""
    if not isinstance(value, str):
        return False if value is None else value
    text = value.replace("T", " ")
    if len(text) == 10:
        text += " 23:59:59" if operator in ("<=", ">") else " 00:00:00"
    return text[:19] if version >= 19 else text


def _text_test(operator: str, wanted: Sequence[Any]) -> Callable[[Any], bool]:
    if operator in ("=", "in"):
        return lambda found: found in wanted
    pattern = str(wanted[0]) if wanted else ""
    if not operator.startswith("="):
        pattern = f"%{pattern}%"
    signs = {"%": ".*", "_": "."}
    flags = re.DOTALL | (re.IGNORECASE if operator.endswith("ilike") else 0)
    expression = "".join(signs.get(sign) or re.escape(sign) for sign in pattern)
    matches = re.compile(expression, flags).fullmatch
    return lambda found: bool(found) and matches(str(found)) is not None


def _several(value: Any) -> list[Any]:
    found = list(value) if isinstance(value, (list, tuple)) else [value]
    return [False if each is None else each for each in found]
