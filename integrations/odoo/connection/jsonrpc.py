"""JSON-RPC, the protocol of Odoo 18 and before: one address for all, every call with the key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from odoolib.rpc import Connection, JsonRPCConnector, Service
from odoolib.tools import AuthenticationError

from integrations.odoo.connection.faults import Ask, Fault
from integrations.odoo.connection.wire import Answer, Hidden, Wire


class JsonRpc:
    """Calls over odoo-client-lib's JSON-RPC, through our own wire.

    It logs in once, as every login leaves a row with Odoo.
    """

    name = "JSON-RPC"

    def __init__(self, wire: Wire, *, database: str, login: str, key: str) -> None:
        self._connection = Connection(Connector(wire), database, login, Hidden(key))

    def call(self, ask: Ask, context: dict[str, Any]) -> Any:
        """Carry out one call. Raises Fault."""
        user_id = self.user_id()
        connection = self._connection
        named = dict(ask.arguments)
        placed = [named.pop(name) for name in ask.by_position]
        if ask.ids is not None:
            placed.insert(0, list(ask.ids))
        return connection.get_service("object").execute_kw(
            connection.database,
            user_id,
            connection.password,
            ask.model,
            ask.method,
            placed,
            named | {"context": context},
        )

    def user_id(self) -> int:
        """Who we are. Raises Fault when the key is no good."""
        try:
            self._connection.check_login(force=False)
            return int(self._connection.user_id)
        except AuthenticationError:
            refused = Fault("odoolib.AuthenticationError")
        raise refused


class Connector(JsonRPCConnector):  # type: ignore[misc]
    """The library's own, without its five seconds and without its log of whole calls."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = "/jsonrpc"  # below the wire's address

    def send(self, service_name: str, method: str, *args: Any) -> Any:
        params = {"service": service_name, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        return result(self.wire.post(self.url, body))

    def get_service(self, service_name: str) -> _QuietService:
        return _QuietService(self, service_name)


class _QuietService(Service):  # type: ignore[misc]
    connector: Connector
    service_name: str

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self.connector.send, self.service_name, method)


def result(answer: Answer) -> Any:
    """What a call returned. Raises Fault with the name of Odoo's exception, or for a page."""
    try:
        body = answer.json()
    except ValueError:
        raise answer.page_fault() from None
    if answer.status != 200 or not isinstance(body, dict) or "jsonrpc" not in body:
        raise answer.page_fault()
    if error := body.get("error"):
        data = error.get("data") if isinstance(error, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise Fault("half")
        raise Fault(data["name"], str(data.get("message", "")))
    return body.get("result")
