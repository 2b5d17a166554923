"""The stand-in on a port of this machine, with what may happen on the way to it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from integrations.stand_ins.odoo import protocols
from integrations.stand_ins.odoo.faults import Fault, Kind
from integrations.stand_ins.odoo.protocols import Answer, Request
from integrations.stand_ins.odoo.stand_in import Asked, StandIn

LOOPBACK = "127.0.0.1"
_PAGES = {
    Kind.BAD_GATEWAY: (502, "Bad Gateway"),
    Kind.UNAVAILABLE: (503, "Service Unavailable"),
    Kind.HTML: (200, "Please log in to the network"),
}


@contextlib.contextmanager
def running(stand_in: StandIn, *, port: int = 0) -> Iterator[str]:
    """Serve the stand-in on loopback; its address is handed out."""
    server = Serving(stand_in, port=port)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


class Serving:
    """A stand-in that can be stopped and started again on the same port, as an Odoo restarts."""

    def __init__(self, stand_in: StandIn, *, port: int = 0) -> None:
        self._stand_in = stand_in
        self._server: _Server | None = None
        self._port = port

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        self._server = _Server(self._stand_in, self._port)
        self._port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        """Refuse connections from now on; those that are open are cut."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stand_in: StandIn, port: int) -> None:
        self.stand_in = stand_in
        self.open: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), _Handler)

    def cut(self) -> None:
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What answers are dated by: Odoo's own clock."""
        now = self.server.stand_in.clock().timestamp()
        return super().date_time_string(now if timestamp is None else timestamp)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): given for name, given in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        stand_in = self.server.stand_in
        fault = _striking(stand_in, request)
        if fault is None or fault.kind not in (Kind.CLOSED, *_PAGES):
            answer = _answered(stand_in, request, fault)
        else:
            answer = _instead(request, fault)
        stand_in.requests.append(answer.asked)
        if stand_in.latency:
            time.sleep(stand_in.latency)
        self._send(answer, fault)

    def _send(self, answer: Answer, fault: Fault | None) -> None:
        body = answer.body
        kind = fault.kind if fault else None
        if kind in (Kind.CLOSED, Kind.LOST):
            self._cut()
            return
        if fault and kind == Kind.SLOW:
            time.sleep(fault.seconds)
        if kind == Kind.HALF:
            body = body[: len(body) // 2]
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == Kind.CUT else body)
        self.wfile.flush()
        if kind == Kind.CUT:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def version_string(self) -> str:
        return "stand-in"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what was asked is noted in the stand-in."""


def _striking(stand_in: StandIn, request: Request) -> Fault | None:
    if not stand_in.faults:
        return None
    model, method = protocols.addressed(request)
    with stand_in.lock:
        return next((each for each in stand_in.faults if each.strikes(model, method)), None)


def _answered(stand_in: StandIn, request: Request, fault: Fault | None) -> Answer:
    kind = fault.kind if fault else None
    if kind == Kind.ACCESS:
        return protocols.not_allowed(stand_in, request)
    if kind == Kind.SERVER:
        return protocols.out_of_order(stand_in, request)
    return protocols.answer(stand_in, request, revoked=kind == Kind.REVOKED)


def _instead(request: Request, fault: Fault) -> Answer:
    """What somebody on the way answers, the request having gone nowhere."""
    asked = Asked("http", *protocols.addressed(request), error=fault.kind)
    status, title = _PAGES.get(fault.kind, (0, ""))
    page = f"<html>\n<head><title>{title}</title></head>\n<body>{title}</body>\n</html>\n"
    return Answer(status, page.encode(), protocols.HTML, asked=asked)
