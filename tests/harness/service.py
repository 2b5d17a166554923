"""`partner-cx serve` in processes of its own, as people run it; and how it is asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

import httpx
import sqlalchemy as sa

from tests.harness.cast import SECRET, fresh_link

T = TypeVar("T")

HOUSE = Path(__file__).parents[2]
BEGINS_SECONDS = 60


@dataclass(frozen=True)
class Service:
    """Where it serves, the process that does, and what it has told so far."""

    address: str
    process: subprocess.Popen[str]
    told: list[str]

    def kill(self) -> None:
        """As by a power cut; for one that serves by one process."""
        self.process.kill()
        self.process.wait()


@contextmanager
def service(url: str, *options: str) -> Iterator[Service]:
    """The service over a database, on a port of its own; ended in order, unless it was killed."""
    command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", *options]
    told = {"PARTNER_CX_DATABASE_URL": url, "PARTNER_CX_SECRET": SECRET}
    process = subprocess.Popen(
        command, cwd=HOUSE, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True
    )
    said: list[str] = []
    assert process.stderr is not None
    with process.stderr as stderr, ThreadPoolExecutor(1) as listener:
        try:
            address = _address_said(stderr, said)
            listener.submit(said.extend, stderr)  # so that it never waits for somebody to read
            _wait_until_it_answers(address)
            yield Service(address, process, said)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(BEGINS_SECONDS)


def _address_said(stderr: IO[str], said: list[str]) -> str:
    while line := stderr.readline():
        said.append(line)
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError(f"it never said where it serves: {''.join(said)}")


def _wait_until_it_answers(address: str) -> None:
    until = time.monotonic() + BEGINS_SECONDS
    while True:
        try:
            httpx.get(f"{address}/health", timeout=10)
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def let_in(engine: sa.Engine, who: str) -> Mapping[str, str]:
    """The cookies of somebody who has signed in, by a link that is used at any address."""
    from fastapi.testclient import TestClient

    from tests.harness.cast import HOME_ADDRESS, at_the_door

    now = datetime.now(UTC)
    client: TestClient = at_the_door(engine, now=now)
    client.post(fresh_link(engine, who, now=now), headers={"Origin": HOME_ADDRESS})
    return dict(client.cookies)


def browser(
    address: str, cookies: Mapping[str, str] | None = None, token: str = ""
) -> httpx.Client:
    """A browser with its own connection. Redirects are not followed. token: a system's."""
    headers = {"Origin": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.Client(base_url=address, cookies=dict(cookies or {}), headers=headers, timeout=60)


def together(*asks: Callable[[], T]) -> list[T]:
    """What was answered to each, all of them asked at the same moment."""
    ready = threading.Barrier(len(asks))

    def ask(one: Callable[[], T]) -> T:
        ready.wait()
        return one()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


def posts(
    address: str, cookies: Mapping[str, str], forms: Sequence[tuple[str, Mapping[str, str]]]
) -> list[httpx.Response]:
    """Forms, each sent by a browser of its own, at the same moment."""

    def sending(path: str, fields: Mapping[str, str]) -> Callable[[], httpx.Response]:
        def send() -> httpx.Response:
            with browser(address, cookies) as client:
                return client.post(path, data=dict(fields))

        return send

    return together(*(sending(path, fields) for path, fields in forms))
