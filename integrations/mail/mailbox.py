"""The mailbox that letters come back to, read over IMAP with TLS and left as it is but for a flag.

Before it stands the schedule, every half hour; after it `letter_choices`, which keeps what came
back, once per report.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from integrations.carrying import Due, Hands
from integrations.mail.bounces import Returned, read_report
from integrations.mail.errors import LoginRefused, NotSetUp, ServerAway
from partner_cx.database import transact
from partner_cx.errors import PartnerCXError
from partner_cx.network.letter_choices import note_bounce
from partner_cx.settings import Settings, signing_secret

TIMEOUT_SECONDS = 30
AT_ONCE = 200  # mails in one go; what is left comes with the next
BYTES_MOST = 256 * 1024  # of a mail: the report stands before whatever it returns
FLAG = "$PartnerCXRead"
SEEN = "\\Seen"  # where a mailbox allows no flags of ours


def read_bounces(_due: Due, hands: Hands) -> Mapping[str, Any]:
    """Read the reports that came since last time, and stop letters to addresses that refuse them.

    A mail is flagged once what it says is committed, so that one that was being read when we were
    cut off is read again, and noted once.
    """
    secret = signing_secret(hands.settings)
    counts = {"read": 0, "hard": 0, "soft": 0}
    with _in_words(hands.settings), _opened(hands.settings) as mailbox:
        for number in mailbox.unread()[:AT_ONCE]:
            returned = read_report(mailbox.fetch(number), secret=secret)
            for each in _noted(hands, returned):
                counts["hard" if each.hard else "soft"] += 1
            mailbox.flag(number)
            counts["read"] += 1
            if hands.stopping():
                break
    return counts


def _noted(hands: Hands, returned: list[Returned]) -> list[Returned]:
    """Keep what came back; those that weren't known."""
    if not returned:
        return []
    now = hands.clock()
    return transact(
        hands.engine,
        lambda session: [
            each
            for each in returned
            if note_bounce(
                session,
                message_id=each.report,
                email=each.email,
                hard=each.hard,
                status=each.status,
                reason=each.reason,
                now=now,
            )
        ],
    )


class Mailbox:
    """An inbox in which mails are read without being marked as read, and then flagged."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        _said(server.select("INBOX"))
        allowed = str(server.untagged_responses.get("PERMANENTFLAGS", []))
        self._flag = FLAG if r"\*" in allowed or FLAG in allowed else SEEN

    def unread(self) -> list[bytes]:
        """The mails that don't carry the flag, by their lasting numbers, the oldest first."""
        without = ("UNSEEN",) if self._flag == SEEN else ("UNKEYWORD", self._flag)
        [found] = _said(self._server.uid("SEARCH", *without))
        return (found or b"").split()

    def fetch(self, number: bytes) -> bytes:
        """A mail, or its beginning where it is long."""
        parts = _said(self._server.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{BYTES_MOST}>)"))
        return next((part[1] for part in parts if isinstance(part, tuple)), b"")

    def flag(self, number: bytes) -> None:
        _said(self._server.uid("STORE", number.decode(), "+FLAGS.SILENT", f"({self._flag})"))


def _said(answer: tuple[str, list[Any]]) -> list[Any]:
    status, said = answer
    if status != "OK":
        raise imaplib.IMAP4.abort("not OK")
    return said


@contextmanager
def _opened(settings: Settings) -> Iterator[Mailbox]:
    if not (settings.bounce_host and settings.bounce_user and settings.bounce_password):
        raise NotSetUp(
            "The mailbox for returned letters isn't set up whole.",
            remedy="Set bounce_host, bounce_user and bounce_password.",
        )
    server = imaplib.IMAP4_SSL(
        settings.bounce_host,
        settings.bounce_port,
        ssl_context=ssl.create_default_context(),
        timeout=TIMEOUT_SECONDS,
    )
    try:
        _log_in(server, settings)
        yield Mailbox(server)
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            server.logout()
        with suppress(OSError):
            server.shutdown()


def _log_in(server: imaplib.IMAP4, settings: Settings) -> None:
    refused = None
    try:
        server.login(settings.bounce_user or "", settings.bounce_password or "")
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:  # it may repeat what we said
        refused = LoginRefused(
            f"The mailbox at {settings.bounce_host} doesn't accept the login of "
            f"{settings.bounce_user}.",
            remedy="Check bounce_user and bounce_password.",
        )
    if refused is not None:
        raise refused


@contextmanager
def _in_words(settings: Settings) -> Iterator[None]:
    told: PartnerCXError | None = None
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        told = _explained(error, settings)
    if told is not None:
        raise told


def _explained(error: Exception, settings: Settings) -> PartnerCXError:
    called = f"The mailbox at {settings.bounce_host}:{settings.bounce_port}"
    match error:
        case ssl.SSLCertVerificationError():
            return ServerAway(
                f"{called} shows a certificate that isn't trusted: {error.verify_message}.",
                remedy="Use the name that the certificate is for. One of your own authority is "
                "trusted once SSL_CERT_FILE names it.",
            )
        case ssl.SSLError():
            return ServerAway(
                f"{called} doesn't speak TLS as expected.", remedy="Its port is usually 993."
            )
        case TimeoutError():
            return ServerAway(f"{called} didn't answer within {TIMEOUT_SECONDS} seconds.")
        case OSError():
            return ServerAway(f"{called} can't be reached.", remedy="Check bounce_host and port.")
    return ServerAway(f"{called} broke off, or answered otherwise than a mailbox does.")
