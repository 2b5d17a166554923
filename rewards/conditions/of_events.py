"""Conditions on events: how many there were, and what the one that is decided on is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from rewards import sentences
from rewards.conditions.condition import Condition, Finding, Verdict, named
from rewards.evidence import EventsAsked, Evidence, Needs
from rewards.reading import Given

COUNT_MAX = 1_000_000
DAYS_MAX = 3_660
SUBJECTS_MAX = 200


@named("events_at_least")
@dataclass(frozen=True)
class EventsAtLeast(Condition):
    """So many things of a kind happened: in the period, or in so many days up to the decision's.

    The period is that of the day the decision is about; the event that is decided on counts too.
    A kind of which the programme has never been told anything is unknown rather than zero.
    """

    asked: EventsAsked
    count: int

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("event", "count"), optional=("about", "days"))
        asked = EventsAsked(
            kind=fields["event"].choice(EventKind),
            subject=fields["about"].line() if "about" in fields else None,
            days=fields["days"].whole_number(1, DAYS_MAX) if "days" in fields else None,
        )
        return cls(asked, fields["count"].whole_number(1, COUNT_MAX))

    def to_plain(self) -> object:
        plain: dict[str, object] = {"event": self.asked.kind.value, "count": self.count}
        if self.asked.subject is not None:
            plain["about"] = self.asked.subject
        if self.asked.days is not None:
            plain["days"] = self.asked.days
        return plain

    def needs(self) -> Needs:
        return Needs(events=frozenset({self.asked}))

    def judge(self, evidence: Evidence) -> Verdict:
        count = evidence.events.get(self.asked)
        if count is None:
            return Verdict.UNKNOWN
        return Verdict.MET if count >= self.count else Verdict.NOT_MET

    def examine(self, evidence: Evidence) -> Finding:
        verdict, count = self.judge(evidence), evidence.events.get(self.asked)
        if count is None:
            return Finding(verdict, sentences.never_told_of(self.asked.kind))
        period = Period.of(evidence.on, evidence.scorecard.period.kind)
        told = sentences.happened(self.asked, count, self.count, period)
        return Finding(verdict, told)


@named("event_about")
@dataclass(frozen=True)
class EventAbout(Condition):
    """The event that is decided on is about one of these: a course, a survey, a panel."""

    subjects: tuple[str, ...]

    event_only: ClassVar[bool] = True

    @classmethod
    def read(cls, given: Given) -> Self:
        items = given.items()
        if len(items) > SUBJECTS_MAX:
            raise given.refused(f"{len(items)} are too many.", f"Keep to {SUBJECTS_MAX}.")
        return cls(tuple(item.line() for item in items))

    def to_plain(self) -> object:
        return list(self.subjects)

    def needs(self) -> Needs:
        return Needs()

    def judge(self, evidence: Evidence) -> Verdict:
        about = evidence.event.subject if evidence.event else None
        return Verdict.MET if about in self.subjects else Verdict.NOT_MET

    def examine(self, evidence: Evidence) -> Finding:
        about = evidence.event.subject if evidence.event else None
        verdict = self.judge(evidence)
        told = sentences.about(about, self.subjects, met=verdict is Verdict.MET)
        return Finding(verdict, told)
