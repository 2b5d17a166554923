"""A system that is told of things: a real HTTP server that keeps what it gets, or fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Got:
    """A message as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """What it says, once its signature was checked as its receiver would."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """answers: what to do with the messages to come, one each; then 204."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[Answering] = field(default_factory=list)


def status(number: int, **headers: str) -> Answering:
    """Answer with this status, as `Retry_After="30"` with these headers."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(number)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "4")
        request.end_headers()
        request.wfile.write(b"told")

    return answer


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Take the message, and say nothing."""
    request.close_connection = True


def say_half(request: BaseHTTPRequestHandler) -> None:
    """Begin an answer, and break off."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    request.close_connection = True


def be_slow(seconds: float) -> Answering:
    def answer(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        status(200)(request)

    return answer


def talk_without_end(request: BaseHTTPRequestHandler) -> None:
    """Say yes, and then go on and on."""
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(10_000):
            request.wfile.write(b"and on " * 1_000)
    except OSError:
        pass
    request.close_connection = True


@contextmanager
def receiving(*answers: Answering) -> Iterator[Receiver]:
    receiver = Receiver(answers=list(answers))
    kept = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with kept:
                receiver.got.append(Got(dict(self.headers.items()), body))
                answer = receiver.answers.pop(0) if receiver.answers else status(200)
            answer(self)

        def log_message(self, *_args: object) -> None:
            """Tests speak for themselves."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/told"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
