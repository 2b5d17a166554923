"""Rules that pay the same partners twice for the same behaviour, at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy.orm import Session

from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import EventAbout
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import is_for
from rewards.evidence import EventsAsked
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.places import single_conditions
from rewards.rulebook.standings import Standing, Status, standings
from rewards.rules import Rule
from rewards.sentences.numbers import listed
from rewards.sentences.things import PARTNERS, events

_STILL_TO_COME = (Status.IN_FORCE, Status.COMING, Status.DRAFT, Status.AWAITING_APPROVAL)


def concerns(
    session: Session, rule: Rule, everyone: Sequence[Candidate], on: date
) -> Iterator[Concern]:
    """everyone: all partners there are today, on the day `on`."""
    for other in standings(session, on):
        if other.rule.code == rule.code or other.status not in _STILL_TO_COME:
            continue
        if not _at_the_same_time(rule, other) or not (same := _behaviour_of_both(rule, other.rule)):
            continue
        both = sum(is_for(rule, each) and is_for(other.rule, each) for each in everyone)
        if both or not everyone:
            yield _concern(other, same, both)


def _at_the_same_time(rule: Rule, other: Standing) -> bool:
    ends = other.until or other.rule.ends
    return (ends is None or rule.starts <= ends) and (
        rule.ends is None or other.rule.starts <= rule.ends
    )


def _behaviour_of_both(one: Rule, other: Rule) -> list[Words]:
    """What both pay for: the KPIs they look at, the events they count or are decided on."""
    same = _behaviour(one) & _behaviour(other)
    if one.on is other.on and one.on.event and not _subjects_meet(one, other):
        same = {each for each in same if each != one.on.event}
    named = {each: _named(each) for each in same}
    return [named[each] for each in sorted(named, key=str)]


def _behaviour(rule: Rule) -> set[str]:
    if rule.on.event:
        return {rule.on.event}
    needs = rule.needs()
    return set(needs.figures) | {asked.kind for asked in needs.events if _asks(asked)}


def _asks(asked: EventsAsked) -> bool:
    return asked.subject is None  # about one thing only: seldom the same as another's


def _named(behaviour: str) -> Words:
    if behaviour in set(EventKind):
        return events(EventKind(behaviour)).one
    return sentences.label(behaviour)


def _subjects_meet(one: Rule, other: Rule) -> bool:
    """Whether two rules on the same event can be about the same thing."""
    ours, theirs = _subjects(one), _subjects(other)
    return ours is None or theirs is None or bool(ours & theirs)


def _subjects(rule: Rule) -> set[str] | None:
    """What a rule's events must be about; None: about anything."""
    asked = [set(c.subjects) for c in single_conditions(rule) if isinstance(c, EventAbout)]
    return set().union(*asked) if asked else None


def _concern(other: Standing, same: list[Words], both: int) -> Concern:
    drafted = other.status in (Status.DRAFT, Status.AWAITING_APPROVAL)
    which = (
        Words("the draft {code}", "le brouillon {code}") if drafted else Words("{code}", "{code}")
    )
    whom = Words("the same partners", "les mêmes partenaires")
    if both:
        whom = PARTNERS.times(both)
    return warning(
        Kind.OVERLAP,
        "conditions",
        Words(
            "It pays for the same as {other}: {same}, at the same time, for {whom}.",
            "Elle paie la même chose que {other}\u202f: {same}, en même temps, pour {whom}.",
        ).format(
            other=which.format(code=other.rule.code),
            same=listed(same, last=Words("and", "et")),
            whom=whom,
        ),
        Words(
            "If nobody should win twice, retire the other, or part the two by “for” or by dates.",
            "Si nul ne doit gagner deux fois, retirez l’autre, ou séparez-les par «\u202ffor"
            "\u202f» ou par les dates.",
        ),
    )
