"""The stand-in itself: an Odoo without Odoo, with rows, users, a clock and faults to be set.

request ─► server ─► protocols ─► StandIn.call ─► methods ─► tables
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrations.stand_ins.odoo import errors, methods, writing
from integrations.stand_ins.odoo.basics import BASICS
from integrations.stand_ins.odoo.faults import Fault, Kind
from integrations.stand_ins.odoo.fields import Field, Row
from integrations.stand_ins.odoo.reading import Call
from integrations.stand_ins.odoo.rights import User
from integrations.stand_ins.odoo.tables import Rows, Tables, record_of
from integrations.stand_ins.odoo.values import shown

ADMINISTRATOR = User(2, "admin", "key-of-the-administrator")
DATABASE = "stand-in"


@dataclass(frozen=True)
class Asked:
    """A request as it came, without its key."""

    protocol: str
    model: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    login: str = ""
    error: str = ""  # the name of the exception it was answered with
    rows: int = 0  # how many records, or ids, were answered


class StandIn:
    """An Odoo of version 18 or 19, with what it holds and what may go wrong with it.

    rows: model → rows as `search_read` answers them, or Made. without: models of apps that aren't
    installed. fields: model → fields that a module added. clock: what Odoo's own clock says, for
    create_date and write_date; the real time unless set. latency: seconds added to each answer.
    """

    def __init__(
        self,
        version: int = 19,
        rows: Mapping[str, Rows] | None = None,
        *,
        users: Iterable[User] = (ADMINISTRATOR,),
        database: str = DATABASE,
        without: Iterable[str] = (),
        fields: Mapping[str, Iterable[Field]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        latency: float = 0.0,
    ) -> None:
        self.version = version
        self.database = database
        self.users = list(users)
        self.clock = clock
        self.latency = latency
        self.requests: list[Asked] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        self.tables = Tables(version, BASICS | dict(rows or {}), without=without)
        for model, added in (fields or {}).items():
            self.tables[model].fields |= {each.name: each for each in added}

    # --- Asked from outside -----------------------------------------------------------------

    def login(self, login: str, key: str) -> User | None:
        """The user with that login and key, as JSON-RPC asks for it. Each login is noted."""
        for user in self.users:
            if user.login == login and user.key == key:
                with self.lock:
                    logs = self._call("res.users.log", user)
                    writing.create_unchecked(logs, {})
                return user
        return None

    def user_with(self, key: str, user_id: int | None = None) -> User | None:
        for user in self.users:
            if user.key == key and user_id in (None, user.id):
                return user
        return None

    def call(
        self, user: User, model: str, method: str, bind: Callable[[methods.Method], methods.Bound]
    ) -> Any:
        """Carry out a method. One call is one transaction.

        bind: puts the arguments as they came into the method's own.
        """
        if model not in self.tables:
            raise errors.NoModel(model)
        if method.startswith("_"):
            raise errors.access_error(
                f"Private methods (such as '{model}.{method}') cannot be called remotely."
            )
        found = methods.find(self.tables[model].model, method)
        if found is None:
            raise errors.NoMethod(model, method)
        bound = bind(found)
        with self.lock:
            call = self._call(model, user, bound.ids, bound.context)
            return found.act(call, *bound.arguments.args, **bound.arguments.kwargs)

    def _call(
        self,
        model: str,
        user: User,
        ids: Iterable[int] = (),
        context: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
    ) -> Call:
        now = (at or self.clock()).astimezone(UTC)
        return Call(self.tables, self.tables[model], user, now, tuple(ids), dict(context or {}))

    # --- Set by whoever tests ---------------------------------------------------------------

    def fault(self, kind: Kind | str, **how: Any) -> Fault:
        """Let something go wrong; see Fault for when and how often."""
        self.faults.append(Fault(Kind(kind), **how))
        return self.faults[-1]

    def heal(self) -> None:
        self.faults.clear()

    def add(
        self,
        model: str,
        values: Mapping[str, Any],
        *,
        at: datetime | None = None,
        by: User | None = None,
    ) -> int:
        """A record that somebody made in Odoo, whatever the rights; by the clock, or at."""
        with self.lock:
            return writing.create_unchecked(self._hand(model, at, by), dict(values))

    def change(
        self,
        model: str,
        record_id: int,
        values: Mapping[str, Any],
        *,
        at: datetime | None = None,
        by: User | None = None,
    ) -> None:
        """What somebody changed in Odoo."""
        with self.lock:
            writing.write_unchecked(self._hand(model, at, by, record_id), values)

    def remove(self, model: str, *ids: int) -> None:
        """What somebody deleted. It leaves no trace."""
        with self.lock:
            for record_id in ids:
                self.tables[model].take(record_id)

    def row(self, model: str, record_id: int) -> Row | None:
        """A record with all its fields, as an answer would show it; None when it is gone."""
        table = self.tables[model]
        found = table.get(record_id)
        if found is None:
            return None
        return {name: shown(self.tables, table, found, name) for name in table.fields}

    def rows(self, model: str, /, **equal: Any) -> list[Row]:
        """All records of a model, archived ones too, whose fields are as given."""
        every = (self.row(model, record_id) for record_id in list(self.tables[model].ids()))
        return [
            row
            for row in every
            if row and all(record_of(row[name]) == record_of(wish) for name, wish in equal.items())
        ]

    def asked(self, model: str | None = None, method: str | None = None) -> list[Asked]:
        """The requests for a model or method, in the order they came."""
        return [
            each
            for each in self.requests
            if model in (None, each.model) and method in (None, each.method)
        ]

    def _hand(self, model: str, at: datetime | None, by: User | None, *ids: int) -> Call:
        return self._call(model, by or ADMINISTRATOR, ids, at=at)
