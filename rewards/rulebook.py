"""The rulebook: every rule with every version of it, kept for as long as points rest on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text, lock
from partner_cx.errors import NotFound
from partner_cx.periods import Period
from rewards.reading import Given
from rewards.rules import Rule


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
    starts_on: Mapped[date]  # the first day of the first period it decides
    published_at: Mapped[datetime] = mapped_column(Instant)
    published_by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, server_default="")
    approved_by: Mapped[str | None] = mapped_column(Text)

    @property
    def rule(self) -> Rule:
        """The rule as it was published."""
        return Rule.from_yaml(self.contents, f"{self.code}, version {self.version}")


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


def publish(session: Session, rule: Rule, *, by: str, why: str, now: datetime) -> RuleVersion:
    """Put a rule in force as its next version. What is in force already stays as it is.

    why: a text on one line, or nothing.

    The version number is given here, whatever the rule says. Closed periods keep the version
    they were decided by; the others are decided by this one from the day it starts.
    The caller commits.
    """
    if why:
        Given.of(why, "why").line()
    lock(session, f"rule:{rule.code}")
    last = _newest(session, rule.code)
    if last and replace(rule, version=last.version).digest == last.digest:
        return last
    rule = replace(rule, version=last.version + 1 if last else 1)
    published = RuleVersion(
        code=rule.code,
        version=rule.version,
        contents=rule.to_yaml(),
        digest=rule.digest,
        starts_on=_first_decided(rule).first_day,
        published_at=now,
        published_by=by,
        why=why,
    )
    session.add(published)
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


def in_force(session: Session, period: Period) -> list[tuple[RuleVersion, Rule]]:
    """The rules that decide a period, by code.

    Of each code it is the newest version that had started by the period's first day, whatever
    came before it: when that one has ended, or decides another kind of period, none is left in
    force. A version that starts midway leaves the period to the one before it.
    """
    started = sa.select(RuleVersion).where(RuleVersion.starts_on <= period.first_day)
    newest: dict[str, RuleVersion] = {}
    for version in session.scalars(started.order_by(RuleVersion.code, RuleVersion.version)):
        newest[version.code] = version
    rules = [(version, version.rule) for version in newest.values()]
    return [(version, rule) for version, rule in rules if rule.holds_in(period)]


def _newest(session: Session, code: str) -> RuleVersion | None:
    of_code = sa.select(RuleVersion).where(RuleVersion.code == code)
    return session.scalar(of_code.order_by(RuleVersion.version.desc()).limit(1))


def _first_decided(rule: Rule) -> Period:
    period = Period.of(rule.starts, rule.period)
    return period if period.first_day == rule.starts else period.next()
