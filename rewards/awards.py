"""Awards: what met decisions earn, paid by the rule's budget to the partners.

Rules are paid one after the other, by code. A rule whose budget can't pay everyone does as its
`when_short` says, see `shares`; whoever isn't paid waits until the budget is funded and the period
closed again. Each award is posted under one key for ever. One that is held, or waits for somebody
to approve it, goes to the partner's pending account; `holds` brings it on from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.frames import read_rows
from partner_cx.measures.figures import Scorecard
from partner_cx.memory import uncollected
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.quantities import number_text
from partner_cx.words import Words
from rewards import sentences
from rewards.budgets import budget, points_left, raise_alerts
from rewards.budgets.shares import Due, shared_out
from rewards.conditions import Verdict
from rewards.deciding import Tally, tallies
from rewards.decisions import DecisionRow
from rewards.evidence import Evidence
from rewards.frozen import Closing
from rewards.ledger import (
    Account,
    AccountKind,
    Move,
    Posting,
    Transfer,
    accounts,
    post_many,
    take,
    wallet_of,
)
from rewards.restating.compensations import collect_carried
from rewards.rules import Decision, Rule, Shortage


@dataclass(frozen=True)
class Outcome(Tally):
    """What a rule came to at a close, once its awards are paid as far as they can be.

    points_new: what this run awarded. points_left: what the rule's budget holds now.
    """

    points_new: int
    points_left: int

    @property
    def points_awarded(self) -> int:
        """By this run and earlier ones."""
        return self.points_paid + self.points_new

    @property
    def points_held(self) -> int:
        """Of those awarded, what had to wait: for its day, or for somebody to approve it."""
        return self.points_awarded if goes_to(self.rule) is AccountKind.PENDING else 0

    @property
    def points_unfunded(self) -> int:
        """Earned and not awarded yet, since the budget can't pay it."""
        return 0 if self._is_cut else self.points_earned - self.points_awarded

    @property
    def points_cut(self) -> int:
        """Earned and never to be awarded, since the budget was shared out."""
        return self.points_earned - self.points_awarded if self._is_cut else 0

    @property
    def points_missing(self) -> int:
        """What the budget lacks to pay the unfunded awards."""
        return max(self.points_unfunded - self.points_left, 0)

    @property
    def _is_cut(self) -> bool:
        return is_shared(self.rule) and self.points_awarded > 0


@uncollected()
def award_all(
    session: Session,
    *,
    closing: Closing,
    period: Period,
    now: datetime,
    today: date,
    decided: Sequence[Tally] | None = None,
) -> tuple[Outcome, ...]:
    """Award what the close's decisions earned and nobody has paid yet, rule by rule, by code.

    today: the day from which holds are counted.
    decided: what the decisions came to, where this transaction took them; None: it is counted.
    """
    rules = tallies(session, closing) if decided is None else decided
    paying = [
        each for each in rules if each.points_earned > each.points_paid and not is_final(each)
    ]
    owed = _owed(session, closing.id, paying)
    there = _Accounts.of(session, owed, paying)
    left = there.take(session)
    postings = {
        each.version_id: _postings(each.rule, owed[each.version_id], there, left, period, today)
        for each in paying
    }
    post_many(session, [each for of_rule in postings.values() for each in of_rule], now=now)
    for code in {each.rule.budget for each in rules} - left.keys():
        left[code] = points_left(session, code)
    raise_alerts(session, list(there.budgets), now)
    partners = {each.partner_id for awards in owed.values() for each in awards}
    collect_carried(session, partners, now, today)
    return tuple(
        Outcome(
            **vars(each),
            points_new=_total(postings.get(each.version_id, ())),
            points_left=left[each.rule.budget],
        )
        for each in rules
    )


def award_key(period: Period, rule_code: str, partner_code: str) -> str:
    """Codes may hold the colon that parts them, so they are quoted: no two awards share a key."""
    return f"close:{period}:{_quoted(rule_code)}:{_quoted(partner_code)}"


@lru_cache(maxsize=10_000)
def _quoted(code: str) -> str:
    return quote(code, safe="")


def goes_to(rule: Rule) -> AccountKind:
    """Where a rule's awards go first: those that have to wait for anything are pending."""
    return AccountKind.PENDING if rule.hold_days or rule.needs_approval else AccountKind.WALLET


def is_shared(rule: Rule) -> bool:
    """Whether its awards are paid once, as far as the budget goes, and never again."""
    return rule.when_short is Shortage.PRO_RATA


def is_final(tally: Tally) -> bool:
    """Whether nothing more will be paid of what it earned."""
    return is_shared(tally.rule) and tally.points_paid > 0


def _total(postings: Iterable[Posting]) -> int:
    return sum(move.points for posting in postings for move in posting.moves)


# --- What is owed -------------------------------------------------------------------------------


class Owed(NamedTuple):
    """A met decision that nobody has paid yet."""

    decision_id: int
    partner_id: int
    partner_code: str
    points: int


def _owed(session: Session, closing_id: int, paying: Iterable[Tally]) -> Mapping[int, list[Owed]]:
    """The awards that wait, by the rule version's id, in the order of the partners' codes."""
    found = read_rows(
        session,
        sa.select(
            DecisionRow.rule_version_id,
            DecisionRow.id,
            DecisionRow.partner_id,
            Partner.code,
            DecisionRow.points,
        )
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(
            DecisionRow.closing_id == closing_id,
            DecisionRow.rule_version_id.in_([each.version_id for each in paying]),
            DecisionRow.points > 0,
            Transfer.id.is_(None),
        )
        .order_by(Partner.code),
    )
    owed: dict[int, list[Owed]] = defaultdict(list)
    for row in found:
        owed[row[0]].append(Owed._make(row[1:]))
    return owed


# --- Paying it ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Accounts:
    """The budgets by code, and the partners' accounts by kind and the partner's code."""

    budgets: Mapping[str, Account]
    targets: Mapping[AccountKind, Mapping[str, Account]]

    @classmethod
    def of(cls, session: Session, owed: Mapping[int, list[Owed]], paying: Iterable[Tally]) -> Self:
        partners: dict[AccountKind, dict[str, int]] = defaultdict(dict)
        for tally in paying:
            waiting = owed[tally.version_id]
            partners[goes_to(tally.rule)] |= {
                each.partner_code: each.partner_id for each in waiting
            }
        codes = sorted({tally.rule.budget for tally in paying})
        return cls(
            {code: budget(session, code) for code in codes},
            {kind: _of_partners(session, kind, these) for kind, these in partners.items()},
        )

    def take(self, session: Session) -> dict[str, int]:
        """Take them all until the transaction ends: what each budget holds, by its code."""
        targets = [account for of_kind in self.targets.values() for account in of_kind.values()]
        held = take(session, [*self.budgets.values(), *targets])
        return {code: held[account] for code, account in self.budgets.items()}


def _of_partners(
    session: Session, kind: AccountKind, partners: Mapping[str, int]
) -> dict[str, Account]:
    owners = {wallet_of(code): number for code, number in partners.items()}
    found = accounts(session, kind, owners)
    return {code: found[wallet_of(code)] for code in partners}


def _postings(
    rule: Rule,
    owed: Sequence[Owed],
    there: _Accounts,
    left: dict[str, int],
    period: Period,
    today: date,
) -> list[Posting]:
    """What is paid of what a rule owes. left: what budgets hold; what is paid is taken off."""
    begins = award_key(period, rule.code, "")
    dues = [Due(begins + _quoted(each.partner_code), each.points) for each in owed]
    paid = shared_out(dues, left[rule.budget], rule.when_short)
    left[rule.budget] -= sum(paid)
    source, targets = there.budgets[rule.budget], there.targets[goes_to(rule)]
    why, on = _Why(rule, period), period.last_day
    held_until = today + timedelta(rule.hold_days) if rule.hold_days else None
    return [
        Posting(
            key=due.key,
            why=why.of(points, due.points),
            moves=(Move(source, targets[each.partner_code], points),),
            effective_on=on,
            decision_id=each.decision_id,
            held_until=held_until,
            needs_approval=rule.needs_approval,
        )
        for each, due, points in zip(owed, dues, paid, strict=True)
        if points
    ]


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
