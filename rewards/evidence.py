"""Evidence: all that a rule may look at when it decides about one subject. Pure.

Before it stands `gathering`, which finds it in the database as it was known at one moment; after it
conditions, which examine it. A condition says beforehand what it needs, so that the evidence of
thousands is gathered in a few statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from partner_cx.measures.figures import Figure, Scorecard, State
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind


class Earlier(StrEnum):
    """Which earlier period a period is compared with."""

    PREVIOUS = "previous_period"  # the one just before
    YEAR_BEFORE = "year_before"  # the same one a year before

    def of(self, period: Period) -> Period:
        if self is Earlier.PREVIOUS or period.kind is PeriodKind.YEAR:
            return period.previous()
        return Period(period.first_day.replace(year=period.first_day.year - 1), period.kind)


class Peers(StrEnum):
    """Whom a partner is compared with: a group it belongs to, or everyone."""

    NETWORK = "network"
    KIND = "kind"
    TIER = "tier"
    REGION = "region"
    COUNTRY = "country"


@dataclass(frozen=True)
class EventsAsked:
    """Which events are counted.

    subject: only those about it (a course, a survey, a panel); None: all of the kind.
    days: those of so many days up to the decision's; None: those of its period.
    """

    kind: EventKind
    subject: str | None = None
    days: int | None = None


@dataclass(frozen=True)
class Needs:
    """What evidence a condition, or a whole rule, looks at."""

    figures: frozenset[str] = frozenset()  # KPIs of the period itself
    earlier: frozenset[tuple[Earlier, str]] = frozenset()  # KPIs of an earlier period
    peers: frozenset[tuple[Peers, str]] = frozenset()  # KPIs of a group, in the same period
    events: frozenset[EventsAsked] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.figures | other.figures,
            self.earlier | other.earlier,
            self.peers | other.peers,
            self.events | other.events,
        )

    @classmethod
    def of_all(cls, needs: Iterable[Needs]) -> Needs:
        together = cls()
        for each in needs:
            together |= each
        return together


@dataclass(frozen=True)
class PeerFigure:
    """A group's figure, and of how many partners the group is."""

    figure: Figure
    members: int


@dataclass(frozen=True)
class Event:
    """What happened, when a rule is decided on an event.

    subject: what it is about: a course, a survey, a panel, a report. None: nothing in particular.
    person: the e-mail address of whoever did it; None where only the partner is known.
    """

    kind: EventKind
    subject: str | None = None
    person: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What is known of a subject when a rule decides about it.

    scorecard: its figures. Of the period that is closed; on an event, of the last period of the
        rule's kind that was closed by then.
    on: the day the decision is about: the period's last, or the event's.
    joined_on: since when the partner is one; None: nobody knows.
    earlier: the figures of earlier periods, where those were closed by then.
    peers: the figures of groups it belongs to; none where it belongs to no such group.
    events: how many there were; None where the network has never told of such an event.
    event: what the rule is decided on; None at a close.
    """

    scorecard: Scorecard
    on: date
    joined_on: date | None = None
    earlier: Mapping[tuple[Earlier, str], Figure] = field(default_factory=dict)
    peers: Mapping[tuple[Peers, str], PeerFigure] = field(default_factory=dict)
    events: Mapping[EventsAsked, int | None] = field(default_factory=dict)
    event: Event | None = None

    @classmethod
    def of(cls, scorecard: Scorecard) -> Evidence:
        """The evidence of a closed period about which nothing but the scorecard is known."""
        return cls(scorecard, scorecard.period.last_day)

    def __getitem__(self, kpi: str) -> Figure:
        return self.scorecard[kpi]

    def figure_of(self, earlier: Earlier, kpi: str) -> Figure:
        """An earlier figure; one that isn't there has no data, which isn't zero."""
        return self.earlier.get((earlier, kpi), _nothing(kpi))


def _nothing(kpi: str) -> Figure:
    return Figure(kpi=kpi, value=None, state=State.NO_DATA)
