"""Retelling: decisions told again, with every reason, from what they were taken on.

A decision keeps its verdict and its points; why it came to them follows from its rule version and
from the evidence of then, and neither ever changes. Before it stand the recorded decisions, the
frozen scorecards, partners and events; after it statements, explanations, restatement and audit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from rewards.deciding.gathering import Candidate, gather
from rewards.deciding.history import history
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events.evidence import event_evidence, event_history
from rewards.frozen import Closing
from rewards.rulebook import RuleVersion
from rewards.rules import Decision, Rule, decide
from rewards.rules.limits import Won

AT_ONCE = 500  # values in one statement


def retell(session: Session, rows: Sequence[DecisionRow]) -> dict[int, Decision]:
    """Tell recorded decisions again, by their id: what they came to, and why.

    A few statements for each close that they were taken at, and for each event.
    """
    rules = rules_of(session, {row.rule_version_id for row in rows})
    at_closes: dict[int, list[DecisionRow]] = defaultdict(list)
    for row in rows:
        if row.closing_id is not None:
            at_closes[row.closing_id].append(row)
    told: dict[int, Decision] = {}
    for closing in _by_ids(session, Closing, at_closes).values():
        told |= _of_close(session, closing, at_closes[closing.id], rules)
    return told | _of_events(session, [row for row in rows if row.event_id is not None], rules)


def rules_of(session: Session, version_ids: Iterable[int]) -> dict[int, Rule]:
    """The rules as they were published, by the version's id; each is read once."""
    versions = _by_ids(session, RuleVersion, version_ids)
    return {number: version.rule for number, version in versions.items()}


def _of_close(
    session: Session, closing: Closing, rows: Sequence[DecisionRow], rules: Mapping[int, Rule]
) -> Iterator[tuple[int, Decision]]:
    of_rule: dict[int, list[DecisionRow]] = defaultdict(list)
    for row in rows:
        of_rule[row.rule_version_id].append(row)
    everyone = {row.partner_id for row in rows}
    gathered = gather(
        session,
        Period.parse(closing.period),
        [rules[number] for number in of_rule],
        closing=closing,
        only=everyone,
    )
    found = {candidate.partner_id: candidate for candidate in gathered.candidates}
    found |= _not_frozen(session, everyone - found.keys())
    for number, decided in of_rule.items():
        rule = rules[number]
        won = _won(session, rule, closing, {row.partner_id for row in decided})
        for row in decided:
            evidence = gathered.evidence(rule, found[row.partner_id])
            yield row.id, decide(rule, evidence, won.get(row.partner_id, ()))


def _won(
    session: Session, rule: Rule, before: Closing, partner_ids: set[int]
) -> Mapping[int, Sequence[Won]]:
    """What a rule had come to by then; asked for only where that changes anything."""
    few = partner_ids if len(partner_ids) <= AT_ONCE else None
    limited = rule.limits or rule.cool_down_days
    return history(session, rule.code, before=before, only=few) if limited else {}


def _not_frozen(session: Session, partner_ids: Iterable[int]) -> dict[int, Candidate]:
    """Partners of closes from before partners were frozen that had left by the time they were."""
    return {
        partner.id: Candidate(
            partner.id, partner.code, partner.kind, partner.joined_on, frozenset()
        )
        for partner in _by_ids(session, Partner, partner_ids).values()
    }


def _of_events(
    session: Session, rows: Sequence[DecisionRow], rules: Mapping[int, Rule]
) -> dict[int, Decision]:
    events = _by_ids(session, EventRow, (row.event_id for row in rows if row.event_id))
    told = {}
    for row in rows:
        event, rule = events[row.event_id or 0], rules[row.rule_version_id]
        evidence = event_evidence(session, event, rule)
        told[row.id] = decide(rule, evidence, event_history(session, event, rule))
    return told


Kept = TypeVar("Kept", Closing, EventRow, Partner, RuleVersion)


def _by_ids(session: Session, model: type[Kept], ids: Iterable[int]) -> dict[int, Kept]:
    found: dict[int, Kept] = {}
    for some in _pieces(ids):
        found |= {
            row.id: row for row in session.scalars(sa.select(model).where(model.id.in_(some)))
        }
    return found


def _pieces(ids: Iterable[int]) -> Iterator[list[int]]:
    in_order = sorted(set(ids))
    for start in range(0, len(in_order), AT_ONCE):
        yield in_order[start : start + AT_ONCE]
