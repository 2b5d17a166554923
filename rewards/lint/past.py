"""The past a rule is held against: what its audience's figures were in the periods closed last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import gather
from rewards.evidence import Evidence
from rewards.frozen import Closing
from rewards.rules import Rule
from rewards.sentences.things import things

PERIODS_USUAL = 8  # how many of the last closed periods are looked at where nobody says

_CLOSED = {
    "month": things("closed month|closed months", "mois clôturé|mois clôturés"),
    "quarter": things("closed quarter|closed quarters", "trimestre clôturé|trimestres clôturés"),
    "year": things("closed year|closed years", "exercice clôturé|exercices clôturés"),
}


@dataclass(frozen=True)
class PastPeriod:
    """A closed period: everyone the rule would have been for, with what was known of them."""

    period: Period
    seen: Sequence[tuple[Candidate, Evidence]]


@dataclass(frozen=True)
class Past:
    """The closed periods that a rule is held against, the first one first."""

    rule: Rule
    periods: Sequence[PastPeriod]

    @property
    def is_empty(self) -> bool:
        """Whether it tells nothing: no period is closed, or the rule was for nobody in any."""
        return not any(period.seen for period in self.periods)

    @property
    def told(self) -> Words:
        """`8 closed quarters`."""
        return _CLOSED[self.rule.period].times(len(self.periods))

    def all_seen(self) -> Iterator[tuple[Period, Candidate, Evidence]]:
        for past in self.periods:
            for candidate, evidence in past.seen:
                yield past.period, candidate, evidence

    def figures(self, kpi: str) -> Iterator[tuple[Candidate, Figure]]:
        """A KPI's figures, one for each partner and period; those without data too."""
        for _, candidate, evidence in self.all_seen():
            yield candidate, evidence[kpi]


def past_of(
    session: Session, rule: Rule, *, first: Period | None = None, last: Period | None = None
) -> Past:
    """What was known at the last closes about everyone a rule would have been for.

    first, last: only the closed periods between them, both included; without them the last eight.
    """
    closings = [
        (period, closing)
        for closing in session.scalars(sa.select(Closing))
        if (period := Period.parse(closing.period)).kind is rule.period
        and (first is None or first <= period)
        and (last is None or period <= last)
    ]
    closings.sort(key=lambda each: each[0])
    if first is None and last is None:
        closings = closings[-PERIODS_USUAL:]
    return Past(rule, [_past_period(session, rule, *each) for each in closings])


def _past_period(session: Session, rule: Rule, period: Period, closing: Closing) -> PastPeriod:
    gathered = gather(session, period, [rule], closing=closing)
    return PastPeriod(
        period, [(each, gathered.evidence(rule, each)) for each in gathered.audience(rule)]
    )
