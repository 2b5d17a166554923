"""The ledger proven: every transfer against its digest, every balance against its entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection, as_text
from rewards.ledger import Account, AccountKind, Entry, Transfer, contents_digest


def transfers(inspection: Inspection) -> Iterator[Found]:
    """Every transfer, with its entries: what it moved, and whether it says what it said."""
    for _, lines in groupby(inspection.stream(_WITH_ENTRIES), key=lambda row: row.id):
        found = list(lines)
        inspection.saw("transfers")
        inspection.saw("entries", sum(line.points is not None for line in found))
        yield from _transfer(found)


_WITH_ENTRIES = (
    sa.select(
        Transfer.id,
        Transfer.key,
        Transfer.digest,
        Transfer.why_en,
        Transfer.why_fr,
        as_text(Transfer.effective_on).label("effective_on"),
        as_text(Transfer.held_until).label("held_until"),
        Transfer.needs_approval,
        Account.kind,
        Account.owner,
        Entry.points,
    )
    .select_from(Transfer)
    .outerjoin(Entry, Entry.transfer_id == Transfer.id)
    .outerjoin(Account, Account.id == Entry.account_id)
    .order_by(Transfer.id)
)


def _transfer(lines: Sequence[Any]) -> Iterator[Found]:
    first = lines[0]
    points = [line.points for line in lines if line.points is not None]
    if not points:
        yield Found("transfer_without_entries", first.key)
        return
    if rest := sum(points):
        one_sided = all(each > 0 for each in points) or all(each < 0 for each in points)
        yield Found("entry_missing" if one_sided else "entries_unequal", first.key, 0, rest)
    due = contents_digest(
        first.key,
        first.why_en,
        first.why_fr,
        first.effective_on,
        [(line.kind, line.owner, line.points) for line in lines],
        held_until=first.held_until,
        needs_approval=first.needs_approval,
    )
    if due != first.digest:
        yield Found("transfer_altered", first.key, first.digest, due)


def used_twice(inspection: Inspection) -> Iterator[Found]:
    """What the unique keys should have refused, had nobody taken them away."""
    for kind, column in (("key_used_twice", Transfer.key), ("paid_twice", Transfer.decision_id)):
        doubled = (
            sa.select(column, sa.func.count())
            .where(column.is_not(None))
            .group_by(column)
            .having(sa.func.count() > 1)
            .order_by(column)
        )
        for value, count in inspection.stream(doubled):
            yield Found(kind, str(value), 1, count)


def balances(inspection: Inspection) -> Iterator[Found]:
    """Every balance against its entries, and none below zero but the source of all points."""
    given, taken = (
        sa.func.sum(sa.case((side, sa.func.abs(Entry.points)), else_=0))
        for side in (Entry.points > 0, Entry.points < 0)
    )
    # By the number as a sum, so that SQLite reads the entries as they lie rather than by index.
    number = Entry.account_id + 0
    entered = sa.select(
        number.label("account_id"), given.label("given"), taken.label("taken")
    ).group_by(number)
    sums = entered.subquery()
    per_account = (
        sa.select(
            Account.kind,
            Account.owner,
            Account.balance_points,
            sa.func.coalesce(sums.c.given, 0),
            sa.func.coalesce(sums.c.taken, 0),
        )
        .outerjoin(sums, sums.c.account_id == Account.id)
        .order_by(Account.kind, Account.owner)
    )
    total = 0
    for kind, owner, kept, given, taken in inspection.stream(per_account):
        inspection.saw("accounts")
        total += kept
        due = int(given) - int(taken)
        if kept != due:
            yield Found("balance_drifted", f"{kind} {owner}", due, kept)
        if kind == AccountKind.BUDGET and due < 0:
            yield Found("budget_overspent", owner, given, taken)
        elif kind != AccountKind.FUNDING and min(kept, due) < 0:
            yield Found("balance_negative", f"{kind} {owner}", 0, min(kept, due))
    if total:
        yield Found("total_not_zero", "all accounts", 0, total)
