"""Time limits: what asks a neighbour while a person waits for the page."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Queue
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from partner_cx.errors import Unreachable

T = TypeVar("T")

_AT_ONCE = BoundedSemaphore(3)  # questions that still wait for an answer, whoever gave them up


class TookTooLong(Unreachable):
    """No answer within the time a person waits for a page."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, if it does so in time. Raises TookTooLong.

    A neighbour that hangs keeps a thread of its own for as long as its connection lasts, not one
    of those that answer pages.
    """
    if not _AT_ONCE.acquire(blocking=False):
        raise TookTooLong("Earlier questions still wait for their answers.")
    answer: Queue[tuple[bool, T | BaseException]] = Queue()

    def ask() -> None:
        try:
            answer.put((True, work()))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            answer.put((False, error))
        finally:
            _AT_ONCE.release()

    Thread(target=ask, name="asks a neighbour", daemon=True).start()
    try:
        is_well, told = answer.get(timeout=seconds)
    except Empty:
        raise TookTooLong(f"There was no answer within {seconds:g} seconds.") from None
    if is_well:
        return told  # type: ignore[return-value]
    assert isinstance(told, BaseException)
    raise told
