"""The standing cast at the doors: who signs in, by role, and how they get in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.sign_in_links import make_link
from tests.harness.databases import prepared_engine
from tests.harness.intake import SETTINGS, take
from tests.harness.programme import NOW, a_network, a_programme, close_it

SECRET = "a secret that only tests know"
CAST = {
    "rep": "rep@brand.example",
    "distributor": "dora@d1.example",  # supplies R1, R2 and R3
    "reseller": "remy@r2.example",  # missed the bonus
    "manager": "mia@brand.example",
    "admin": "ada@brand.example",
}
HOME_ADDRESS = "http://testserver"


def a_closed_programme(engine: sa.Engine) -> None:
    """The small programme with its quarter closed, and everybody who signs in."""
    a_network(engine)
    the_cast(engine)
    a_programme(engine)
    close_it(engine)


@contextmanager
def closed_programme(kind: str) -> Iterator[sa.Engine]:
    """A database of its own with that programme: made once per run, and copied."""
    with prepared_engine(kind, "closed programme", a_closed_programme) as engine:
        yield engine


def the_cast(engine: sa.Engine) -> None:
    partners = {"distributor": "D1", "reseller": "R2"}
    take(
        engine,
        "people",
        *(
            {
                "email": email,
                "name": f"{name.title()} Person",
                "role": "partner" if name in partners else name,
                "partner_code": partners.get(name),
            }
            for name, email in CAST.items()
        ),
    )


def at_the_door(engine: sa.Engine, *, now: datetime = NOW) -> TestClient:
    """A browser without a page open yet. Redirects are not followed."""
    app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: now)
    return TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)


def fresh_link(engine: sa.Engine, who: str, *, now: datetime = NOW) -> str:
    """The path of a sign-in link of somebody in the cast."""
    return "/sign-in/" + transact(engine, lambda session: make_link(session, CAST[who], now=now))


def signed_in(engine: sa.Engine, who: str | None, *, now: datetime = NOW) -> TestClient:
    """A browser in which somebody has signed in; None: a stranger."""
    client = at_the_door(engine, now=now)
    if who:
        answer = client.post(fresh_link(engine, who, now=now), headers={"Origin": HOME_ADDRESS})
        assert answer.status_code == 303, answer.text
    return client
