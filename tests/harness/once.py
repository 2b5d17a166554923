"""What one run of the tests makes once and shares among its processes.

With xdist, a run is several worker processes and a controller. Whichever needs a server or a
migrated database first makes it; the others wait and find it made. The controller opens the run
and clears it away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

_FOLDER = "PARTNER_CX_TEST_RUN"


def open_run() -> None:
    """Begin a run: this process's children share its folder."""
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="partner-cx-tests-")


def close_run() -> None:
    """Remove what the run has shared."""
    shutil.rmtree(os.environ.pop(_FOLDER))


def folder() -> Path:
    """Where the run keeps what its processes share."""
    return Path(os.environ[_FOLDER])


def once(name: str, make: Callable[[], str]) -> str:
    """What `make` returned, the one time in this run that it was called."""
    kept = folder() / name
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(make())
    return kept.read_text()


def made(name: str) -> str | None:
    """What was made under this name, or None if nobody has needed it."""
    kept = folder() / name
    return kept.read_text() if kept.exists() else None
