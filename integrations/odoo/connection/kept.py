"""A connection that is kept between effects: asking for the version and logging in cost three
requests, and each login leaves a row with Odoo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.odoo.connection import Odoo, Patience, connect
from integrations.odoo.connection.errors import (
    KeyRefused,
    NoAnswer,
    NoSuchDatabase,
    NotConfigured,
    NotInstalled,
    OtherVersion,
)
from partner_cx.settings import Settings

KEPT_FOR = timedelta(minutes=10)  # then asked anew: Odoo may have been upgraded meanwhile
# An effect is tried again by the worker; those behind it shouldn't wait for long.
PATIENCE = Patience(tries=2, first_wait_seconds=0.2, wait_seconds_max=1)
# After these another connection may find things otherwise.
ENDS = (KeyRefused, NoAnswer, NoSuchDatabase, NotConfigured, NotInstalled, OtherVersion)


@dataclass(frozen=True)
class _Kept:
    odoo: Odoo
    to: tuple[Any, ...] = field(repr=False)
    since: datetime


_of_thread = threading.local()


@contextmanager
def connected(settings: Settings, *, clock: Callable[[], datetime]) -> Iterator[Odoo]:
    """This thread's connection, made when there is none that fits. It isn't closed at the end."""
    kept: _Kept | None = getattr(_of_thread, "kept", None)
    to = _address(settings)
    if kept is None or kept.to != to or clock() - kept.since > KEPT_FOR:
        hang_up()
        kept = _of_thread.kept = _Kept(
            connect(settings, clock=clock, patience=PATIENCE), to, clock()
        )
    try:
        yield kept.odoo
    except ENDS:
        hang_up()
        raise


def hang_up() -> None:
    """Close this thread's connection, if it has one."""
    kept: _Kept | None = getattr(_of_thread, "kept", None)
    _of_thread.kept = None
    if kept:
        kept.odoo.close()


def _address(settings: Settings) -> tuple[Any, ...]:
    return (
        settings.odoo_url,
        settings.odoo_database,
        settings.odoo_login,
        settings.odoo_key,
        settings.odoo_timeout_seconds,
    )
