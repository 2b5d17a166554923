"""Streams: what is read from Odoo, each kind of record in its own room, all by one way of going on.

A stream's unit is what has to be read whole to tell facts from it: an order with its lines and
deliveries, a ticket with its messages. Whatever changed in one of the watched models names units;
units are read anew and told anew, and the intake finds what is different. So the first reading, an
increment, a repeat and a run taken up after a crash are one code path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from partner_cx.settings import Settings

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.directory import Directory
    from integrations.odoo.mapping import OdooMapping

Row = Mapping[str, Any]  # a record of Odoo, as search_read returns it

SOURCE = "odoo"  # of all facts read from Odoo: `source_id` is the record's id within its kind


@dataclass(frozen=True)
class Watched:
    """A model whose changes mean that units must be read anew.

    field: the many2one that names the unit; `id` in the unit's own model.
    through: where `field` doesn't name the unit itself, the many2one of the record it names
        that does, such as `sale.order.line.order_id`: one more look-up by ids.
    domain: which records count; archived ones are always among them.
    since: the field that says when a record changed; empty: nothing says it, and all of them are
        looked at every time.
    """

    model: str
    field: str = "id"
    domain: tuple[Any, ...] = ()
    since: str = "write_date"
    through: str | None = None


Watching = Callable[["Odoo", "OdooMapping"], tuple[Watched, ...]]


@dataclass(frozen=True)
class Linked:
    """What a record of Odoo is with us, to be remembered when its rows are in; see `OdooLink`."""

    model: str
    odoo_id: int
    ours: str
    seen: Mapping[str, Any]


@dataclass
class Told:
    """What units say: rows by kind of fact, with the columns and texts that files have.

    rows: kind (`order-lines`) → rows, in an order in which they can be taken in; an absent column
        says nothing, None empties.
    withdrawn: kind → the source_ids of facts that are none any more.
    notes: what an administrator should know, each once.
    linked: which records are whose. moved: partners of Odoo (res.partner ids) whose records other
        streams must read again, since they are told of another partner of ours than before.
    """

    rows: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)
    withdrawn: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    linked: list[Linked] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)

    def add(self, kind: str, row: dict[str, str | None]) -> None:
        self.rows.setdefault(kind, []).append(row)

    def withdraw(self, kind: str, source_id: str) -> None:
        self.withdrawn.setdefault(kind, []).append(source_id)


@dataclass(frozen=True)
class Reading:
    """What a stream has at hand while it reads: all of it for reading only.

    session: on our database, to ask what is known already. directory: who Odoo's partners,
    users and units of measure are.
    """

    odoo: Odoo
    mapping: OdooMapping
    directory: Directory
    session: Session
    settings: Settings
    now: datetime


Telling = Callable[[Reading], Told]  # what tells units that were read


@dataclass(frozen=True)
class Stream:
    """A kind of unit, what to watch for it, and how units become facts.

    watched: the unit's own model first: the first reading pages through it, by id. Where it hangs
        on the mapping or on what is installed, a function says it; see `watching`. Models that
        aren't installed are left out; without the first one there is nothing to read.
    tell: reads units by their ids, with all that belongs to them, and says what they tell. An id
        that is there no more tells nothing; facts of it are found when ids are compared.
    identified: kind of fact → the model whose ids its source_ids are, to find what was deleted;
        the unit's own model or one that is watched.
    prefix: what stands before a record's id in source_ids, where another stream tells the same kind
        of fact from records of another model.
    of_partner: the field of the unit's own model that names a res.partner, a company or a person:
        units are read again by it when a company becomes a partner of the network.
    kpis: what isn't measured without it. modules: Odoo's apps that bring its models.
    at_once: units in one request.
    ahead: reads units from Odoo, without our database, and answers what tells them, so that the
        next ones are read meanwhile; `tell` does both.
    by_itself: what is told hangs on what was told before it, as codes do, so that each request's
        rows are taken in before the next is made.
    """

    name: str
    watched: tuple[Watched, ...] | Watching
    tell: Callable[[Reading, Sequence[int]], Told]
    identified: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    of_partner: str | None = "partner_id"
    kpis: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    at_once: int = 200
    ahead: Callable[[Odoo, Directory, OdooMapping, Sequence[int]], Telling] | None = None
    by_itself: bool = False

    def watching(self, odoo: Odoo, mapping: OdooMapping) -> tuple[Watched, ...]:
        """What is watched in this Odoo, by this mapping."""
        return self.watched(odoo, mapping) if callable(self.watched) else self.watched
