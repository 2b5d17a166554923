"""The rulebook: every version still says what was published, and none is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from partner_cx.errors import PartnerCXError
from partner_cx.periods import Period
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.rulebook import RuleRetirement, RuleVersion
from rewards.rules import Occasion, Rule

Readable = Mapping[int, tuple[RuleVersion, Rule]]  # by the version's id


def readable(inspection: Inspection) -> dict[int, tuple[RuleVersion, Rule]]:
    """The versions that can be read, for the checks that rest on rules."""
    found = {}
    everything = sa.select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version)
    for version in inspection.session.scalars(everything):
        rule, _ = _read(version)
        if rule is not None:
            found[version.id] = (version, rule)
    return found


def versions(inspection: Inspection) -> Iterator[Found]:
    numbers: dict[str, int] = {}
    everything = sa.select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version)
    for version in inspection.session.scalars(everything):
        inspection.saw("rule versions")
        name = named(version)
        due = numbers.get(version.code, 0) + 1
        if version.version != due:
            yield Found("rule_version_missing", version.code, due, version.version)
        numbers[version.code] = version.version
        rule, problem = _read(version)
        if rule is None:
            yield Found("rule_unreadable", name, "", problem)
        else:
            yield from _differences(version, rule)
    yield from _retirements(inspection, numbers)


def named(version: RuleVersion) -> str:
    return f"{version.code}, version {version.version}"


def _read(version: RuleVersion) -> tuple[Rule | None, str]:
    try:
        return Rule.from_yaml(version.contents, named(version)), ""
    except PartnerCXError as problem:
        return None, problem.message
    except Exception as problem:  # noqa: BLE001 - whatever an intruder wrote there
        return None, f"{type(problem).__name__}: {problem}"


def _differences(version: RuleVersion, rule: Rule) -> Iterator[Found]:
    if rule.digest != version.digest:
        yield Found("rule_altered", named(version), version.digest, rule.digest)
    labels = (
        (f"{version.code}, version {version.version}", f"{rule.code}, version {rule.version}"),
        (f"in force from {version.starts_on}", f"in force from {first_decided_on(rule)}"),
    )
    for kept, said in labels:
        if kept != said:
            yield Found("rule_mislabelled", named(version), kept, said)


def first_decided_on(rule: Rule) -> object:
    """The first day of the first period, or the first day, that the rule decides."""
    if rule.on is not Occasion.CLOSE:
        return rule.starts
    period = Period.of(rule.starts, rule.period)
    return rule.starts if period.first_day == rule.starts else period.end_day


def _retirements(inspection: Inspection, newest: Mapping[str, int]) -> Iterator[Found]:
    for retired in inspection.session.scalars(sa.select(RuleRetirement)):
        inspection.saw("retirements")
        if retired.version > newest.get(retired.code, 0):
            yield Found(
                "rule_version_missing", retired.code, retired.version, newest.get(retired.code, 0)
            )
