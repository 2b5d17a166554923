"""The wiring: settings read, logs set up, the database opened on the right schema, the clock read.

Every door comes through here, so that below nobody reaches for the environment or the time.
"""

from __future__ import annotations

import getpass
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
import structlog

from api import migrations, schema
from api.printing import say
from partner_cx.database import open_database
from partner_cx.errors import Invalid
from partner_cx.settings import Settings, made_data_folder

YEARS = range(1970, 2200)  # that `--now` may name: what is computed from it stays in the calendar


@dataclass(frozen=True)
class House:
    """What a command or the web service works with."""

    settings: Settings
    engine: sa.Engine

    @property
    def language(self) -> str:
        return self.settings.language


@contextmanager
def open_house(database: str | None = None, *, any_schema: bool = False) -> Iterator[House]:
    """The settings and the database, ready for work; closed at the end.

    database: goes before the settings' own.
    any_schema: for what brings the schema itself; otherwise an empty database is migrated and
        one of another version refused.
    """
    settings = read_settings(database)
    assert schema.METADATA.tables  # imported, so that every table knows those it refers to
    engine = open_database(settings.database_url)
    try:
        if not any_schema:
            _make_ready(engine, settings)
        yield House(settings, engine)
    finally:
        engine.dispose()


def read_settings(database: str | None = None) -> Settings:
    """The installation's settings, and logs set up as they say."""
    settings = Settings.read(os.environ)
    if database is not None:
        settings = settings.with_database(database)
    set_up_logs(settings)
    if _is_in_data_folder(settings):
        made_data_folder(settings)
    return settings


def moment(text: str | None, settings: Settings) -> datetime:
    """The instant that `--now` names, in UTC; the present one when it names none.

    Without an offset it is in the programme's time zone; a day alone is its first instant.
    Raises Invalid for what can't be read and for a year out of bounds.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"“{text}” isn't an instant.",
            remedy="Write 2026-04-30T23:59, or 2026-04-30T23:59:00+02:00.",
        ) from None
    if given.year not in YEARS:
        raise Invalid(
            f"“{text}” is out of bounds.", remedy=f"Choose from {YEARS[0]} to {YEARS[-1]}."
        )
    return given.replace(tzinfo=given.tzinfo or settings.zone).astimezone(UTC)


def is_empty(engine: sa.Engine) -> bool:
    """Whether a database holds nothing at all, not even a schema."""
    return not sa.inspect(engine).get_table_names()


def _make_ready(engine: sa.Engine, settings: Settings) -> None:
    if is_empty(engine):
        migrations.upgrade(engine)
        say(f"Made a new database, {settings.database_shown}.")
    migrations.require_current(engine)


def _is_in_data_folder(settings: Settings) -> bool:
    file = sa.make_url(settings.database_url).database
    return bool(file) and Path(str(file)).parent == settings.data_folder


def set_up_logs(settings: Settings) -> None:
    """Structured logs on stderr. What only matters when one looks for it is quiet by default.

    Tracebacks come without the values of variables: those may be secrets.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    in_form: tuple[structlog.typing.Processor, ...] = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    )
    if settings.log_format == "json":
        in_form = (
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *in_form,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def actor() -> str:
    """Who acts through the command line, as closings and rule versions remember it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "command line"
