"""Measures: seconds as medians, a command's peak memory, and the machine they hold for."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import duckdb
import pandas as pd
import psycopg

Result = TypeVar("Result")


def median_seconds(act: Callable[[], Result], *, runs: int) -> tuple[float, Result]:
    """Do it once to warm up, then `runs` times; the median, and what it gave the last time."""
    result = act()
    taken = []
    for _ in range(runs):
        began = perf_counter()
        result = act()
        taken.append(perf_counter() - began)
    return statistics.median(taken), result


@dataclass(frozen=True)
class CommandRun:
    """One run of a command as a process of its own, from start to exit.

    peak_bytes: the most memory that it, or any process it waited for, held at once.
    processor_seconds: what it, and any process it waited for, kept a core busy.
    """

    seconds: float
    peak_bytes: int
    status: int
    output: str
    complaints: str
    processor_seconds: float = 0.0

    @property
    def peak_megabytes(self) -> float:
        return self.peak_bytes / 1e6


# A small process stands between us and the command: Linux counts the memory of whoever starts a
# process among that process's own peak, and we may hold gigabytes.
_BETWEEN = """
import json, os, resource, subprocess, sys, time
began = time.perf_counter()
status = subprocess.call(sys.argv[2:])
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
busy = used.ru_utime + used.ru_stime
with open(int(sys.argv[1]), "w") as report:
    told = {"seconds": seconds, "peak": used.ru_maxrss, "status": status, "busy": busy}
    json.dump(told, report)
"""


def run_command(
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> CommandRun:
    """Run it to its end, whatever its exit status; the caller judges that."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BETWEEN, str(writing), *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=[writing],
    )
    os.close(writing)
    output, complaints = process.communicate()
    with open(reading) as report:
        told = json.loads(report.read())
    unit = 1 if sys.platform == "darwin" else 1024
    peak = told["peak"] * unit
    return CommandRun(told["seconds"], peak, told["status"], output, complaints, told["busy"])


def machine(*, postgresql_url: str | None = None) -> str:
    """One line: cores, memory and versions. Nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        f"{os.cpu_count()} cores",
        f"{memory:.0f} GiB of memory",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        *([f"PostgreSQL {_postgresql_version(postgresql_url)}"] if postgresql_url else []),
        f"DuckDB {duckdb.__version__}",
        f"pandas {pd.__version__}",
    ]
    return ", ".join(parts)


def _postgresql_version(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        number = connection.info.server_version
    return f"{number // 10_000}.{number % 10_000}"
