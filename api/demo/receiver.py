"""The demo's receiver of webhooks: another system, on loopback, that keeps what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Message:
    """A message as it came. is_genuine: its signature is that of the secret we were given."""

    id: str
    event: str
    is_genuine: bool


@dataclass
class Receiver:
    """What has come. secret: what messages are to be signed with, once it is known."""

    url: str = ""
    secret: str = field(default="", repr=False)
    messages: list[Message] = field(default_factory=list)

    def take(self, message_id: str, sent_at: str, signatures: str, body: str) -> bool:
        """Keep a message; whether it is genuine."""
        at = datetime.fromtimestamp(int(sent_at), UTC)
        signed = Webhook(self.secret).sign(message_id, at, body)
        message = Message(message_id, json.loads(body)["type"], signed in signatures.split())
        self.messages.append(message)
        return message.is_genuine


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine, until the block ends."""
    receiver = Receiver()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            number, at, signatures = (
                self.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")
            )
            genuine = receiver.take(number, at, signatures, body)
            self.send_response(204 if genuine else 401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Door) as server:
        server.daemon_threads = True
        receiver.url = f"http://{LOOPBACK}:{server.server_port}/partner-cx"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
