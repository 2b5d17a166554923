"""Budgets that can't pay: unknown, empty, or smaller than what the past says a period costs."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.words import Words
from rewards import sentences
from rewards.budgets import points_left
from rewards.ledger import Account, AccountKind
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.outcomes import costs
from rewards.lint.past import Past

WHERE = "budget"


def concerns(session: Session, past: Past) -> Iterator[Concern]:
    rule = past.rule
    known = sa.select(Account.id).where(
        Account.kind == AccountKind.BUDGET, Account.owner == rule.budget
    )
    if session.scalar(known) is None:
        yield _unknown(session, rule.budget)
        return
    left = points_left(session, rule.budget)
    dearest = max(costs(past), default=0) if rule.on.event is None else 0
    if left < (rule.award.points_max or 1):
        yield _too_small_for_one(rule.budget, left, rule.award.told)
    elif left < dearest:
        yield _too_small(past, left, dearest)


def _unknown(session: Session, code: str) -> Concern:
    owners = sa.select(Account.owner).where(Account.kind == AccountKind.BUDGET)
    known = ", ".join(sorted(session.scalars(owners))[:10])
    among = Words(" There are: {known}.", " Il y a\u202f: {known}.") if known else Words("", "")
    return warning(
        Kind.UNKNOWN_BUDGET,
        WHERE,
        Words(
            "Budget {code} was never given any points.{among}",
            "Le budget {code} n’a jamais reçu de points.{among}",
        ).format(code=code, among=among.format(known=known)),
        _fund(code),
    )


def _too_small_for_one(code: str, left: int, award: Words) -> Concern:
    return warning(
        Kind.BUDGET_BELOW_AWARD,
        WHERE,
        Words(
            "Budget {code} holds {left}, less than one award ({award}).",
            "Le budget {code} contient {left}, moins qu’une seule attribution ({award}).",
        ).format(code=code, left=sentences.points(left), award=award),
        _fund(code),
    )


def _too_small(past: Past, left: int, dearest: int) -> Concern:
    return warning(
        Kind.BUDGET_TOO_SMALL,
        WHERE,
        Words(
            "Budget {code} holds {left}; in {past} the dearest would have cost {dearest}.",
            "Le budget {code} contient {left}\u202f; sur {past}, le plus cher aurait coûté "
            "{dearest}.",
        ).format(
            code=past.rule.budget,
            left=sentences.points(left),
            past=past.told,
            dearest=sentences.points(dearest),
        ),
        _fund(past.rule.budget),
    )


def _fund(code: str) -> Words:
    return Words(
        "Fund it (partner-cx budgets fund {code} POINTS --why TEXT), or name another.",
        "Alimentez-le (partner-cx budgets fund {code} POINTS --why TEXTE), ou nommez-en un autre.",
    ).format(code=code)
