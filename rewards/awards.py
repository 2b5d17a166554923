"""Awards: what met decisions earn, paid by the rule's budget to the partners.

Rules are paid one after the other, by code. A rule whose budget can't pay everyone does as its
`when_short` says, see `shares`; whoever isn't paid waits until the budget is funded and the period
closed again. Each award is posted under one key for ever. One that is held, or waits for somebody
to approve it, goes to the partner's pending account; `holds` brings it on from there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Self
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Scorecard
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.quantities import number_text
from partner_cx.words import Words
from rewards import sentences
from rewards.budgets import budget, points_left, raise_alerts
from rewards.compensations import collect_carried
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.evidence import Evidence
from rewards.frozen import Closing
from rewards.ledger import (
    Account,
    AccountKind,
    Entry,
    Move,
    Posting,
    Transfer,
    accounts,
    post_many,
    take,
    wallet_of,
)
from rewards.rulebook import RuleVersion
from rewards.rules import Decision, Rule, Shortage
from rewards.shares import Due, shared_out


@dataclass(frozen=True)
class Outcome:
    """What a rule came to at a close.

    met, not_met, unknown: how many partners. limited: how many met it and get nothing for it,
        since the rule's limits or its cool-down leave nothing.
    points_awarded: in all, by this run and earlier ones. points_new: by this run alone.
    points_held: how many of those awarded had to wait: for their day, or for somebody to approve.
    points_unfunded: earned and not awarded yet, since the budget can't pay them.
    points_cut: earned and never to be awarded, since the budget was shared out.
    points_left: what the budget holds now.
    """

    rule: Rule
    met: int
    not_met: int
    unknown: int
    limited: int
    points_awarded: int
    points_new: int
    points_held: int
    points_unfunded: int
    points_cut: int
    points_left: int

    @property
    def points_missing(self) -> int:
        """What the budget lacks to pay the unfunded awards."""
        return max(self.points_unfunded - self.points_left, 0)


def award_all(
    session: Session, *, closing: Closing, period: Period, now: datetime, today: date
) -> tuple[Outcome, ...]:
    """Award what the close's decisions earned and nobody has paid yet, rule by rule, by code.

    today: the day from which holds are counted.
    """
    rules = _rules(session, closing.id)
    before = _awarded(session, closing.id)
    final = {number for number in before if is_shared(rules[number])}
    owed = _owed(session, closing.id, rules.keys() - final)
    if owed:
        there = _Accounts.of(session, owed, rules)
        left = there.take(session)
        post_many(session, list(_postings(owed, rules, there, left, period, today)), now=now)
        raise_alerts(session, list(there.budgets), now)
        collect_carried(session, {each.partner_id for each in owed}, now, today)
    return _outcomes(session, closing.id, rules, before)


def award_key(period: Period, rule_code: str, partner_code: str) -> str:
    """Codes may hold the colon that parts them, so they are quoted: no two awards share a key."""
    return f"close:{period}:{quote(rule_code, safe='')}:{quote(partner_code, safe='')}"


def goes_to(rule: Rule) -> AccountKind:
    """Where a rule's awards go first: those that have to wait for anything are pending."""
    return AccountKind.PENDING if rule.hold_days or rule.needs_approval else AccountKind.WALLET


def is_shared(rule: Rule) -> bool:
    """Whether its awards are paid once, as far as the budget goes, and never again."""
    return rule.when_short is Shortage.PRO_RATA


# --- What is owed -------------------------------------------------------------------------------


class Owed(NamedTuple):
    """A met decision that nobody has paid yet."""

    decision_id: int
    version_id: int
    partner_id: int
    partner_code: str
    points: int


def _rules(session: Session, closing_id: int) -> dict[int, Rule]:
    """The rules that the close decided, by their version's id, in the order of their codes."""
    decided = sa.select(DecisionRow.rule_version_id).where(DecisionRow.closing_id == closing_id)
    versions = sa.select(RuleVersion).where(RuleVersion.id.in_(decided)).order_by(RuleVersion.code)
    return {version.id: version.rule for version in session.scalars(versions)}


def _owed(session: Session, closing_id: int, version_ids: Iterable[int]) -> list[Owed]:
    """The awards that wait, by the codes of rule and partner."""
    found = session.execute(
        sa.select(
            DecisionRow.id,
            DecisionRow.rule_version_id,
            DecisionRow.partner_id,
            Partner.code,
            DecisionRow.points,
        )
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(
            DecisionRow.closing_id == closing_id,
            DecisionRow.points > 0,
            DecisionRow.rule_version_id.in_(sorted(version_ids)),
            Transfer.id.is_(None),
        )
        .order_by(RuleVersion.code, Partner.code)
    )
    return [Owed(*row) for row in found]


# --- Paying it ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Accounts:
    """The budgets by code, and the partners' accounts by kind and owner."""

    budgets: Mapping[str, Account]
    targets: Mapping[tuple[AccountKind, str], Account]

    @classmethod
    def of(cls, session: Session, owed: Iterable[Owed], rules: Mapping[int, Rule]) -> Self:
        owners: dict[AccountKind, dict[str, int | None]] = defaultdict(dict)
        for each in owed:
            owners[goes_to(rules[each.version_id])][wallet_of(each.partner_code)] = each.partner_id
        codes = sorted({rules[each.version_id].budget for each in owed})
        targets = {
            (kind, owner): account
            for kind, partners in owners.items()
            for owner, account in accounts(session, kind, partners).items()
        }
        return cls({code: budget(session, code) for code in codes}, targets)

    def take(self, session: Session) -> dict[str, int]:
        """Take them all until the transaction ends: what each budget holds, by its code."""
        held = take(session, [*self.budgets.values(), *self.targets.values()])
        return {code: held[account] for code, account in self.budgets.items()}


def _postings(
    owed: Iterable[Owed],
    rules: Mapping[int, Rule],
    there: _Accounts,
    left: dict[str, int],
    period: Period,
    today: date,
) -> Iterator[Posting]:
    """What is paid of what is owed. left: what each budget holds, and in the end what remains."""
    for number, group in groupby(owed, key=attrgetter("version_id")):
        rule, of_rule = rules[number], list(group)
        dues = [
            Due(award_key(period, rule.code, each.partner_code), each.points) for each in of_rule
        ]
        paid = shared_out(dues, left[rule.budget], rule.when_short)
        left[rule.budget] -= sum(paid)
        source, kind = there.budgets[rule.budget], goes_to(rule)
        why = _Why(rule, period)
        for each, due, points in zip(of_rule, dues, paid, strict=True):
            if not points:
                continue
            target = there.targets[kind, wallet_of(each.partner_code)]
            yield Posting(
                key=due.key,
                why=why.of(points, due.points),
                moves=(Move(source, target, points),),
                effective_on=period.last_day,
                decision_id=each.decision_id,
                held_until=today + timedelta(rule.hold_days) if rule.hold_days else None,
                needs_approval=rule.needs_approval,
            )


@dataclass(frozen=True)
class _Why:
    """What partners read of the awards that a rule gave at a close: the same for the same points.

    The reasons are told with the decision, see `retelling`.
    """

    rule: Rule
    period: Period
    _told: dict[tuple[int, int], Words] = field(default_factory=dict)

    def of(self, paid: int, earned: int) -> Words:
        if (paid, earned) not in self._told:
            self._told[paid, earned] = self._sentence(paid, earned)
        return self._told[paid, earned]

    def _sentence(self, paid: int, earned: int) -> Words:
        if paid < earned:
            return self._in_part(paid, earned)
        nobody = Evidence.of(Scorecard(self.period, "", {}))
        return Decision(self.rule, nobody, Verdict.MET, (), earned, paid).short_sentence

    def _in_part(self, paid: int, earned: int) -> Words:
        return Words(
            "{label}, {period}: {paid} of {earned}: the budget couldn't pay everyone in full.",
            "{label}, {period}\u202f: {paid} sur {earned}\u202f: le budget ne suffisait pas pour "
            "payer tout le monde en entier.",
        ).format(
            label=self.rule.label,
            period=Words(self.period.label("en"), self.period.label("fr")),
            paid=Words(number_text(paid, "en"), number_text(paid, "fr")),
            earned=sentences.points(earned),
        )


# --- What it came to ----------------------------------------------------------------------------

Awarded = Mapping[int, Counter[str]]  # points by the rule version's id and the kind of account


def _awarded(session: Session, closing_id: int) -> Awarded:
    """What the close's decisions have been paid so far."""
    found = session.execute(
        sa.select(DecisionRow.rule_version_id, Account.kind, sa.func.sum(Entry.points))
        .select_from(DecisionRow)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(DecisionRow.closing_id == closing_id, Entry.points > 0)
        .group_by(DecisionRow.rule_version_id, Account.kind)
    )
    awarded: dict[int, Counter[str]] = defaultdict(Counter)
    for number, kind, points in found:
        awarded[number][kind] = int(points)
    return awarded


class _Decided(NamedTuple):
    """How many partners came to a verdict, how many of them to no points, and to how many."""

    partners: int
    without_points: int
    points: int


def _decided(session: Session, closing_id: int) -> dict[tuple[int, str], _Decided]:
    """By the rule version's id and the verdict."""
    without = sa.func.sum(sa.case((DecisionRow.points == 0, 1), else_=0))
    found = session.execute(
        sa.select(
            DecisionRow.rule_version_id,
            DecisionRow.verdict,
            sa.func.count(),
            without,
            sa.func.sum(DecisionRow.points),
        )
        .where(DecisionRow.closing_id == closing_id)
        .group_by(DecisionRow.rule_version_id, DecisionRow.verdict)
    )
    return {
        (number, verdict): _Decided(partners, int(none), int(points))
        for number, verdict, partners, none, points in found
    }


def _outcomes(
    session: Session, closing_id: int, rules: Mapping[int, Rule], before: Awarded
) -> tuple[Outcome, ...]:
    decided, awarded = _decided(session, closing_id), _awarded(session, closing_id)
    nothing = _Decided(0, 0, 0)

    def outcome(number: int, rule: Rule) -> Outcome:
        met, not_met, unknown = (decided.get((number, verdict), nothing) for verdict in Verdict)
        paid = awarded[number].total() if number in awarded else 0
        rest, final = met.points - paid, is_shared(rule) and paid > 0
        return Outcome(
            rule,
            met=met.partners,
            not_met=not_met.partners,
            unknown=unknown.partners,
            limited=met.without_points,
            points_awarded=paid,
            points_new=paid - (before[number].total() if number in before else 0),
            points_held=awarded[number][AccountKind.PENDING] if number in awarded else 0,
            points_unfunded=0 if final else rest,
            points_cut=rest if final else 0,
            points_left=points_left(session, rule.budget),
        )

    return tuple(outcome(number, rule) for number, rule in rules.items())
