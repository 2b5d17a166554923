"""Posting: one message over HTTP, in one time for all of it, whatever comes back.

httpx gives each piece a time-out of its own, so that whoever answers a byte now and then would keep
a worker for days; and it logs whole addresses, some of which open the receiver to whoever has
them. httpcore, which it stands on, does neither.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from integrations.webhooks.addresses import Destination

ANSWER_WITHIN = 20  # seconds, from connecting to the end of the answer
ANSWER_KEPT = 500  # characters of an answer
ANSWER_READ = 64_000  # bytes of an answer: more isn't waited for
WRITTEN_AT_ONCE = 64_000  # bytes of a message, before the time is looked at again


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one attempt.

    status: None when there was no answer, and `problem` says why.
    """

    status: int | None
    text: str = ""
    problem: str | None = None
    retry_after: str = ""

    @property
    def received(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def posted(to: Destination, body: bytes, headers: Mapping[str, str]) -> Answer:
    """What was answered, or why nothing was. No redirect and no proxy is followed."""
    until = time.monotonic() + ANSWER_WITHIN
    url = httpx.URL(to.url)
    named = [
        (name.encode(), value.encode()) for name, value in {"host": to.host, **headers}.items()
    ]
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_trusted(), network_backend=_Hurried(until), retries=0
            ) as pool,
            pool.stream(
                "POST",
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=named,
                content=body,
                extensions={"sni_hostname": to.name},
            ) as response,
        ):
            return Answer(
                response.status, text=_beginning(response), retry_after=_retry_after(response)
            )
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        return Answer(None, problem=_problem(error))


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed. Reading them takes longer than sending a message."""
    return httpx.create_ssl_context()


def _beginning(response: httpcore.Response) -> str:
    """The first characters of an answer; a body without an end isn't waited for."""
    read = b""
    try:
        for piece in response.iter_stream():
            read += piece
            if len(read) >= ANSWER_READ:
                break
    except httpcore.TimeoutException:
        pass  # the status came in time, and it is the answer
    text = read[:ANSWER_READ].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)[:ANSWER_KEPT].strip()


def _retry_after(response: httpcore.Response) -> str:
    found = (value for name, value in response.headers if name.lower() == b"retry-after")
    return next(found, b"").decode("latin-1")


def _problem(error: Exception) -> str:
    match error:
        case httpcore.TimeoutException():
            return f"didn't answer within {ANSWER_WITHIN} seconds."
        case httpcore.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "shows a certificate that can't be trusted."
        case httpcore.ConnectError():
            return "can't be reached: the connection was refused or broke off."
    return f"broke off its answer ({type(error).__name__})."


def _left(until: float) -> float:
    """The seconds that are left. Raises TimeoutException when none are."""
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.TimeoutException
    return left


class _Hurried(httpcore.NetworkBackend):
    """The network, with one moment by which all is done, in place of a time-out for each step."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(
            host, port, _left(self._until), local_address, socket_options
        )
        return _HurriedStream(stream, self._until)


class _HurriedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITTEN_AT_ONCE):
            piece = buffer[start : start + WRITTEN_AT_ONCE]
            self._stream.write(piece, _left(self._until))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._until))
        return _HurriedStream(stream, self._until)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
