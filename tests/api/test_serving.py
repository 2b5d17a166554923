"""Serving as people do it: by the command, by one process or several, ended by a signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.harness.databases import fresh_database

HOUSE = Path(__file__).parents[2]


@contextmanager
def served(url: str, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`partner-cx serve` on a port of its own; its address and the process."""
    command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", *options]
    told = {"PARTNER_CX_DATABASE_URL": url, "PARTNER_CX_SECRET": "a secret that only tests know"}
    process = subprocess.Popen(
        command, cwd=HOUSE, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        found = None
        while found is None and (line := process.stderr.readline()):
            found = re.search(r"http://\S+", line)
        assert found, "it never said where it serves"
        yield found[0], process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def answers(address: str, path: str = "/health") -> int:
    """The status of a page, once somebody listens there."""
    until = time.monotonic() + 30
    while True:
        try:
            return httpx.get(address + path, timeout=10).status_code
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_several_processes_serve_postgresql_and_end_by_a_signal():
    with fresh_database("postgresql") as url:
        with served(url, "--processes", "2") as (address, process):
            assert {answers(address, "/sign-in") for _ in range(10)} == {200}
        assert process.returncode == 0


def test_whoever_comes_as_soon_as_it_is_said_is_answered():
    with fresh_database("postgresql") as url, served(url, "--processes", "2") as (address, _):
        assert httpx.get(f"{address}/ready", timeout=30).status_code == 200


def test_one_process_serves_and_ends_by_a_signal(database_url: str):
    with served(database_url) as (address, process):
        assert answers(address) == 200
    assert process.returncode in (0, -signal.SIGTERM)


def test_several_processes_are_refused_on_sqlite():
    with fresh_database("sqlite") as url:
        command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", "--processes", "2"]
        told = {**os.environ, "PARTNER_CX_DATABASE_URL": url}
        ended = subprocess.run(
            command, check=False, cwd=HOUSE, env=told, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 2
    assert "One process serves an SQLite file" in ended.stderr
