"""Systems that ask the JSON API, each with a token of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import make_app
from partner_cx.database import transact
from partner_cx.network.partners import Partner
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import make_token
from tests.harness.cast import HOME_ADDRESS, SECRET
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW

API = "/api/v1"
PLENTY = replace(SETTINGS, secret=SECRET, api_calls_per_minute=1_000_000)


def a_token(
    engine: sa.Engine,
    *scopes: Scope,
    partner: str | None = None,
    lasts: timedelta | None = None,
    made: datetime = NOW,
    name: str = "erp",
) -> str:
    """A token for some scopes, perhaps limited to a partner."""

    def make(session: sa.orm.Session) -> str:
        number = session.scalar(sa.select(Partner.id).where(Partner.code == partner))
        assert partner is None or number
        return make_token(session, name, scopes, by="ada", now=made, lasts=lasts, partner_id=number)

    return transact(engine, make)


def a_system(
    engine: sa.Engine, *scopes: Scope, partner: str | None = None, now: datetime = NOW
) -> TestClient:
    """A system with a token of its own, and no limit on how often it may ask."""
    app = make_app(engine, PLENTY, clock=lambda: now)
    client = TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)
    client.headers["Authorization"] = f"Bearer {a_token(engine, *scopes, partner=partner)}"
    return client
