"""An administrator at the door: forms filled in, and what a page says without its marks."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import httpx2
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.settings import Settings
from tests.harness.cast import HOME_ADDRESS, SECRET, fresh_link
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW

FROM_HOME = {"Origin": HOME_ADDRESS}
WITH_MAIL = replace(SETTINGS, mail_host="127.0.0.1", mail_from="Programme <p@brand.example>")


def administrator(
    engine: sa.Engine, *, settings: Settings = SETTINGS, now: datetime = NOW, who: str = "admin"
) -> TestClient:
    """A browser in which the administrator has signed in, at an installation of these settings."""
    app = make_app(engine, replace(settings, secret=SECRET), clock=lambda: now)
    client = TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)
    answer = client.post(fresh_link(engine, who, now=now), headers=FROM_HOME)
    assert answer.status_code == 303, answer.text
    return client


def filled_in(client: TestClient, path: str, files: Any = None, **given: Any) -> httpx2.Response:
    """A form as it is sent. Fields with a hyphen or a Python word in their name: with `_`."""
    data = {name.replace("__", "-").rstrip("_"): value for name, value in given.items()}
    return client.post(path, data=data, files=files, headers=FROM_HOME)


def words(answer: httpx.Response | httpx2.Response) -> str:
    """What a page says."""
    main = answer.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def handed_in(client: TestClient, name: str, content: bytes, **given: str) -> httpx2.Response:
    return filled_in(client, "/admin/uploads", files={"file": (name, content)}, **given)
