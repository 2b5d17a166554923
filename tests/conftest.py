"""What every test can ask for: a fresh database of either kind, a session on it, a browser.

A test that asks for `database_url`, `engine` or `session` runs twice: on SQLite and on
PostgreSQL. It is never skipped for want of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser
from sqlalchemy.orm import Session

from partner_cx.database import open_database
from tests.harness import chromium, databases, once, postgres

hypothesis.settings.register_profile("local", deadline=None)
# The same examples in every run: a red build names a change, not a lucky draw.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    once.open_run()
    if os.environ.get("CI") and not os.environ.get("PARTNER_CX_TEST_POSTGRESQL_URL"):
        try:
            postgres.programs()
        except postgres.PostgreSQLMissing as missing:
            pytest.exit(str(missing), returncode=3)


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    try:
        databases.clear_away()
    finally:
        once.close_run()


@pytest.fixture(params=databases.EACH_KIND)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of its own on the newest schema."""
    with databases.fresh_database(request.param) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """The test's own database, opened; for what commits or needs several connections."""
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session on the test's own database, for what only flushes; rolled back at the end."""
    with Session(engine.execution_options(writes=True)) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser, one per worker; take a `browser.new_context()` per test."""
    with chromium.open_browser() as opened:
        yield opened
