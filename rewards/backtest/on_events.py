"""A rule on events, back-tested: every event of a period decided again, as when it was told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from rewards.backtest.lines import Basis, Batch, Line
from rewards.deciding.candidates import Candidate
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events.evidence import event_evidence
from rewards.rulebook import RuleVersion
from rewards.rules import Recipient, Rule, judge
from rewards.rules.limits import Won

Won_by = dict[int | str, list[Won]]  # by a partner's id, or a person's e-mail address


def event_batches(
    session: Session,
    rule: Rule,
    periods: Mapping[Period, Basis],
    won: Won_by,
    *,
    published: str | None,
) -> Iterator[Batch]:
    """A batch per event, in the order in which they were told; `won` grows by what they win.

    published: the code of a published rule, each of whose events is decided by the version that
        decided it then; None: the rule itself decides all.
    """
    then = _versions_then(session, published) if published else {}
    for event, partner in session.execute(_events(rule, periods)):
        period = Period.of(event.on, rule.period)
        chosen = then.get(event.id) if published else rule
        if chosen is None or period not in periods or not _is_for(chosen, event, partner):
            continue
        candidate = Candidate(
            partner.id, partner.code, partner.kind, event.joined_on, frozenset(event.groups)
        )
        evidence = event_evidence(session, event, chosen, partner_code=partner.code)
        of_recipient = won.setdefault(_recipient(chosen, event), [])
        verdict, points = judge(chosen, evidence, of_recipient)
        if points:
            of_recipient.append(Won(event.on, points))
        line = Line(period, event.on, candidate, verdict, points)
        yield Batch(period, periods[period], chosen, [line], event_id=event.id)


def _events(rule: Rule, periods: Collection[Period]) -> sa.Select[EventRow, Partner]:
    first, last = min(each.first_day for each in periods), max(each.last_day for each in periods)
    return (
        sa.select(EventRow, Partner)
        .join(Partner, Partner.id == EventRow.partner_id)
        .where(EventRow.kind == rule.on.value, EventRow.on.between(first, last))
        .order_by(EventRow.id)
    )


def _recipient(rule: Rule, event: EventRow) -> int | str:
    """Whose limits count."""
    if rule.award.to is Recipient.PERSON and event.person_email:
        return event.person_email
    return event.partner_id


def _is_for(rule: Rule, event: EventRow, partner: Partner) -> bool:
    """Whether the rule is for somebody who was a partner on the event's day."""
    if event.joined_on and event.on < event.joined_on:
        return False
    if partner.left_on and event.on >= partner.left_on:
        return False
    return rule.audience.includes(frozenset(event.groups))


def _versions_then(session: Session, code: str) -> dict[int, Rule]:
    """The version of a rule that decided each event, by the event's id."""
    found = session.execute(
        sa.select(DecisionRow.event_id, RuleVersion)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == code, DecisionRow.event_id.is_not(None))
    )
    return {event_id: version.rule for event_id, version in found if event_id is not None}
