"""Many at once: whoever comes when all places are taken waits a moment, and is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.database import writing
from tests.harness.cast import HOME_ADDRESS, SECRET, a_closed_programme, fresh_link
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW

T = TypeVar("T")

MANY = 60
FROM_HOME = {"Origin": HOME_ADDRESS}
SOON_SECONDS = 20  # a request that waits for a connection in vain does so for thirty


def test_many_who_send_a_form_at_once_are_all_answered(engine: sa.Engine):
    app, session = served(engine)
    began = monotonic()
    statuses = at_once(
        app, session, lambda c: c.post("/me/language", data={"language": "en"}, headers=FROM_HOME)
    )
    assert statuses == {303: MANY}
    assert monotonic() - began < SOON_SECONDS


def test_many_who_look_at_once_are_all_answered(engine: sa.Engine):
    app, session = served(engine)
    began = monotonic()
    assert at_once(app, session, lambda c: c.get("/budgets")) == {200: MANY}
    assert monotonic() - began < SOON_SECONDS


def test_whoever_looks_doesnt_wait_for_those_who_wait_to_write(engine: sa.Engine):
    app, session = served(engine)

    async def looked() -> int:
        with ExitStack() as stack:
            stack.enter_context(writing(engine))  # on SQLite nobody else writes meanwhile
            async with browser(app, session) as client:
                end = (client.post("/me/sessions/end", headers=FROM_HOME) for _ in range(MANY))
                sent = [asyncio.create_task(each) for each in end]
                await asyncio.sleep(0.5)
                page = await asyncio.wait_for(client.get("/budgets"), SOON_SECONDS)
                stack.close()
                await asyncio.gather(*sent)
                return page.status_code

    assert run(looked()) == 200


def test_a_form_that_comes_slowly_takes_no_place(engine: sa.Engine):
    app, session = served(engine)

    async def acted() -> int:
        held = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"code="
            await held.wait()
            yield b"x"

        async with browser(app, session) as client:
            headers = FROM_HOME | {"Content-Type": "application/x-www-form-urlencoded"}
            slow = (client.post("/budgets", content=slowly(), headers=headers) for _ in range(MANY))
            sent = [asyncio.create_task(each) for each in slow]
            await asyncio.sleep(0.5)
            act = client.post("/me/language", data={"language": "en"}, headers=FROM_HOME)
            answer = await asyncio.wait_for(act, SOON_SECONDS)
            held.set()
            await asyncio.gather(*sent)
            return answer.status_code

    assert run(acted()) == 303


def served(engine: sa.Engine) -> tuple[FastAPI, dict[str, str]]:
    """The service, and the cookies of a manager who has signed in."""
    a_closed_programme(engine)
    app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
    client = TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)
    assert client.post(fresh_link(engine, "manager"), headers=FROM_HOME).status_code == 303
    return app, dict(client.cookies)


def at_once(
    app: FastAPI,
    cookies: dict[str, str],
    ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
) -> Counter[int]:
    async def all_of_them() -> Counter[int]:
        async with browser(app, cookies) as client:
            answers = await asyncio.gather(*(ask(client) for _ in range(MANY)))
        return Counter(each.status_code for each in answers)

    return run(all_of_them())


def run(asked: Coroutine[Any, Any, T]) -> T:
    """What was asked for, in a loop of its own: a browser's may run in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


def browser(app: FastAPI, cookies: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=HOME_ADDRESS, cookies=cookies, timeout=90
    )
