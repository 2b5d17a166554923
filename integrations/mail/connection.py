"""The connection to the mail server: one letter handed over, or a reason in words why not.

Before it stands `sending`, which makes the message. Nothing here is logged, and nothing that is
raised holds the password or the letter.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

from integrations.mail.domains import as_it_travels
from integrations.mail.errors import (
    AddressRefused,
    LetterRefused,
    LoginRefused,
    NotSetUp,
    ServerAway,
)
from partner_cx.errors import PartnerCXError
from partner_cx.settings import Settings

TIMEOUT_SECONDS = 30  # for each answer
QUOTED_MOST = 200  # characters of what a server says
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def is_set_up(settings: Settings) -> bool:
    """Whether letters can be sent at all."""
    return bool(settings.mail_host and settings.mail_from)


def refuse_unset(settings: Settings) -> None:
    """Refuse to go on where letters can't be sent at all."""
    if not is_set_up(settings):
        raise NotSetUp(
            "Mail isn't set up: letters need a mail server and a sender.",
            remedy="Set mail_host and mail_from, then `partner-cx letters send-test` an address.",
        )
    sender(settings)


def sender(settings: Settings) -> Address:
    """Who letters come from. Raises NotSetUp where that isn't an address."""
    written = settings.mail_from or ""
    name, spec = parseaddr(" ".join(written.split()))
    try:
        address = Address(display_name=name, addr_spec=as_it_travels(spec))
    except (ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain:
        raise NotSetUp(
            f"The sender of letters, “{written}”, isn't an address.",
            remedy="Set mail_from as in: Partner CX <programme@brand.example>.",
        )
    return address


def send(message: EmailMessage, email: str, *, settings: Settings) -> None:
    """Hand a letter over to the mail server.

    Raises ServerAway where trying later may help, even where the letter may have been taken and
    only the answer was lost; otherwise NotSetUp, LoginRefused, AddressRefused or LetterRefused.
    """
    refuse_unset(settings)
    host = settings.mail_host or ""
    came_from = sender(settings).addr_spec
    with _in_words(settings), _connected(host, settings) as server:
        if settings.mail_user:
            server.login(settings.mail_user, settings.mail_password or "")
        server.send_message(message, came_from, [as_it_travels(email)])


@contextmanager
def _connected(host: str, settings: Settings) -> Iterator[smtplib.SMTP]:
    """A conversation with the mail server, encrypted unless it stays on this machine."""
    if settings.mail_security == "none" and not _is_loopback(host):
        raise NotSetUp(
            f"Letters to {host} would travel unencrypted, the password with them.",
            remedy="Set mail_security to starttls or tls; none is for a mail server on this "
            "machine, named 127.0.0.1 or localhost.",
        )
    context = ssl.create_default_context()
    if settings.mail_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, settings.mail_port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        server = smtplib.SMTP(host, settings.mail_port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.mail_security == "starttls":
            server.starttls(context=context)
        yield server
        with suppress(smtplib.SMTPException, OSError):
            server.quit()  # the letter is taken: how we part no longer matters
    finally:
        server.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


# --- In words -------------------------------------------------------------------------------------


@contextmanager
def _in_words(settings: Settings) -> Iterator[None]:
    """Turn what smtplib raises into words. The cause is left out: it may hold the letter."""
    told: PartnerCXError | None = None
    try:
        yield
    except (smtplib.SMTPException, OSError, UnicodeError, ValueError) as error:
        told = explained(error, settings)
    if told is not None:
        raise told


def explained(error: Exception, settings: Settings) -> PartnerCXError:
    """What an error in speaking with the mail server means."""
    called = f"The mail server {settings.mail_host}:{settings.mail_port}"
    match error:
        case smtplib.SMTPAuthenticationError():
            return _login_refused(error, called, settings)
        case smtplib.SMTPRecipientsRefused():
            [(code, said)] = error.recipients.values()  # one letter, one reader
            return _address_refused(code, _quoted(said, settings), called)
        case smtplib.SMTPResponseException():
            return _letter_refused(error, _quoted(error.smtp_error, settings), called)
        case smtplib.SMTPNotSupportedError():
            return _not_supported(error, called)
        case smtplib.SMTPServerDisconnected() if "timed out" not in str(error):
            return ServerAway(f"{called} broke the connection off.")
        case TimeoutError() | smtplib.SMTPServerDisconnected():
            return ServerAway(f"{called} didn't answer within {TIMEOUT_SECONDS} seconds.")
        case ssl.SSLError():
            return _not_trusted(error, called)
        case socket.gaierror():
            return ServerAway(
                f"{called} isn't found by its name.", remedy="Check mail_host and the network."
            )
        case OSError():
            return ServerAway(
                f"{called} can't be reached: {error.strerror or type(error).__name__}.",
                remedy="Check mail_host, mail_port and the network.",
            )
    return LetterRefused(
        "The letter can't be written for a mail server: an address or a name holds something "
        "that no mail may.",
        remedy="Check the person's address and mail_from.",
    )


def _login_refused(
    error: smtplib.SMTPResponseException, called: str, settings: Settings
) -> PartnerCXError:
    said = _quoted(error.smtp_error, settings)
    if error.smtp_code < 500:
        return ServerAway(f"{called} doesn't let anybody in just now: {said}")
    return LoginRefused(
        f"{called} doesn't accept the login of {settings.mail_user}: {said}",
        remedy="Check mail_user and mail_password.",
    )


def _address_refused(code: int, said: str, called: str) -> PartnerCXError:
    if code < 500:
        return ServerAway(f"{called} doesn't take letters to this address just now: {said}")
    status = _STATUS.search(said)
    return AddressRefused(
        f"{called} doesn't take letters to this address: {said}",
        status=status[1] if status else "",  # an open relay's refusal says as little
        reason=said,
        remedy="Check the address. A relay that refuses everybody wants a login: mail_user.",
    )


def _letter_refused(error: smtplib.SMTPResponseException, said: str, called: str) -> PartnerCXError:
    # A greeting is about us, and never about the letter. -1: what was said makes no sense.
    if error.smtp_code < 500 or isinstance(error, smtplib.SMTPConnectError):
        return ServerAway(f"{called} asks to come again later: {said}")
    if isinstance(error, smtplib.SMTPSenderRefused):
        return LetterRefused(
            f"{called} doesn't take letters from this sender: {said}",
            remedy="Check mail_from and mail_user: many servers let users send as themselves only.",
        )
    return LetterRefused(f"{called} doesn't take the letter: {said}")


def _not_supported(error: Exception, called: str) -> PartnerCXError:
    said = str(error)
    if "STARTTLS" in said:
        return NotSetUp(
            f"{called} doesn't offer STARTTLS.",
            remedy="Set mail_security to tls (usually with mail_port 465).",
        )
    if "AUTH" in said:
        return NotSetUp(
            f"{called} doesn't offer a login.",
            remedy="Leave mail_user out, or use the server's port for submission, 587 or 465.",
        )
    return AddressRefused(
        f"{called} takes no address with other letters than ASCII.",
        status="5.6.7",
        reason="no SMTPUTF8",
        remedy="Ask the person for another address.",
    )


def _not_trusted(error: ssl.SSLError, called: str) -> PartnerCXError:
    """A certificate can be mended at the other end any moment, so this may pass."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ServerAway(
            f"{called} shows a certificate that isn't trusted: {error.verify_message}.",
            remedy="Use the name that the certificate is for. One of your own authority is trusted "
            "once SSL_CERT_FILE names it.",
        )
    return ServerAway(
        f"{called} doesn't speak TLS as expected.",
        remedy="Port 465 wants mail_security tls, port 587 starttls.",
    )


def _quoted(said: bytes | str, settings: Settings) -> str:
    """What a server said, on one line, without any secret that it might repeat."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for secret in _spellings(settings):
        line = line.replace(secret, "***")
    return f"“{line[:QUOTED_MOST]}”."


def _spellings(settings: Settings) -> list[str]:
    """The password as it is, and as it travels."""
    user, password = settings.mail_user or "", settings.mail_password
    if not password:
        return []
    travels = (f"\0{user}\0{password}", password)
    return [password, *(base64.b64encode(each.encode()).decode() for each in travels)]
