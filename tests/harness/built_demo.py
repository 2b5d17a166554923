"""The demo as its command builds it, once per run and database however many workers there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from typer.testing import CliRunner, Result

from api.cli import app
from tests.harness.databases import prepared_database
from tests.harness.once import folder, once

# The story ends in its running quarter, so that the build is the same on any day it is tested.
NOW = "2026-11-21T12:00"


def build(url: str, files: Path) -> Result:
    words = ("demo", "--no-serve", "--database", url, "--folder", str(files), "--now", NOW)
    return CliRunner().invoke(app, words)


def built_on_sqlite() -> tuple[str, Path, str]:
    """The database, the files and what was said."""
    home = folder() / "demo-network"
    url = f"sqlite:///{home / 'demo.sqlite3'}"

    def make() -> str:
        home.mkdir()
        return _built(url, home / "files")

    return url, home / "files", once("demo", make)


@contextmanager
def a_built_demo(kind: str) -> Iterator[str]:
    """The demo's database on one of the KINDS, to be looked at."""
    if kind == "sqlite":
        yield built_on_sqlite()[0]
    else:
        with prepared_database(kind, "demo", _build_here) as url:
            yield url


def _build_here(engine: sa.Engine) -> None:
    _built(engine.url.render_as_string(hide_password=False), folder() / "demo-elsewhere")


def _built(url: str, files: Path) -> str:
    result = build(url, files)
    assert result.exit_code == 0, result.output
    return result.output
