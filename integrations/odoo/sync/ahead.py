"""Ahead: Odoo is asked for the next units while those before them are told and taken in.

Odoo works while we do, and one request at a time is made all the same: whoever asks ahead asks
for everything, the steps included, one after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from integrations.odoo.streams import Telling
from integrations.odoo.sync.course import Step

STEPS_AHEAD = 8  # about as many as come while a chunk is taken in

Asked = tuple[Step, list[tuple[tuple[int, ...], Telling]]]


def asked_ahead(
    steps: Iterator[Step], ask: Callable[[Sequence[int]], Telling], *, at_once: int
) -> Generator[Asked]:
    """Each step with what tells its units, a request's worth at a time."""

    def work() -> Asked | None:
        step = next(steps, None)
        if step is None:
            return None
        pieces = [
            tuple(step.units[start : start + at_once])
            for start in range(0, len(step.units), at_once)
        ]
        return step, [(units, ask(units)) for units in pieces]

    asker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="odoo")
    try:
        coming = deque(asker.submit(work) for _ in range(STEPS_AHEAD))
        while (asked := coming.popleft().result()) is not None:
            coming.append(asker.submit(work))
            yield asked
    finally:
        asker.shutdown(cancel_futures=True)
