"""The nearest way to an award that wasn't earned: what the smallest set of changes would have been.

Before it stands a decision with its evidence; after it explanations and whoever tells partners
what they lack. Pure. Where a rule offers a choice, the way whose steps are the smallest relative
to their bounds is taken; a step that no effort leads to is said to be out of reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from math import ceil, floor, isfinite

from partner_cx.measures.figures import Figure, State
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import (
    MEMBERS_MIN,
    AllOf,
    AnyOf,
    AtLeastOf,
    Compared,
    Condition,
    EventAbout,
    EventsAtLeast,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
    KpiIsGreen,
    PartnerFor,
    PartnerIn,
    Verdict,
    months_later,
)
from rewards.conditions.thresholds import NOTHING
from rewards.evidence import Evidence
from rewards.rules import Decision, is_for_nobody
from rewards.rules.scales import Award, PointsPerUnit, TieredPoints
from rewards.sentences import ways


@dataclass(frozen=True)
class Step:
    """One thing that would have had to be otherwise.

    gap: how far away it was, relative to what was asked: 1 is all of it.
    reachable: whether anything the partner does leads there.
    kpi, bound: which share had to reach what, where it is made of things that are counted.
    """

    sentence: Words
    gap: Fraction = NOTHING
    reachable: bool = True
    kpi: str | None = None
    bound: Fraction | None = None


@dataclass(frozen=True)
class Way:
    """Everything that would have had to be otherwise, together."""

    steps: tuple[Step, ...] = ()

    @property
    def reachable(self) -> bool:
        return all(step.reachable for step in self.steps)

    @property
    def length(self) -> tuple[int, Fraction, int]:
        """What ways are compared by: steps out of reach first, then how far the others are."""
        out_of_reach = sum(not step.reachable for step in self.steps)
        return out_of_reach, sum((step.gap for step in self.steps), NOTHING), len(self.steps)


def nearest(decision: Decision) -> Way | None:
    """The nearest way to the award; None where it was earned, whether it could be paid or not."""
    if decision.points:
        return None
    if decision.limited:
        return Way((Step(decision.limited),))
    rule, evidence = decision.rule, decision.evidence
    asked = [*_ways(rule.conditions, evidence), _way_to_award(rule.award, evidence)]
    if is_for_nobody(rule, evidence):
        asked.append(Way((Step(sentences.NOBODY_TO_AWARD, Fraction(1)),)))
    return _together(asked)


def way_to(condition: Condition, evidence: Evidence) -> Way:
    """The nearest way to one condition; no step where it is met."""
    return _ways([condition], evidence)[0]


@singledispatch
def _way(condition: Condition, evidence: Evidence) -> Way:
    """The nearest way to one condition that isn't met."""
    finding = condition.examine(evidence)
    return Way((Step(finding.sentence, Fraction(1), reachable=False),))


def _ways(conditions: Iterable[Condition], evidence: Evidence) -> list[Way]:
    return [
        Way() if condition.judge(evidence) is Verdict.MET else _way(condition, evidence)
        for condition in conditions
    ]


def _together(ways_: Sequence[Way]) -> Way:
    steps = dict.fromkeys(step for way in ways_ for step in way.steps)
    return Way(tuple(steps))


# --- Several conditions ---------------------------------------------------------------------------


@_way.register
def _all(condition: AllOf, evidence: Evidence) -> Way:
    return _together(_ways(condition.conditions, evidence))


@_way.register
def _any(condition: AnyOf, evidence: Evidence) -> Way:
    return min(_ways(condition.conditions, evidence), key=lambda way: way.length)


@_way.register
def _at_least(condition: AtLeastOf, evidence: Evidence) -> Way:
    """Those that are met cost nothing, so that the cheapest ones hold them all."""
    cheapest = sorted(_ways(condition.conditions, evidence), key=lambda way: way.length)
    return _together(cheapest[: condition.count])


# --- KPIs -----------------------------------------------------------------------------------------


@_way.register
def _green(condition: KpiIsGreen, evidence: Evidence) -> Way:
    figure = evidence[condition.kpi]
    if (target := figure.target) is None:
        if figure.value is None:
            return Way((Step(ways.any_data(condition.kpi), Fraction(1)),))
        return Way((Step(ways.a_target(condition.kpi), Fraction(1), reachable=False),))
    return _to_bound(figure, target.value, n_min=target.n_min, coverage_min=target.coverage_min)


@_way.register(KpiAtLeast)
@_way.register(KpiAtMost)
def _against(condition: KpiAtLeast | KpiAtMost, evidence: Evidence) -> Way:
    figure, bound = evidence[condition.kpi], condition.threshold
    if unclear := _to_judge(figure, condition.n_min, condition.coverage_min):
        return Way((unclear,))
    lower = condition.against is Compared.LOWER
    if condition.against is not Compared.VALUE:
        end = figure.low if lower else figure.high
        if end is None or not isfinite(end):
            return Way((Step(ways.any_data(condition.kpi), Fraction(1)),))
        told = ways.sure_of(figure, bound, Fraction(end), lower=lower)
        return Way((Step(told, _relative(Fraction(end), bound)),))
    if isinstance(condition, KpiAtMost) is not sentences.lower_is_better(condition.kpi):
        # The other way round than the KPI is good: what was found says how far it lies off.
        told = condition.examine(evidence).sentence
        return Way((Step(told, _relative(figure.value or NOTHING, bound)),))
    return _to_bound(figure, bound, n_min=1)


@_way.register
def _improved(condition: KpiImproved, evidence: Evidence) -> Way:
    then = evidence.figure_of(condition.since, condition.kpi)
    if then.value is None or then.n < condition.n_min or then.state is State.STALE:
        earlier = condition.since.of(evidence.scorecard.period)
        told = ways.nothing_earlier(condition.kpi, earlier)
        return Way((Step(told, Fraction(1), reachable=False),))
    return _to_better(evidence[condition.kpi], then.value, condition.by, condition.n_min)


@_way.register
def _beats(condition: KpiBeats, evidence: Evidence) -> Way:
    kpi, peers = condition.kpi, evidence.peers.get((condition.peers, condition.kpi))
    if peers is not None and peers.members < MEMBERS_MIN:
        told = ways.more_peers(kpi, condition.peers, peers.members, MEMBERS_MIN)
        return Way((Step(told, Fraction(1), reachable=False),))
    if peers is None or peers.figure.value is None:
        told = ways.no_comparison(kpi, condition.peers)
        return Way((Step(told, Fraction(1), reachable=False),))
    return _to_better(evidence[kpi], peers.figure.value, condition.by, condition.n_min)


def _way_to_award(award: Award, evidence: Evidence) -> Way:
    """The way to its first points, for an award that is measured by a figure."""
    if award.worth(evidence):
        return Way()
    if isinstance(award, PointsPerUnit):
        lower = sentences.lower_is_better(award.kpi)
        first = award.start - award.unit if lower else award.start + award.unit
        return _to_bound(evidence[award.kpi], first, n_min=award.n_min)
    if isinstance(award, TieredPoints):
        return _to_bound(evidence[award.kpi], award.steps[0].reaches, n_min=award.n_min)
    return Way()


def _to_better(figure: Figure, other: Fraction, by: Fraction, n_min: int) -> Way:
    bound = other - by if sentences.lower_is_better(figure.kpi) else other + by
    return _to_bound(figure, bound, n_min=n_min, beyond=not by)


def _to_bound(
    figure: Figure,
    bound: Fraction,
    *,
    n_min: int,
    coverage_min: Fraction = NOTHING,
    beyond: bool = False,
) -> Way:
    """The way of a figure to its bound, the better way. beyond: the bound itself isn't enough."""
    if unclear := _to_judge(figure, n_min, coverage_min):
        return Way((unclear,))
    assert figure.value is not None
    gap = _relative(figure.value, bound)
    if not _is_countable(figure):
        return Way((Step(ways.distance_to(figure, bound, beyond=beyond), gap),))
    missing = _missing(figure, bound, beyond=beyond)
    if missing is None:
        told = ways.out_of_scale(figure, Fraction(0) if _lower(figure) else Fraction(1))
        return Way((Step(told, Fraction(1), reachable=False),))
    told = ways.hits_to(figure, bound, missing, beyond=beyond)
    return Way((Step(told, gap, kpi=figure.kpi, bound=None if beyond else bound),))


def _missing(figure: Figure, bound: Fraction, *, beyond: bool) -> int | None:
    """How many more hits, or fewer where less is better; None where there can't be as many."""
    assert figure.hits is not None
    assert figure.of
    wanted = bound * figure.of
    if _lower(figure):
        most = ceil(wanted) - 1 if beyond else floor(wanted)
        return figure.hits - most if most >= 0 else None
    least = floor(wanted) + 1 if beyond else ceil(wanted)
    return least - figure.hits if least <= figure.of else None


def _to_judge(figure: Figure, n_min: int, coverage_min: Fraction) -> Step | None:
    """What a figure needs before anything can be said of it; None where it needs nothing."""
    kpi = figure.kpi
    if figure.n < n_min:
        return Step(ways.more_to_judge(kpi, n_min - figure.n), Fraction(n_min - figure.n, n_min))
    if figure.value is None:
        return Step(ways.any_data(kpi), Fraction(1))
    if figure.coverage is not None and figure.coverage < coverage_min:
        told = ways.more_coverage(kpi, figure.coverage, coverage_min)
        return Step(told, coverage_min - figure.coverage)
    if figure.state is State.STALE:
        return Step(ways.fresh_source(kpi))
    return None


def _is_countable(figure: Figure) -> bool:
    """Whether its hits are things, each one of the sample: neither amounts nor promoters."""
    share = sentences.is_share(figure.kpi)
    return bool(share and figure.hits is not None and figure.of and figure.of == figure.n)


def _lower(figure: Figure) -> bool:
    return sentences.lower_is_better(figure.kpi)


def _relative(value: Fraction, bound: Fraction) -> Fraction:
    return abs(bound - value) / (abs(bound) or 1)


# --- The partner, and events ----------------------------------------------------------------------


@_way.register
def _in_group(condition: PartnerIn, _evidence: Evidence) -> Way:
    return Way((Step(ways.only_for([condition.group]), Fraction(1), reachable=False),))


@_way.register
def _for_months(condition: PartnerFor, evidence: Evidence) -> Way:
    if evidence.joined_on is None:
        return Way((Step(ways.since_when(), Fraction(1), reachable=False),))
    reached_on = months_later(evidence.joined_on, condition.months)
    missing = next(
        count
        for count in range(1, condition.months + 1)
        if count == condition.months or months_later(evidence.on, count) >= reached_on
    )
    told = ways.more_months(missing, reached_on)
    return Way((Step(told, Fraction(missing, condition.months)),))


@_way.register
def _events(condition: EventsAtLeast, evidence: Evidence) -> Way:
    asked = condition.asked
    missing = condition.count - (evidence.events.get(asked) or 0)
    period = Period.of(evidence.on, evidence.scorecard.period.kind)
    told = ways.more_events(asked, missing, period.last_day)
    return Way((Step(told, Fraction(missing, condition.count)),))


@_way.register
def _about(condition: EventAbout, _evidence: Evidence) -> Way:
    return Way((Step(ways.only_about(condition.subjects), Fraction(1), reachable=False),))
