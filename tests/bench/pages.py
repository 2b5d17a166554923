"""Pages under load: home, statement and the network's overview, beside a bare page of each.

The service runs as `partner-cx serve --no-work`, wrk asks from sixteen connections on loopback,
signed in as one distributor after the other, or as one manager after the other. The bare page (see
`bare_page`) runs as many queries on the same database and answers as many bytes; it is measured
right before and right after ours, so that whatever else runs here slows both alike.

wrk comes with Debian and Ubuntu: `apt-get install wrk`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from time import monotonic, sleep

import httpx
from anyio.to_thread import current_default_thread_limiter
from fastapi.testclient import TestClient

from api.app import make_app
from api.sign_in.cookies import COOKIE
from partner_cx.database import open_database
from partner_cx.settings import Settings
from tests.bench.pages_programme import Programme, a_programme
from tests.bench.report import Bench, Line, section
from tests.harness.counting import counted

CONNECTIONS = 16
WARM_UP_SECONDS, SECONDS = 3, 10
RATIO_MAX = 3
SECRET = "a secret that only the benchmark knows"
PROCESSES = {"sqlite": (1,), "postgresql": (1, 2)}


@dataclass(frozen=True)
class Asked:
    """A page, who asks for it in turn (session tokens), and what stands beside it."""

    name: str
    path: str
    tokens: Sequence[str]
    queries: int
    size: int

    @property
    def bare(self) -> Asked:
        return replace(self, path=f"/bare/{self.queries}/{self.size}")


@dataclass(frozen=True)
class Load:
    """What wrk saw: milliseconds, and answers a second."""

    median: float
    p99: float
    rate: float

    def __str__(self) -> str:
        return f"median {self.median:.1f} ms, p99 {self.p99:.1f} ms, {self.rate:,.0f} answers/s"


@section("pages")
def pages(bench: Bench) -> Iterator[Line]:
    if not shutil.which("wrk"):
        raise RuntimeError("wrk is missing: apt-get install wrk")
    for database in bench.databases:
        programme = a_programme(bench, database)
        asked, threads = _asked(programme)
        for processes in PROCESSES[database]:
            with _serving(programme, threads, processes) as (ours, bare):
                for page in asked:
                    yield _line(page, ours, bare, bench.folder, f"{database}, {_told(processes)}")


def _told(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"


def _line(page: Asked, ours: str, bare: str, folder: Path, where: str) -> Line:
    before = _load(bare, page.bare, folder)
    own = _load(ours, page, folder)
    after = _load(bare, page.bare, folder)
    floor = Load(
        fmean((before.median, after.median)),
        fmean((before.p99, after.p99)),
        fmean((before.rate, after.rate)),
    )
    ratio, of_p99 = own.median / floor.median, own.p99 / floor.p99
    return Line(
        f"{page.name}, {where}",
        str(own),
        f"a bare page of {page.queries} queries and {page.size // 1000} kB: {floor}; "
        f"p99 {of_p99:.2f} ×",
        ratio,
        f"≤ {RATIO_MAX} ×",
        max(ratio, of_p99) <= RATIO_MAX,
    )


# --- What is asked for ----------------------------------------------------------------------------


def _asked(programme: Programme) -> tuple[list[Asked], int]:
    """The pages, with what each asks of the database and answers; and the service's threads."""
    engine = open_database(programme.url)
    app = make_app(engine, replace(Settings.read({}), secret=SECRET))
    found = []
    with TestClient(app, headers={"Accept-Encoding": "identity"}) as client:
        threads = _threads(client)
        for name, path, tokens in (
            ("A distributor's home", "/home", programme.distributors),
            ("Its statement", "/statement", programme.distributors),
            ("The manager's overview", f"/network/{programme.closed}", programme.managers),
        ):
            signed_in = {"Cookie": f"{COOKIE}={tokens[0]}"}
            client.get(path, headers=signed_in).raise_for_status()  # what is kept from then on
            with counted(engine) as seen:
                answer = client.get(path, headers=signed_in)
            found.append(Asked(name, path, tokens, seen.count, len(answer.content)))
    engine.dispose()
    return found, threads


def _threads(client: TestClient) -> int:
    """How many threads the service takes for its pages."""
    assert client.portal is not None

    async def told() -> int:
        return int(current_default_thread_limiter().total_tokens)

    return client.portal.call(told)


# --- Serving --------------------------------------------------------------------------------------


@contextmanager
def _serving(programme: Programme, threads: int, processes: int) -> Iterator[tuple[str, str]]:
    """Ours and the bare page, each by its own server."""
    partner_cx = Path(sys.executable).with_name("partner-cx")
    several = ["--processes", str(processes)] if processes > 1 else []
    ours = [partner_cx, "serve", "--no-work", "--port", "0", *several]
    bare = [sys.executable, "-m", "tests.bench.bare_page", programme.url, str(threads)]
    with ExitStack() as servers:
        yield (
            servers.enter_context(_server(ours, programme.url)),
            servers.enter_context(_server([*bare, str(processes)], programme.url)),
        )


@contextmanager
def _server(command: Sequence[str | Path], url: str) -> Iterator[str]:
    """A server until it is no longer needed: where it answers."""
    named = {"PARTNER_CX_DATABASE_URL": url, "PARTNER_CX_SECRET": SECRET}
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, **named, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.search(r"http://[\d.:]+", said)
        if not found:
            raise RuntimeError(f"no server: {said}")
        _wait_for(found[0])
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        process.stdout.close()


def _wait_for(address: str, seconds: float = 30) -> None:
    """Until it answers, whatever it says."""
    until = monotonic() + seconds
    while True:
        try:
            httpx.get(address)
            return
        except httpx.TransportError:
            if monotonic() > until:
                raise
            sleep(0.1)


# --- Asking ---------------------------------------------------------------------------------------

_SCRIPT = """
local cookies, turn = {%(cookies)s}, 0
request = function()
  turn = turn %% #cookies + 1
  return wrk.format("GET", nil, {["Cookie"] = "%(name)s=" .. cookies[turn]})
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"median": %%f, "p99": %%f, "requests": %%d, "duration": %%d, '
    .. '"refused": %%d, "broken": %%d}\\n',
    latency:percentile(50), latency:percentile(99), summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def _load(address: str, page: Asked, folder: Path) -> Load:
    script = folder / "asking.lua"
    cookies = ", ".join(f'"{token}"' for token in page.tokens)
    script.write_text(_SCRIPT % {"cookies": cookies, "name": COOKIE}, encoding="utf-8")
    _wrk(address + page.path, script, WARM_UP_SECONDS)
    seen = _wrk(address + page.path, script, SECONDS)
    if seen["refused"] or seen["broken"]:
        raise RuntimeError(f"{page.name}: not every answer was a page: {seen}")
    seconds = seen["duration"] / 1e6
    return Load(seen["median"] / 1_000, seen["p99"] / 1_000, seen["requests"] / seconds)


def _wrk(url: str, script: Path, seconds: int) -> dict[str, float]:
    """One run; errors.status counts whatever wasn't answered by 2xx or 3xx."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seen: dict[str, float] = json.loads(told.strip().splitlines()[-1])
    return seen
