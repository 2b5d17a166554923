"""Budgets: what a programme may give away. Points come into being here, by funding.

After them stand reservations and awards, which take from a budget and never more than it holds;
`report` tells where its points are now, `raise_alerts` that they are running out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from partner_cx.database import Base, Id, Instant, Text, insert_for, lock
from partner_cx.errors import Conflict, Invalid
from partner_cx.journal import Did, note
from partner_cx.quantities import number_text, points_text
from partner_cx.words import Words
from rewards import announcing
from rewards.ledger import Account, AccountKind, Entry, Move, Transfer, account, post
from rewards.reading import Given

FUNDER = "programme"  # the one account that may go below zero: what was ever funded, negated
POINTS_MAX = 10**12  # what a budget may hold: no sum of such comes near the end of 64 bits
LEVELS = (50, 80, 95, 100)  # in percent: when a budget's use is told of


class BudgetAlert(Base):
    """That so much of a budget was used, told once per level and funding. Append-only.

    level: in percent of what was funded. used_points: awarded, pending and reserved together.
    """

    __tablename__ = "budget_alerts"
    __table_args__ = (sa.UniqueConstraint("budget_code", "level", "funded_points"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    budget_code: Mapped[str] = mapped_column(Text)
    level: Mapped[int]
    funded_points: Mapped[int] = mapped_column(sa.BigInteger)
    used_points: Mapped[int] = mapped_column(sa.BigInteger)
    raised_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def sentence(self) -> Words:
        """What the manager of the budget reads."""
        return Words(
            "Budget {code}: {level}% is used, {used} of {funded}.",
            "Budget {code}\u202f: {level}\u202f% sont utilisés, {used} sur {funded}.",
        ).format(
            code=self.budget_code,
            level=self.level,
            used=_number(self.used_points),
            funded=_points(self.funded_points),
        )


@dataclass(frozen=True)
class BudgetReport:
    """Where a budget's points are. They add up: nothing is used that isn't one of the three.

    funded: what it was ever given.
    spent: in wallets, or spent from there, less what was taken back.
    committed: awarded, and held or waiting for somebody to approve it.
    reserved: set aside for something under way.
    left: what can still be awarded or reserved.
    """

    code: str
    funded: int
    spent: int
    committed: int
    reserved: int
    left: int

    @property
    def used(self) -> int:
        return self.funded - self.left

    @property
    def used_share(self) -> Fraction | None:
        """None for a budget that was never funded."""
        return Fraction(self.used, self.funded) if self.funded else None


def budget(session: Session, code: str) -> Account:
    """The budget's account. One that was never funded is there too, and holds nothing."""
    return account(session, AccountKind.BUDGET, code)


def fund(
    session: Session,
    budget_code: str,
    points: int,
    *,
    key: str,
    why: Words,
    now: datetime,
    effective_on: date | None = None,
    by: str = "",
) -> Transfer:
    """Give points to a budget, once per key.

    budget_code: a code, as rules name budgets. key, why: each a text on one line.
    effective_on: None is the day of `now`. Told again on another day it is still the same gift,
        effective on its first day.
    by: who gives, for the journal, where somebody is known.

    Raises Invalid or Conflict when the budget would hold more than POINTS_MAX; a refusal leaves
    nothing behind. The caller commits.
    """
    Given.of(budget_code, "the budget").code()
    Given.of(key, "the key").line()
    for reason in (why.en, why.fr):
        Given.of(reason, "why").line()
    if points > POINTS_MAX:
        raise Invalid(
            f"{points_text(points, 'en')} are more than a budget may hold.",
            remedy=f"Give {points_text(POINTS_MAX, 'en')} at most.",
        )
    lock(session, f"fund:{key}")
    source = account(session, AccountKind.FUNDING, FUNDER)
    first = session.scalar(sa.select(Transfer.effective_on).where(Transfer.key == key))
    with session.begin_nested():
        given = post(
            session,
            key=key,
            why=why,
            moves=[Move(source, budget(session, budget_code), points)],
            effective_on=first or effective_on or now.date(),
            now=now,
        )
        # Asked once the balance has moved, since only then can no other gift come between.
        _refuse_too_much(budget_code, points_left(session, budget_code), points)
    if by and first is None:
        details = {"points": points, "why": why.en}
        note(session, by=by, did=Did.BUDGET_FUNDED, about=budget_code, now=now, details=details)
    return given


def points_left(session: Session, budget_code: str) -> int:
    """What a budget holds right now, not what it held when it was last looked at."""
    balance = sa.select(Account.balance_points).where(
        Account.kind == AccountKind.BUDGET, Account.owner == budget_code
    )
    return session.scalar(balance) or 0


def report(session: Session, code: str) -> BudgetReport:
    """Where a budget's points are. One that was never funded has none anywhere."""
    found = reports(session, [code])
    return found[0] if found else BudgetReport(code, 0, 0, 0, 0, 0)


def reports(session: Session, codes: Collection[str] | None = None) -> list[BudgetReport]:
    """The reports of several budgets, by code. codes: None: of all there are."""
    committed = _committed(session)
    reserved = _balances(session, AccountKind.RESERVED, codes)
    return [
        BudgetReport(
            code,
            funded=funded,
            spent=funded - left - committed.get(code, 0) - reserved.get(code, 0),
            committed=committed.get(code, 0),
            reserved=reserved.get(code, 0),
            left=left,
        )
        for code, funded, left in _standings(session, codes)
    ]


def raise_alerts(
    session: Session, codes: Collection[str], now: datetime, levels: Sequence[int] = LEVELS
) -> list[BudgetAlert]:
    """Tell which budgets have come to a level of use, each once per level and funding.

    levels: in percent of what was funded. A budget that is funded again has its levels before it
    again. Returns those told now; the caller commits.
    """
    rows = [
        {
            "budget_code": code,
            "level": level,
            "funded_points": funded,
            "used_points": funded - left,
            "raised_at": now,
        }
        for code, funded, left in _standings(session, codes)
        for level in levels
        if funded and 100 * (funded - left) >= level * funded
    ]
    told = _told(session, {str(row["budget_code"]) for row in rows})
    named = ("budget_code", "level", "funded_points")
    new = [row for row in rows if tuple(row[name] for name in named) not in told]
    raised = [alert for row in new if (alert := _raise(session, row))]
    for alert in raised:
        announcing.alert_raised(session, alert.id, now=now)
    return raised


def alerts(session: Session, code: str | None = None) -> list[BudgetAlert]:
    """What was told, the newest first. code: of this budget alone."""
    told = sa.select(BudgetAlert).order_by(BudgetAlert.id.desc())
    return list(session.scalars(told.where(BudgetAlert.budget_code == code) if code else told))


def _told(session: Session, codes: Collection[str]) -> set[tuple[object, ...]]:
    """What was told of some budgets, asked first: it is asked for every event."""
    if not codes:
        return set()
    columns = (BudgetAlert.budget_code, BudgetAlert.level, BudgetAlert.funded_points)
    found = session.execute(sa.select(*columns).where(BudgetAlert.budget_code.in_(sorted(codes))))
    return {tuple(row) for row in found}


def _raise(session: Session, row: dict[str, object]) -> BudgetAlert | None:
    """None where it was told before, by anybody."""
    once = insert_for(session, BudgetAlert).values(row).on_conflict_do_nothing()
    added = session.scalar(once.returning(BudgetAlert.id))
    return None if added is None else session.get_one(BudgetAlert, added)


def _standings(session: Session, codes: Collection[str] | None) -> list[tuple[str, int, int]]:
    """Each budget's code, what it was ever given and what it holds, by code."""
    # A budget has few gifts among many awards: they are found from the source's side.
    source = sa.select(Account.id).where(Account.kind == AccountKind.FUNDING)
    gifts = sa.select(Entry.transfer_id).where(Entry.account_id.in_(source))
    funded = (
        sa.select(sa.func.coalesce(sa.func.sum(Entry.points), 0))
        .where(Entry.transfer_id.in_(gifts), Entry.account_id == Account.id)
        .correlate(Account)
        .scalar_subquery()
    )
    wanted = sa.select(Account.owner, funded, Account.balance_points).where(
        Account.kind == AccountKind.BUDGET
    )
    if codes is not None:
        wanted = wanted.where(Account.owner.in_(sorted(codes)))
    found = session.execute(wanted.order_by(Account.owner))
    return [(code, int(given), left) for code, given, left in found]


def _balances(session: Session, kind: AccountKind, codes: Collection[str] | None) -> dict[str, int]:
    wanted = sa.select(Account.owner, Account.balance_points).where(Account.kind == kind)
    if codes is not None:
        wanted = wanted.where(Account.owner.in_(sorted(codes)))
    return dict(session.execute(wanted).all())


def _committed(session: Session) -> dict[str, int]:
    """What is pending, by the budget that paid it: of an award, and of what settles it."""
    pending, paid = aliased(Account), aliased(Account)
    paying = aliased(Entry)
    origin = sa.func.coalesce(Transfer.settles_id, Transfer.id)
    found = session.execute(
        sa.select(paid.owner, sa.func.sum(Entry.points))
        .select_from(Entry)
        .join(pending, sa.and_(pending.id == Entry.account_id, pending.kind == "pending"))
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .join(paying, paying.transfer_id == origin)
        .join(paid, sa.and_(paid.id == paying.account_id, paid.kind == "budget"))
        .group_by(paid.owner)
    )
    return {code: int(points) for code, points in found}


def _points(points: int) -> Words:
    return Words(points_text(points, "en"), points_text(points, "fr"))


def _number(points: int) -> Words:
    return Words(number_text(points, "en"), number_text(points, "fr"))


def _refuse_too_much(budget_code: str, held: int, points: int) -> None:
    if held > POINTS_MAX:
        raise Conflict(
            f"Budget {budget_code} would hold {points_text(held, 'en')}; "
            f"{points_text(POINTS_MAX, 'en')} is the most.",
            remedy=f"Give {points_text(POINTS_MAX - held + points, 'en')} at most.",
        )
