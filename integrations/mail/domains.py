"""Domains of addresses: as people write them, and as they travel (RFC 5891). Pure.

Kept are addresses as people wrote them; mail servers are told them in ASCII, and reports of what
came back name them so. What stands before the @ stays as it is.
"""

from __future__ import annotations


def as_it_travels(email: str) -> str:
    """`dora@brücke.example` as `dora@xn--brcke-lva.example`; itself where that can't be written."""
    local, at, domain = email.strip().rpartition("@")
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return email.strip()


def as_it_is_kept(email: str) -> str:
    """The reverse, in small letters."""
    local, at, domain = email.strip().lower().rpartition("@")
    try:
        return local + at + domain.encode("ascii").decode("idna")
    except UnicodeError:
        return email.strip().lower()
