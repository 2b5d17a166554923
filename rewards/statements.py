"""Statements: every point a partner or person ever got or missed, and why.

Before: the ledger, decisions and frozen scorecards. After: pages, letters and the command line,
which print what stands here and add nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import NotFound
from partner_cx.measures.figures import Figure
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.operations.hindsight import Among, facts_known
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow, subject_of
from rewards.frozen import Closing, frozen_figures
from rewards.ledger import Account, AccountKind, Entry, Transfer, wallet_of, wallet_of_person
from rewards.misses import ROWS_SHOWN, Misses, rows_behind
from rewards.rulebook import RuleVersion
from rewards.rules import Level, Rule
from rewards.terms import under_terms


@dataclass(frozen=True)
class Line:
    """One entry of the wallet.

    points: below zero where they were spent or taken back. balance: after this entry.
    rule, period, figures: what it was earned by; None and empty where no rule gave it.
    """

    on: date
    points: int
    balance: int
    why: Words
    key: str
    rule: Rule | None = None
    period: Period | None = None
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Shortfall:
    """A figure that stood in the way.

    sentence: how far it fell short, or why it can't be judged.
    misses: the rows that kept it down, as they were known at the close.
    """

    figure: Figure
    verdict: Verdict
    sentence: Words
    misses: Misses

    @property
    def short(self) -> int | None:
        """How many more hits were missing, where that can be said."""
        return self.figure.short


@dataclass(frozen=True)
class Unearned:
    """A decision that brought no points, or none yet.

    verdict: met where the points are earned, and the budget can't pay them yet.
    points: what it would have brought.
    """

    period: Period
    rule: Rule
    verdict: Verdict
    points: int
    sentence: Words
    figures: tuple[Figure, ...]
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True)
class Statement:
    """A wallet with its story.

    subject: the partner's code, or the person's address.
    balance: what the wallet holds now, whatever the period shown.
    lines: the entries, newest last. unearned: the decisions without points, newest last.
    """

    subject: str
    name: str
    balance: int
    lines: tuple[Line, ...]
    unearned: tuple[Unearned, ...]


def statement(
    session: Session,
    subject: str,
    *,
    settings: Settings,
    period: Period | None = None,
    rows: int = ROWS_SHOWN,
) -> Statement:
    """The statement of a partner, by its code, or of a person, by e-mail address.

    period: only what is effective within it; None: everything there ever was.
    rows: at most so many rows behind each miss.
    Raises NotFound, naming those that are spelt alike.
    """
    if "@" in subject:
        person = _person(session, subject)
        lines = _lines(session, wallet_of_person(person.email), period)
        return Statement(person.email, person.name, _balance(lines), _within(lines, period), ())
    partner = _partner(session, subject)
    lines = _lines(session, wallet_of(partner.code), period)
    unearned = tuple(_unearned(session, partner, period, settings, rows))
    return Statement(partner.code, partner.name, _balance(lines), _within(lines, period), unearned)


def _partner(session: Session, code: str) -> Partner:
    found = session.scalar(sa.select(Partner).where(Partner.code == code))
    if found is None:
        codes = session.scalars(sa.select(Partner.code))
        raise _not_found(f"No partner has the code {code}.", code, list(codes))
    return found


def _person(session: Session, email: str) -> Person:
    found = session.scalar(sa.select(Person).where(Person.email == email.strip().lower()))
    if found is None:
        emails = session.scalars(sa.select(Person.email))
        raise _not_found(f"Nobody is known by {email}.", email, list(emails))
    return found


def _not_found(message: str, asked: str, known: list[str]) -> NotFound:
    by_small = {name.lower(): name for name in known}
    near = [by_small[name] for name in get_close_matches(asked.lower(), by_small, n=3)]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Look it up among those imported."
    return NotFound(message, remedy=remedy)


# --- What came in and went out ------------------------------------------------------------------


@dataclass(frozen=True)
class _Decided:
    """A decision beside all that it rests on."""

    session: Session
    row: DecisionRow
    closing: Closing
    rule: Rule
    partner_code: str

    @property
    def period(self) -> Period:
        return Period.parse(self.closing.period)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """The frozen figures it looked at, in the order of its findings."""
        level, subject = subject_of(self.rule, self.partner_code)
        kpis = [leaf["kpi"] for leaf in self.leaves if "kpi" in leaf]
        frozen = frozen_figures(
            self.session, self.period, level, kpis=kpis, subjects=[subject]
        ).get(subject, {})
        return {kpi: frozen.get(kpi, Figure(kpi, None)) for kpi in kpis}

    @cached_property
    def leaves(self) -> list[dict[str, Any]]:
        return [leaf for finding in self.row.findings for leaf in _leaves(finding)]


def _leaves(finding: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The findings about single things, inside out of every all-of and any-of."""
    if "parts" not in finding:
        yield finding
    for part in finding.get("parts", ()):
        yield from _leaves(part)


def _lines(session: Session, owner: str, period: Period | None) -> list[Line]:
    """Every entry of a wallet, with its running balance; those in the period with their figures."""
    entries = session.execute(
        sa.select(Entry.points, Transfer, DecisionRow, Closing, RuleVersion, Partner.code)
        .join(Account, Account.id == Entry.account_id)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .outerjoin(DecisionRow, DecisionRow.id == Transfer.decision_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Partner, Partner.id == DecisionRow.partner_id)
        .where(Account.kind == AccountKind.WALLET, Account.owner == owner)
        .order_by(Transfer.effective_on, Transfer.id)
    )
    lines: list[Line] = []
    balance = 0
    for points, transfer, row, closing, version, code in entries:
        balance += points
        why = Words(transfer.why_en, transfer.why_fr)
        line = Line(transfer.effective_on, points, balance, why, transfer.key)
        if transfer.decision_id and (period is None or line.on in period):
            decided = _Decided(session, row, closing, version.rule, code)
            figures = tuple(decided.figures.values())
            line = Line(
                line.on, points, balance, why, line.key, decided.rule, decided.period, figures
            )
        lines.append(line)
    return lines


def _balance(lines: list[Line]) -> int:
    return lines[-1].balance if lines else 0


def _within(lines: list[Line], period: Period | None) -> tuple[Line, ...]:
    return tuple(line for line in lines if period is None or line.on in period)


# --- What was missed ----------------------------------------------------------------------------


def _unearned(
    session: Session, partner: Partner, period: Period | None, settings: Settings, rows: int
) -> Iterator[Unearned]:
    """The partner's decisions that no transfer paid, by the end of their period."""
    found = session.execute(
        sa.select(DecisionRow, Closing, RuleVersion)
        .join(Closing, Closing.id == DecisionRow.closing_id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(DecisionRow.partner_id == partner.id, Transfer.id.is_(None))
    )
    unpaid = [
        _Decided(session, row, closing, version.rule, partner.code)
        for row, closing, version in found
    ]
    for decided in sorted(unpaid, key=lambda each: (each.period.last_day, each.rule.code)):
        if period is None or decided.period.last_day in period:
            yield _explained(decided, settings, rows)


def _explained(decided: _Decided, settings: Settings, rows: int) -> Unearned:
    row, rule = decided.row, decided.rule
    sentence = Words(row.sentence_en, row.sentence_fr)
    if row.verdict == Verdict.MET:
        waiting = Words(
            "Earned, and waiting until budget {budget} can pay everyone.",
            "Acquis, en attente que le budget {budget} puisse payer tout le monde.",
        ).format(budget=rule.budget)
        sentence = sentences.joined([sentence, waiting])
    return Unearned(
        period=decided.period,
        rule=rule,
        verdict=Verdict(row.verdict),
        points=rule.award.points,
        sentence=sentence,
        figures=tuple(decided.figures.values()),
        shortfalls=tuple(_shortfalls(decided, settings, rows)),
    )


def _shortfalls(decided: _Decided, settings: Settings, rows: int) -> Iterator[Shortfall]:
    for leaf in decided.leaves:
        verdict = Verdict(leaf["verdict"])
        if verdict is Verdict.MET or "kpi" not in leaf or decided.row.verdict == Verdict.MET:
            continue
        missed = verdict is Verdict.NOT_MET
        yield Shortfall(
            figure=decided.figures[leaf["kpi"]],
            verdict=verdict,
            sentence=Words(**leaf["sentence"]),
            misses=_misses(decided, leaf["kpi"], settings, rows) if missed else Misses(),
        )


def _misses(decided: _Decided, kpi: str, settings: Settings, rows: int) -> Misses:
    return rows_behind(
        decided.session,
        _measured(decided),
        kpi,
        decided.period,
        as_of=decided.closing.as_of,
        known_until=decided.closing.last_import_id or 0,
        settings=under_terms(settings, decided.closing.terms),
        limit=rows,
    )


def _measured(decided: _Decided) -> list[int]:
    """The partners whose facts the figures were drawn from: the hierarchy is that of the close."""
    if decided.rule.measured_on is Level.PARTNER:
        return [decided.row.partner_id]
    _, group = subject_of(decided.rule, decided.partner_code)
    everyone = Among("id", decided.session.scalars(sa.select(Partner.id)).all())
    partners = facts_known(
        decided.session,
        Partner,
        "partners",
        among=everyone,
        known_until=decided.closing.last_import_id or 0,
    )
    memberships = groups.by_distributor(partners)
    members = memberships.loc[memberships["group_code"] == group, "partner_id"]
    return [int(member) for member in members]
