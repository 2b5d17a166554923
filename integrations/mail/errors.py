"""What goes wrong with a mail server, in words for whoever looks after the installation.

Unreachable
└── ServerAway          no connection, no answer in time, “try later”
Refused
├── NotSetUp            settings are missing or can't work together
├── LoginRefused        the mail server doesn't know us
├── LetterRefused       the mail server doesn't take this letter, or nothing from us
└── AddressRefused      the mail server doesn't take letters to this address
"""

from __future__ import annotations

from partner_cx.errors import Refused, Unreachable


class ServerAway(Unreachable):
    """The mail server didn't answer, or asked us to come again later."""


class NotSetUp(Refused):
    """Mail isn't set up, or not so that it can work."""


class LoginRefused(Refused):
    """The mail server doesn't accept the user name and password."""


class LetterRefused(Refused):
    """The mail server doesn't take the letter."""


class AddressRefused(Refused):
    """The mail server doesn't take letters to the address.

    status: such as 5.1.1, RFC 3463; empty where the server tells none. reason: its words.
    """

    def __init__(self, message: str, *, status: str, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason
