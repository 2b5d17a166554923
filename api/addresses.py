"""Addresses: where a page stands, whatever the service itself stands under.

A proxy may publish the service under a path such as `https://brand.example/partners-cx`; the
setting `base_url` names it. Whether the proxy passes the path on or takes it off, inside the code
a page's path is the same, and what is printed carries the prefix.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import accumulate
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from partner_cx.settings import Settings

# Of the parameters that links repeat. An entry's key is made of codes of 200 signs each.
LONGEST_NAME, LONGEST_VALUE, MOST_REPEATED, LONGEST_TOGETHER = 40, 1_000, 30, 4_000


def prefix_of(settings: Settings) -> str:
    """The path that the service stands under: empty, or as `/partners-cx`."""
    return urlsplit(settings.base_url).path.rstrip("/")


def address(request: Request, path: str) -> str:
    """Where a page of ours is found from outside, given its path inside."""
    return f"{request.scope.get('root_path', '')}{path}"


def path_of(request: Request) -> str:
    """The path of what was asked for, without what the service stands under."""
    return request.url.path.removeprefix(request.scope.get("root_path", "")) or "/"


def see_other(request: Request, path: str) -> RedirectResponse:
    """On to another page of ours: the answer to every form that did something."""
    return RedirectResponse(address(request, path), HTTPStatus.SEE_OTHER)


def asked_besides(request: Request, *others: str) -> list[tuple[str, str]]:
    """The parameters of what was asked for, but these others, to be repeated in a link.

    What is longer, or more, than any page of ours asks for is left out: repeated in every link, it
    would make a short request a long answer.
    """
    pairs = request.query_params.multi_items()
    ours = [(k, v) for k, v in pairs if len(k) <= LONGEST_NAME and len(v) <= LONGEST_VALUE]
    upto = accumulate(len(k) + len(v) for k, v in ours)
    fitting = [pair for pair, end in zip(ours, upto, strict=True) if end <= LONGEST_TOGETHER]
    return [(k, v) for k, v in fitting[:MOST_REPEATED] if k not in others]


class UnderPrefix:
    """Lets requests in under the prefix, with or without it before their path."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.prefix and scope["type"] == "http":
            scope = {**scope, "root_path": self.prefix, "path": self._whole(scope["path"])}
        await self.app(scope, receive, send)

    def _whole(self, path: str) -> str:
        given = path == self.prefix or path.startswith(f"{self.prefix}/")
        return path if given else f"{self.prefix}{path}"
