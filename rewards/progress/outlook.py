"""What a partner still has to do while a period runs, and what no longer depends on it.

A promise that was broken stays broken until the period ends: an order line that came late can't
be repaired, only outweighed by those that come. So of such figures it is told how many kept ones in
a row it takes; of the others, what is missing now.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Family
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    Condition,
    EventsAtLeast,
    Finding,
    PartnerFor,
    Verdict,
)
from rewards.evidence import Evidence
from rewards.rules import Decision
from rewards.sentences.numbers import value
from rewards.sentences.things import counted
from rewards.statements.nearest import Step, nearest, way_to

_KEPT_OR_BROKEN = (Family.ORDERS, Family.TICKETS, Family.VISITS, Family.INVOICES)
_AS_MANY_AGAIN = Fraction(1, 2)  # the gap of a step that takes as many as there were so far


@dataclass(frozen=True)
class Standing:
    """How one condition stands.

    share: how much of what is asked is there, up to 1; None where that can't be said.
    todo: what would meet it; None where it is met, or nothing leads there.
    needed: of its parts, how many have to be met; None where it has none.
    """

    verdict: Verdict
    sentence: Words
    kpi: str | None = None
    share: Fraction | None = None
    todo: Words | None = None
    needed: int | None = None
    parts: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """The nearest way to what isn't earned yet.

    distance: how far it is, to be compared by. far: it takes more promises kept in a row than the
    period has had so far, so that hardly anybody goes it.
    """

    todo: tuple[Words, ...] = ()
    reachable: bool = True
    distance: tuple[int, Fraction, int] = (0, Fraction(0), 0)
    far: bool = False


def standing(condition: Condition, evidence: Evidence) -> Standing:
    """How a condition stands on what is known."""
    finding = condition.examine(evidence)
    if isinstance(condition, AllOf | AnyOf | AtLeastOf):
        parts = tuple(standing(each, evidence) for each in condition.conditions)
        return Standing(finding.verdict, finding.sentence, needed=_needed(condition), parts=parts)
    return Standing(
        finding.verdict,
        finding.sentence,
        kpi=finding.kpi,
        share=_share(condition, finding, evidence),
        todo=_todo(condition, finding, evidence),
    )


def of(decision: Decision) -> Outlook:
    """What is still to be done about a decision, were it taken now."""
    way = nearest(decision)
    if way is None:
        return Outlook()
    steps = tuple(_in_time(step, decision.evidence) for step in way.steps)
    if not all(step.reachable for step in steps):
        return Outlook(
            tuple(step.sentence for step in steps if not step.reachable), False, way.length
        )
    far = any(
        step is not asked and step.gap > _AS_MANY_AGAIN
        for step, asked in zip(steps, way.steps, strict=True)
    )
    return Outlook(tuple(step.sentence for step in steps), True, way.length, far)


def is_settled(condition: Condition, evidence: Evidence) -> bool:
    """Whether it is met, and nothing that can still happen in the period undoes it."""
    if isinstance(condition, AllOf | AnyOf | AtLeastOf):
        settled = sum(is_settled(each, evidence) for each in condition.conditions)
        return settled >= _needed(condition)
    if condition.judge(evidence) is not Verdict.MET:
        return False
    if isinstance(condition, EventsAtLeast):
        return condition.asked.days is None  # a window of days moves on
    return isinstance(condition, PartnerFor)


def is_lost(condition: Condition, evidence: Evidence) -> bool:
    """Whether nothing that can still happen in the period meets it."""
    if isinstance(condition, AllOf | AnyOf | AtLeastOf):
        lost = sum(is_lost(each, evidence) for each in condition.conditions)
        return len(condition.conditions) - lost < _needed(condition)
    # The day of the decision is the period's last, whatever day it is now.
    return isinstance(condition, PartnerFor) and condition.judge(evidence) is Verdict.NOT_MET


def _needed(condition: AllOf | AnyOf | AtLeastOf) -> int:
    """How many of its conditions have to be met."""
    if isinstance(condition, AtLeastOf):
        return condition.count
    return 1 if isinstance(condition, AnyOf) else len(condition.conditions)


# --- One condition --------------------------------------------------------------------------------


def _share(condition: Condition, finding: Finding, evidence: Evidence) -> Fraction | None:
    if isinstance(condition, EventsAtLeast):
        count = evidence.events.get(condition.asked)
        return None if count is None else min(Fraction(count, condition.count), Fraction(1))
    figure, bound = finding.figure, finding.bound
    if figure is None or figure.value is None or not bound or figure.state is State.STALE:
        return None
    if sentences.lower_is_better(figure.kpi):
        return min(bound / figure.value, Fraction(1)) if figure.value else Fraction(1)
    return min(max(figure.value / bound, Fraction(0)), Fraction(1))


def _todo(condition: Condition, finding: Finding, evidence: Evidence) -> Words | None:
    if finding.verdict is Verdict.MET:
        return None
    if finding.figure and finding.bound is not None and finding.verdict is Verdict.NOT_MET:
        in_a_row = kept_in_a_row(finding.figure, finding.bound)
        if in_a_row is not None:
            return in_a_row.sentence if in_a_row.reachable else None
    way = way_to(condition, evidence)
    return sentences.joined([step.sentence for step in way.steps]) if way.reachable else None


def _in_time(step: Step, evidence: Evidence) -> Step:
    """A step that is about promises, as what can still be done about those that were broken."""
    if step.kpi is None or step.bound is None:
        return step
    return kept_in_a_row(evidence[step.kpi], step.bound) or step


def kept_in_a_row(figure: Figure, bound: Fraction) -> Step | None:
    """How many promises kept from now on bring a share to its bound.

    None where the figure isn't made of promises, or is there already.
    """
    kpi = CATALOGUE.get(figure.kpi)
    promises = kpi is not None and kpi.family in _KEPT_OR_BROKEN and sentences.is_share(figure.kpi)
    if not promises or figure.hits is None or not figure.of or figure.of != figure.n:
        return None
    kept = figure.of - figure.hits if sentences.lower_is_better(figure.kpi) else figure.hits
    wanted = 1 - bound if sentences.lower_is_better(figure.kpi) else bound
    if kept >= wanted * figure.of:
        return None
    if wanted >= 1:
        return Step(_beyond_repair(figure, bound), Fraction(1), reachable=False)
    count = ceil((wanted * figure.of - kept) / (1 - wanted))
    return Step(_in_a_row(figure, bound, count), Fraction(count, figure.of + count))


def _in_a_row(figure: Figure, bound: Fraction, count: int) -> Words:
    """`20 more lines on time in a row would bring OTIF to 95%.`"""
    lower = sentences.lower_is_better(figure.kpi)
    things = counted(figure.kpi).times(count, hit=not lower)
    number, called = things.en.split(" ", 1)
    how = Words(" without a new case", " sans nouveau cas")
    if not lower:
        how = Words(" in a row" if count > 1 else "", " sans raté")
    return Words(
        "{number} more {called}{how} would bring {label} to {bound}.",
        f"{{things}} de plus{{how}} {'mèneraient' if count > 1 else 'mènerait'} {{label}} à "
        "{bound}.",
    ).format(
        number=number,
        called=called,
        things=things,
        how=how,
        label=sentences.label(figure.kpi),
        bound=value(figure.kpi, bound, short=True),
    )


def _beyond_repair(figure: Figure, bound: Fraction) -> Words:
    return Words(
        "{label} can't reach {bound} any more in this period: what was missed stays missed.",
        "{label} ne peut plus atteindre {bound} dans cette période\u202f: ce qui est manqué le "
        "reste.",
    ).format(label=sentences.label(figure.kpi), bound=value(figure.kpi, bound, short=True))
