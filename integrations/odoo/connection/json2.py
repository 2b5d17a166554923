"""JSON-2, the protocol of Odoo 19 and later: one address for each method, arguments by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odoolib.json2 import Json2Connection, Json2Connector, JsonModel

from integrations.odoo.connection.faults import Ask, Fault
from integrations.odoo.connection.wire import Answer, Hidden, Wire


class Json2:
    """Calls over odoo-client-lib's JSON-2, through our own wire."""

    name = "JSON-2"

    def __init__(self, wire: Wire, *, database: str | None, key: str) -> None:
        self._connection = _Connection(wire, database, key)
        self._user_id: int | None = None

    def call(self, ask: Ask, context: dict[str, Any]) -> Any:
        """Carry out one call. Raises Fault."""
        named = dict(ask.arguments) | {"context": context}
        if ask.ids is not None:
            named["ids"] = list(ask.ids)
        return getattr(self._connection.get_model(ask.model), ask.method)(**named)

    def user_id(self) -> int:
        """Who we are. Raises Fault when the key is no good."""
        if self._user_id is None:
            told = self.call(Ask("res.users", "context_get", writes=False), {})
            if not isinstance(told, dict) or not isinstance(told.get("uid"), int):
                raise Fault("half")
            self._user_id = told["uid"]
        return self._user_id


class _Connector(Json2Connector):  # type: ignore[misc]
    """The library's own knows hosts and ports; ours a whole address, a path before it included."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = "/json/2/"  # below the wire's address


class _Connection(Json2Connection):  # type: ignore[misc]
    connector: _Connector
    bearer_header: dict[str, str]

    def __init__(self, wire: Wire, database: str | None, key: str) -> None:
        super().__init__(_Connector(wire), database, key)
        self.bearer_header["Authorization"] = Hidden(self.bearer_header["Authorization"])
        if database is None:  # a server with one database finds it by itself
            del self.bearer_header["X-Odoo-Database"]

    def get_model(self, model_name: str) -> _Model:
        return _Model(self, model_name)


class _Model(JsonModel):  # type: ignore[misc]
    connection: _Connection

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def ask(**named: Any) -> Any:
            connection = self.connection
            path = self._url(method)
            return result(connection.connector.wire.post(path, named, connection.bearer_header))

        return ask

    read = property(lambda self: self.__getattr__("read"))  # the library's unpacks a single row


def result(answer: Answer) -> Any:
    """What a call returned. Raises Fault with the name of Odoo's exception, or for a page."""
    try:
        body = answer.json()
    except ValueError:
        raise answer.page_fault() from None
    if answer.status == 200:
        return body
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise answer.page_fault()
    raise Fault(body["name"], str(body.get("message", "")), answer.status, wait=answer.wait)
