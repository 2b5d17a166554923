"""Restating: a closed period's decisions, taken again on what is known now.

Before: `known_now`, which finds the figures that changed. After: proposals, about which somebody
decides (see `approving`). The close and its entries stay as they are, whatever comes of it.

A decision on an event is final: what it was taken on has happened, whatever a later file says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock, transact
from partner_cx.errors import Invalid
from partner_cx.measures.figures import Figure
from partner_cx.operations.changes import Change, Changes
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.decisions import DecisionRow
from rewards.frozen import Closing, closing_of
from rewards.restatements import Given, Policy, reconsider
from rewards.restatements import Proposal as Reconsidered
from rewards.restating.approving import hold_proposals, withdraw
from rewards.restating.changed_facts import Naming, in_short, sentence
from rewards.restating.compensations import given_so_far
from rewards.restating.known_now import Changed, known_now
from rewards.restating.proposals import Proposal, ProposalOutcome
from rewards.restating.redeciding import Again, Case, Decided, decided_again
from rewards.restating.what_changed import WhatChanged
from rewards.rules import Rule
from rewards.sentences.numbers import how_many


@dataclass(frozen=True)
class Difference:
    """A decision that would come out differently today.

    points: what would put it right. sentence: the decision then and now.
    changes: the facts it rests on.
    proposal_id: under which somebody can decide about it; new: whether this run proposed it.
    objection: why it isn't proposed; None where it is.
    """

    partner_code: str
    rule: Rule
    points: int
    sentence: Words
    changes: Changes
    facts: tuple[Words, ...]
    proposal_id: int | None = None
    new: bool = False
    objection: Words | None = None

    @property
    def status(self) -> str:
        """proposed, open (proposed before, and nobody has decided), or told."""
        if self.proposal_id is None:
            return "told"
        return "proposed" if self.new else "open"


@dataclass(frozen=True)
class Restatement:
    """What a closed period would come to today.

    figures: those that changed, by level, subject and KPI. differences: by rule and partner.
    withdrawn: the proposals that the facts no longer support.
    redefined: the KPIs that can't be compared, since they are defined otherwise by now.
    """

    period: Period
    closed_at: datetime
    figures: tuple[Changed, ...]
    differences: tuple[Difference, ...]
    withdrawn: tuple[int, ...]
    redefined: tuple[str, ...]

    @property
    def proposed(self) -> tuple[Difference, ...]:
        """Those that somebody can decide about, new or not."""
        return tuple(each for each in self.differences if each.proposal_id is not None)

    @property
    def sentences(self) -> tuple[Words, ...]:
        """What whoever restated the period reads."""
        return tuple(_summary(self))


def restate(
    engine: sa.Engine, period: Period, *, now: datetime, by: str, settings: Settings
) -> Restatement:
    """Compare a closed period with what is known now, and propose what would put it right.

    Restating again proposes nothing new, unless facts have changed again. Raises Invalid for a
    period that isn't closed.
    """
    return transact(engine, lambda session: _restate(session, period, now, by, settings))


def _summary(told: Restatement) -> Iterator[Words]:
    period = Words(told.period.label("en"), told.period.label("fr"))
    if not told.figures and not told.differences:
        yield Words(
            "{period}: nothing has changed since it was closed.",
            "{period}\u202f: rien n’a changé depuis sa clôture.",
        ).format(period=period)
    else:
        yield Words(
            "{period}: figures that changed since it was closed: {figures}; decisions that would "
            "come out differently: {count}; open proposals: {open}.",
            "{period}\u202f: chiffres changés depuis la clôture\u202f: {figures}\u202f; décisions "
            "qui seraient différentes\u202f: {count}\u202f; propositions ouvertes\u202f: {open}.",
        ).format(
            period=period,
            figures=how_many(len(told.figures)),
            count=how_many(len(told.differences)),
            open=how_many(len(told.proposed)),
        )
    if told.withdrawn:
        yield Words(
            "Withdrawn, since the facts have changed again: {numbers}.",
            "Retirées, car les faits ont encore changé\u202f: {numbers}.",
        ).format(numbers=", ".join(map(str, told.withdrawn)))
    if told.redefined:
        yield Words(
            "Not compared, since they are defined otherwise today: {kpis}.",
            "Sans comparaison, car leur définition a changé\u202f: {kpis}.",
        ).format(kpis=", ".join(told.redefined))


def _restate(
    session: Session, period: Period, now: datetime, by: str, settings: Settings
) -> Restatement:
    lock(session, f"close:{period}")  # nobody pays its awards meanwhile
    closing = closing_of(session, period)
    if closing is None:
        raise Invalid(
            f"{period} isn't closed: nothing was decided that could be restated.",
            remedy=f"`partner-cx scorecard {period}` shows what is known of it now.",
        )
    hold_proposals(session, closing.id)  # nobody decides meanwhile: what is read rests on them
    known = known_now(session, closing, period, settings)
    case = Case.of(session, closing, period, known)
    desk = _Desk(session, case, Policy.of(settings), now, by, settings)
    differences = tuple(desk.differences())
    return Restatement(
        period=period,
        closed_at=closing.closed_at,
        figures=known.changed,
        differences=differences,
        withdrawn=tuple(desk.withdrawn),
        redefined=known.redefined,
    )


class _Desk:
    """One restatement under way: what it proposes, and what it takes back."""

    def __init__(
        self,
        session: Session,
        case: Case,
        policy: Policy,
        now: datetime,
        by: str,
        settings: Settings,
    ) -> None:
        self.session, self.case, self.policy = session, case, policy
        self.now, self.by, self.zone = now, by, settings.zone
        self.withdrawn: list[int] = []
        self.before = _proposals_before(session, case.closing)

    def differences(self) -> Iterator[Difference]:
        again = list(decided_again(self.case, self.case.concerned()))
        points = {each.decided.row.id: each.decided.row.points for each in again}
        given = given_so_far(self.session, points)
        differing = []
        for each in again:
            so_far = given[each.decided.row.id]
            if found := reconsider(each.then, each.now, so_far):
                differing.append((each, found, so_far))
            else:
                self._withdraw_all(each.decided.row.id)
        facts = self._facts(each for each, _, _ in differing)
        for each, found, so_far in differing:
            yield self._proposed(each, found, so_far, facts.get(each.decided.row.id, Changes()))

    def _facts(self, again: Iterable[Again]) -> dict[int, Changes]:
        """The facts behind each decision, by its id."""
        asked = {
            each.decided.row.id: (
                each.decided.rule.needs(),
                each.decided.candidate,
                tuple(self.case.changes_of(each.decided.rule, each.decided.candidate)),
            )
            for each in again
        }
        what = WhatChanged(self.session, self.case.closing, self.case.period, self.case.known)
        return what.behind(
            asked, {each.code: number for number, each in self.case.partners.items()}
        )

    def _proposed(
        self, again: Again, found: Reconsidered, given: Given, changes: Changes
    ) -> Difference:
        decided = again.decided
        told = tuple(sentence(change, self._naming) for change in changes.facts)
        difference = Difference(
            partner_code=decided.candidate.code,
            rule=decided.rule,
            points=found.points,
            sentence=found.sentence,
            changes=changes,
            facts=told,
        )
        stem = self._stem(decided, given, again.now.points)
        ours = [each for each in self.before.get(decided.row.id, ()) if _begins(each[0].key, stem)]
        for proposal, outcome in ours:
            if outcome is None and proposal.points == found.points:
                self._withdraw_all(decided.row.id, but=proposal.id)
                return replace(difference, proposal_id=proposal.id)
        self._withdraw_all(decided.row.id)
        refused = [outcome for _, outcome in ours if outcome and not outcome.withdrawn]
        objection = self._refused_on(refused[-1]) if refused else self._objection(found.points)
        if objection:
            return replace(difference, objection=objection)
        added = self._add(again, found, changes, told, f"{stem}:{len(ours)}" if ours else stem)
        return replace(difference, proposal_id=added.id, new=True)

    def _add(
        self,
        again: Again,
        found: Reconsidered,
        changes: Changes,
        told: tuple[Words, ...],
        key: str,
    ) -> Proposal:
        decided = again.decided
        why = sentences.joined([found.why, in_short(list(told), changes.total)])
        figures = self.case.changes_of(decided.rule, decided.candidate)
        proposal = Proposal(
            key=key,
            decision_id=decided.row.id,
            points=found.points,
            why_en=why.en,
            why_fr=why.fr,
            figures=[_plain_change(each) for each in figures],
            changes={
                "total": changes.total,
                "facts": [_plain_fact(*pair) for pair in zip(changes.facts, told, strict=True)],
            },
            last_import_id=self.case.known.last_import_id,
            proposed_at=self.now,
            proposed_by=self.by,
        )
        proposal.digest = proposal.contents_digest
        self.session.add(proposal)
        self.session.flush()
        return proposal

    def _stem(self, decided: Decided, given: Given, would_be: int) -> str:
        """What a proposal is about: the decision, what it brought, and what it would come to."""
        codes = [quote(code, safe="") for code in (decided.rule.code, decided.candidate.code)]
        so_far = given.paid + given.compensated
        return ":".join(["restate", str(self.case.period), *codes, str(so_far), str(would_be)])

    def _objection(self, points: int) -> Words | None:
        return self.policy.objection(
            points,
            closed_on=self.case.closing.closed_at.astimezone(self.zone).date(),
            today=self.now.astimezone(self.zone).date(),
        )

    def _refused_on(self, outcome: ProposalOutcome) -> Words:
        return Words(
            "not proposed again: {by} refused it on {day}",
            "sans nouvelle proposition\u202f: refus de {by} du {day}",
        ).format(
            by=outcome.settled_by,
            day=sentences.day_text(outcome.settled_at.astimezone(self.zone).date()),
        )

    def _withdraw_all(self, decision_id: int, but: int | None = None) -> None:
        for proposal, outcome in self.before.get(decision_id, ()):
            if outcome is None and proposal.id != but:
                withdraw(self.session, proposal, by=self.by, now=self.now)
                self.withdrawn.append(proposal.id)

    @property
    def _naming(self) -> Naming:
        codes = {number: each.code for number, each in self.case.partners.items()}
        return Naming(self.zone, codes)


def _begins(key: str, stem: str) -> bool:
    return key == stem or key.startswith(f"{stem}:")


def _proposals_before(
    session: Session, closing: Closing
) -> dict[int, list[tuple[Proposal, ProposalOutcome | None]]]:
    """What was proposed about the close's decisions, by their ids, the oldest first."""
    about = (
        sa.select(Proposal, ProposalOutcome)
        .outerjoin(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
        .join(DecisionRow, DecisionRow.id == Proposal.decision_id)
        .where(DecisionRow.closing_id == closing.id)
        .order_by(Proposal.id)
    )
    found: dict[int, list[tuple[Proposal, ProposalOutcome | None]]] = {}
    for proposal, outcome in session.execute(about):
        found.setdefault(proposal.decision_id, []).append((proposal, outcome))
    return found


def _plain_change(changed: Changed) -> dict[str, Any]:
    return {
        "level": changed.level,
        "subject": changed.subject,
        "kpi": changed.kpi,
        "then": _plain_figure(changed.then),
        "now": _plain_figure(changed.now),
    }


def _plain_figure(figure: Figure) -> dict[str, Any]:
    return {
        "value": None if figure.value is None else str(figure.value),
        "hits": figure.hits,
        "of": figure.of,
        "n": figure.n,
        "state": figure.state and figure.state.value,
    }


def _plain_fact(change: Change, told: Words) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "source": change.source,
        "source_id": change.source_id,
        "then": change.then and dict(change.then),
        "now": change.now and dict(change.now),
        "file": change.file_name,
        "told_at": change.told_at.isoformat(),
        "sentence": {"en": told.en, "fr": told.fr},
    }
