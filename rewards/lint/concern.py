"""A concern: one thing about a rule that somebody should look at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from partner_cx.words import Words


class Grade(StrEnum):
    """How much a concern weighs, from the lightest to the heaviest."""

    NOTE = "note"  # worth knowing
    WARNING = "warning"  # it is likely to do something else than was meant
    SECOND_APPROVER = "second_approver"  # another person must agree before it is published
    REFUSED = "refused"  # it can't be published like this


class Kind(StrEnum):
    """What a concern is about, as `docs/guide/checking-rules.md` lists them."""

    TEST_FAILED = "test_failed"  # it doesn't do what its own test says
    SATISFACTION_LEVEL = "satisfaction_level"  # it pays for the level of a satisfaction score
    # What it asks for
    OUT_OF_REACH = "out_of_reach"  # a threshold lies beyond the KPI's scale
    ALWAYS_REACHED = "always_reached"  # a threshold that every value of the scale reaches
    SMALL_SAMPLE = "small_sample"  # so few cases are enough that luck decides
    PERSON_PAID_FOR_PARTNER = "person_paid_for_partner"  # a person wins by the partner's figures
    # What it leaves open
    NO_CAP = "no_cap"  # nothing caps one award
    NO_LIMIT = "no_limit"  # nothing limits how often an event pays
    LIMIT_BELOW_AWARD = "limit_below_award"  # a limit cuts every award
    NO_END = "no_end"  # it goes on until somebody thinks of it
    ALREADY_OVER = "already_over"  # its last day has passed
    NO_TESTS = "no_tests"  # nothing says what it is meant to do
    # Whom it is for
    EMPTY_AUDIENCE = "empty_audience"  # no partner of today
    EMPTY_GROUP = "empty_group"  # a condition names a group without members
    # What it needs to know
    KPI_WITHOUT_FACTS = "kpi_without_facts"  # its facts were never imported
    KPI_WITHOUT_FIGURES = "kpi_without_figures"  # nobody it is for ever had data
    KPI_WITHOUT_TARGET = "kpi_without_target"  # nothing to be green against
    EVENT_NEVER_TOLD = "event_never_told"  # no such event ever came in
    # What the past says
    NEVER_MET = "never_met"  # nobody ever met a condition
    ALWAYS_MET = "always_met"  # everybody always did
    NOBODY_WON = "nobody_won"  # each condition was met, never all together
    SMALL_PARTNERS_NEVER_WIN = "small_partners_never_win"  # some never have cases enough
    NO_HISTORY = "no_history"  # no closed period tells anything
    # Who pays
    UNKNOWN_BUDGET = "unknown_budget"  # it was never funded
    BUDGET_BELOW_AWARD = "budget_below_award"  # it can't pay a single award
    BUDGET_TOO_SMALL = "budget_too_small"  # it can't pay what a past period would have cost
    # Beside it
    OVERLAP = "overlap"  # another rule pays the same partners for the same
    NO_PROGRAMME = "no_programme"  # there was nothing to hold it against


@dataclass(frozen=True)
class Concern:
    """What is the matter with a rule.

    where: the part of the rule it is about, as it is written there: `conditions: kpi_is_green`.
    sentence: what is the matter, with its figures; remedy: what to do.
    """

    kind: Kind
    grade: Grade
    where: str
    sentence: Words
    remedy: Words


def note(kind: Kind, where: str, sentence: Words, remedy: Words) -> Concern:
    return Concern(kind, Grade.NOTE, where, sentence, remedy)


def warning(kind: Kind, where: str, sentence: Words, remedy: Words) -> Concern:
    return Concern(kind, Grade.WARNING, where, sentence, remedy)
