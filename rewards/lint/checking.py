"""Checking a rule: every concern there is about it, the heaviest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy.orm import Session

from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.deciding.candidates import candidates
from rewards.deciding.gathering import is_for
from rewards.lint import (
    audience,
    figures,
    money,
    outcomes,
    overlaps,
    samples,
    satisfaction,
    scales,
    terms,
)
from rewards.lint.concern import Concern, Grade, Kind, note
from rewards.lint.past import Past, past_of
from rewards.rules import Rule
from rewards.rules.rule_tests import run_tests


def check(
    session: Session,
    rule: Rule,
    *,
    on: date,
    first: Period | None = None,
    last: Period | None = None,
) -> list[Concern]:
    """Hold a rule against the programme as it is and against the periods closed last.

    on: the day it is looked at. first, last: the closed periods to look at; without them the last
    eight of the rule's kind. Changes nothing.
    """
    everyone = candidates(session, on)
    past = past_of(session, rule, first=first, last=last)
    for_whom = [each for each in everyone if is_for(rule, each)]
    return in_order(
        [
            *_of_the_rule(rule, on),
            *audience.concerns(rule, everyone),
            *figures.concerns(session, rule, for_whom, past, _first_period(rule, on)),
            *outcomes.concerns(past),
            *money.concerns(session, past),
            *overlaps.concerns(session, rule, everyone, on),
            *_untold(past),
        ]
    )


def check_alone(rule: Rule, *, on: date) -> list[Concern]:
    """What can be said of a rule without any programme."""
    return in_order([*_of_the_rule(rule, on), _no_programme()])


def in_order(concerns: Iterable[Concern]) -> list[Concern]:
    """The heaviest first; nothing is said twice."""
    grades = list(Grade)
    return sorted(dict.fromkeys(concerns), key=lambda each: -grades.index(each.grade))


def heaviest(concerns: Iterable[Concern]) -> Grade | None:
    return max((each.grade for each in concerns), key=list(Grade).index, default=None)


def _of_the_rule(rule: Rule, on: date) -> list[Concern]:
    return [
        *_failing(rule),
        *satisfaction.concerns(rule),
        *scales.concerns(rule),
        *samples.concerns(rule),
        *terms.concerns(rule, on),
    ]


def _failing(rule: Rule) -> Iterator[Concern]:
    for failure in run_tests(rule):
        yield Concern(
            Kind.TEST_FAILED,
            Grade.REFUSED,
            f"tests: {failure.name}",
            failure.sentence,
            Words(
                "Correct the rule, or the test if it expects the wrong thing.",
                "Corrigez la règle, ou le test s’il attend autre chose que voulu.",
            ),
        )


def _first_period(rule: Rule, on: date) -> Period:
    """The period whose targets matter: the first one that is still to be decided."""
    return Period.of(max(rule.starts, on), rule.period)


def _untold(past: Past) -> Iterator[Concern]:
    if past.is_empty:
        yield note(
            Kind.NO_HISTORY,
            "period",
            Words(
                "No closed period tells anything of it yet: whether it can be won, and what it "
                "costs, isn't known.",
                "Aucune période clôturée n’en dit encore rien\u202f: ni ses chances ni son coût "
                "ne sont connus.",
            ),
            Words(
                "Back-test it on past facts (partner-cx rules backtest), or check it again after "
                "a close.",
                "Simulez-la sur les faits passés (partner-cx rules backtest), ou revérifiez après "
                "une clôture.",
            ),
        )


def _no_programme() -> Concern:
    return note(
        Kind.NO_PROGRAMME,
        "",
        Words(
            "There is no programme here to hold it against: targets, budget, other rules and "
            "history weren't looked at.",
            "Aucun programme n’est là pour la confronter\u202f: ni objectifs, ni budget, ni autres "
            "règles, ni historique n’ont été regardés.",
        ),
        Words(
            "Check it again where the programme's database is (--database).",
            "Revérifiez-la là où se trouve la base du programme (--database).",
        ),
    )
