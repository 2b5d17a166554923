"""Statements: every point a partner or person ever got or missed, and why.

Before: the ledger and retold decisions. After: pages, letters and the command line, which print
what stands here and add nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.deciding.retelling import retell
from rewards.ledger import AccountKind, Transfer
from rewards.ledger.owners import Owner
from rewards.misses import ROWS_SHOWN
from rewards.restating.compensations import carried
from rewards.rules import Decision, Rule
from rewards.statements import telling
from rewards.statements.recorded import Moved, Taken, is_shared_out, moved, taken, unpaid
from rewards.statements.shortfalls import RowsBehind, Shortfall, figures_of

__all__ = ["Corrected", "Held", "Line", "Shortfall", "Statement", "Unearned", "statement"]


@dataclass(frozen=True)
class Corrected:
    """The entry that another one puts right; it stays as it is."""

    key: str
    on: date
    why: Words

    @property
    def sentence(self) -> Words:
        return Words(
            "Corrects the entry of {on}: {why} The original entry stays.",
            "Corrige l’écriture du {on}\u202f: {why} L’écriture d’origine demeure.",
        ).format(on=sentences.day_text(self.on), why=self.why)


@dataclass(frozen=True)
class Line:
    """One entry of the wallet.

    points: below zero where they were spent or taken back. balance: after this entry.
    why: what the ledger says, then every reason.
    rule, period, figures: what it was earned by; None and empty where no rule gave it, and no
        period where it was earned by an event.
    entry: the entry's number. held_since: the day from which it was held; None: it never was.
    """

    on: date
    points: int
    balance: int
    why: Words
    key: str
    rule: Rule | None = None
    period: Period | None = None
    figures: tuple[Figure, ...] = ()
    entry: int = 0
    corrects: Corrected | None = None
    held_since: date | None = None


@dataclass(frozen=True)
class Held:
    """An award that can't be spent yet, or was taken back before it could.

    until: the first day on which it may be released; None: no day was set.
    needs_approval: whether it waits for somebody to approve it.
    settled_on: when it was released or taken back; None: it still waits.
    released: whether it reached the wallet. settled_why: what the ledger says of that.
    """

    on: date
    points: int
    why: Words
    key: str
    until: date | None
    needs_approval: bool
    rule: Rule | None = None
    period: Period | None = None
    figures: tuple[Figure, ...] = ()
    entry: int = 0
    settled_on: date | None = None
    released: bool = False
    settled_why: Words | None = None

    @property
    def waits(self) -> bool:
        return self.settled_on is None

    @property
    def sentence(self) -> Words:
        """Why it was awarded and what it waits for, or what became of it and why."""
        if self.settled_why is not None:
            return self.settled_why
        return sentences.joined([self.why, _waiting(self.until, approval=self.needs_approval)])


@dataclass(frozen=True)
class Unearned:
    """A decision that brought no points, or none yet.

    period: None where it was taken on an event. on: the day it is about.
    verdict: met where the points are earned and the budget can't pay them yet, and where a limit
        left nothing of them.
    points: what it would have brought, at most. worth: the same in words.
    """

    period: Period | None
    rule: Rule
    verdict: Verdict
    points: int
    sentence: Words
    figures: tuple[Figure, ...]
    shortfalls: tuple[Shortfall, ...]
    on: date

    @property
    def worth(self) -> Words:
        return self.rule.award.told


@dataclass(frozen=True)
class Statement:
    """A wallet with its story.

    subject: the partner's code, or the person's address.
    balance: what the wallet holds now, whatever the period shown; pending: what is held besides,
        and can't be spent yet; carried: what was taken back and is still to be collected from what
        comes in.
    lines: the entries, newest last. unearned: the decisions without points, newest last.
    held: the awards that are held, or were, newest last.
    """

    subject: str
    name: str
    balance: int
    lines: tuple[Line, ...]
    unearned: tuple[Unearned, ...]
    pending: int = 0
    held: tuple[Held, ...] = ()
    carried: int = 0

    @property
    def waiting(self) -> tuple[Held, ...]:
        """The awards that can't be spent yet."""
        return tuple(each for each in self.held if each.waits)

    @property
    def refused(self) -> tuple[Held, ...]:
        """The awards that were taken back before they could be spent."""
        return tuple(each for each in self.held if not each.waits and not each.released)


def statement(
    session: Session,
    owner: Owner,
    *,
    settings: Settings,
    period: Period | None = None,
    rows: int = ROWS_SHOWN,
) -> Statement:
    """The statement of a partner or a person.

    period: only what is effective within it; None: everything there ever was.
    rows: at most so many rows behind each miss.
    """
    story = _Story.of(session, owner, period)
    behind = RowsBehind(session, settings, rows)
    held = tuple(story.held())
    return Statement(
        owner.subject,
        owner.name,
        story.balance(AccountKind.WALLET),
        tuple(story.lines()),
        tuple(story.unearned(behind)),
        pending=story.balance(AccountKind.PENDING),
        held=held,
        carried=_carried(session, owner),
    )


def _carried(session: Session, owner: Owner) -> int:
    owing = [] if owner.partner_id is None else carried(session, [owner.partner_id])
    return sum(each.points for each in owing)


@dataclass(frozen=True)
class _Story:
    """All that is on record about an owner, with its decisions told again.

    unpaid: the decisions that brought nothing, in the period.
    """

    session: Session
    period: Period | None
    entries: Sequence[Moved]
    unpaid: Sequence[Taken]
    taken: Mapping[int, Taken]
    decisions: Mapping[int, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, owner: Owner, period: Period | None) -> _Story:
        entries = moved(session, owner.wallet)
        shown = [each for each in entries if period is None or each.transfer.effective_on in period]
        missed = [each for each in unpaid(session, owner) if period is None or each.on in period]
        paid = taken(session, {each.decision_id for each in shown if each.decision_id is not None})
        decisions = retell(session, [each.row for each in (*paid.values(), *missed)])
        return cls(session, period, entries, missed, paid, decisions)

    def balance(self, kind: AccountKind) -> int:
        return sum(each.points for each in self.entries if each.kind == kind)

    def lines(self) -> Iterator[Line]:
        """The wallet's entries in the period, each with the balance after all before it."""
        balance = 0
        for each in self._of(AccountKind.WALLET):
            balance += each.points
            if self._shows(each.transfer.effective_on):
                yield self._line(each, balance)

    def held(self) -> Iterator[Held]:
        """The awards that were held in the period, whatever became of them."""
        wallet = {each.transfer.id for each in self._of(AccountKind.WALLET)}
        settled = {
            each.settles.id: each.transfer for each in self._of(AccountKind.PENDING) if each.settles
        }
        for each in self._of(AccountKind.PENDING):
            if each.points > 0 and self._shows(each.transfer.effective_on):
                settling = settled.get(each.transfer.id)
                yield self._held(each, settling, released=bool(settling and settling.id in wallet))

    def unearned(self, behind: RowsBehind) -> Iterator[Unearned]:
        for each in self.unpaid:
            decision = self.decisions[each.row.id]
            yield Unearned(
                period=each.period,
                rule=decision.rule,
                verdict=decision.verdict,
                points=decision.points or decision.rule.award.points_max or 0,
                sentence=self._why_unearned(each, decision),
                figures=figures_of(decision),
                shortfalls=behind.shortfalls(decision, each.row.partner_id),
                on=each.on,
            )

    def _why_unearned(self, each: Taken, decision: Decision) -> Words:
        """The decision's sentence, and what it waits for where it was earned."""
        if not decision.points:
            return decision.sentence
        waits = telling.unpaid(decision.rule, shared_out=is_shared_out(self.session, each.row))
        return sentences.joined([decision.sentence, waits])

    def _line(self, each: Moved, balance: int) -> Line:
        transfer, decision = each.transfer, self._decision(each)
        original = each.corrects
        return Line(
            transfer.effective_on,
            each.points,
            balance,
            _why(transfer, decision),
            transfer.key,
            decision.rule if decision else None,
            self.taken[each.decision_id].period if each.decision_id else None,
            figures_of(decision) if decision else (),
            entry=each.entry_id,
            corrects=Corrected(original.key, original.effective_on, _said(original))
            if original
            else None,
            held_since=each.settles.effective_on if each.settles else None,
        )

    def _held(self, each: Moved, settling: Transfer | None, *, released: bool) -> Held:
        transfer, decision = each.transfer, self._decision(each)
        return Held(
            transfer.effective_on,
            each.points,
            _why(transfer, decision),
            transfer.key,
            until=transfer.held_until,
            needs_approval=transfer.needs_approval,
            rule=decision.rule if decision else None,
            period=self.taken[each.decision_id].period if each.decision_id else None,
            figures=figures_of(decision) if decision else (),
            entry=each.entry_id,
            settled_on=settling.effective_on if settling else None,
            released=released,
            settled_why=_said(settling) if settling else None,
        )

    def _decision(self, each: Moved) -> Decision | None:
        return None if each.decision_id is None else self.decisions[each.decision_id]

    def _of(self, kind: AccountKind) -> Iterator[Moved]:
        return (each for each in self.entries if each.kind == kind)

    def _shows(self, day: date) -> bool:
        return self.period is None or day in self.period


# --- In words -------------------------------------------------------------------------------------


def _said(transfer: Transfer) -> Words:
    return Words(transfer.why_en, transfer.why_fr)


def _why(transfer: Transfer, decision: Decision | None) -> Words:
    """What the ledger says of a transfer, then the reasons of the decision behind it."""
    reasons = [finding.sentence for finding in decision.reasons] if decision else []
    if decision and decision.limited:
        reasons.append(decision.limited)
    return sentences.joined([_said(transfer), *reasons])


def _waiting(until: date | None, *, approval: bool) -> Words:
    if until is None:
        return Words("Waits for approval.", "En attente d’approbation.")
    if approval:
        said = Words(
            "Waits for approval, and until {day} at least.",
            "En attente d’approbation, et au moins jusqu’au {day}.",
        )
    else:
        said = Words("To be released on {day}.", "À débloquer le {day}.")
    return said.format(day=sentences.day_text(until))
