"""The whole house at work on this machine: pages served, mail sent, effects carried out."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page

from api.app import make_app
from integrations.carrying import Hands
from integrations.worker import Worker
from partner_cx.settings import Settings
from tests.harness.cast import CAST, SECRET, signed_in
from tests.harness.mail_server import Post, mail_server
from tests.harness.programme import NOW

LINK = re.compile(r"http://\S*/sign-in/[\w-]+(?:\?\S+)?")


@dataclass
class House:
    """Where the pages are, and what is behind them. It is always the same moment there."""

    address: str
    engine: sa.Engine
    settings: Settings
    post: Post
    now: datetime
    _cookies: dict[str, list[Any]] = field(default_factory=dict)

    def cookies_of(self, who: str | None) -> list[Any]:
        """What a browser holds in which somebody has signed in before; None: a stranger's."""
        if who is None:
            return []
        if who not in self._cookies:
            held = signed_in(self.engine, who, now=self.now).cookies
            self._cookies[who] = [
                {"name": name, "value": value, "url": self.address} for name, value in held.items()
            ]
        return self._cookies[who]

    def work(self) -> None:
        """Let a worker carry out all that is owed."""
        hands = Hands(self.engine, self.settings, lambda: self.now)
        Worker(hands).run_dry()

    def sign_in(self, page: Page, who: str) -> None:
        """Sign somebody in as people do: by a link that they ask for, and that is mailed."""
        page.goto(f"{self.address}/sign-in")
        page.locator("input[name=email]").fill(CAST.get(who, who))
        page.locator("main form:has(input[name=email]) button").click()
        page.wait_for_load_state()
        before = len(self.post.taken)
        self.work()
        [letter] = self.post.taken[before:]
        body = letter.get_body(("plain",))
        assert body is not None
        found = LINK.search(body.get_content())
        assert found, body.get_content()
        page.goto(found[0])
        page.locator("main form button").click()
        page.wait_for_url(re.compile(f"^{self.address}/(?!sign-in)"))


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """An app by the real server, on a port of its own; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        with _serving(app, listener) as address:
            yield address


@contextmanager
def _serving(app: FastAPI, listener: socket.socket) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def served_house(
    engine: sa.Engine, settings: Settings, folder: Path, *, now: datetime = NOW
) -> Iterator[House]:
    """The pages by the real server, on a port of its own, with a mail server beside."""
    post = Post()
    with (
        mail_server(folder, post, security="none", login=False) as reach,
        socket.socket() as listener,
    ):
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        mail = {name: getattr(reach, name) for name in ("mail_host", "mail_port", "mail_from")}
        house = replace(settings, secret=SECRET, base_url=address, mail_security="none", **mail)
        app = make_app(engine, house, clock=lambda: now)
        with _serving(app, listener):
            yield House(address, engine, house, post, now)
