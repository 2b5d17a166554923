"""The message: a rendered letter as mail servers and programs want it, with its headers.

Before it stands `rendering`, after it the connection, or a file that somebody looks at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from integrations.mail.domains import as_it_travels
from integrations.mail.errors import LetterRefused
from integrations.mail.rendering import Frame, html, text
from integrations.mail.written import Written, on_one_line


class _Whole(EmailPolicy):
    """Keeps addresses and names of letters on one line, as they are.

    The library would break a long one up into encoded words, in which no mail program looks for an
    address to stop letters.
    """

    KEPT = ("list-unsubscribe", "message-id")

    def fold(self, name: str, value: str) -> str:
        if name.lower() in self.KEPT:
            return f"{name}: {value}{self.linesep}"
        return super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in self.KEPT:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


AS_MAIL = _Whole(linesep="\r\n")


@dataclass(frozen=True)
class Rendered:
    """A letter, ready to be read: its subject and both its parts."""

    subject: str
    html: str
    text: str
    language: str
    stop: str | None


def rendered(written: Written, frame: Frame) -> Rendered:
    """Set a letter in a language."""
    subject = on_one_line(written.subject.in_(frame.language))
    return Rendered(subject, html(written, frame), text(written, frame), frame.language, frame.stop)


def message(
    letter: Rendered, *, to: str, name: str, sender: Address, message_id: str, now: datetime
) -> EmailMessage:
    """The mail. to, name: of whom it is for; message_id: see `identity`.

    Raises LetterRefused for an address that no mail can have.
    """
    mail = EmailMessage(policy=AS_MAIL)
    mail["From"] = sender
    mail["To"] = _addressee(to, name)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    if letter.stop:  # RFC 2369 and, for one click, RFC 8058
        mail["List-Unsubscribe"] = f"<{letter.stop}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    mail["Content-Language"] = letter.language  # last: it would be taken for that of a part
    return mail


def _addressee(email: str, name: str) -> Address:
    shown = on_one_line(name)
    try:
        address = Address(display_name=shown, addr_spec=as_it_travels(email))
    except (ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain:
        raise LetterRefused(
            f"“{email}” isn't an address that mail can be sent to.",
            remedy="Mend it where people are kept, then drop this letter.",
        )
    return address
