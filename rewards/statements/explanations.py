"""Explanations: what is said of points that were earned, and of those that weren't.

Before it stands `explaining`, which follows the chain; after it the command, which prints it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from partner_cx.measures.figures import Figure
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.conditions import Verdict
from rewards.ledger.posted import Posted
from rewards.misses import Misses
from rewards.rules import Decision, Rule
from rewards.statements.nearest import Way


@dataclass(frozen=True)
class Published:
    """The rule version that decided. intact: whether its digest is that of its contents."""

    rule: Rule
    at: datetime
    by: str
    approved_by: str | None
    why: str
    intact: bool


@dataclass(frozen=True)
class Reason:
    """One finding with what it rests on.

    formula: what the catalogue says the figure counts. behind: the rows that kept it down.
    counted: the rows that were counted and kept; those that missed are in `behind`.
    """

    verdict: Verdict
    sentence: Words
    figure: Figure | None
    formula: Words | None
    behind: Misses
    counted: Misses


@dataclass(frozen=True)
class Proposed:
    """A compensation that was proposed for a decision.

    approved: None while nobody has settled it. changes: the facts that changed since.
    """

    number: int
    points: int
    why: Words
    at: datetime
    by: str
    changes: Any
    approved: bool | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_why: str = ""


@dataclass(frozen=True)
class ToldEvent:
    """The event that a decision was taken on."""

    key: str
    kind: str
    subject: str | None
    person: str | None
    recorded_at: datetime


@dataclass(frozen=True)
class Judged:
    """A decision with all that it rests on.

    on: the day it is about. period: None where it was taken on an event.
    verdict, points: as they are recorded. agrees: whether telling it again comes to the same.
    closed_at, closed_by: of the close whose figures it looks at; None: it looks at none.
    event: what it was taken on; None: a close.
    unpaid: why points that were earned weren't paid; None where they were, or there are none.
    way: the nearest way to what wasn't earned; None where it was.
    """

    on: date
    period: Period | None
    verdict: Verdict
    points: int
    decision: Decision
    agrees: bool
    published: Published
    reasons: tuple[Reason, ...]
    closed_at: datetime | None
    closed_by: str | None
    event: ToldEvent | None
    proposals: tuple[Proposed, ...]
    unpaid: Words | None
    way: Way | None


@dataclass(frozen=True)
class Explanation:
    """Why an owner has some points, or hasn't.

    judged: the decision; None where no rule gave the points.
    posted: every entry that belongs to it: the award, its release, what was put right later.
    """

    subject: str
    name: str
    judged: Judged | None
    posted: tuple[Posted, ...]

    @property
    def points(self) -> int:
        """What it has brought so far, to spend or pending."""
        return sum(each.points for each in self.posted)


@dataclass(frozen=True)
class NotFor:
    """A rule that was decided in the period and isn't for the partner.

    why: whom it is for.
    """

    rule: Rule
    why: Words


@dataclass(frozen=True)
class Explained:
    """The answer: explanations in the order of their days, and the rules that weren't for it.

    period: what was asked about; None: one entry, or everything there is.
    """

    explanations: tuple[Explanation, ...]
    period: Period | None = None
    not_for: tuple[NotFor, ...] = ()
