"""Bounces: reading a delivery report as mail servers write it, and what it says of which letter.

Before it stands the mailbox; after it `letter_choices`. Pure. A report counts only if it returns
the head of a letter of ours: its Message-ID is signed for the address it went to, so that nobody
can stop another's letters by making reports up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses

from integrations.mail.domains import as_it_is_kept
from integrations.mail.identity import was_ours
from integrations.mail.sending import is_for_good

REASON_MOST = 300
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


@dataclass(frozen=True)
class Returned:
    """That a letter to an address came back.

    report: the name of the report, the same each time it is read. hard: see `is_for_good`.
    """

    report: str
    email: str
    hard: bool
    status: str
    reason: str


def read_report(raw: bytes, *, secret: str) -> list[Returned]:
    """What a mail says of letters of ours that came back; nothing where it is no such report."""
    # Mail is whatever somebody sends. So heads are left as they stand: read by the newer policies
    # of the library, one made for the purpose takes minutes.
    try:
        mail = message_from_bytes(raw, policy=policy.compat32)
        found = list(_returned(mail, raw, secret))
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return []  # what can't be read as a report isn't one
    return list({each.email: each for each in found}.values())


def _returned(mail: Message, raw: bytes, secret: str) -> Iterator[Returned]:
    original = _original(mail)
    if original is None:
        return
    letter = _header(original, "Message-ID")
    told_of = [address for _, address in getaddresses([_header(original, "To")])]
    report = _header(mail, "Message-ID") or hashlib.sha256(raw).hexdigest()
    for recipient in _recipients(mail):
        if _header(recipient, "Action").lower() not in ("failed", "delayed"):
            continue
        named = [_address(recipient, field) for field in ("Original-Recipient", "Final-Recipient")]
        ours = (each for each in (*named, *told_of) if was_ours(letter, each, secret=secret))
        email = next(ours, None)
        if email is not None:
            yield _as_returned(recipient, report, as_it_is_kept(email))


def _as_returned(recipient: Message, report: str, email: str) -> Returned:
    status = _STATUS.search(_header(recipient, "Status"))
    told = status[1] if status else ""
    failed = _header(recipient, "Action").lower() == "failed"
    said = _header(recipient, "Diagnostic-Code").partition(";")[2] or _header(recipient, "Status")
    return Returned(
        f"{report} {email}"[:500],
        email,
        failed and is_for_good(told),
        told,
        said.strip()[:REASON_MOST],
    )


def _recipients(mail: Message) -> Iterator[Message]:
    """The part of a delivery status that each recipient has: all after the first, RFC 3464."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from _parts(part)[1:]


def _original(mail: Message) -> Message | None:
    """The letter that came back, or its head."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            return _parts(part)[0]
        if kind in ("text/rfc822-headers", "message/rfc822-headers"):
            head = part.get_payload(decode=True)
            return message_from_bytes(bytes(head), policy=policy.compat32)
    return None


def _parts(whole: Message) -> list[Message]:
    parts = whole.get_payload()
    return [each for each in parts if isinstance(each, Message)] if isinstance(parts, list) else []


def _address(recipient: Message, name: str) -> str:
    """`rfc822; anna@partner.example` without its kind."""
    return _header(recipient, name).partition(";")[2].strip().strip("<>")


def _header(part: Message, name: str) -> str:
    """A header on one line, without what can't be shown; empty where there is none."""
    said = str(part.get(name, ""))
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())
