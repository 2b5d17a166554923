"""How Odoo can fail us, in words for the administrator of either side.

Unreachable
└── NoAnswer        down, too slow, a proxy's page, half an answer: later it may be well
Refused
├── NotConfigured   a setting is missing, or the address isn't an Odoo's
├── KeyRefused      the API key is wrong, revoked or expired
├── NoSuchDatabase
├── NotAllowed      the service account may not: names the model and the group that opens it
├── Gone            the record was deleted
├── NotInstalled    the app isn't there
├── OtherVersion    this Odoo has no such field or method
├── RuleBroken      Odoo's own rule, in Odoo's own sentence
└── ProgramFault    we asked wrongly: a mistake of Partner CX
"""

from __future__ import annotations

from partner_cx.errors import Refused, Unreachable


class NoAnswer(Unreachable):
    """Odoo didn't answer, or not sensibly.

    maybe_done: a write that may have been carried out all the same: look before a second try.
    soon: whether another try in a moment may go better; not so with a wrong certificate.
    slow: it ran out of time, and may still be at work on what we asked.
    wait: the seconds that were asked for before the next try, if any.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        maybe_done: bool = False,
        soon: bool = True,
        slow: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.maybe_done = maybe_done
        self.soon = soon
        self.slow = slow
        self.wait = wait


class NotConfigured(Refused):
    """A setting is missing, or what it names isn't an Odoo we can speak with."""


class KeyRefused(Refused):
    """The key isn't, or no longer, good."""


class NoSuchDatabase(Refused):
    """The server has no database of this name, or wants one to be named."""


class NotAllowed(Refused):
    """The service account has no right to it.

    model: what it was about. group: which group of Odoo opens it, where we know.
    """

    def __init__(self, message: str, *, model: str, group: str | None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.model = model
        self.group = group


class Gone(Refused):
    """The record isn't there any more."""


class NotInstalled(Refused):
    """Odoo doesn't know the model: the app that brings it isn't installed."""

    def __init__(self, message: str, *, model: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.model = model


class OtherVersion(Refused):
    """This Odoo has no such field or method."""


class RuleBroken(Refused):
    """Odoo doesn't want what was to be written. The message is Odoo's own sentence."""


class ProgramFault(Refused):
    """We asked in a way that no Odoo understands."""
