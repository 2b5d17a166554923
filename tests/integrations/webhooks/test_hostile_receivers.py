"""Receivers that mean ill, or aren't who they say: time, certificates, what is written down."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from integrations.webhooks import posting
from integrations.webhooks.addresses import Destination, destination
from integrations.webhooks.posting import Answer, posted
from tests.harness.certificates import certificate_of_ones_own
from tests.harness.receiver import receiving, status


def drip(request: BaseHTTPRequestHandler) -> None:
    """Answer a byte now and then, for as long as anybody listens."""
    with suppress(OSError):
        for sign in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000:
            request.wfile.write(bytes([sign]))
            time.sleep(0.1)
    request.close_connection = True


def hook(url: str) -> Destination:
    return destination(url, private=True)


def test_who_answers_drop_by_drop_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_WITHIN", 0.5)
    with receiving(drip) as receiver:
        began = time.monotonic()
        answer = posted(hook(receiver.url), b"{}", {})
    assert answer == Answer(None, problem="didn't answer within 0.5 seconds.")
    assert time.monotonic() - began < 10


def test_who_never_reads_a_long_message_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_WITHIN", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        to = hook(f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        assert posted(to, b"x" * 50_000_000, {}).problem == "didn't answer within 0.5 seconds."


@contextmanager
def speaking_tls(certificate: Path) -> Iterator[int]:
    """A receiver that shows this certificate, and says yes; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(listening: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as to:
            got = b""
            while not got.endswith(b"{}"):
                got += to.recv(65_536)
            to.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()


@pytest.mark.parametrize(
    ("certified", "status"), [("portal.example", 204), ("other.example", None), ("127.0.0.1", None)]
)
def test_the_certificate_is_asked_for_the_name_and_not_for_the_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certified: str, status: int | None
) -> None:
    certificate = certificate_of_ones_own(tmp_path, certified)
    monkeypatch.setattr(
        posting, "_trusted", lambda: ssl.create_default_context(cafile=str(certificate))
    )
    with speaking_tls(certificate) as port:
        number = Destination(f"https://127.0.0.1:{port}/", "portal.example", "portal.example")
        answer = posted(number, b"{}", {})
    assert answer.status == status
    if status is None:
        assert answer.problem == "shows a certificate that can't be trusted."


def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    with speaking_tls(certificate_of_ones_own(tmp_path)) as port:
        answer = posted(hook(f"https://127.0.0.1:{port}/"), b"{}", {})
    assert answer.problem == "shows a certificate that can't be trusted."


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with receiving() as receiver:
        assert posted(hook(receiver.url), b"{}", {}).status == 200


def test_logs_say_neither_addresses_nor_signatures(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(status(200)) as receiver:
        signed = {"webhook-signature": "v1,a-signature"}
        posted(hook(f"{receiver.url}/a-key-in-its-path"), b"what-is-told", signed)
    told = "".join(repr(vars(record)) + record.getMessage() for record in caplog.records)
    assert caplog.records
    for secret in ("a-key-in-its-path", "a-signature", "what-is-told"):
        assert secret not in told
