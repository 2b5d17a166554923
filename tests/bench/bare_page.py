"""The yardstick of `pages`: a page with nothing to it but as many queries and as many bytes.

What it does, and all it does: FastAPI calls a plain `def` endpoint in the same pool of threads as
ours. In one transaction on the same engine it looks up the session by its cookie's digest, then
reads single rows by their primary keys, through SQLAlchemy Core and statements made beforehand, one
after the other, until there were as many queries as the page beside it asks. Jinja prints what was
read into a table, escaped, of as many rows as make as many bytes. No rights, no language, no
joins, nothing to work out, no safe headers, no metrics.

    python -m tests.bench.bare_page DATABASE_URL THREADS [PROCESSES]
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import sqlalchemy as sa
import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment
from uvicorn.supervisors import Multiprocess

from api import schema
from api.sign_in.cookies import COOKIE
from partner_cx.database import open_database
from partner_cx.network.sessions import digest_of

ASKED = ("partners", "accounts", "transfers", "entries", "decisions", "rule_versions", "people")
ROW_BYTES = 100
PAGE = Environment(autoescape=True).from_string(
    "<!doctype html><title>Bare</title><table>"
    "{% for number in range(rows) %}"
    "<tr><td>{{ number }}</td><td>{{ name }}</td><td>{{ said }}</td></tr>\n"
    "{% endfor %}</table>"
)
_SAID = "x" * (ROW_BYTES - 45)


def app() -> FastAPI:
    """The page, over the database and with the pool of threads that the environment names."""
    engine = open_database(os.environ["BARE_DATABASE_URL"])
    threads = int(os.environ["BARE_THREADS"])
    by_digest, by_id = _statements()
    with engine.connect() as connection:
        lasts = [connection.scalar(sa.select(sa.func.max(_table(name).c.id))) for name in ASKED]
    turn = count()

    @asynccontextmanager
    async def with_threads(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = threads
        yield

    bare = FastAPI(openapi_url=None, lifespan=with_threads)

    @bare.get("/bare/{queries}/{size}")
    def page(request: Request, queries: int, size: int) -> Response:
        digest = digest_of(request.cookies.get(COOKIE, ""))
        with engine.connect() as connection:
            if connection.execute(by_digest, {"digest": digest}).one_or_none() is None:
                return PlainTextResponse("Who are you?", 401)
            name = ""
            for number in range(queries - 1):
                place, last = number % len(ASKED), lasts[number % len(ASKED)]
                row = connection.execute(by_id[place], {"id": 1 + next(turn) % last}).one()
                name = str(row[1])
        return HTMLResponse(PAGE.render(rows=size // ROW_BYTES, name=name[:12], said=_SAID))

    return bare


def _statements() -> tuple[sa.Select[Any], list[sa.Select[Any]]]:
    sessions = _table("web_sessions")
    by_id = [
        sa.select(_table(name)).where(_table(name).c.id == sa.bindparam("id")) for name in ASKED
    ]
    return sa.select(sessions).where(sessions.c.token_digest == sa.bindparam("digest")), by_id


def _table(name: str) -> sa.Table:
    return schema.METADATA.tables[name]


def main() -> None:
    url, threads, *more = sys.argv[1:]
    processes = int(more[0]) if more else 1
    os.environ |= {"BARE_DATABASE_URL": url, "BARE_THREADS": threads}
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        # As `partner-cx serve` does it.
        config = uvicorn.Config(
            "tests.bench.bare_page:app",
            factory=True,
            workers=processes,
            log_config=None,
            access_log=False,
        )
        print(f"Serving on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        if processes > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
