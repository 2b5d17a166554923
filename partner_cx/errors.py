"""Everything that Partner CX refuses, in one tree.

    PartnerCXError
    ├── Invalid        what was given can't be understood or isn't allowed: mend it and try again
    ├── NotFound       it names something that isn't there
    ├── Forbidden      it is there, and not for this person
    ├── Conflict       it contradicts what is already recorded
    ├── TooMany        it was asked for too often: after a while it may be again
    ├── Unreachable    a neighbour didn't answer, or not sensibly: later it may
    └── Refused        a neighbour understood and says no: later it will again

The families say what kind of answer it is; one place in `api/` turns them into an exit status
or an HTTP answer. A message says what, why and what to do next.
"""

from __future__ import annotations


class PartnerCXError(Exception):
    """A refusal a person can act on.

    message: what went wrong, and why, in one or two sentences.
    remedy: what to do next; part of the printed text.
    french: both in French, where readers of pages may meet it.
    """

    def __init__(self, message: str, *, remedy: str = "", french: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.french = french

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Invalid(PartnerCXError):
    """What was given can't be understood, or isn't allowed."""


class NotFound(PartnerCXError):
    """It names something that isn't there."""


class Forbidden(PartnerCXError):
    """It is there, and not for this person."""


class Conflict(PartnerCXError):
    """It contradicts what is already recorded."""


class TooMany(PartnerCXError):
    """It was asked for too often. retry_after_seconds: when it may be asked for again."""

    def __init__(self, message: str, *, remedy: str = "", retry_after_seconds: int) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class Unreachable(PartnerCXError):
    """A neighbour (Odoo, a mail server …) didn't answer, or not sensibly. Trying later may help."""


class Refused(PartnerCXError):
    """A neighbour understood and says no. The same again won't help."""
