"""Memory: when Python's collector of cycles had better wait."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many plain objects without the collector of cycles looking in between.

    A hundred thousand new objects make it look through everything there is, several times over,
    for cycles that none of them has: a quarter of the time of a close. What isn't used any more
    goes as ever; cycles wait until afterwards.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
