"""Progress: how a partner stands, in periods that still run, towards the rules in force.

Before it stand the rules in force and the figures as measured last; after it the partner's home.
Nothing here decides anything: the close does, from the figures of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache

from sqlalchemy.orm import Session

from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.conditions import Verdict
from rewards.evidence import Evidence
from rewards.progress import outlook
from rewards.progress.evidence import Known, known_now
from rewards.progress.outlook import Outlook, Standing, standing
from rewards.progress.running import Running, running_rules
from rewards.rules import Rule, decide
from rewards.rules.limits import Limit, Won

__all__ = ["Outlook", "Progress", "Repeated", "Standing", "Status", "Towards", "progress"]


class Status(StrEnum):
    """How a rule stands for a partner while its period runs."""

    CERTAIN = "certain"  # what is counted can't be undone: the close will say the same
    ON_COURSE = "on_course"  # met as things stand
    SHORT = "short"  # something is still missing, and can be reached
    UNKNOWN = "unknown"  # figures are missing, too few or too old to tell
    OUT_OF_REACH = "out_of_reach"  # nothing the partner does leads there in this period


@dataclass(frozen=True)
class Towards:
    """How a partner stands towards a rule that a close decides.

    points: what it comes to as things stand; points_max: the most it can; None: nothing caps it.
    limited: which limit cuts it, where one does.
    conditions: one by one. outlook: the nearest way to what isn't met.
    days_left: after today. as_of: when its figures were measured; None: it looks at none, or
        nothing was measured yet.
    """

    rule: Rule
    period: Period
    status: Status
    points: int
    limited: Words | None
    conditions: tuple[Standing, ...]
    outlook: Outlook
    days_left: int
    as_of: datetime | None

    @property
    def points_max(self) -> int | None:
        return self.rule.award.points_max

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do for it."""
        return self.status in (Status.SHORT, Status.UNKNOWN)

    @property
    def is_far(self) -> bool:
        """Whether hardly anybody would go for what is left to do."""
        return self.is_open and self.outlook.far

    @property
    def urgency(self) -> tuple[int, object, int, str]:
        """What comes first: the nearest that can still be reached, then what lacks data, then
        what is far, then what is met as things stand.
        """
        rank = {Status.SHORT: 0, Status.UNKNOWN: 1, Status.ON_COURSE: 3, Status.CERTAIN: 4}
        place = 2 if self.is_far else rank.get(self.status, 5)
        return place, self.outlook.distance, self.days_left, self.rule.code


@dataclass(frozen=True)
class Repeated:
    """How often a rule that events decide has paid the partner in its running period.

    limits: each with what it leaves of times and points until its period ends; None: no limit.
    """

    rule: Rule
    period: Period
    times: int
    points: int
    limits: tuple[Left, ...]


@dataclass(frozen=True)
class Left:
    """What a limit leaves in its running period, up to `last_day`."""

    limit: Limit
    period: Period
    times: int | None
    points: int | None


@dataclass(frozen=True)
class Progress:
    """towards: the rules of closes, what is nearest to its award first. repeated: those of events.

    as_of: when the figures they look at were measured last; None: none were.
    """

    towards: tuple[Towards, ...]
    repeated: tuple[Repeated, ...]
    as_of: datetime | None


def progress(session: Session, partner: Partner, groups: frozenset[str], today: date) -> Progress:
    """How a partner stands towards every rule in force that is for it.

    groups: those it belongs to now. A few statements, whatever the rules and the network.
    """
    running = [each for each in running_rules(session, today) if is_for(each.rule, partner, groups)]
    known = known_now(session, partner, groups, running, today)
    towards = [_towards(each, known, today) for each in running if not each.rule.on.event]
    repeated = [_repeated(each, known, today) for each in running if each.rule.on.event]
    return Progress(
        tuple(sorted(towards, key=lambda each: each.urgency)),
        tuple(repeated),
        max((each.as_of for each in towards if each.as_of is not None), default=None),
    )


def is_for(rule: Rule, partner: Partner, groups: frozenset[str]) -> bool:
    """Whether a partner can earn a rule's award, in the groups it belongs to now."""
    if rule.measured_on == "distributor" and partner.kind != "distributor":
        return False
    return rule.audience.includes(groups)


def _towards(running: Running, known: Known, today: date) -> Towards:
    evidence = known.evidence(running)
    return _worked_out(_Case(running, evidence, tuple(known.won(running.rule)), today))


@dataclass(frozen=True, eq=False)
class _Case:
    """A rule with all that its progress rests on: equal where that is the very same.

    Rules and figures that say the same are one object, so that they are known by their identity;
    whoever keeps a case keeps them, and no other object comes to have it.
    """

    running: Running
    evidence: Evidence
    won: tuple[Won, ...]
    today: date

    @cached_property
    def _key(self) -> tuple[object, ...]:
        evidence, needs = self.evidence, self.running.rule.needs()
        own = evidence.scorecard.figures
        figures = (
            *(own.get(kpi) for kpi in needs.figures),
            *(evidence.earlier.get(asked) for asked in needs.earlier),
            *(peer and peer.figure for peer in map(evidence.peers.get, needs.peers)),
        )
        return (
            id(self.running.rule),
            self.running.period,
            evidence.joined_on,
            evidence.scorecard.groups,
            tuple(map(id, figures)),
            tuple(peer and peer.members for peer in map(evidence.peers.get, needs.peers)),
            tuple(map(evidence.events.get, needs.events)),
            self.won,
            self.today,
        )

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Case) and self._key == other._key


@lru_cache(maxsize=5_000)  # a home is opened more often than its figures change
def _worked_out(case: _Case) -> Towards:
    rule, period, evidence = case.running.rule, case.running.period, case.evidence
    decision = decide(rule, evidence, case.won)
    outlook_ = outlook.of(decision)
    return Towards(
        rule=rule,
        period=period,
        status=_status(decision.verdict, rule, evidence, outlook_),
        points=decision.points,
        limited=decision.limited,
        conditions=tuple(standing(each, evidence) for each in rule.conditions),
        outlook=outlook_,
        days_left=(period.last_day - case.today).days,
        as_of=_as_of(rule, evidence),
    )


def _as_of(rule: Rule, evidence: Evidence) -> datetime | None:
    """When what the rule looks at was measured last."""
    moments = (evidence[kpi].as_of for kpi in rule.needs().figures)
    return max((each for each in moments if each is not None), default=None)


def _status(verdict: Verdict, rule: Rule, evidence: Evidence, ahead: Outlook) -> Status:
    if verdict is Verdict.MET:
        certain = all(outlook.is_settled(each, evidence) for each in rule.conditions)
        fixed = not rule.award.needs().figures
        return Status.CERTAIN if certain and fixed else Status.ON_COURSE
    if not ahead.reachable or any(outlook.is_lost(each, evidence) for each in rule.conditions):
        return Status.OUT_OF_REACH
    return Status.SHORT if verdict is Verdict.NOT_MET else Status.UNKNOWN


def _repeated(running: Running, known: Known, today: date) -> Repeated:
    rule, period = running.rule, running.period
    won = [each for each in known.won(rule) if each.on in period]
    return Repeated(
        rule,
        period,
        times=sum(each.points > 0 for each in won),
        points=sum(each.points for each in won),
        limits=tuple(_left(limit, known.won(rule), today) for limit in rule.limits),
    )


def _left(limit: Limit, won: Sequence[Won], today: date) -> Left:
    period = Period.of(today, limit.per)
    inside = [each.points for each in won if each.on in period]
    times = None if limit.times is None else max(limit.times - sum(p > 0 for p in inside), 0)
    points = None if limit.points is None else max(limit.points - max(sum(inside), 0), 0)
    return Left(limit, period, times, points)
