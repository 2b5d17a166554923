"""The wire to Odoo: one HTTP client for all calls, with a time-out for the whole of an answer.

odoo-client-lib opens a new connection for every call and, over JSON-RPC, gives up after five
seconds whatever is asked. Both its protocols speak through here instead. No cookies are kept, no
redirect is followed: the key goes to the address in the settings and nowhere else.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from integrations.odoo.connection.faults import Fault

CONNECT_SECONDS = 10

# At level DEBUG httpcore logs the headers of answers, and with them cookies: that line is left out.
logging.getLogger("httpcore.http11").addFilter(lambda record: "headers" not in record.msg)


class Hidden(str):
    """A text that opens a door: shown nowhere, also not where somebody prints a whole call."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status: int
    content: bytes
    wait: float | None = None

    def json(self) -> Any:
        """The body as data. Raises ValueError when it isn't, or not whole."""
        return json.loads(self.content)

    @property
    def looks_cut(self) -> bool:
        """Whether it began as data and didn't end as such."""
        return self.content.lstrip()[:1] in (b"{", b"[", b'"')

    def page_fault(self) -> Fault:
        """What to say of a body that isn't data."""
        name = "half" if self.status == 200 and self.looks_cut else "page"
        return Fault(
            name, self.content[:2000].decode(errors="replace"), self.status, True, self.wait
        )


class Wire:
    """A client for one address. `date` is what the server's clock showed in its last answer."""

    def __init__(
        self, address: str, *, timeout_seconds: float, clock: Callable[[], datetime]
    ) -> None:
        self.address = address
        self.date: datetime | None = None
        self.asked_at: datetime | None = None
        self._seconds = timeout_seconds
        self._clock = clock
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds)),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "partner-cx"},
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str) -> Answer:
        return self._send(self._client.build_request("GET", self.address + path))

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        return self._send(
            self._client.build_request(
                "POST",
                self.address + path,
                content=json.dumps(body).encode(),  # a text without a name: it may hold the key
                headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
            )
        )

    def _send(self, request: httpx.Request) -> Answer:
        """Send a request and read its answer. Raises Fault, without the library's own error:
        that one holds the request, and the request holds the key."""
        try:
            return self._read(request)
        except Fault as fault:
            found = fault
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            found = _network_fault(error)
        raise found

    def _read(self, request: httpx.Request) -> Answer:
        self.asked_at = self._clock()
        deadline = time.monotonic() + self._seconds
        response = self._client.send(request, stream=True)
        try:
            self.date = _date(response)
            if response.is_redirect:
                raise Fault("elsewhere", _without_query(response), response.status_code)
            pieces = []
            for piece in response.iter_bytes():
                pieces.append(piece)
                if time.monotonic() > deadline:
                    raise Fault("timeout")
            return Answer(response.status_code, b"".join(pieces), _wait(response))
        finally:
            response.close()


def _network_fault(error: Exception) -> Fault:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Fault("timeout", sent=False)
    if isinstance(error, httpx.TimeoutException):
        return Fault("timeout")
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol):
        return _not_connected(error)
    return Fault("half" if isinstance(error, httpx.DecodingError) else "broken off")


def _not_connected(error: Exception) -> Fault:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return Fault("tls", _tls_words(cause), sent=False)
        if isinstance(cause, socket.gaierror):
            return Fault("unknown host", sent=False)
    return Fault("down", sent=False)


def _causes(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) and before not in chain:
        chain.append(before)
    return chain


def _tls_words(error: ssl.SSLError) -> str:
    said = getattr(error, "verify_message", "") or str(error.reason or "the handshake failed")
    words = said.replace("_", " ").lower()
    return "it doesn't speak HTTPS" if words == "wrong version number" else words


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None


def _wait(response: httpx.Response) -> float | None:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None


def _without_query(response: httpx.Response) -> str:
    try:
        parts = urlsplit(response.headers.get("Location", ""))
    except ValueError:
        return ""
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}" if host else parts.path
