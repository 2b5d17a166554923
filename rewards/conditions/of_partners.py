"""Conditions on the partner itself: what it belongs to, and since when it is one."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Self

from rewards import sentences
from rewards.conditions.condition import Condition, Finding, Verdict, named
from rewards.evidence import Evidence, Needs
from rewards.reading import Given

MONTHS_MAX = 600


@named("partner_in")
@dataclass(frozen=True)
class PartnerIn(Condition):
    """The partner belonged to a group, such as `tier:gold`, in the period."""

    group: str

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(given.group())

    def to_plain(self) -> object:
        return self.group

    def needs(self) -> Needs:
        return Needs()

    def judge(self, evidence: Evidence) -> Verdict:
        return Verdict.MET if self.group in evidence.scorecard.groups else Verdict.NOT_MET

    def examine(self, evidence: Evidence) -> Finding:
        verdict = self.judge(evidence)
        return Finding(verdict, sentences.belonging(self.group, met=verdict is Verdict.MET))


@named("partner_for")
@dataclass(frozen=True)
class PartnerFor(Condition):
    """The partner has been one for so many months on the day the decision is about."""

    months: int

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(given.fields(required=("months",))["months"].whole_number(1, MONTHS_MAX))

    def to_plain(self) -> object:
        return {"months": self.months}

    def needs(self) -> Needs:
        return Needs()

    def judge(self, evidence: Evidence) -> Verdict:
        if evidence.joined_on is None:
            return Verdict.UNKNOWN
        reached = months_later(evidence.joined_on, self.months) <= evidence.on
        return Verdict.MET if reached else Verdict.NOT_MET

    def examine(self, evidence: Evidence) -> Finding:
        verdict = self.judge(evidence)
        if evidence.joined_on is None:
            return Finding(verdict, sentences.NOBODY_KNOWS_SINCE_WHEN)
        reached_on = months_later(evidence.joined_on, self.months)
        met = verdict is Verdict.MET
        return Finding(
            verdict, sentences.partner_since(evidence.joined_on, self.months, reached_on, met=met)
        )


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the month's last where it has no such day.

    A month after 31 January is 28 February, or the 29th in a leap year.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
