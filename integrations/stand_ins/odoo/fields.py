"""What the stand-in's models are made of: read from `models.txt`, one version at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

Row = dict[str, Any]  # a record as it is kept: a many2one by its id, empty as False

MANY = ("one2many", "many2many")
_NUMBERS = {"integer": 0, "float": 0.0, "monetary": 0.0, "many2one_reference": 0}


@dataclass(frozen=True)
class Field:
    """A field of a model. path: where its value is taken from when a row says nothing of it."""

    name: str
    kind: str
    required: bool = False
    readonly: bool = False
    stored: bool = True
    worked_out: bool = False
    relation: str | None = None
    inverse: str | None = None
    default: str | None = None
    path: tuple[str, ...] = ()
    group: str | None = None
    label: str | None = None
    selection: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> Any:
        """What Odoo answers where nothing is known."""
        if self.kind in MANY:
            return []
        return _NUMBERS.get(self.kind, False)

    @property
    def title(self) -> str:
        words = self.name.removesuffix("_ids").removesuffix("_id").replace("_", " ")
        return self.label or words[:1].upper() + words[1:]

    def described(self) -> dict[str, Any]:
        """As `fields_get` tells of it."""
        told: dict[str, Any] = {"type": self.kind, "string": self.title}
        if self.relation:
            told["relation"] = self.relation
        if self.inverse:
            told["relation_field"] = self.inverse
        if self.selection:
            told["selection"] = [list(each) for each in self.selection]
        return told | {
            "required": self.required,
            "readonly": self.readonly,
            "store": self.stored,
            "searchable": not self.worked_out,
            "sortable": not self.worked_out and self.kind not in MANY,
        }


@dataclass(frozen=True)
class Model:
    """A model with its fields, and the order its records come in when none is asked for."""

    name: str
    label: str
    order: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    words: frozenset[str] = frozenset()


_KEPT_BY_ODOO = (
    Field("create_date", "datetime", readonly=True, label="Created on"),
    Field("create_uid", "many2one", readonly=True, relation="res.users", label="Created by"),
    Field("write_date", "datetime", readonly=True, label="Last Updated on"),
    Field("write_uid", "many2one", readonly=True, relation="res.users", label="Last Updated by"),
)
# The choices of those selections that are read for their words.
_SELECTIONS: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "project.task": {
        "state": (
            ("01_in_progress", "In Progress"),
            ("02_changes_requested", "Changes Requested"),
            ("03_approved", "Approved"),
            ("1_done", "Done"),
            ("1_canceled", "Cancelled"),
            ("04_waiting_normal", "Waiting"),
        )
    },
    "loyalty.program": {
        "applies_on": (
            ("current", "Current order"),
            ("future", "Future orders"),
            ("both", "Current & Future orders"),
        ),
    },
}
_EVERYWHERE = (
    Field("id", "integer", readonly=True, label="ID"),
    Field("display_name", "char", readonly=True, stored=False),
)
KEPT_BY_ODOO = frozenset(each.name for each in _KEPT_BY_ODOO)

_FIELD = re.compile(
    r'(?P<name>\w+)(?:\((?P<group>\w+)\))?(?P<required>!?)(?:"(?P<label>[^"]+)")?'
    r"(?P<flags1>[-~^]*)(?:=(?P<default>\w+(?:\.\w+)?))?(?P<flags2>[-~^]*)"
    r"(?:<(?P<path>[\w.]+))?(?::(?P<relation>[a-z_]+(?:\.[a-z_]+)*)(?:/(?P<inverse>\w+))?)?"
    r"(?:@(?P<version>\d+))?"
)


@cache
def models(version: int) -> Mapping[str, Model]:
    """All models that the stand-in knows, as that version has them."""
    found = {}
    for head, declared in _declared():
        common = _EVERYWHERE if "nolog" in head.words else (*_EVERYWHERE, *_KEPT_BY_ODOO)
        own = (each for each, only_in in declared if only_in in (None, str(version)))
        fields = {each.name: each for each in (*common, *own)}
        for name, choices in _SELECTIONS.get(head.name, {}).items():
            fields[name] = replace(fields[name], selection=choices)
        found[head.name] = Model(head.name, head.label, head.order, fields, head.words)
    return found


@cache
def other_versions_fields(version: int) -> frozenset[tuple[str, str]]:
    """Model and name of the fields that only another version has."""
    here = models(version)
    return frozenset(
        (head.name, each.name)
        for head, declared in _declared()
        for each, _ in declared
        if each.name not in here[head.name].fields
    )


@cache
def _declared() -> list[tuple[Model, list[tuple[Field, str | None]]]]:
    """Each model with its fields, and for each field the only version that has it."""
    found: list[tuple[Model, list[tuple[Field, str | None]]]] = []
    for line in _lines():
        if line.startswith(" "):
            kind, _, rest = line.strip().partition(" ")
            found[-1][1].extend(_fields(kind, rest))
        else:
            name, label, order, words = (part.strip() for part in f"{line} | ".split("|")[:4])
            found.append((Model(name, label, order, words=frozenset(words.split())), []))
    return found


def _fields(kind: str, text: str) -> Iterator[tuple[Field, str | None]]:
    for token in text.split():
        match = _FIELD.fullmatch(token)
        assert match, f"models.txt: {token!r} is no field"
        said = match.groupdict()
        flags = said["flags1"] + said["flags2"]
        yield (
            Field(
                name=said["name"],
                kind=kind,
                required=bool(said["required"]),
                readonly="-" in flags,
                stored="~" not in flags and "^" not in flags,
                worked_out="^" in flags,
                relation=said["relation"],
                inverse=said["inverse"],
                default=said["default"],
                path=tuple(said["path"].split(".")) if said["path"] else (),
                group=said["group"] and said["group"].replace("_", " "),
                label=said["label"],
            ),
            said["version"],
        )


def _lines() -> Iterator[str]:
    text = resources.files(__package__).joinpath("models.txt").read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
