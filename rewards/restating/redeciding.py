"""Redeciding: the decisions of a close that later knowledge bears on, taken again.

Before: `known_now`, and the frozen evidence of then. After: `restating`, which proposes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.scorecards import NETWORK
from partner_cx.periods import Period
from rewards.deciding.candidates import Candidate, frozen_candidates
from rewards.deciding.gathering import (
    Gathered,
    count_events,
    gather,
    is_for,
    peer_group,
    subject_of,
)
from rewards.deciding.history import history
from rewards.deciding.retelling import rules_of
from rewards.decisions import DecisionRow
from rewards.evidence import EventsAsked
from rewards.frozen import Closing
from rewards.restating.known_now import Changed, Known
from rewards.restating.proposals import Proposal
from rewards.rules import Decision, Rule, decide, judge
from rewards.rules.limits import Won


@dataclass(frozen=True)
class Decided:
    """A decision of the close, beside what it was about."""

    row: DecisionRow
    rule: Rule
    candidate: Candidate


@dataclass(frozen=True)
class Case:
    """A closed period with its rules and partners, and what has changed of it."""

    session: Session
    closing: Closing
    period: Period
    known: Known
    rules: Mapping[int, Rule]
    partners: Mapping[int, Candidate]
    changed: Mapping[tuple[str, str, str], Changed]

    @classmethod
    def of(cls, session: Session, closing: Closing, period: Period, known: Known) -> Case:
        versions = sa.select(DecisionRow.rule_version_id).distinct()
        decided = session.scalars(versions.where(DecisionRow.closing_id == closing.id))
        rules = rules_of(session, decided)
        return cls(
            session,
            closing,
            period,
            known,
            dict(sorted(rules.items(), key=lambda pair: pair[1].code)),
            {each.partner_id: each for each in frozen_candidates(session, closing.id)},
            {(each.level, each.subject, each.kpi): each for each in known.changed},
        )

    def concerned(self) -> Iterator[Decided]:
        """The decisions that may come out differently, by rule and partner: those whose figures
        or events changed, and those about which something was proposed before."""
        counts = self.late_counts(None)
        for version_id, rule in self.rules.items():
            affected = self._affected(rule, counts)
            rows = self._rows(version_id, affected | self._proposed_before(version_id))
            for row in rows:
                if candidate := self.partners.get(row.partner_id):
                    yield Decided(row, rule, candidate)

    def changes_of(self, rule: Rule, candidate: Candidate) -> Iterator[Changed]:
        """The changed figures that a rule looks at for somebody."""
        needs = rule.needs()
        level, subject = subject_of(rule, candidate.code)
        looked_at = [(level, subject, kpi) for kpi in needs.figures]
        for peers, kpi in needs.peers:
            if group := peer_group(peers, candidate.groups):
                looked_at.append((_level(group), group, kpi))
        for key in sorted(looked_at):
            if key in self.changed:
                yield self.changed[key]

    def late_counts(self, only: Collection[int] | None) -> dict[EventsAsked, Counts]:
        """How often what rules count had happened, as known then and now."""
        asked = {each for rule in self.rules.values() for each in rule.needs().events}
        session, period = self.session, self.period
        return {
            each: Counts(
                count_events(session, each, period, self.closing, only),
                count_events(session, each, period, None, only),
            )
            for each in asked
        }

    def _affected(self, rule: Rule, counts: Mapping[EventsAsked, Counts]) -> set[int]:
        """The partners about whom a rule looks at anything that changed."""
        needs = rule.needs()
        asked = [counts[each] for each in needs.events if counts[each].then != counts[each].now]
        looked_at = needs.figures | {kpi for _, kpi in needs.peers}
        if not asked and looked_at.isdisjoint(kpi for _, _, kpi in self.changed):
            return set()
        return {
            candidate.partner_id
            for candidate in self.partners.values()
            if is_for(rule, candidate)
            and (
                any(each.differ(candidate.partner_id) for each in asked)
                or next(self.changes_of(rule, candidate), None) is not None
            )
        }

    def _rows(self, version_id: int, partner_ids: Collection[int]) -> list[DecisionRow]:
        of_rule = sa.select(DecisionRow).where(
            DecisionRow.closing_id == self.closing.id, DecisionRow.rule_version_id == version_id
        )
        if len(partner_ids) <= 500:
            of_rule = of_rule.where(DecisionRow.partner_id.in_(sorted(partner_ids)))
        rows = [row for row in self.session.scalars(of_rule) if row.partner_id in partner_ids]
        return sorted(rows, key=lambda row: self._code(row.partner_id))

    def _code(self, partner_id: int) -> str:
        candidate = self.partners.get(partner_id)
        return candidate.code if candidate else ""

    def _proposed_before(self, version_id: int) -> set[int]:
        about = sa.select(DecisionRow.partner_id).join(
            Proposal, Proposal.decision_id == DecisionRow.id
        )
        return set(
            self.session.scalars(
                about.where(
                    DecisionRow.closing_id == self.closing.id,
                    DecisionRow.rule_version_id == version_id,
                )
            )
        )


@dataclass(frozen=True)
class Counts:
    """Of one kind of event, how many every partner had; None where none was ever told."""

    then: Mapping[int, int] | None
    now: Mapping[int, int] | None

    def differ(self, partner_id: int) -> bool:
        then, now = self.then, self.now
        if then is None or now is None:
            return then is not now
        return then.get(partner_id, 0) != now.get(partner_id, 0)


def _level(group: str) -> str:
    return NETWORK if group == NETWORK else "group"


@dataclass(frozen=True)
class Again:
    """A decision as it was taken, and as it would be taken now."""

    decided: Decided
    then: Decision
    now: Decision


def decided_again(case: Case, concerned: Iterable[Decided]) -> Iterator[Again]:
    """Decisions beside what they would be now; with the history of then, limits and all."""
    everything = list(concerned)
    only = {each.candidate.partner_id for each in everything}
    rules = {each.row.rule_version_id: each.rule for each in everything}
    if not everything:
        return
    then = gather(case.session, case.period, rules.values(), closing=case.closing, only=only)
    now = _with_what_is_known(case, then, only)
    won = {version_id: _won(case, rule, only) for version_id, rule in rules.items()}
    for each in everything:
        rule, candidate = each.rule, each.candidate
        before = won[each.row.rule_version_id].get(candidate.partner_id, ())
        evidence = now.evidence(rule, candidate)
        if judge(rule, evidence, before) == (each.row.verdict, each.row.points):
            yield Again(each, *(decide(rule, evidence, before),) * 2)
        else:
            past = decide(rule, then.evidence(rule, candidate), before)
            yield Again(each, past, decide(rule, evidence, before))


def _won(case: Case, rule: Rule, only: Collection[int]) -> Mapping[int, list[Won]]:
    if not rule.limits and not rule.cool_down_days:
        return {}
    return history(case.session, rule.code, before=case.closing, only=only)


def _with_what_is_known(case: Case, then: Gathered, only: Collection[int]) -> Gathered:
    """The evidence of then, with the figures and events that changed as they are known now."""
    own = {subject: dict(figures) for subject, figures in then.own.items()}
    by_group = {subject: dict(figures) for subject, figures in then.by_group.items()}
    for (level, subject, kpi), changed in case.changed.items():
        side = own if level == "partner" else by_group
        if level != "partner" or subject in own:
            side.setdefault(subject, {})[kpi] = changed.now
    counts = case.late_counts(only)
    events = {asked: counts[asked].now for asked in then.events}
    return replace(then, own=own, by_group=by_group, events=events)
