"""Places: how many requests a process works on at a time; the others wait, and hold nothing.

A request lends connections to the database, and comes back to a thread several times while it has
them. Were all let in that come, those who wait for a connection would take the threads that those
who have one need to go on: each would wait for the other, until all were refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from enum import IntEnum
from weakref import WeakKeyDictionary

from fastapi import Depends, Request

from api.addresses import path_of


class Kind(IntEnum):
    """What a request is there for, with how many places there are.

    Who looks doesn't wait for those who wait to write, nor they for a file that comes slowly. Few
    look at a time, since Python's threads take turns: of sixteen who ask at once, eight places
    answered 44 homes a second, three 60 to 80.
    """

    LOOKING = 3
    ACTING = 6
    HANDING_IN = 3


_FILES_COME_TO = "/admin/uploads"
# Each loop has its own: a place is given up in the loop in which it was taken.
_places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Kind, asyncio.Semaphore]]
_places = WeakKeyDictionary()


async def _place(request: Request) -> AsyncIterator[None]:
    kind = _kind(request)
    if kind is Kind.ACTING:
        # All of it comes first: whoever sends slowly keeps nobody else waiting.
        with suppress(RuntimeError):  # where the endpoint names its fields, it has been read
            await request.body()
    loop = asyncio.get_running_loop()
    if loop not in _places:
        _places[loop] = {each: asyncio.Semaphore(each) for each in Kind}
    async with _places[loop][kind]:
        yield


# Taken before the database is asked anything, kept until it has been let go.
Place = Depends(_place, scope="function")


def _kind(request: Request) -> Kind:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return Kind.LOOKING
    return Kind.HANDING_IN if path_of(request) == _FILES_COME_TO else Kind.ACTING
