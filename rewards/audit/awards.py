"""Awards: every one rests on a decision, went where the rule says, and none is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from rewards import awards
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.audit.rules import Readable
from rewards.budgets.shares import Due, shared_out
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events import awards as event_awards
from rewards.frozen import Closing
from rewards.ledger import (
    Account,
    AccountKind,
    Entry,
    Transfer,
    wallet_of,
    wallet_of_person,
)
from rewards.rules import Recipient, Rule, Shortage

AWARD_KEYS = ("close:%", "event:%")


def awarded(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Every transfer that pays a decision, or says it does."""
    for _, lines in groupby(inspection.stream(_AWARDED), key=lambda row: row.id):
        yield from _award(inspection, list(lines), rules)


_AWARDED = (
    sa.select(
        Transfer.id,
        Transfer.key,
        Transfer.recorded_at,
        Transfer.held_until,
        Transfer.needs_approval,
        DecisionRow.id.label("decision_id"),
        DecisionRow.verdict,
        DecisionRow.points.label("earned"),
        DecisionRow.rule_version_id,
        Closing.period,
        EventRow.key.label("event_key"),
        EventRow.on,
        EventRow.person_email,
        Partner.code,
        Account.kind,
        Account.owner,
        Entry.points,
    )
    .select_from(Transfer)
    .outerjoin(DecisionRow, DecisionRow.id == Transfer.decision_id)
    .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
    .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
    .outerjoin(Partner, Partner.id == DecisionRow.partner_id)
    .outerjoin(Entry, Entry.transfer_id == Transfer.id)
    .outerjoin(Account, Account.id == Entry.account_id)
    .where(
        sa.or_(Transfer.decision_id.is_not(None), *(Transfer.key.like(k) for k in AWARD_KEYS)),
    )
    .order_by(Transfer.id, Entry.points)
)


def _award(inspection: Inspection, lines: Sequence[Any], rules: Readable) -> Iterator[Found]:
    first = lines[0]
    inspection.saw("awards")
    if first.decision_id is None:
        yield Found("award_forged", first.key)
        return
    if first.verdict != Verdict.MET or first.earned == 0:
        yield Found("award_unearned", first.key, Verdict.MET.value, first.verdict)
    if not _is_whole(first, rules):
        return  # a row is gone or can't be read, which is told elsewhere
    _, rule = rules[first.rule_version_id]
    due = _key(first, rule)
    if first.key != due:
        yield Found("award_key_altered", first.key, due, first.key)
    yield from _moved(first, lines, rule)
    yield from _held(inspection, first, rule)


def _is_whole(row: Any, rules: Readable) -> bool:
    """Whether all that an award rests on is there."""
    occasion = row.period or row.event_key
    return row.rule_version_id in rules and occasion is not None and row.code is not None


def _key(row: Any, rule: Rule) -> str:
    if row.period is None:
        return event_awards.award_key(row.event_key, rule.code)
    return awards.award_key(Period.parse(row.period), rule.code, row.code)


def _moved(first: Any, lines: Sequence[Any], rule: Rule) -> Iterator[Found]:
    sources = [line for line in lines if line.points is not None and line.points < 0]
    targets = [line for line in lines if line.points is not None and line.points > 0]
    due_source, due_target = f"budget {rule.budget}", _target(first, rule)
    paid_by = ", ".join(f"{line.kind} {line.owner}" for line in sources)
    paid_to = ", ".join(f"{line.kind} {line.owner}" for line in targets)
    if paid_by != due_source:
        yield Found("award_budget", first.key, due_source, paid_by)
    if paid_to != due_target:
        yield Found("award_wallet", first.key, due_target, paid_to)
    points = sum(line.points for line in targets)
    shared = first.period is not None and awards.is_shared(rule)
    if not (0 < points <= first.earned if shared else points == first.earned):
        yield Found("award_amount", first.key, first.earned, points)


def _target(row: Any, rule: Rule) -> str:
    owner = wallet_of(row.code)
    if rule.award.to is Recipient.PERSON:
        owner = wallet_of_person(row.person_email or "nobody")
    waits = rule.hold_days > 0 or rule.needs_approval
    return f"{AccountKind.PENDING if waits else AccountKind.WALLET} {owner}"


def _held(inspection: Inspection, row: Any, rule: Rule) -> Iterator[Found]:
    """Whether it waits as long, and for as many, as the rule says.

    A hold on a close is counted from the day it was posted.
    """
    began = row.on or row.recorded_at.astimezone(inspection.settings.zone).date()
    until = began + timedelta(days=rule.hold_days) if rule.hold_days else None
    found, due = (row.held_until, row.needs_approval), (until, rule.needs_approval)
    if found != due:
        yield Found("hold_terms", row.key, _hold_text(*due), _hold_text(*found))


def _hold_text(until: object, needs_approval: bool) -> str:
    day = f"until {until}" if until else "for no time"
    return f"{day} and for somebody's approval" if needs_approval else day


# --- What is missing ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Owed:
    """A met decision that no transfer pays.

    moments: between which it could have been paid first, see `_latest`. They are one, unless
    somebody gave an act an earlier moment by hand.
    """

    key: str
    points: int
    moments: tuple[datetime, datetime]
    budget: str
    group: tuple[int, int] | None  # close and rule version; None: an event's, paid by itself


def vanished(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Awards that were earned, could be paid, and aren't there.

    An award that its budget couldn't pay waits, and that is no difference. Whether it could is
    told by the budget's entries up to the moment of the close or event. What was recorded later
    and given an earlier moment by hand (`--now`) is taken in the order in which it was recorded.
    """
    owed: dict[str, list[_Owed]] = defaultdict(list)
    for each in _owed(inspection, rules):
        owed[each.budget].append(each)
    for code, waiting in sorted(owed.items()):
        moments = sorted({moment for each in waiting for moment in each.moments})
        held = _held_at(inspection, code, moments)
        yield from _payable(inspection, waiting, held, rules)


def _owed(inspection: Inspection, rules: Readable) -> Iterator[_Owed]:
    closes = _latest(Closing.id, Closing.closed_at)
    events = _latest(EventRow.id, EventRow.recorded_at)
    closes_before, events_before = closes.alias(), events.alias()
    unpaid = (
        sa.select(
            DecisionRow.points,
            DecisionRow.closing_id,
            DecisionRow.rule_version_id,
            Closing.period,
            Closing.closed_at,
            EventRow.key.label("event_key"),
            EventRow.recorded_at,
            closes.c.moment.label("closes_by_then"),
            events.c.moment.label("events_by_then"),
            closes_before.c.moment.label("closes_before"),
            events_before.c.moment.label("events_before"),
            Partner.code,
        )
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .outerjoin(closes, closes.c.id == DecisionRow.closing_id)
        .outerjoin(events, events.c.id == DecisionRow.event_id)
        .outerjoin(closes_before, closes_before.c.id == EventRow.last_closing_id)
        .outerjoin(events_before, events_before.c.id == Closing.last_event_id)
        .where(DecisionRow.points > 0, Transfer.id.is_(None))
        .order_by(DecisionRow.id)
    )
    for row in inspection.stream(unpaid):
        inspection.saw("awards waiting")
        told = row.closed_at or row.recorded_at
        latest = (row.closes_by_then, row.events_by_then, row.closes_before, row.events_before)
        if _is_whole(row, rules):
            _, rule = rules[row.rule_version_id]
            group = (row.closing_id, row.rule_version_id) if row.closing_id else None
            moments = (told, max(filter(None, latest)))
            yield _Owed(_key(row, rule), row.points, moments, rule.budget, group)


def _latest(
    number: InstrumentedAttribute[int], moment: InstrumentedAttribute[datetime]
) -> sa.Subquery:
    """Of each row the latest moment told up to it, in the order of recording: `id`, `moment`.

    A moment can be given by hand, the order can't: whatever was recorded afterwards happened
    no earlier.
    """
    latest = sa.func.max(moment).over(order_by=number)
    return sa.select(number.label("id"), latest.label("moment")).subquery()


def _held_at(
    inspection: Inspection, budget: str, moments: Sequence[datetime]
) -> dict[datetime, int]:
    """What a budget certainly held right after each of some moments.

    What was given to it at the very moment may have come after, and doesn't count.
    """
    transfers = _latest(Transfer.id, Transfer.recorded_at)
    entries = (
        sa.select(transfers.c.moment, Entry.points)
        .join(transfers, transfers.c.id == Entry.transfer_id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.BUDGET, Account.owner == budget)
        .order_by(transfers.c.moment, Entry.points)
    )
    held: dict[datetime, int] = {}
    waiting, balance = list(reversed(moments)), 0
    for at, points in inspection.stream(entries):
        while waiting and (at > waiting[-1] or (at == waiting[-1] and points > 0)):
            held[waiting.pop()] = balance
        balance += points
    return held | dict.fromkeys(waiting, balance)


def _payable(
    inspection: Inspection, waiting: Sequence[_Owed], held: dict[datetime, int], rules: Readable
) -> Iterator[Found]:
    groups: dict[object, list[_Owed]] = defaultdict(list)
    for number, each in enumerate(waiting):
        groups[each.group or number].append(each)
    for owed in groups.values():
        left = min(held[moment] for moment in owed[0].moments)
        policy, paid = Shortage.FIRST_COME, 0
        if owed[0].group:
            _, rule = rules[owed[0].group[1]]
            policy, paid = rule.when_short, _paid_of(inspection, *owed[0].group)
        for each, due in zip(owed, _shares(owed, policy, paid, left), strict=True):
            if due:
                yield Found("award_vanished", each.key, due)


def _shares(owed: Sequence[_Owed], policy: Shortage, paid: int, left: int) -> Sequence[int]:
    """What each should have been paid, as far as that is certain."""
    if policy is Shortage.REFUSE_WHOLE and paid:  # all together, or none
        return [each.points for each in owed]
    if policy is Shortage.PRO_RATA and paid:
        # It left nothing over, and gave everyone something but those whose share came to nothing.
        return [each.points if left > 0 else 0 for each in owed]
    return shared_out([Due(each.key, each.points) for each in owed], max(left, 0), policy)


def _paid_of(inspection: Inspection, closing_id: int, version_id: int) -> int:
    paid = sa.select(sa.func.count()).select_from(DecisionRow)
    paid = paid.join(Transfer, Transfer.decision_id == DecisionRow.id)
    return (
        inspection.session.scalar(
            paid.where(
                DecisionRow.closing_id == closing_id, DecisionRow.rule_version_id == version_id
            )
        )
        or 0
    )


# --- Budgets that were shared out ---------------------------------------------------------------


def shares(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Whether a budget that couldn't pay everyone was shared out as its rule says."""
    for number, (_, rule) in rules.items():
        if not awards.is_shared(rule):
            continue
        closes = sa.select(Closing.id, Closing.period).join_from(DecisionRow, Closing)
        closes = closes.where(DecisionRow.rule_version_id == number).distinct()
        for closing_id, period in inspection.session.execute(closes.order_by(Closing.period)).all():
            yield from _shared_out(inspection, closing_id, number, Period.parse(period), rule)


def _shared_out(
    inspection: Inspection, closing_id: int, number: int, period: Period, rule: Rule
) -> Iterator[Found]:
    found = inspection.session.execute(
        sa.select(Partner.code, DecisionRow.points, sa.func.coalesce(sa.func.sum(Entry.points), 0))
        .select_from(DecisionRow)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .outerjoin(Entry, sa.and_(Entry.transfer_id == Transfer.id, Entry.points > 0))
        .where(
            DecisionRow.closing_id == closing_id,
            DecisionRow.rule_version_id == number,
            DecisionRow.points > 0,
        )
        .group_by(Partner.code, DecisionRow.points)
        .order_by(Partner.code)
    ).all()
    dues = [Due(awards.award_key(period, rule.code, code), points) for code, points, _ in found]
    paid = [int(points) for _, _, points in found]
    for due, was, share in zip(
        dues, paid, shared_out(dues, sum(paid), rule.when_short), strict=True
    ):
        inspection.saw("shares")
        if sum(paid) and was != share:
            yield Found("award_amount", due.key, share, was)
