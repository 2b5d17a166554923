"""Event awards: what an event earned, paid from the rule's budget, at once or once it can be.

Before it stand the decisions on an event; after it wallets, or the pending account where an award
has to wait. An award that its budget can't pay stays earned, and is paid later, those of earlier
events first.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock
from partner_cx.measures.figures import Scorecard
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.prepared import Prepared
from partner_cx.words import Words
from rewards.budgets import LEVELS, BudgetAlert, budget, points_left, raise_alerts
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.events import AnyEvent, EventRow
from rewards.evidence import Event, Evidence
from rewards.ledger import (
    Account,
    AccountKind,
    AnyAccount,
    Entry,
    HoldsTooLittle,
    KnownAccount,
    Move,
    Posting,
    Transfer,
    account,
    post_many,
    post_new,
    wallet_of,
    wallet_of_person,
)
from rewards.restating.compensations import collect_carried
from rewards.restating.proposals import Proposal
from rewards.rulebook import RuleVersion
from rewards.rules import Decision, Recipient, Rule

AT_ONCE = 500  # waiting awards posted in one go


def award_key(event_key: str, rule_code: str) -> str:
    """Keys and codes may hold the colon that parts them, so they are quoted."""
    return f"event:{quote(event_key, safe='')}:{_quoted(rule_code)}"


@lru_cache(maxsize=1_000)
def _quoted(rule_code: str) -> str:
    return quote(rule_code, safe="")


class Due(NamedTuple):
    """An award that was earned and isn't paid."""

    decision_id: int
    points: int
    rule: Rule
    event: AnyEvent
    partner_code: str

    @property
    def reaches_a_partner(self) -> bool:
        """Whether it goes into a partner's wallet at once."""
        return self.rule.award.to is Recipient.PARTNER and not self.is_held

    @property
    def is_held(self) -> bool:
        return self.rule.hold_days > 0 or self.rule.needs_approval

    @property
    def kind(self) -> AccountKind:
        return AccountKind.PENDING if self.is_held else AccountKind.WALLET

    @property
    def owner(self) -> str:
        if self.rule.award.to is Recipient.PARTNER:
            return wallet_of(self.partner_code)
        assert self.event.person_email, "an award to nobody is never met"
        return wallet_of_person(self.event.person_email)

    def accounts(self, session: Session) -> tuple[Account, Account]:
        """The budget's account and the winner's, opened where it wasn't there."""
        to_partner = self.rule.award.to is Recipient.PARTNER
        partner_id = self.event.partner_id if to_partner else None
        return budget(session, self.rule.budget), account(
            session, self.kind, self.owner, partner_id
        )

    def posting(self, source: AnyAccount, target: AnyAccount) -> Posting:
        rule, event = self.rule, self.event
        return Posting(
            key=award_key(event.key, rule.code),
            why=told_to_the_winner(rule, event.on, self.points),
            moves=(Move(source, target, self.points),),
            effective_on=event.on,
            decision_id=self.decision_id,
            held_until=event.on + timedelta(days=rule.hold_days) if rule.hold_days else None,
            needs_approval=rule.needs_approval,
        )


@lru_cache(maxsize=1_000)
def told_to_the_winner(rule: Rule, on: date, points: int) -> Words:
    """What the winner reads of an award that a rule gave on an event."""
    event = Event(rule.on.event) if rule.on.event else None
    nobody = Scorecard(Period.of(on, rule.period), "", {})
    evidence = Evidence(nobody, on, event=event)
    return Decision(rule, evidence, Verdict.MET, (), earned=points, points=points).short_sentence


def pay(session: Session, due: Due, now: datetime) -> bool:
    """Post an award just decided; False, and nothing is posted, when the budget can't pay it."""
    standing = _standing(session, due)
    if not post_new(session, due.posting(standing.source, standing.target), now=now):
        return False
    if standing.is_told_of(due.points):
        raise_alerts(session, {due.rule.budget}, now)
    if standing.owing and due.reaches_a_partner:
        collect_carried(session, {due.event.partner_id}, now)
    return True


class _Standing(NamedTuple):
    """How the two accounts of an award stand before it, read in one statement.

    funded: what the budget was ever given. level: the highest level of its use that was told since
    the last gift. owing: whether anybody at all may have points to give back.
    """

    source: KnownAccount
    target: KnownAccount
    left: int
    funded: int
    level: int
    owing: bool

    def is_told_of(self, points: int) -> bool:
        """Whether paying so much brings the budget to a level that wasn't told yet."""
        if not self.funded:
            return False
        used_percent = 100 * (self.funded - self.left + points) // self.funded
        reached = LEVELS[: bisect(LEVELS, used_percent)]
        return bool(reached) and reached[-1] > self.level


def _standing(session: Session, due: Due) -> _Standing:
    asked = {"kind": due.kind.value, "owner": due.owner, "budget": due.rule.budget}
    rows = _STANDING.rows(session, asked)
    if len(rows) < 2:  # one of them isn't open yet
        due.accounts(session)
        rows = _STANDING.rows(session, asked)
    target, source = sorted(rows, key=lambda row: row.kind == AccountKind.BUDGET)
    told = source.level if source.funded_then == source.funded else 0
    return _Standing(
        source=KnownAccount(source.id, source.kind, source.owner),
        target=KnownAccount(target.id, target.kind, target.owner),
        left=source.balance_points,
        funded=int(source.funded),
        level=told or 0,
        owing=bool(source.owing),
    )


def _accounts_with_standing() -> sa.Select[*tuple[Any, ...]]:
    accounts = Account.__table__
    # A budget has few gifts among many awards: they are found from the source's side.
    funder, gift, given = (table.alias() for table in (accounts, _ENTRIES, _ENTRIES))
    source = sa.select(funder.c.id).where(funder.c.kind == AccountKind.FUNDING.value)
    gifts = sa.select(gift.c.transfer_id).where(gift.c.account_id.in_(source))
    funded = (
        sa.select(sa.func.coalesce(sa.func.sum(given.c.points), 0))
        .where(given.c.transfer_id.in_(gifts), given.c.account_id == accounts.c.id)
        .correlate(accounts)
        .scalar_subquery()
    )
    alerts = BudgetAlert.__table__
    last = (
        sa.select(alerts.c.level, alerts.c.funded_points)
        .where(alerts.c.budget_code == accounts.c.owner)
        .order_by(alerts.c.funded_points.desc(), alerts.c.level.desc())
        .limit(1)
        .correlate(accounts)
    )
    owing = sa.exists().where(Proposal.__table__.c.points < 0)
    return sa.select(
        accounts.c.id,
        accounts.c.kind,
        accounts.c.owner,
        accounts.c.balance_points,
        funded.label("funded"),
        last.with_only_columns(alerts.c.level).scalar_subquery().label("level"),
        last.with_only_columns(alerts.c.funded_points).scalar_subquery().label("funded_then"),
        sa.type_coerce(owing, sa.Integer).label("owing"),  # as it comes
    ).where(
        sa.or_(
            sa.and_(
                accounts.c.kind == sa.bindparam("kind"), accounts.c.owner == sa.bindparam("owner")
            ),
            sa.and_(
                accounts.c.kind == AccountKind.BUDGET.value,
                accounts.c.owner == sa.bindparam("budget"),
            ),
        )
    )


_ENTRIES = Entry.__table__
_STANDING = Prepared(_accounts_with_standing())


def after_paying(session: Session, paid: Sequence[Due], now: datetime) -> None:
    """What follows from awards: alerts of their budgets, and what winners still owe."""
    raise_alerts(session, {due.rule.budget for due in paid}, now)
    partners = {due.event.partner_id for due in paid if due.reaches_a_partner}
    if partners:
        collect_carried(session, partners, now)


def pay_waiting(session: Session, *, now: datetime) -> int:
    """Pay the awards of events that budgets couldn't pay, those of earlier events first.

    A budget pays in that order until one is more than it holds. Returns how many points were paid.
    The caller commits.
    """
    lock(session, "events:waiting")
    by_budget: dict[str, list[Due]] = defaultdict(list)
    for due in _waiting(session):
        by_budget[due.rule.budget].append(due)
    return sum(_pay_in_order(session, by_budget[code], now) for code in sorted(by_budget))


def _pay_in_order(session: Session, waiting: Sequence[Due], now: datetime) -> int:
    left = points_left(session, waiting[0].rule.budget)
    payable: list[Due] = []
    for due in waiting:
        left -= due.points
        if left < 0:
            break
        payable.append(due)
    paid = 0
    for start in range(0, len(payable), AT_ONCE):
        some = payable[start : start + AT_ONCE]
        try:
            post_many(session, [due.posting(*due.accounts(session)) for due in some], now=now)
        except HoldsTooLittle:  # something else was paid meanwhile: the next time
            break
        after_paying(session, some, now)
        paid += sum(due.points for due in some)
    return paid


def _waiting(session: Session) -> Iterator[Due]:
    """The met decisions on events without a transfer, by event."""
    found = session.execute(
        sa.select(DecisionRow.id, DecisionRow.points, RuleVersion, EventRow, Partner.code)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(EventRow, EventRow.id == DecisionRow.event_id)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(DecisionRow.event_id.is_not(None), DecisionRow.points > 0, Transfer.id.is_(None))
        .order_by(EventRow.id, RuleVersion.code)
    ).all()
    for decision_id, points, version, event, code in found:
        yield Due(decision_id, points, version.rule, event, code)
