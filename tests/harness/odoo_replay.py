"""A server that answers as an Odoo would, one scripted reply at a time, and its bad days.

Replies are written once and sent in either protocol: a fault is `Fails("odoo.exceptions…")`, which
is a status and a body over JSON-2, and an error inside a 200 over JSON-RPC.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from integrations.odoo.connection import Odoo, Patience, connect
from partner_cx.settings import Settings

KEY = "f3a1-the-key-of-the-service-account"
LOGIN = "partner-cx@brand.example"
DATABASE = "brand"
USER_ID = 7  # of the service account, where the script has nothing to say to a login
AT_ONCE = Patience(tries=3, first_wait_seconds=0, wait_seconds_max=0)

STATUS_OVER_JSON2 = {
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.MissingError": 404,
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "werkzeug.exceptions.BadRequest": 400,
    "werkzeug.exceptions.NotFound": 404,
    "werkzeug.exceptions.Unauthorized": 401,
    "werkzeug.exceptions.UnprocessableEntity": 422,
}


@dataclass(frozen=True)
class Fails:
    """An exception of Odoo's, by its name and message."""

    name: str
    message: str = "[a sentence of Odoo's]"


@dataclass(frozen=True)
class Page:
    """An answer that isn't the protocol's: a proxy's page, a redirect, half an answer.

    after: seconds. cut: the connection ends before the announced length. drip: a byte now and then.
    """

    body: str = "<!doctype html><title>Sorry</title>"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0
    cut: bool = False
    drip: bool = False


class HangsUp:
    """The connection is closed without a word."""


Reply = Any  # data, or one of the above


@dataclass(frozen=True)
class Asked:
    """One request, in terms of Odoo."""

    model: str
    method: str
    named: dict[str, Any]
    placed: list[Any]
    path: str
    headers: Mapping[str, str]
    connection: int

    def __str__(self) -> str:
        return f"{self.model}.{self.method}"


@dataclass
class Scripted:
    """An Odoo of a version, that answers calls by a function. asked: all calls so far."""

    version: int
    answer: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    prefix: str = ""
    date: str | None = None  # what its clock shows
    before: Callable[[str], Page | HangsUp | None] | None = None  # a proxy's own answer, by path

    def called(self) -> list[str]:
        return [str(asked) for asked in self.asked]


def settings_for(address: str, **given: Any) -> Settings:
    usual = {"odoo_database": DATABASE, "odoo_login": LOGIN, "odoo_key": KEY}
    return Settings(odoo_url=address, **{**usual, **given})


@contextmanager
def scripted_odoo(script: Scripted, **settings: Any) -> Iterator[Odoo]:
    """A connection to a scripted Odoo."""
    with (
        serving(script) as address,
        connect(settings_for(address, **settings), patience=AT_ONCE) as odoo,
    ):
        yield odoo


@contextmanager
def serving(script: Scripted, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a scripted Odoo, as long as it runs."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}{script.prefix}"
    finally:
        server.shutdown()
        server.server_close()
        server.hang_up()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def hang_up(self) -> None:
        """Close the connections that clients keep for their next calls."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """Clients that go in the middle are what these servers are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Scripted  # of the class made for one server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        reply = _reply(self.script, self, body)
        if isinstance(reply, HangsUp):
            self.close_connection = True
            return
        with suppress(OSError):  # the client has gone
            self._send(reply)
        self.close_connection = self.close_connection or reply.cut

    def _send(self, page: Page) -> None:
        time.sleep(page.after)
        content = page.body.encode()
        self.send_response_only(page.status)
        self.send_header("Date", self.script.date or self.date_time_string())
        for name, value in {"Content-Type": "text/html", **page.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + (100 if page.cut else 0)))
        self.end_headers()
        for piece in [bytes([each]) for each in content] if page.drip else [content]:
            self.wfile.write(piece)
            time.sleep(0.05 if page.drip else 0)


def _reply(script: Scripted, request: Any, body: Any) -> Page | HangsUp:
    path = request.path.removeprefix(script.prefix)
    early = script.before(path) if script.before else None
    if early is not None:
        return early
    if not request.path.startswith(script.prefix):
        return Page("<h1>Not Found</h1>", 404)
    if path == "/web/version" and script.version >= 19:
        return _as_json({"version": f"{script.version}.0", "version_info": _info(script)})
    if path == "/jsonrpc":
        return _jsonrpc(script, request, body["params"])
    if path.startswith("/json/2/") and script.version >= 19:
        return _json2(script, request, path, body)
    return Page("<h1>Not Found</h1>", 404)


def _json2(script: Scripted, request: Any, path: str, body: dict[str, Any]) -> Page | HangsUp:
    model, method = path.removeprefix("/json/2/").split("/")
    asked = Asked(model, method, body, [], path, dict(request.headers), request.client_address[1])
    script.asked.append(asked)
    reply = script.answer(asked)
    if isinstance(reply, Page | HangsUp):
        return reply
    if isinstance(reply, Fails):
        status = STATUS_OVER_JSON2.get(reply.name, 500)
        return _as_json({"name": reply.name, "message": reply.message, "arguments": []}, status)
    return _as_json(reply)


def _jsonrpc(script: Scripted, request: Any, params: dict[str, Any]) -> Page | HangsUp:
    if params["service"] == "common" and params["method"] == "version":
        return _as_json({"jsonrpc": "2.0", "result": {"server_version_info": _info(script)}})
    if params["service"] == "common":
        model, method, named, placed = "res.users", "login", {}, list(params["args"])
    else:
        _, _, _, model, method, placed, named = params["args"]
    client = request.client_address[1]
    asked = Asked(model, method, named, placed, "/jsonrpc", dict(request.headers), client)
    script.asked.append(asked)
    reply = script.answer(asked)
    if method == "login" and reply is None:
        reply = USER_ID
    if isinstance(reply, Page | HangsUp):
        return reply
    if isinstance(reply, Fails):
        data = {"name": reply.name, "message": reply.message, "debug": "[traceback]"}
        return _as_json({"jsonrpc": "2.0", "error": {"code": 200, "data": data}})
    return _as_json({"jsonrpc": "2.0", "result": reply})


def _info(script: Scripted) -> list[Any]:
    return [script.version, 0, 0, "final", 0, ""]


def _as_json(data: Any, status: int = 200) -> Page:
    return Page(json.dumps(data), status, {"Content-Type": "application/json"})
