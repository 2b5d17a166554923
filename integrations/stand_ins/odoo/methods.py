"""Which methods the stand-in's models have, and how each is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from integrations.stand_ins.odoo import reading, writing
from integrations.stand_ins.odoo.fields import Model


@dataclass(frozen=True)
class Method:
    """A method. of_model: called on the model; the others on records, by their ids."""

    act: Callable[..., Any]
    of_model: bool = False

    @cached_property
    def signature(self) -> inspect.Signature:
        """What may be handed in, without the call itself."""
        told = inspect.signature(self.act)
        return told.replace(parameters=list(told.parameters.values())[1:])


@dataclass(frozen=True)
class Bound:
    """A request's arguments, put into the method's own."""

    arguments: inspect.BoundArguments
    ids: tuple[int, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


_EVERYWHERE = {
    "search": Method(reading.search, of_model=True),
    "search_read": Method(reading.search_read, of_model=True),
    "search_count": Method(reading.search_count, of_model=True),
    "read": Method(reading.read),
    "fields_get": Method(reading.fields_get, of_model=True),
    "has_access": Method(reading.has_access),
    "create": Method(writing.create, of_model=True),
    "write": Method(writing.write),
    "unlink": Method(writing.unlink),
    "action_archive": Method(writing.action_archive),
    "action_unarchive": Method(writing.action_unarchive),
}
_ON_THREADS = {
    "message_post": Method(writing.message_post),
    "activity_schedule": Method(writing.activity_schedule),
}
_ON = {
    "res.users": {
        "context_get": Method(reading.context_get, of_model=True),
        "has_group": Method(reading.has_group),
    },
    "mail.activity": {"action_feedback": Method(writing.action_feedback)},
}


def find(model: Model, name: str) -> Method | None:
    """A model's method of that name."""
    known = _EVERYWHERE | _ON.get(model.name, {})
    if "thread" in model.words:
        known |= _ON_THREADS
    return known.get(name)
