"""Faults on demand: what goes wrong with an Odoo or on the way to it, for tests to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    CLOSED = "closed"  # the line is closed before anything is done
    LOST = "lost"  # it is done, and the answer never comes
    SLOW = "slow"  # it is done, and the answer comes late
    BAD_GATEWAY = "bad_gateway"  # a proxy answers 502, in HTML; nothing is done
    UNAVAILABLE = "unavailable"  # 503, in HTML; nothing is done
    HTML = "html"  # 200 and a page, as a login portal answers; nothing is done
    HALF = "half"  # half of the JSON, with its length right
    CUT = "cut"  # half of the JSON, then the line is closed
    REVOKED = "revoked"  # no key is valid any more
    ACCESS = "access"  # AccessError, whatever the rights
    SERVER = "server"  # a fault of the database


@dataclass
class Fault:
    """A fault that hits requests of a model or method, or all of them.

    after: how many such requests pass first. times: how many are hit; None for all from then on.
    seconds: how late a slow answer is.
    """

    kind: Kind
    after: int = 0
    times: int | None = 1
    model: str | None = None
    method: str | None = None
    seconds: float = 1.0
    seen: int = 0
    hit: int = 0

    def strikes(self, model: str, method: str) -> bool:
        """Whether this request is hit. Counts it."""
        if self.model not in (None, model) or self.method not in (None, method):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hit >= self.times):
            return False
        self.hit += 1
        return True
