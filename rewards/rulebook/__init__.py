"""The rulebook: every rule with every version of it, kept for as long as points rest on them.

Before it stand drafts, and whoever agreed to them; after it closes and events, which ask what is in
force. Nothing is published that fails its own tests, or that needs a second person and has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text, lock
from partner_cx.errors import Forbidden, Invalid, NotFound
from partner_cx.journal import Did, note
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.prepared import Prepared
from rewards.lint import satisfaction
from rewards.reading import Given
from rewards.rules import Occasion, Rule
from rewards.rules.rule_tests import run_tests


class RuleVersion(Base):
    """One published version of a rule. Append-only: a change is a new version.

    contents: the rule as YAML, in the form `Rule.to_yaml` writes; digest: `Rule.digest` of it.
    published_by, why: who put it in force, and what for.
    approved_by: who else agreed, where a second person had to.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (
        sa.UniqueConstraint("code", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    contents: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]  # the first day of the first period it decides; of the first event
    published_at: Mapped[datetime] = mapped_column(Instant)
    published_by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, server_default="")
    approved_by: Mapped[str | None] = mapped_column(Text)

    @property
    def rule(self) -> Rule:
        """The rule as it was published."""
        return read_kept(self.contents, f"{self.code}, version {self.version}")


class RuleDraft(Base):
    """A rule that isn't in force, as it was last saved: one per code, changed at will.

    asked_by, asked_at, why: who asked to publish it, where a second person has to agree first.
    """

    __tablename__ = "rule_drafts"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    contents: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(Instant)
    saved_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_by: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, server_default="")

    @property
    def rule(self) -> Rule:
        """The rule as it was saved."""
        return read_kept(self.contents, f"{self.code}, draft")

    @property
    def digest(self) -> str:
        """What names exactly this text: whoever acts on a draft says which one they read."""
        return self.rule.digest


class RuleRetirement(Base):
    """That a rule decides nothing any more from a day on. Append-only.

    version: the last one it is about; a later version is in force again.
    """

    __tablename__ = "rule_retirements"
    __table_args__ = (sa.UniqueConstraint("code", "version"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    from_day: Mapped[date]
    retired_at: Mapped[datetime] = mapped_column(Instant)
    retired_by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)


def publish(
    session: Session,
    rule: Rule,
    *,
    by: str,
    why: str,
    now: datetime,
    approved_by: str | None = None,
) -> RuleVersion:
    """Put a rule in force as its next version. What is in force already stays as it is.

    why: a text on one line, or nothing.
    approved_by: another person than `by`, where the rule needs a second one.

    The version number is given here, whatever the rule says. Closed periods keep the version
    they were decided by; the others are decided by this one from the day it starts.
    Raises Invalid when one of the rule's own tests fails, Forbidden without the second person it
    needs. The caller commits.
    """
    if why:
        Given.of(why, "why").line()
    lock(session, f"rule:{rule.code}")
    if same := already(session, rule):
        return same
    refuse_failing(rule)
    _refuse_alone(rule, by, approved_by)
    last = newest(session, rule.code)
    rule = replace(rule, version=last.version + 1 if last else 1)
    published = RuleVersion(
        code=rule.code,
        version=rule.version,
        contents=rule.to_yaml(),
        digest=rule.digest,
        starts_on=_first_decided_on(rule),
        published_at=now,
        published_by=by,
        why=why,
        approved_by=approved_by,
    )
    session.add(published)
    details = {"version": rule.version, "why": why}
    note(session, by=by, did=Did.RULE_PUBLISHED, about=rule.code, now=now, details=details)
    session.flush()
    return published


def versions(session: Session, code: str) -> list[RuleVersion]:
    """Every published version of a rule, the first one first."""
    of_code = sa.select(RuleVersion).where(RuleVersion.code == code).order_by(RuleVersion.version)
    found = list(session.scalars(of_code))
    if not found:
        codes = session.scalars(sa.select(RuleVersion.code).distinct().order_by(RuleVersion.code))
        raise NotFound(
            f"No rule is called {code}.",
            remedy=f"There are: {', '.join(codes) or 'none yet; publish one'}.",
        )
    return found


def newest(session: Session, code: str) -> RuleVersion | None:
    """The version that was published last, whenever it starts."""
    of_code = sa.select(RuleVersion).where(RuleVersion.code == code)
    return session.scalar(of_code.order_by(RuleVersion.version.desc()).limit(1))


def already(session: Session, rule: Rule) -> RuleVersion | None:
    """The newest version, if it says the same as a rule. One that is retired counts no more."""
    last = newest(session, rule.code)
    if last is None or not are_alike(rule, last.rule):
        return None
    return None if retirement_of(session, last) else last


def retirement_of(session: Session, version: RuleVersion) -> RuleRetirement | None:
    """The retirement that is about a version as the last one."""
    return session.scalar(
        sa.select(RuleRetirement).where(
            RuleRetirement.code == version.code, RuleRetirement.version == version.version
        )
    )


def in_force(session: Session, period: Period) -> list[tuple[RuleVersion, Rule]]:
    """The rules that decide a period when it is closed, by code.

    Of each code it is the newest version that had started by the period's first day, whatever
    came before it: when that one has ended, is retired or decides something else, none is left in
    force. A version that starts midway leaves the period to the one before it.
    """
    found = session.scalars(_started(RuleVersion).params(day=period.first_day))
    rules = ((version, version.rule) for version in _newest_of_each(found))
    retired = _retired(session, period.first_day)
    return [
        (version, rule)
        for version, rule in rules
        if rule.holds_in(period) and version.version > retired.get(version.code, 0)
    ]


def in_force_on(session: Session, day: date, kind: EventKind) -> list[tuple[int, Rule]]:
    """The rules that decide an event of a kind on a day, by code; else as for a close.

    Each with the id of its version. Versions are read once in a process and found again by their
    digest; of the others only numbers are read.
    """
    deciding = []
    for each in _newest_of_each(_VERSIONS_STARTED.rows(session, {"day": day})):
        rule = _KEPT.get(each.digest) or _read_once(session, each.id, each.digest)
        if rule.on == kind.value and rule.holds_on(day):
            deciding.append((each, rule))
    if not deciding:
        return []
    retired = _retired(session, day)
    return [(each.id, rule) for each, rule in deciding if each.version > retired.get(each.code, 0)]


def are_alike(one: Rule, other: Rule) -> bool:
    """Whether two rules say the same, whatever number they carry."""
    return replace(one, version=other.version).digest == other.digest


def refuse_failing(rule: Rule) -> None:
    """Raise Invalid when the rule doesn't do what its own tests say."""
    if failures := run_tests(rule):
        told = " ".join(f"Test “{failure.name}”: {failure.sentence.en}" for failure in failures)
        raise Invalid(
            f"{rule.code} doesn't do what its own tests say. {told}",
            remedy="Correct the rule, or the test if it expects the wrong thing.",
        )


def is_the_same_person(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _refuse_alone(rule: Rule, by: str, approved_by: str | None) -> None:
    reasons = satisfaction.concerns(rule)
    if not reasons:
        return
    if approved_by is None or is_the_same_person(by, approved_by):
        raise Forbidden(
            f"{rule.code} needs a second person's agreement. {reasons[0].sentence.en}",
            remedy=f"Save it as a draft, ask, and let another person run: "
            f"partner-cx rules approve {rule.code} --by NAME.",
        )


def _first_decided_on(rule: Rule) -> date:
    if rule.on is not Occasion.CLOSE:
        return rule.starts
    period = Period.of(rule.starts, rule.period)
    return rule.starts if period.first_day == rule.starts else period.end_day


def _started(*what: Any) -> sa.Select[Any]:
    """The versions that had started by a day, those of each rule in their order."""
    return (
        sa.select(*what)
        .where(RuleVersion.starts_on <= sa.bindparam("day"))
        .order_by(RuleVersion.code, RuleVersion.version)
    )


_COLUMNS = RuleVersion.__table__.c
_VERSIONS_STARTED = Prepared(
    _started(_COLUMNS.id, _COLUMNS.code, _COLUMNS.version, _COLUMNS.digest)
)


def _newest_of_each(rows: Iterable[Any]) -> list[Any]:
    """The last row of each code; they come in the order of their versions."""
    return list({row.code: row for row in rows}.values())


def _retired(session: Session, day: date) -> dict[str, int]:
    """Up to which version rules are retired on a day, by code."""
    return dict(_RETIRED.rows(session, {"day": day}))


_ENDS = RuleRetirement.__table__.c
_RETIRED = Prepared(
    sa.select(_ENDS.code, sa.func.max(_ENDS.version))
    .where(_ENDS.from_day <= sa.bindparam("day"))
    .group_by(_ENDS.code)
)


_KEPT: dict[str, Rule] = {}  # published rules by their digest: they never change
_KEPT_MAX = 2_000


def _read_once(session: Session, version_id: int, digest: str) -> Rule:
    if len(_KEPT) >= _KEPT_MAX:
        _KEPT.clear()
    rule = _KEPT[digest] = session.get_one(RuleVersion, version_id).rule
    return rule


@lru_cache(maxsize=512)
def read_kept(contents: str, origin: str) -> Rule:
    """A kept rule, read once for the same contents."""
    return Rule.from_yaml(contents, origin)
