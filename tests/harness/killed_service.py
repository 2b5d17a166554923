"""The service in a process of its own that begins within a moment, to be killed and begun again."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import uvicorn

from api.app import make_app
from partner_cx.database import open_database
from tests.harness.api_clients import PLENTY

# A server that has imported everything once: each process forks from it in milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__, "partner_cx.kinds"])


@dataclass(frozen=True)
class Mortal:
    """Where it serves, and the process that does."""

    address: str
    process: BaseProcess

    def kill(self) -> None:
        """As by a power cut: no `finally`, no rollback, no goodbye."""
        self.process.kill()
        self.process.join()


@contextmanager
def mortal_service(url: str) -> Iterator[Mortal]:
    """The service over a database; killed at the end."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_serve, args=(url, theirs))
    process.start()
    with ours, theirs:
        port = ours.recv()
    serving = Mortal(f"http://127.0.0.1:{port}", process)
    try:
        yield serving
    finally:
        serving.kill()
        process.close()


def _serve(url: str, told: Connection) -> None:
    app = make_app(open_database(url), PLENTY)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # whoever asks before the server is up waits a moment
        told.send(listener.getsockname()[1])
        uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listener])
