"""Outlook: what the rules in force may still ask of a budget, at their next close.

Before it stand past decisions and the rules in force; after it the budget page and its warnings.
Each partner a rule is for has a chance: how often it was paid at the rule's last closes, drawn
towards the rule's own share as if it had been seen once more, so that a newcomer has the network's
chance and nobody has none or all. Rules and partners are taken as independent of one another;
where a whole network rises and falls together, the true spread is wider.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.periods import Period, PeriodKind
from rewards.budgets import points_left
from rewards.budgets.risk import Chance, Spread, spread
from rewards.deciding.candidates import candidates
from rewards.deciding.gathering import is_for
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook import RuleVersion, in_force
from rewards.rules import Rule

CLOSES = 4  # how many of a rule's last closes are looked at
CONFIDENCE = Fraction(19, 20)
# Chances are told in steps of this, so that equal ones can be added up together.
STEPS = 20


@dataclass(frozen=True)
class Outlook:
    """What may still be awarded from a budget at the next close of each of its rules.

    open_awards: how many may come. left: what the budget holds now.
    """

    budget_code: str
    open_awards: int
    left: int
    spread: Spread

    @property
    def expected(self) -> Fraction:
        return self.spread.expected

    @property
    def likely_most(self) -> int:
        """The P95: what suffices in 19 of 20 cases."""
        return self.spread.enough_with(CONFIDENCE)

    @property
    def chance_short(self) -> Fraction:
        """How likely the budget can't pay all of it."""
        return self.spread.chance_above(self.left)


def outlook(session: Session, budget_code: str, today: date) -> Outlook:
    """What the rules in force may still ask of a budget: for the periods that aren't closed."""
    chances = list(_chances(session, budget_code, today))
    left = points_left(session, budget_code)
    return Outlook(budget_code, len(chances), left, spread(chances))


def drawn_by_rules(session: Session, code: str) -> list[tuple[str, int, int]]:
    """Which rules drew on a budget: code, awards and points, the largest sum first."""
    found = session.execute(
        sa.select(RuleVersion.code, sa.func.count(), (-sa.func.sum(Entry.points)).label("points"))
        .join(DecisionRow, DecisionRow.rule_version_id == RuleVersion.id)
        .join(Transfer, Transfer.decision_id == DecisionRow.id)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.BUDGET, Account.owner == code)
        .group_by(RuleVersion.code)
        .order_by(sa.desc("points"), RuleVersion.code)
    )
    return [(rule, awards, int(points)) for rule, awards, points in found]


def _chances(session: Session, budget_code: str, today: date) -> Iterator[Chance]:
    everyone = candidates(session, today)
    for rule in _open_rules(session, budget_code, today):
        past = _past(session, rule.code)
        for candidate in everyone:
            if is_for(rule, candidate):
                yield past.chance(candidate.partner_id, rule)


def _open_rules(session: Session, budget_code: str, today: date) -> list[Rule]:
    """The rules that will decide a running period, or one that is over and not closed yet."""
    closed = set(session.scalars(sa.select(Closing.period)))
    rules = []
    for kind in PeriodKind:
        running = Period.of(today, kind)
        for period in (running.previous(), running):
            if str(period) not in closed:
                rules += [rule for _, rule in in_force(session, period)]
    return [rule for rule in rules if rule.budget == budget_code]


@dataclass
class _Past:
    """How a rule's last closes went: for each partner how often it was decided, paid, and what."""

    decided: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    won: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    points: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def chance(self, partner_id: int, rule: Rule) -> Chance:
        share = self._share()
        decided, won = self.decided.get(partner_id, 0), self.won.get(partner_id, 0)
        probability = Fraction(won + share, decided + 1)
        # Never certain either way, whatever was seen so far.
        step = min(max(round(probability * STEPS), 1), STEPS - 1)
        return Chance(Fraction(step, STEPS), self._worth(partner_id, rule))

    def _share(self) -> Fraction:
        """The rule's own: of all decisions, as if one more had been won and one more lost."""
        return Fraction(sum(self.won.values()) + 1, sum(self.decided.values()) + 2)

    def _worth(self, partner_id: int, rule: Rule) -> int:
        """What an award came to for the partner, for all, or at most."""
        for won, points in (
            (self.won.get(partner_id, 0), self.points.get(partner_id, 0)),
            (sum(self.won.values()), sum(self.points.values())),
        ):
            if won:
                return round(Fraction(points, won))
        return rule.award.points_max or 0


def _past(session: Session, rule_code: str) -> _Past:
    """What the rule's last closes decided. One left open cost nothing, like one that was lost."""
    of_rule = (
        sa.select(DecisionRow.closing_id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == rule_code, DecisionRow.closing_id.is_not(None))
        .distinct()
        .order_by(DecisionRow.closing_id.desc())
        .limit(CLOSES)
    )
    found = session.execute(
        sa.select(DecisionRow.partner_id, DecisionRow.points)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .where(RuleVersion.code == rule_code, DecisionRow.closing_id.in_(of_rule))
    )
    past = _Past()
    for partner_id, points in found:
        past.decided[partner_id] += 1
        past.won[partner_id] += points > 0
        past.points[partner_id] += points
    return past
