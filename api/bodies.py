"""Bodies: how much anybody may send, before anything of it is kept.

A form is read before it is known who sent it. Without a bound a stranger could fill the memory or
the disk. Files that are handed in have a bound of their own, and are read only for those who may.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 1_000_000
OWN_BOUND = "/admin/uploads"  # the one page that takes files
TOO_LARGE = "What was sent is larger than 1 MB. Send less."


class WithinBounds:
    """Lets no more of a body in than a page or a program may mean; past it, 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == _place_of_files(scope):
            await self.app(scope, receive, send)
        else:
            await self.app(scope, _bounded(scope, receive), send)


def _place_of_files(scope: Scope) -> str:
    return f"{scope.get('root_path', '')}{OWN_BOUND}"


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """Refuse as soon as it is known: by what is declared, else by what has come."""
    declared = _declared(scope)
    came = 0

    async def bounded() -> Message:
        nonlocal came
        if declared > BODY_BYTES_MAX:
            raise _too_large()
        message = await receive()
        came += len(message.get("body", b""))
        if came > BODY_BYTES_MAX:
            raise _too_large()
        return message

    return bounded


def _declared(scope: Scope) -> int:
    told = dict(scope["headers"]).get(b"content-length", b"")
    return int(told[:20]) if told.isdigit() else 0


def _too_large() -> HTTPException:
    # The rest is on its way still: the connection is of no more use.
    headers = {"Connection": "close"}
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, headers)
