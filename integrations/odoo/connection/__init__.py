"""The connection to Odoo: the protocol its version speaks, reads and writes, refusals in words.

Before: the settings. After: streams, which read, and `writing`, which writes. Reads are tried
again when Odoo doesn't answer; writes never are, since nobody knows whether they were done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import stamina

from integrations.odoo.connection import versions
from integrations.odoo.connection.errors import NoAnswer, NotAllowed, NotConfigured, NotInstalled
from integrations.odoo.connection.faults import VERSION, Ask, Fault, Place, explain
from integrations.odoo.connection.json2 import Json2
from integrations.odoo.connection.jsonrpc import JsonRpc
from integrations.odoo.connection.wire import Wire
from partner_cx.settings import Settings

Row = dict[str, Any]
Domain = Sequence[Any]

JSON2_SINCE = 19
READ_AT_ONCE = 500  # rows of one `read`
WAIT_ASKED_MAX_SECONDS = 60.0  # that a server may ask for before the next try
CONTEXT: Mapping[str, Any] = {"lang": "en_US"}  # else names follow the service user's language
ATTRIBUTES = ("type", "string", "relation", "required", "readonly", "store", "selection")
_RECORDS = re.compile(r"[a-z0-9_.]+\((?P<ids>[\d, ]*)\)")  # as JSON-RPC writes a recordset


@dataclass(frozen=True)
class Patience:
    """How often a read is tried, and how long is waited between: ever longer, never in step.

    tries_when_slow: an Odoo that runs out of time isn't asked the same again and again.
    """

    tries: int = 4
    tries_when_slow: int = 2
    first_wait_seconds: float = 0.5
    wait_seconds_max: float = 15


def connect(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    patience: Patience = Patience(),
) -> Odoo:
    """Find out which Odoo it is, and how to speak with it. The key is used by the first call.

    Raises NotConfigured when a setting is missing or no Odoo is there, NoAnswer when nobody is.
    """
    if not settings.odoo_url or not settings.odoo_key:
        missing = "PARTNER_CX_ODOO_KEY" if settings.odoo_url else "PARTNER_CX_ODOO_URL"
        raise NotConfigured(
            f"No Odoo is set up: {missing} is missing.", remedy="The guide's page Odoo tells how."
        )
    place = Place(settings.odoo_url, settings.odoo_database, settings.odoo_login)
    wire = Wire(place.address, timeout_seconds=settings.odoo_timeout_seconds, clock=clock)
    try:
        version = _patiently(VERSION, lambda: versions.ask(wire, place), patience)
        protocol = _protocol(wire, version, settings)
    except BaseException:
        wire.close()
        raise
    return Odoo(wire, protocol, place, version, patience=patience)


def _protocol(wire: Wire, version: tuple[int, ...], settings: Settings) -> Json2 | JsonRpc:
    key, database, login = settings.odoo_key, settings.odoo_database, settings.odoo_login
    assert key
    if version[0] >= JSON2_SINCE:
        _fit_for_headers(key, "KEY")
        _fit_for_headers(database or "", "DATABASE")
        return Json2(wire, database=database, key=key)
    if database and login:
        return JsonRpc(wire, database=database, login=login, key=key)
    missing = "PARTNER_CX_ODOO_LOGIN" if database else "PARTNER_CX_ODOO_DATABASE"
    raise NotConfigured(
        f"Odoo {version[0]} at {wire.address} wants to know the database and the user's login: "
        f"{missing} is missing.",
        remedy="The guide's page Odoo tells how.",
    )


def _fit_for_headers(text: str, setting: str) -> None:
    if not text.isascii() or not text.isprintable():
        raise NotConfigured(
            f"PARTNER_CX_ODOO_{setting} holds characters that can't be sent.",
            remedy="Copy it again, without what stands before or after it.",
        )


class Odoo:
    """One Odoo, as its service account sees it. To be closed at the end; a context manager.

    version: such as (18, 0). Date-times in rows are naive UTC texts, empty values are False, a
    many2one is [id, name]. Everything raises the errors of `integrations.odoo.connection.errors`.
    """

    def __init__(
        self,
        wire: Wire,
        protocol: Json2 | JsonRpc,
        place: Place,
        version: tuple[int, ...],
        *,
        patience: Patience,
    ) -> None:
        self.version = version
        self.address = place.address
        self.database = place.database
        self._wire = wire
        self._protocol = protocol
        self._place = place
        self._patience = patience
        self._fields: dict[str, Mapping[str, Mapping[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"<{self._place}, version {'.'.join(map(str, self.version))}>"

    def __enter__(self) -> Odoo:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._wire.close()

    @property
    def major(self) -> int:
        return self.version[0]

    @property
    def protocol(self) -> str:
        """How we speak with it, as people call it."""
        return self._protocol.name

    @property
    def clock_difference(self) -> timedelta | None:
        """How far the server's clock went before ours at its last answer, to the second."""
        if self._wire.date is None or self._wire.asked_at is None:
            return None
        return self._wire.date - self._wire.asked_at.replace(microsecond=0)

    # --- Reading ---

    def search_read(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: str = "id",
        archived: bool = False,
    ) -> list[Row]:
        """Rows with an id and the fields. archived: those that Odoo hides come along."""
        arguments: dict[str, Any] = {
            "domain": list(domain),
            "fields": list(fields) or ["id"],  # none at all would be every field
            "order": order,
        } | ({} if limit is None else {"limit": limit})
        found = self._read(Ask(model, "search_read", arguments=arguments, writes=False), archived)
        return self._rows(found, model)

    def search(
        self,
        model: str,
        domain: Domain,
        *,
        limit: int | None = None,
        order: str = "id",
        archived: bool = False,
    ) -> list[int]:
        """Ids alone."""
        arguments: dict[str, Any] = {"domain": list(domain), "order": order}
        arguments |= {} if limit is None else {"limit": limit}
        ask = Ask(model, "search", None, arguments, ("domain",), writes=False)
        return self._ids(self._read(ask, archived), ask)

    def count(self, model: str, domain: Domain = (), *, archived: bool = False) -> int:
        ask = Ask(model, "search_count", None, {"domain": list(domain)}, ("domain",), writes=False)
        found = self._read(ask, archived)
        if not isinstance(found, int):
            raise self._half(ask)
        return found

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[Row]:
        """The rows with these ids, archived ones too. Those that are gone are left out."""
        rows: list[Row] = []
        for start in range(0, len(ids), READ_AT_ONCE):
            some = tuple(ids[start : start + READ_AT_ONCE])
            ask = Ask(model, "read", some, {"fields": list(fields) or ["id"]}, writes=False)
            rows += self._rows(self._read(ask), model)
        return rows

    def pages(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        size: int,
        after: int = 0,
        archived: bool = True,
    ) -> Iterator[list[Row]]:
        """All rows after an id, by id, so many at a time; rows that move meanwhile lose nothing."""
        while page := self.search_read(
            model, [["id", ">", after], *domain], fields, limit=size, archived=archived
        ):
            yield page
            after = page[-1]["id"]

    def fields(self, model: str) -> Mapping[str, Mapping[str, Any]]:
        """What Odoo says about a model's fields: type, relation, selection. Asked once.

        Raises NotInstalled when there is no such model.
        """
        if model not in self._fields:
            arguments = {"attributes": list(ATTRIBUTES)}
            ask = Ask(model, "fields_get", arguments=arguments, writes=False)
            told = self._read(ask)
            if not isinstance(told, dict):
                raise self._half(ask)
            self._fields[model] = told
        return self._fields[model]

    def has(self, model: str) -> bool:
        """Whether the app that brings a model is installed."""
        try:
            return bool(self.fields(model))
        except NotInstalled:
            return False
        except NotAllowed:  # but it is there
            return True

    def has_field(self, model: str, name: str) -> bool:
        """Whether this Odoo, with its apps, has a field. Raises NotAllowed for a closed model."""
        try:
            return name in self.fields(model)
        except NotInstalled:
            return False

    def may(self, model: str, operation: str) -> bool:
        """Whether the service account may `read`, `write`, `create` or `unlink`, rows aside."""
        method = "has_access" if self.major >= 18 else "check_access_rights"
        arguments: dict[str, Any] = {"operation": operation}
        if method == "check_access_rights":
            arguments["raise_exception"] = False
        ids = () if method == "has_access" else None
        return bool(self._read(Ask(model, method, ids, arguments, writes=False)))

    def in_group(self, user_id: int, group: str) -> bool:
        """Whether a user is in a group, named by its external id, or in one above it."""
        arguments = {"group_ext_id": group}
        return bool(self._read(Ask("res.users", "has_group", (user_id,), arguments, writes=False)))

    def user_id(self) -> int:
        """The service account's own id; proves the key."""
        ask = Ask("res.users", "login", writes=False)
        act = self._protocol.user_id
        return _patiently(ask, lambda: self._explained(ask, act), self._patience)

    # --- Writing ---

    def create(
        self, model: str, values: Sequence[Row], *, context: Mapping[str, Any] | None = None
    ) -> list[int]:
        """New records, in one transaction of Odoo's; their ids in the order of the values."""
        if not values:
            return []
        arguments = {"vals_list": [dict(each) for each in values]}
        ask = Ask(model, "create", None, arguments, ("vals_list",))
        return self._ids(self._call(ask, context), ask)

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """Set the same values on records. Raises Gone when one of them isn't there any more."""
        assert ids, "Odoo takes a write to no record for a success"
        self._call(Ask(model, "write", tuple(ids), {"vals": dict(values)}, ("vals",)))

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        """Delete records. Raises Gone when none of them is there any more."""
        assert ids, "Odoo takes the deletion of no record for a success"
        ask = Ask(model, "unlink", tuple(ids))
        try:
            self._call(ask)
        except NotAllowed:
            # Of some models Odoo says so, too, when the records aren't there.
            if self.search(model, [["id", "in", list(ids)]], limit=1, archived=True):
                raise
            raise explain(Fault("odoo.exceptions.MissingError"), ask, self._place) from None

    def post_note(self, model: str, record_id: int, html: str) -> int:
        """A note on a record's thread that staff alone see; the message's id."""
        ask = Ask(
            model,
            "message_post",
            (record_id,),
            {
                "body": html,
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_note",
                "body_is_html": True,
            },
        )
        return self._ids(self._call(ask), ask)[0]

    def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Any other method, taken for a write. Records it returns are a list of their ids."""
        told = self._call(
            Ask(model, method, None if ids is None else tuple(ids), arguments), context
        )
        records = _RECORDS.fullmatch(told) if isinstance(told, str) else None
        return [int(each) for each in re.findall(r"\d+", records["ids"])] if records else told

    # --- How it is done ---

    def _read(self, ask: Ask, archived: bool = False) -> Any:
        context = {"active_test": False} if archived else None
        return _patiently(ask, lambda: self._call(ask, context), self._patience)

    def _call(self, ask: Ask, context: Mapping[str, Any] | None = None) -> Any:
        given = {**CONTEXT, **(context or {})}
        return self._explained(ask, lambda: self._protocol.call(ask, given))

    def _explained(self, ask: Ask, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Fault as fault:
            refusal = explain(fault, ask, self._place)
        raise refusal  # outside, so that nothing of the call hangs on it

    def _rows(self, found: Any, model: str) -> list[Row]:
        if isinstance(found, list) and all(isinstance(row, dict) and "id" in row for row in found):
            return found
        raise self._half(Ask(model, "read", writes=False))

    def _ids(self, found: Any, ask: Ask) -> list[int]:
        ids = found if isinstance(found, list) else [found]
        if all(isinstance(each, int) and not isinstance(each, bool) for each in ids):
            return ids
        raise self._half(ask)

    def _half(self, ask: Ask) -> Exception:
        return explain(Fault("half"), ask, self._place)


def _patiently(ask: Ask, act: Callable[[], Any], patience: Patience) -> Any:
    """Do what only reads, again while Odoo doesn't answer and another try may help."""
    tries = stamina.retry_context(
        on=_Again(patience),
        attempts=patience.tries,
        timeout=None,
        wait_initial=patience.first_wait_seconds,
        wait_max=patience.wait_seconds_max,
        wait_jitter=patience.first_wait_seconds,
    )
    for attempt in tries.with_name(f"Odoo {ask}", (), {}):  # what the log calls it
        with attempt:
            return act()
    raise AssertionError("the last try returns or raises")


class _Again:
    """Whether to try again after an error, or in how many seconds, for one call."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._was_slow = 0

    def __call__(self, error: Exception) -> bool | float:
        if not isinstance(error, NoAnswer) or not error.soon:
            return False
        self._was_slow += error.slow
        if self._was_slow >= self._patience.tries_when_slow:
            return False
        return True if error.wait is None else min(error.wait, WAIT_ASKED_MAX_SECONDS)
