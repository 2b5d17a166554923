"""Fresh databases on the newest schema, cheap enough for one per test.

The migrations run once per run and kind of database; every test gets a copy of the result: a
copied file on SQLite, `CREATE DATABASE … TEMPLATE …` on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from partner_cx.database import open_database
from tests.harness import postgres
from tests.harness.once import folder, made, once

KINDS = ("sqlite", "postgresql")
EACH_KIND = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in KINDS]


@contextmanager
def fresh_database(kind: str) -> Iterator[str]:
    """The URL of an empty, migrated database of one of the KINDS, gone afterwards."""
    with _on_sqlite() if kind == "sqlite" else _on_postgresql() as url:
        yield url


@contextmanager
def unmigrated_database(kind: str) -> Iterator[str]:
    """The URL of a database of one of the KINDS with nothing in it, gone afterwards."""
    name = f"partner_cx_{uuid4().hex}"
    if kind == "sqlite":
        path = folder() / f"{name}.sqlite3"
        yield f"sqlite:///{path}"
        for leftover in folder().glob(f"{path.name}*"):
            leftover.unlink()
        return
    _administer(f'CREATE DATABASE "{name}"')
    yield _url_of(name)
    _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def copied_database(url: str) -> Iterator[str]:
    """The URL of a copy of a database that nobody has open, gone afterwards."""
    copy_of = _sqlite_copy_of if url.startswith("sqlite") else _postgresql_copy_of
    with copy_of(_name_in(url)) as copy:
        yield copy


@contextmanager
def prepared_database(kind: str, name: str, prepare: Callable[[sa.Engine], None]) -> Iterator[str]:
    """The URL of a copy of a database that `prepare` filled, once per run under this name."""
    with copied_database(once(f"template-{kind}-{name}", partial(_prepare, kind, prepare))) as url:
        yield url


@contextmanager
def prepared_engine(
    kind: str, name: str, prepare: Callable[[sa.Engine], None]
) -> Iterator[sa.Engine]:
    """The same, opened."""
    with prepared_database(kind, name, prepare) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def clear_away() -> None:
    """End the run's server, or leave a server that isn't ours as it was found."""
    if _given_server() and made("template-postgresql"):
        with psycopg.connect(_given_server(), autocommit=True) as connection:
            for template in [made("template-postgresql"), *map(_name_in, _prepared())]:
                connection.execute(f'DROP DATABASE IF EXISTS "{template}"')
    cluster = made("cluster")
    if cluster:
        postgres.Cluster(Path(cluster)).stop()


def _on_sqlite() -> AbstractContextManager[str]:
    return _sqlite_copy_of(once("template-sqlite", _make_sqlite_template))


@contextmanager
def _sqlite_copy_of(template: str) -> Iterator[str]:
    path = folder() / f"{uuid4().hex}.sqlite3"
    shutil.copyfile(template, path)
    yield f"sqlite:///{path}"
    for leftover in folder().glob(f"{path.name}*"):
        leftover.unlink()


def _make_sqlite_template() -> str:
    path = folder() / "migrated.sqlite3"
    _migrate(f"sqlite:///{path}")
    return str(path)


def _on_postgresql() -> AbstractContextManager[str]:
    return _postgresql_copy_of(once("template-postgresql", _make_postgresql_template))


@contextmanager
def _postgresql_copy_of(template: str) -> Iterator[str]:
    name = f"partner_cx_{uuid4().hex}"
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield _url_of(name)
    _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def _make_postgresql_template() -> str:
    name = f"partner_cx_{uuid4().hex}"
    _administer(f'CREATE DATABASE "{name}"')
    _migrate(_url_of(name))
    return name


def _prepare(kind: str, prepare: Callable[[sa.Engine], None]) -> str:
    """A database that stays until the run is cleared away."""
    if kind == "sqlite":
        path = folder() / f"{uuid4().hex}.sqlite3"
        shutil.copyfile(once("template-sqlite", _make_sqlite_template), path)
        url = f"sqlite:///{path}"
    else:
        name = f"partner_cx_{uuid4().hex}"
        template = once("template-postgresql", _make_postgresql_template)
        _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        url = _url_of(name)
    engine = open_database(url)
    prepare(engine)
    engine.dispose()
    return url


def _prepared() -> list[str]:
    """The addresses of the prepared PostgreSQL databases."""
    kept = folder().glob("template-postgresql-*")
    return [each.read_text() for each in kept if each.suffix != ".lock"]


def _name_in(url: str) -> str:
    return str(sa.make_url(url).database)


def _migrate(url: str) -> None:
    from api import migrations  # the whole application: a test without a database needs none of it

    engine = open_database(url)
    migrations.upgrade(engine)
    engine.dispose()


def _administer(statement: str) -> None:
    _maintenance_connection().execute(statement)


@cache
def _maintenance_connection() -> psycopg.Connection:
    connection = psycopg.connect(_server(), autocommit=True)
    atexit.register(connection.close)
    return connection


def _url_of(database: str) -> str:
    return sa.make_url(_server()).set(database=database).render_as_string(hide_password=False)


def _server() -> str:
    """The maintenance address of the given server, or of our own, started when first needed."""
    return _given_server() or postgres.Cluster(Path(once("cluster", _start_cluster))).address


def _given_server() -> str:
    return os.environ.get("PARTNER_CX_TEST_POSTGRESQL_URL", "")


def _start_cluster() -> str:
    return str(postgres.start().folder)
