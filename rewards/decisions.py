"""Decisions: what each rule said of each partner at a close, with every finding. Append-only.

Before: frozen scorecards and the rules in force. After: awards, and statements that explain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Id, Text, where_given
from partner_cx.measures.figures import Figure, Scorecard
from partner_cx.network import groups
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from rewards.conditions import Condition
from rewards.evidence import Evidence
from rewards.frozen import frozen_figures
from rewards.rulebook import RuleVersion, in_force
from rewards.rules import Level, Rule, decide


class DecisionRow(Base):
    """One rule version's verdict on one partner, at one close or on one event. Append-only.

    Why it came to that is told again whenever it is asked for, from the rule version and the
    evidence of then, which never change.

    points: what a met decision awards, within the rule's limits; 0 otherwise.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        sa.UniqueConstraint("closing_id", "rule_version_id", "partner_id"),
        where_given("event_id", "rule_version_id", table="decisions", unique=True),
        sa.CheckConstraint("(closing_id IS NULL) <> (event_id IS NULL)", name="one_occasion"),
        sa.CheckConstraint("verdict IN ('met', 'not_met', 'unknown')", name="verdict"),
        sa.CheckConstraint("points >= 0 AND (verdict = 'met' OR points = 0)", name="points"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    closing_id: Mapped[int | None] = mapped_column(sa.ForeignKey("closings.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id"))
    rule_version_id: Mapped[int] = mapped_column(sa.ForeignKey("rule_versions.id"))
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    verdict: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(sa.BigInteger)


@dataclass(frozen=True)
class Candidate:
    """A partner that rules can be for: it was one on the period's last day.

    groups: all it belongs to.
    """

    partner_id: int
    code: str
    kind: str
    groups: frozenset[str]


def decide_all(session: Session, *, closing_id: int, period: Period) -> None:
    """Apply every rule in force to every partner it is for, on the frozen figures."""
    rules = in_force(session, period)
    everyone = candidates(session, period) if rules else []
    rows = [
        row
        for version, rule in rules
        for row in _decided(session, version, rule, everyone, closing_id, period)
    ]
    if rows:
        bulk.write(session, DecisionRow.__table__, pa.Table.from_pylist(rows))


def candidates(session: Session, period: Period) -> list[Candidate]:
    """The partners on the period's last day, by code."""
    day = period.last_day
    memberships = groups.memberships(session)
    belongs = memberships.groupby("partner_id")["group_code"].agg(frozenset).to_dict()
    active = (
        sa.select(Partner.id, Partner.code, Partner.kind)
        .where(
            sa.or_(Partner.joined_on.is_(None), Partner.joined_on <= day),
            sa.or_(Partner.left_on.is_(None), Partner.left_on > day),
        )
        .order_by(Partner.code)
    )
    return [
        Candidate(number, code, kind, belongs.get(number, frozenset()))
        for number, code, kind in session.execute(active)
    ]


def kpis_of(conditions: Iterable[Condition]) -> Iterator[str]:
    """Every KPI that conditions look at."""
    for condition in conditions:
        if kpi := getattr(condition, "kpi", None):
            yield kpi
        yield from kpis_of(getattr(condition, "conditions", ()))


def subject_of(rule: Rule, partner_code: str) -> tuple[str, str]:
    """Whose figures a rule looks at for a partner: the level and the subject."""
    if rule.measured_on is Level.DISTRIBUTOR:
        return "group", f"distributor:{partner_code}"
    return "partner", partner_code


def _decided(
    session: Session,
    version: RuleVersion,
    rule: Rule,
    everyone: Sequence[Candidate],
    closing_id: int,
    period: Period,
) -> Iterator[dict[str, object]]:
    level, _ = subject_of(rule, "")
    figures = frozen_figures(session, period, level, kpis=set(kpis_of(rule.conditions)))
    for candidate in everyone:
        if _is_for(rule, candidate):
            decision = decide(rule, Evidence.of(_scorecard(rule, candidate, period, figures)))
            sentence = decision.sentence
            yield {
                "closing_id": closing_id,
                "rule_version_id": version.id,
                "partner_id": candidate.partner_id,
                "verdict": decision.verdict.value,
                "points": decision.points,
                "sentence_en": sentence.en,
                "sentence_fr": sentence.fr,
                "findings": json.dumps([finding.to_plain() for finding in decision.findings]),
            }


def _is_for(rule: Rule, candidate: Candidate) -> bool:
    """Only a distributor has a distributor's figures."""
    if rule.measured_on is Level.DISTRIBUTOR and candidate.kind != PartnerKind.DISTRIBUTOR:
        return False
    return rule.audience.includes(candidate.groups)


def _scorecard(
    rule: Rule, candidate: Candidate, period: Period, figures: Mapping[str, Mapping[str, Figure]]
) -> Scorecard:
    _, subject = subject_of(rule, candidate.code)
    return Scorecard(period, subject, figures.get(subject, {}), candidate.groups)
