"""Standings: how every rule stands on a day: a draft, in force, over, and until when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session

from rewards.rulebook import RuleDraft, RuleRetirement, RuleVersion
from rewards.rulebook.drafts import drafts
from rewards.rules import Rule


class Status(StrEnum):
    """How a version of a rule, or a draft, stands on a day."""

    DRAFT = "draft"  # not published
    AWAITING_APPROVAL = "awaiting_approval"  # a draft that a second person has to agree to
    COMING = "coming"  # published, decides from a later day on
    IN_FORCE = "in_force"  # decides
    SUPERSEDED = "superseded"  # a later version decides in its place
    ENDED = "ended"  # its last day is over
    RETIRED = "retired"  # taken out of force before its end


@dataclass(frozen=True)
class Standing:
    """How a version of a rule, or a draft, stands on a day.

    kept: the version or the draft.
    until: the last day it decides; None while nobody knows, and for drafts.
    """

    kept: RuleVersion | RuleDraft
    status: Status
    until: date | None

    @property
    def rule(self) -> Rule:
        return self.kept.rule


def standings(session: Session, on: date) -> list[Standing]:
    """How every version of every rule and every draft stands, by code; a draft comes last."""
    known = session.scalars(sa.select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version))
    retired = list(session.scalars(sa.select(RuleRetirement)))
    found = [
        standing
        for code, versions in groupby(known, key=lambda version: version.code)
        for standing in _of_one(list(versions), [each for each in retired if each.code == code], on)
    ]
    return sorted([*found, *map(_of_draft, drafts(session))], key=lambda each: each.kept.code)


def standings_of(session: Session, code: str, on: date) -> list[Standing]:
    """How every version of one rule stands, the first one first, then its draft."""
    of_code = sa.select(RuleVersion).where(RuleVersion.code == code).order_by(RuleVersion.version)
    retired = session.scalars(sa.select(RuleRetirement).where(RuleRetirement.code == code))
    draft = session.get(RuleDraft, code)
    found = _of_one(list(session.scalars(of_code)), list(retired), on)
    return [*found, *([_of_draft(draft)] if draft else [])]


def _of_draft(draft: RuleDraft) -> Standing:
    asks = draft.asked_by is not None
    return Standing(draft, Status.AWAITING_APPROVAL if asks else Status.DRAFT, None)


def _of_one(
    versions: list[RuleVersion], retired: list[RuleRetirement], on: date
) -> Iterable[Standing]:
    for place, version in enumerate(versions):
        later = min((each.starts_on for each in versions[place + 1 :]), default=None)
        taken_out = min(
            (each.from_day for each in retired if each.version >= version.version), default=None
        )
        yield _standing(version, later, taken_out, on)


def _standing(
    version: RuleVersion, later: date | None, taken_out: date | None, on: date
) -> Standing:
    """How one version stands.

    later: from when on a newer version decides. taken_out: from when on it is retired.
    """
    ends = version.rule.ends
    ways_to_end = [
        (later and later - timedelta(1), Status.SUPERSEDED),
        (taken_out and taken_out - timedelta(1), Status.RETIRED),
        (ends, Status.ENDED),
    ]
    known = [(day, status) for day, status in ways_to_end if day is not None]
    until, status = min(known, key=lambda way: way[0], default=(None, Status.IN_FORCE))
    if until is not None and (until < on or until < version.starts_on):
        return Standing(version, status, until)
    coming = version.starts_on > on
    return Standing(version, Status.COMING if coming else Status.IN_FORCE, until)
