"""A database that is full, may only be read, is away or has nothing left to lend.

What can be read is shown; whoever would change something is told why they can't, nothing is half
written, and the service recovers by itself.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api import health
from partner_cx.database import open_database
from rewards.budgets import points_left
from tests.harness.cast import HOME_ADDRESS, a_closed_programme, at_the_door, signed_in
from tests.harness.databases import prepared_engine
from tests.harness.programme import BONUS

PATH = f"/budgets/{BONUS.budget}"
READ = ("/partners", "/network/2026Q2", PATH, "/statements/R1", "/journal")
GIVEN = 10_000  # points that the budget holds at first, 500 of them used


@pytest.fixture
def on_sqlite() -> Iterator[sa.Engine]:
    with prepared_engine("sqlite", "closed programme", a_closed_programme) as engine:
        yield engine


@pytest.fixture
def on_postgresql() -> Iterator[sa.Engine]:
    with prepared_engine("postgresql", "closed programme", a_closed_programme) as engine:
        yield engine


def fund(client: TestClient, key: str) -> Any:
    given = {"key": key, "points": "1", "why": f"{key} {'for spring ' * 15}"}
    return client.post(f"{PATH}/fund", data=given, headers={"Origin": HOME_ADDRESS})


def left(engine: sa.Engine) -> int:
    with Session(engine) as session:
        return points_left(session, BONUS.budget)


def said(answer: Any) -> str:
    """The words of a page's main part."""
    main = re.search(r"<main.*?</main>", answer.text, re.DOTALL)
    assert main
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main[0])).split())


def ready(engine: sa.Engine) -> tuple[int, str]:
    answer = at_the_door(engine).get("/ready")
    return answer.status_code, answer.text.strip()


@contextmanager
def each_connection(engine: sa.Engine, pragma: str) -> Iterator[None]:
    """Let every new connection to an SQLite file say this first."""

    def say(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    engine.dispose()
    sa.event.listen(engine, "connect", say)
    yield
    sa.event.remove(engine, "connect", say)
    engine.dispose()


@contextmanager
def administering(engine: sa.Engine) -> Iterator[Callable[[str], Any]]:
    """Say something to the server over a connection of its own, as the database's owner."""
    other = open_database(engine.url.render_as_string(hide_password=False))
    with other.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection.exec_driver_sql
    other.dispose()


# --- A full disk --------------------------------------------------------------------------------


def test_a_full_disk_refuses_what_would_be_kept_whole(on_sqlite: sa.Engine):
    manager, taken = signed_in(on_sqlite, "manager"), 0
    with each_connection(on_sqlite, "max_page_count = 1"), structlog.testing.capture_logs() as logs:
        while (answer := fund(manager, f"gift-{taken}")).status_code == 303:
            taken += 1
            assert taken < 500, "it never becomes full"
        assert answer.status_code == 503, said(answer)
        assert "nothing can be kept, though it can be read. Nothing was changed" in said(answer)
        assert [each["why"] for each in logs if each["log_level"] == "error"] == [
            "The disk is full. Make room and run this again."
        ]
        assert [manager.get(each).status_code for each in READ] == [200] * len(READ)
        assert left(on_sqlite) == GIVEN - 500 + taken
    assert fund(manager, "there-is-room").status_code == 303
    assert left(on_sqlite) == GIVEN - 500 + taken + 1


def test_a_disk_that_is_nearly_full_isnt_ready(
    on_sqlite: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    assert ready(on_sqlite) == (200, "ready")
    monkeypatch.setattr(health, "ROOM_BYTES", 1 << 60)
    with structlog.testing.capture_logs() as logs:
        assert ready(on_sqlite) == (503, "not ready: the database can be read, but not written")
    assert "bytes left" in logs[0]["why"]


# --- Only to be read ----------------------------------------------------------------------------


def test_a_file_that_may_only_be_read_is_still_read(on_sqlite: sa.Engine):
    manager = signed_in(on_sqlite, "manager")
    with each_connection(on_sqlite, "query_only = ON"):
        assert [manager.get(each).status_code for each in READ] == [200] * len(READ)
        answer = fund(manager, "one")
        assert answer.status_code == 503, said(answer)
        assert "everything can be read here, but nothing can be kept" in said(answer)
        manager.cookies.set("language", "fr")
        assert "tout peut être lu ici" in said(fund(manager, "two"))
    assert fund(manager, "three").status_code == 303
    assert left(on_sqlite) == GIVEN - 500 + 1


def test_a_file_that_may_only_be_read_isnt_ready(
    on_sqlite: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    allowed: list[Path] = []

    def access(path: Path, _mode: int) -> bool:
        allowed.append(path)
        return False

    monkeypatch.setattr("os.access", access)
    assert ready(on_sqlite) == (503, "not ready: the database can be read, but not written")
    assert allowed == [Path(str(on_sqlite.url.database))]


def test_postgresql_that_may_only_be_read_is_still_read_and_recovers(on_postgresql: sa.Engine):
    manager = signed_in(on_postgresql, "manager")
    with administering(on_postgresql) as say:
        setting = f'ALTER DATABASE "{on_postgresql.url.database}" SET default_transaction_read_only'
        say(f"{setting} = on")
        on_postgresql.dispose()
        assert [manager.get(each).status_code for each in READ] == [200] * len(READ)
        assert ready(on_postgresql)[1] == "not ready: the database can be read, but not written"
        answer = fund(manager, "one")
        assert answer.status_code == 503, said(answer)
        assert "everything can be read here, but nothing can be kept" in said(answer)
        say(f"{setting} = off")
    assert ready(on_postgresql) == (200, "ready")
    assert fund(manager, "two").status_code == 303
    assert left(on_postgresql) == GIVEN - 500 + 1


def test_postgresql_is_ready_again_though_nobody_writes(on_postgresql: sa.Engine):
    """As behind a load balancer, which sends nobody before."""
    setting = f'ALTER DATABASE "{on_postgresql.url.database}" SET default_transaction_read_only'
    with administering(on_postgresql) as say:
        say(f"{setting} = on")
        on_postgresql.dispose()
        assert ready(on_postgresql) == (503, "not ready: the database can be read, but not written")
        with on_postgresql.connect(), on_postgresql.connect():
            """Two pages at a time, whose connections the pool keeps."""
        say(f"{setting} = off")
    assert ready(on_postgresql) == (200, "ready")
    with on_postgresql.connect() as one, on_postgresql.connect() as other:
        for each in (one, other):
            assert each.exec_driver_sql("SHOW transaction_read_only").scalar() == "off"


# --- Away ---------------------------------------------------------------------------------------


def test_a_server_that_is_started_again_is_asked_again(on_postgresql: sa.Engine):
    """Connections that nobody used for a while are looked at before; those in use just break."""
    manager = signed_in(on_postgresql, "manager")
    assert manager.get("/partners").status_code == 200
    with administering(on_postgresql) as say:
        say(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with structlog.testing.capture_logs() as logs:
        first, second = manager.get("/partners"), fund(manager, "one")
    assert first.status_code == 503
    assert "out of reach" in said(first)
    assert ["server is stopping or starting" in each["why"] for each in logs] == [True]
    assert second.status_code == 303
    assert left(on_postgresql) == GIVEN - 500 + 1


def test_a_server_that_lets_no_more_connections_in_is_busy(on_postgresql: sa.Engine):
    name = f"partner_cx_{uuid4().hex}"
    url = on_postgresql.url.set(username=name, password="hush")
    one, next_one = (open_database(url.render_as_string(hide_password=False)) for _ in range(2))
    with administering(on_postgresql) as say:
        say(f"CREATE ROLE {name} LOGIN PASSWORD 'hush' CONNECTION LIMIT 1")
        with one.connect(), structlog.testing.capture_logs() as logs:
            assert ready(next_one) == (503, "not ready: the database doesn't answer")
        one.dispose()
        say(f"DROP ROLE {name}")
    assert "lets no more connections in" in logs[0]["why"]
    assert "max_connections" in logs[0]["why"]
