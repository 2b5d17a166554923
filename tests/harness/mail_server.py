"""A mail server and a mailbox on this machine, which speak SMTP and IMAP, and fail as told."""

from __future__ import annotations

import asyncio
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from partner_cx.settings import Settings
from tests.harness.certificates import certificate_of_ones_own

USER, PASSWORD = "programme", "correct-horse-battery"
SECRET = "a secret that only tests know"
SENDER = "Aubrelle Partners <programme@brand.example>"
SETTINGS = replace(
    Settings.read({}), secret=SECRET, base_url="https://cx.brand.example", mail_from=SENDER
)


@dataclass
class Post:
    """What a mail server takes, and how it fails.

    recipients: its answer to an address; data: to a letter; otherwise it takes them.
    breaks_off: it hangs up once it has the letter. slow_seconds: before it answers a letter.
    """

    taken: list[EmailMessage] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    data: str = "250 2.0.0 taken"
    breaks_off: bool = False
    slow_seconds: float = 0
    login_answer: str | None = None

    async def handle_RCPT(  # noqa: N802 - its library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        answer = self.recipients.get(address, "250 2.1.5 fine")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.data.startswith("250"):
            contents = envelope.content
            assert isinstance(contents, bytes)
            self.taken.append(message_from_bytes(contents, policy=policy.default))
        await asyncio.sleep(self.slow_seconds)
        if self.breaks_off:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.data


@contextmanager
def mail_server(
    folder: Path, post: Post, *, security: str = "starttls", login: bool = True
) -> Iterator[Settings]:
    """A server; the settings that reach it. Its certificate is folder/certificate.pem."""
    certificate = certificate_of_ones_own(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    tls: dict[str, Any] = (
        {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
    )
    if login:
        tls |= {"auth_required": True, "authenticator": _authenticator(post)}
        tls["auth_require_tls"] = security == "starttls"  # of TLS from the start it knows nothing
    port = free_port()
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=port,
        ssl_context=context if security == "tls" else None,
        ready_timeout=20,
        **tls,
    )
    controller.start()
    try:
        reach = replace(
            SETTINGS,
            mail_host="127.0.0.1",
            mail_port=port,
            mail_security=security,
            data_folder=folder,
        )
        yield replace(reach, mail_user=USER, mail_password=PASSWORD) if login else reach
    finally:
        controller.stop()


def _authenticator(post: Post) -> Any:
    def authenticate(_server: Any, _session: Any, _envelope: Any, _way: str, said: Any) -> Any:
        if post.login_answer:
            return AuthResult(success=False, handled=False, message=post.login_answer)
        right = said == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    return authenticate


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- A mailbox ------------------------------------------------------------------------------------


@dataclass
class Inbox:
    """Mails by number, and the flags that each carries. keeps_flags: also those of our own."""

    mails: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    keeps_flags: bool = True
    hangs_up_at: str | None = None  # a command at which it breaks off

    def add(self, mail: bytes) -> None:
        self.mails[len(self.mails) + 1] = mail


@contextmanager
def mailbox(folder: Path, inbox: Inbox) -> Iterator[Settings]:
    """An IMAP server over TLS; the settings that reach it."""
    certificate = certificate_of_ones_own(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    class Conversation(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            _converse(self.rfile, self.wfile, inbox)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, _request: Any, _address: Any) -> None:
            """A client that hangs up is none of our business."""

    with Server(("127.0.0.1", 0), Conversation) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield replace(
            SETTINGS,
            bounce_host="127.0.0.1",
            bounce_port=server.server_address[1],
            bounce_user=USER,
            bounce_password=PASSWORD,
            data_folder=folder,
        )
        server.shutdown()
        thread.join()


def _converse(asked: Any, answers: Any, inbox: Inbox) -> None:
    answers.write(b"* OK ready\r\n")
    for line in asked:
        tag, _, command = line.decode().strip().partition(" ")
        if inbox.hangs_up_at and inbox.hangs_up_at in command:
            return
        answers.write(_answer(command, inbox) + tag.encode() + _end(command) + b"\r\n")
        if command == "LOGOUT":
            return


def _end(command: str) -> bytes:
    refused = command.startswith("LOGIN") and PASSWORD not in command
    return b" NO [AUTHENTICATIONFAILED] no" if refused else b" OK done"


def _answer(command: str, inbox: Inbox) -> bytes:
    if command == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1\r\n"
    if command.startswith("SELECT"):
        allowed = rb"\Seen \*" if inbox.keeps_flags else rb"\Seen"
        return b"* %d EXISTS\r\n* OK [PERMANENTFLAGS (%s)] ok\r\n" % (len(inbox.mails), allowed)
    if command.startswith("UID SEARCH"):
        flag = "\\Seen" if "UNSEEN" in command else command.rpartition(" ")[2]
        found = [str(n) for n in inbox.mails if flag not in inbox.flags.get(n, set())]
        return f"* SEARCH {' '.join(found)}\r\n".encode()
    if command.startswith("UID FETCH"):
        number = int(command.split()[2])
        most = re.search(r"<0\.(\d+)>", command)
        assert most
        mail = inbox.mails[number][: int(most[1])]
        head = b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n" % (number, number, len(mail))
        return head + mail + b")\r\n"
    if command.startswith("UID STORE"):
        inbox.flags.setdefault(int(command.split()[2]), set()).add(command.split("(")[1][:-1])
    return b""
